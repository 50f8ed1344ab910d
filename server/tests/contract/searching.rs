//! Search finds every matching message and nothing else, newest first, whatever the words are.

use plenary_shared::domain::User;
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::SearchHit;
use plenary_shared::search::Query;

use crate::harness::{Harness, body, cmid, now};

fn query(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Reads all results in pages of this size.
async fn all(harness: &Harness, who: &User, text: &str, limit: usize) -> Vec<SearchHit> {
    let query = query(text);
    let mut found = vec![];
    let mut before = None;
    loop {
        let page = harness.store.search(who, &query, before, limit).await;
        let page = page.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(page.hits.len() <= limit, "{text}");
        found.extend(page.hits);
        match page.next {
            None => return found,
            next => before = next,
        }
    }
}

/// Checks the texts of the results, newest first.
async fn says(harness: &Harness, who: &User, text: &str) -> Vec<String> {
    let found = all(harness, who, text, 100).await;
    let newest_first = found.windows(2).all(|pair| {
        (
            pair[0].message.timestamp,
            pair[0].instance,
            pair[0].message.seq,
        ) > (
            pair[1].message.timestamp,
            pair[1].instance,
            pair[1].message.seq,
        )
    });
    assert!(newest_first, "{text}");
    let bodies = found.into_iter().map(|one| one.message.body.to_string());
    bodies.collect()
}

async fn begin(harness: &mut Harness, names: &[&User]) -> InstanceId {
    let here = harness.public().await;
    for user in names {
        harness.join(here, user).await;
    }
    here
}

pub async fn words_are_found_in_every_instance(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = begin(harness, &[&ada, &grace]).await;
    let there = begin(harness, &[&grace]).await;
    let first = harness.post(here, &ada, "The Budget is ready").await;
    harness.post(here, &grace, "which one?").await;
    harness
        .post(there, &grace, "budgets of all departments")
        .await;
    harness.post(here, &ada, "that of the debug tool").await;
    harness.archive(here).await;
    harness.archive(there).await;
    harness.end(there).await;
    let both = ["budgets of all departments", "The Budget is ready"];
    for text in ["budget", "BUDGET", "bud", "\"udget\"", "bu"] {
        let found = says(harness, &ada, text).await;
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, both, "{text}");
    }
    assert_eq!(says(harness, &ada, "budget ready").await, both[1..]);
    assert_eq!(says(harness, &ada, "udget").await, [""; 0]);
    let found = all(harness, &ada, "budget ready", 10).await;
    let one = &found[0];
    assert_eq!(
        (one.instance, one.live, one.title.as_str()),
        (here, true, "Seminar")
    );
    assert_eq!(
        (one.message.seq, one.message.timestamp),
        (first.seq, first.timestamp)
    );
    assert_eq!(
        (one.message.user, one.message.name.as_str()),
        (ada.id, "ada")
    );
    assert!(!all(harness, &ada, "departments", 10).await[0].live);
}

pub async fn search_finds_only_readable_messages(harness: &mut Harness) {
    let [ada, grace, alan] = [
        harness.member("ada").await,
        harness.member("grace").await,
        harness.member("alan").await,
    ];
    let here = harness.private(&[&ada, &grace]).await;
    harness.join(here, &ada).await;
    harness.post(here, &ada, "the secret plan").await;
    harness.archive(here).await;
    let root = harness.root.clone();
    let look = async |harness: &Harness, when: &str, expected: &[(&User, usize)]| {
        let texts = [
            "secret",
            "se",
            "plan in:1",
            &format!("plan in:{here}"),
            "from:ada",
        ];
        for text in texts {
            for (who, count) in expected {
                let found = says(harness, who, text).await.len();
                assert_eq!(found, *count, "{when}: {text} by {}", who.name);
            }
        }
    };
    let all = [(&ada, 1), (&grace, 1), (&alan, 0), (&root, 1)];
    look(harness, "live", &all).await;
    // A participant can still read it, invited or not; a user who is neither cannot.
    harness.back_end.sql("DELETE FROM audience");
    harness.store.sweep().await.expect("the store answers");
    let uninvited = [(&ada, 1), (&grace, 0), (&alan, 0), (&root, 1)];
    look(harness, "uninvited", &uninvited).await;
    harness.end(here).await;
    look(
        harness,
        "ended",
        &[(&ada, 0), (&grace, 0), (&alan, 0), (&root, 1)],
    )
    .await;
}

