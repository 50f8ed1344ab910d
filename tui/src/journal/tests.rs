//! What is kept comes back to its owner, once, in order, whatever died in between.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn owner(person: &str) -> Owner {
    Owner {
        server: "http://a".into(),
        person: person.into(),
    }
}

fn line(number: u128, body: &str) -> Line {
    Line {
        instance: "1/4".parse().expect("an id"),
        cmid: Cmid(uuid::Uuid::from_u128(number)),
        aim: Aim::Say,
        body: MessageBody::parse(body).expect("a body"),
        since: Timestamp::from_ms(i64::try_from(number).expect("small")),
        failed: None,
    }
}

fn say(number: u128, body: &str) -> Record {
    Record::Say(line(number, body))
}

/// As if the program had been killed: the lock goes, the file stays.
fn kill(journal: Journal) {
    let copy = journal.path.with_extension("kept");
    fs::copy(&journal.path, &copy).expect("the file is there");
    let path = journal.path.clone();
    drop(journal);
    fs::rename(copy, path).expect("the directory is ours");
}

fn open(directory: &Path, person: &str, name: &str) -> (Journal, Vec<String>) {
    let (journal, lines) = Journal::open(directory, &owner(person), name).expect("it opens");
    let bodies = lines.iter().map(|line| line.body.as_str().to_owned());
    (journal, bodies.collect())
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).expect("a directory").count()
}

#[test]
fn what_was_not_safe_comes_back_once_and_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let here = directory.path();
    let (mut first, found) = open(here, "ada", "first");
    assert!(found.is_empty());
    first
        .write(&[say(1, "one"), say(2, "two\nlines"), say(3, "three")])
        .expect("it is written");
    first
        .write(&[Record::Done(line(1, "one").cmid)])
        .expect("it is written");
    let mode = fs::metadata(&first.path)
        .expect("it is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    // A running program's file is nobody else's.
    let (second, found) = open(here, "ada", "second");
    assert!(found.is_empty());
    kill(first);
    kill(second);
    let (third, found) = open(here, "ada", "third");
    assert_eq!(found, ["two\nlines", "three"]);
    assert_eq!(files(here), 1, "what was taken over is gone");
    kill(third);
    let (_fourth, found) = open(here, "ada", "fourth");
    assert_eq!(found, ["two\nlines", "three"]);
}

#[test]
fn it_belongs_to_one_person_at_one_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut ada, _) = open(directory.path(), "ada", "a");
    ada.write(&[say(1, "mine")]).expect("it is written");
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
fn why_a_line_failed_is_kept_until_it_is_tried_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut journal, _) = open(directory.path(), "ada", "a");
    let cmid = line(1, "one").cmid;
    let failed = Record::Failed {
        cmid,
        why: "over".into(),
        tried: false,
    };
    journal
        .write(&[say(1, "one"), failed])
        .expect("it is written");
    kill(journal);
    let (mut journal, lines) =
        Journal::open(directory.path(), &owner("ada"), "b").expect("it opens");
    assert_eq!(lines[0].failed, Some(("over".into(), false)));
    journal
        .write(&[Record::Again(cmid)])
        .expect("it is written");
    kill(journal);
    let (_journal, lines) = Journal::open(directory.path(), &owner("ada"), "c").expect("it opens");
    assert_eq!(lines[0].failed, None);
}

#[test]
fn a_line_that_a_crash_cut_is_passed_over() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut journal, _) = open(directory.path(), "ada", "a");
    journal
        .write(&[say(1, "whole"), say(2, "torn")])
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
fn a_file_does_not_grow_for_ever() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut journal, _) = open(directory.path(), "ada", "a");
    journal.write(&[say(0, "stays")]).expect("it is written");
    let long = "x".repeat(4_000);
    for number in 1..600 {
        let done = Record::Done(line(number, "x").cmid);
        journal
            .write(&[say(number, &long), done])
            .expect("it is written");
        assert!(journal.bytes <= REWRITE_BYTES + 8_192);
    }
    kill(journal);
    let (mut journal, found) = open(directory.path(), "ada", "b");
    assert_eq!(found, ["stays"]);
    journal
        .write(&[Record::Done(line(0, "stays").cmid)])
        .expect("it is written");
    assert_eq!(journal.bytes, journal.header.len() as u64);
    drop(journal);
    assert_eq!(files(directory.path()), 0, "what is empty is removed");
}
