//! Journals on a real disk: entries survive a crash, once each and in order.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn owner(email: &str) -> Owner {
    Owner {
        server: "http://a".into(),
        email: email.into(),
    }
}

fn entry(number: u128, body: &str) -> JournalEntry {
    JournalEntry {
        instance: "1/4".parse().expect("an id"),
        cmid: Cmid(uuid::Uuid::from_u128(number)),
        target: ComposeTarget::New,
        body: MessageBody::parse(body).expect("a body"),
        since: Timestamp::from_ms(i64::try_from(number).expect("small")),
        failed: None,
    }
}

fn post(number: u128, body: &str) -> Record {
    Record::Post(entry(number, body))
}

/// Simulates a killed process: the lock is released and the file stays.
fn kill(journal: Journal) {
    let copy = journal.path.with_extension("kept");
    fs::copy(&journal.path, &copy).expect("the file is there");
    let path = journal.path.clone();
    drop(journal);
    fs::rename(copy, path).expect("the directory is ours");
}

fn open(directory: &Path, email: &str, name: &str) -> (Journal, Vec<String>) {
    let (journal, entries) = Journal::open(directory, &owner(email), name).expect("it opens");
    let bodies = entries.iter().map(|line| line.body.as_str().to_owned());
    (journal, bodies.collect())
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).expect("a directory").count()
}

#[test]
fn entries_of_a_killed_process_are_taken_over_once_and_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let here = directory.path();
    let (mut first, found) = open(here, "ada", "first");
    assert!(found.is_empty());
    first
        .write(&[post(1, "one"), post(2, "two\nlines"), post(3, "three")])
        .expect("it is written");
    first
        .write(&[Record::Done(entry(1, "one").cmid)])
        .expect("it is written");
    let mode = fs::metadata(&first.path)
        .expect("it is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    // The file of a running process is not taken over.
    let (second, found) = open(here, "ada", "second");
    assert!(found.is_empty());
    kill(first);
    kill(second);
    let (third, found) = open(here, "ada", "third");
    assert_eq!(found, ["two\nlines", "three"]);
    assert_eq!(files(here), 1, "files that were taken over are removed");
    kill(third);
    let (_fourth, found) = open(here, "ada", "fourth");
    assert_eq!(found, ["two\nlines", "three"]);
}

#[test]
fn journal_belongs_to_one_user_at_one_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut ada, _) = open(directory.path(), "ada", "a");
    ada.write(&[post(1, "mine")]).expect("it is written");
    kill(ada);
    let (_bob, found) = open(directory.path(), "bob", "b");
    assert!(found.is_empty());
    let elsewhere = Owner {
        server: "http://b".into(),
        ..owner("ada")
    };
    let (_other, found) = Journal::open(directory.path(), &elsewhere, "c").expect("it opens");
    assert!(found.is_empty());
    let (_ada, found) = open(directory.path(), "ada", "d");
    assert_eq!(found, ["mine"]);
}

#[test]
fn failure_is_kept_until_the_retry() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut journal, _) = open(directory.path(), "ada", "a");
    let cmid = entry(1, "one").cmid;
    let failed = Record::Failed {
        cmid,
        why: "over".into(),
        tried: false,
    };
    journal
        .write(&[post(1, "one"), failed])
        .expect("it is written");
    kill(journal);
    let (mut journal, entries) =
        Journal::open(directory.path(), &owner("ada"), "b").expect("it opens");
    assert_eq!(entries[0].failed, Some(("over".into(), false)));
    journal
        .write(&[Record::Retry(cmid)])
        .expect("it is written");
    kill(journal);
    let (_journal, entries) =
        Journal::open(directory.path(), &owner("ada"), "c").expect("it opens");
    assert_eq!(entries[0].failed, None);
}

#[test]
fn line_cut_off_by_a_crash_is_ignored() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut journal, _) = open(directory.path(), "ada", "a");
    journal
        .write(&[post(1, "whole"), post(2, "torn")])
        .expect("it is written");
    let path = journal.path.clone();
    kill(journal);
    let bytes = fs::metadata(&path).expect("it is there").len();
    let file = OpenOptions::new().write(true).open(&path);
    file.and_then(|file| file.set_len(bytes - 9)).expect("ours");
    let (_journal, found) = open(directory.path(), "ada", "b");
    assert_eq!(found, ["whole"]);
}

#[test]
fn file_size_is_bounded() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut journal, _) = open(directory.path(), "ada", "a");
    journal.write(&[post(0, "stays")]).expect("it is written");
    let long = "x".repeat(4_000);
    for number in 1..600 {
        let done = Record::Done(entry(number, "x").cmid);
        journal
            .write(&[post(number, &long), done])
            .expect("it is written");
        assert!(journal.bytes <= REWRITE_BYTES_MIN + 8_192);
    }
    kill(journal);
    let (mut journal, found) = open(directory.path(), "ada", "b");
    assert_eq!(found, ["stays"]);
    journal
        .write(&[Record::Done(entry(0, "stays").cmid)])
        .expect("it is written");
    assert_eq!(journal.bytes, journal.header.len() as u64);
    drop(journal);
    assert_eq!(files(directory.path()), 0, "an empty file is removed");
}