pub async fn filters_restrict_user_instance_and_time(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let meeting = harness.meeting("Weekly", None).await;
    let here = harness.active(meeting, crate::harness::HOUR_MS).await;
    let again = harness.active(meeting, crate::harness::HOUR_MS).await;
    let other = begin(harness, &[&ada]).await;
    for at in [here, again] {
        harness.join(at, &ada).await;
        harness.join(at, &grace).await;
    }
    harness.post(here, &ada, "one by ada").await;
    harness.post(here, &grace, "one by grace").await;
    harness.post(again, &ada, "two by ada").await;
    harness.post(other, &ada, "three by ada").await;
    for at in [here, again, other] {
        harness.archive(at).await;
    }
    let today = now().to_string()[..10].to_owned();
    let id = ada.id;
    for (text, expected) in [
        (
            "from:ada".to_owned(),
            vec!["three by ada", "two by ada", "one by ada"],
        ),
        ("from:ADA@example.org one".to_owned(), vec!["one by ada"]),
        (format!("from:{id} two"), vec!["two by ada"]),
        ("from:me".to_owned(), vec!["one by grace"]),
        ("from:gra".to_owned(), vec!["one by grace"]),
        ("from:nobody".to_owned(), vec![]),
        ("from:%".to_owned(), vec![]),
        ("from:a_a".to_owned(), vec![]),
        (format!("in:{here}"), vec!["one by grace", "one by ada"]),
        (
            format!("in:{meeting} from:ada"),
            vec!["two by ada", "one by ada"],
        ),
        (format!("in:{meeting}/99 by"), vec![]),
        (format!("after:{today} three"), vec!["three by ada"]),
        (format!("before:{today}"), vec![]),
        ("before:2200-01-01 three".to_owned(), vec!["three by ada"]),
        ("after:2200-01-01".to_owned(), vec![]),
    ] {
        assert_eq!(says(harness, &grace, &text).await, expected, "{text}");
    }
}

pub async fn edited_message_is_found_by_its_current_text(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = begin(harness, &[&ada]).await;
    let changed = harness.post(here, &ada, "an elephant").await.seq;
    let gone = harness.post(here, &ada, "another elephant").await.seq;
    harness.archive(here).await;
    assert_eq!(says(harness, &ada, "elephant").await.len(), 2);
    let text = body("a giraffe");
    let edit = harness
        .store
        .change_message(here, &ada, cmid(90), changed, Some(&text))
        .await;
    edit.expect("it is hers");
    let delete = harness
        .store
        .change_message(here, &ada, cmid(91), gone, None)
        .await;
    delete.expect("it is hers");
    harness.archive(here).await;
    for when in ["live", "ended"] {
        if when == "ended" {
            harness.end(here).await;
        }
        for text in ["elephant", "\"elephant\"", "another"] {
            assert_eq!(says(harness, &ada, text).await, [""; 0], "{when}: {text}");
        }
        assert_eq!(
            says(harness, &ada, "giraffe").await,
            ["a giraffe"],
            "{when}"
        );
        let found = all(harness, &ada, "giraffe", 10).await;
        assert!(found[0].message.edited.is_some());
        let everything = format!("in:{here}");
        assert_eq!(says(harness, &ada, &everything).await, ["a giraffe"]);
    }
}

/// Texts, and searches that must find each of them.
const TEXTS: &[(&str, &[&str])] = &[
    ("to be or not to be", &["to be", "not", "\"or not\"", "b"]),
    ("これは日本語の文です", &["日本", "文です", "\"本語\""]),
    ("🦀 crab and 👩‍👩‍👧 family", &["🦀", "👩‍👩‍👧", "crab 🦀"]),
    ("C++ is not C#", &["c++", "c#", "\"++ is\""]),
    ("Übergröße naïve", &["über", "ÜBERGR", "naïve"]),
    ("Привет, мир", &["привет", "ПРИ", "мир"]),
    ("שלום עולם", &["שלום", "עולם"]),
    ("foo_bar-baz.qux", &["foo_bar", "baz", "\"bar-baz\"", "qux"]),
    ("'; DROP TABLE message; --", &["drop", "\"'; drop\"", "--"]),
    (
        "a NEAR(b c) AND -d +e \"f\"",
        &["near(b", "and", "-d", "+e"],
    ),
    ("100% of_it\\all", &["100%", "of_it", "\"it\\all\"", "100"]),
    (
        "GROẞE Straße, eﬀort",
        &[
            "große", "GROSSE", "gro", "strasse", "STRAẞE", "\"aße\"", "effort",
        ],
    ),
    (
        "ΟΔΥΣΣΕΥΣ i\u{307}stanbul",
        &["Οδυσσευς", "οδυσ", "İSTANBUL"],
    ),
    (
        "Zürich und 한글",
        &["Zu\u{308}rich", "ZU\u{308}", "\u{1112}\u{1161}\u{11ab}"],
    ),
    (
        "Việt Nam, Ångström",
        &["việt", "VIE\u{323}\u{302}T", "ångstro\u{308}m"],
    ),
    ("error 0x1F at 10.0.0.7:6379", &["0x1f", "10.0.0.7", "6379"]),
];

pub async fn texts_in_every_script_are_found(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = begin(harness, &[&ada]).await;
    for (text, _) in TEXTS {
        harness.post(here, &ada, text).await;
    }
    harness.archive(here).await;
    for (text, searches) in TEXTS {
        for search in *searches {
            let found = says(harness, &ada, search).await;
            assert!(found.iter().any(|one| one == text), "{search}: {found:?}");
            // The result follows the shared rule and nothing else.
            let rule = query(search);
            let expected = TEXTS.iter().filter(|(text, _)| rule.finds(text)).count();
            assert_eq!(found.len(), expected, "{search}: {found:?}");
        }
    }
}

pub async fn sender_is_found_in_every_script(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = begin(harness, &[&ada]).await;
    for (name, searches) in [
        ("Ελένη", ["\"Ελένη\"", "ΕΛΈ", "ελε\u{301}νη"]),
        ("Иван Петров", ["Иван", "\"ИВАН П\"", "иван"]),
        ("Émile", ["Émile", "E\u{301}MILE", "émi"]),
        ("Øystein", ["Øystein", "ØYST", "øystein@example.org"]),
        ("ßtrasser", ["sstrasser", "SS", "ẞTR"]),
        ("Zu\u{308}rcher", ["Zürcher", "ZÜR", "zu\u{308}rcher"]),
    ] {
        let user = harness.member(name).await;
        harness.join(here, &user).await;
        let body = format!("written by {name}");
        harness.post(here, &user, &body).await;
        harness.archive(here).await;
        for search in searches {
            let found = all(harness, &ada, &format!("from:{search} written"), 10).await;
            let authors: Vec<_> = found.iter().map(|one| one.message.user).collect();
            assert_eq!(authors, [user.id], "{search}");
        }
    }
}

pub async fn word_is_found_whatever_its_length(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = begin(harness, &[&ada]).await;
    let long = "x".repeat(100);
    for text in ["to", "aß", &format!("key {}", "y".repeat(80)), &long] {
        harness.post(here, &ada, text).await;
    }
    harness.archive(here).await;
    for (search, expected) in [
        ("to", "to"),
        ("ass", "aß"),
        (&*"y".repeat(50), &*format!("key {}", "y".repeat(80))),
        (&*long, &*long),
    ] {
        assert_eq!(says(harness, &ada, search).await, [expected], "{search}");
    }
}

pub async fn many_results_are_found_in_pages(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = begin(harness, &[&ada]).await;
    let there = begin(harness, &[&ada]).await;
    let mut expected: Vec<(InstanceId, Seq)> = vec![];
    for n in 0..700 {
        let at = if n % 3 == 0 { there } else { here };
        let text = if n % 7 == 0 {
            "a needle"
        } else {
            "hay and straw"
        };
        let posted = harness.post(at, &ada, text).await;
        if n % 7 == 0 {
            expected.push((at, posted.seq));
        }
    }
    harness.archive(here).await;
    harness.archive(there).await;
    let sorted = |found: Vec<SearchHit>| {
        let mut places: Vec<_> = found
            .iter()
            .map(|one| (one.instance, one.message.seq))
            .collect();
        places.sort_unstable();
        places
    };
    expected.sort_unstable();
    // With the index, and where the index does not help.
    for text in ["needle", "\"needle\""] {
        for limit in [1, 9, 100] {
            let found = sorted(all(harness, &ada, text, limit).await);
            assert_eq!(found, expected, "{text}, {limit} a page");
        }
    }
}
