//! Finding what was said: all of it and nothing else, newest first, whatever the words are.

use plenary_shared::domain::User;
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::Found;
use plenary_shared::search::Query;

use crate::world::{World, body, cmid, now};

fn query(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Everything that is found, by pages of so many.
async fn all(world: &World, who: &User, text: &str, limit: usize) -> Vec<Found> {
    let query = query(text);
    let mut found = vec![];
    let mut before = None;
    loop {
        let page = world.store.search(who, &query, before, limit).await;
        let page = page.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(page.found.len() <= limit, "{text}");
        found.extend(page.found);
        match page.next {
            None => return found,
            next => before = next,
        }
    }
}

/// What is found says this, newest first.
async fn says(world: &World, who: &User, text: &str) -> Vec<String> {
    let found = all(world, who, text, 100).await;
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

async fn begin(world: &mut World, names: &[&User]) -> InstanceId {
    let here = world.public().await;
    for user in names {
        world.join(here, user).await;
    }
    here
}

pub async fn words_are_found_wherever_they_were_said(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = begin(world, &[&ada, &grace]).await;
    let there = begin(world, &[&grace]).await;
    let first = world.say(here, &ada, "The Budget is ready").await;
    world.say(here, &grace, "which one?").await;
    world.say(there, &grace, "budgets of all departments").await;
    world.say(here, &ada, "that of the debug tool").await;
    world.archive(here).await;
    world.archive(there).await;
    world.end(there).await;
    let both = ["budgets of all departments", "The Budget is ready"];
    for text in ["budget", "BUDGET", "bud", "\"udget\"", "bu"] {
        let found = says(world, &ada, text).await;
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, both, "{text}");
    }
    assert_eq!(says(world, &ada, "budget ready").await, both[1..]);
    assert_eq!(says(world, &ada, "udget").await, [""; 0]);
    let found = all(world, &ada, "budget ready", 10).await;
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
    assert!(!all(world, &ada, "departments", 10).await[0].live);
}

pub async fn only_what_one_may_read_is_found(world: &mut World) {
    let [ada, grace, alan] = [
        world.member("ada").await,
        world.member("grace").await,
        world.member("alan").await,
    ];
    let here = world.private(&[&ada, &grace]).await;
    world.join(here, &ada).await;
    world.say(here, &ada, "the secret plan").await;
    world.archive(here).await;
    let root = world.root.clone();
    let look = async |world: &World, when: &str, expected: &[(&User, usize)]| {
        let texts = [
            "secret",
            "se",
            "plan in:1",
            &format!("plan in:{here}"),
            "from:ada",
        ];
        for text in texts {
            for (who, count) in expected {
                let found = says(world, who, text).await.len();
                assert_eq!(found, *count, "{when}: {text} by {}", who.name);
            }
        }
    };
    let all = [(&ada, 1), (&grace, 1), (&alan, 0), (&root, 1)];
    look(world, "live", &all).await;
    // Whoever is in reads on, invited or not; whoever is neither does not.
    world.back_end.sql("DELETE FROM audience");
    world.store.sweep().await.expect("the store answers");
    let uninvited = [(&ada, 1), (&grace, 0), (&alan, 0), (&root, 1)];
    look(world, "uninvited", &uninvited).await;
    world.end(here).await;
    look(
        world,
        "ended",
        &[(&ada, 0), (&grace, 0), (&alan, 0), (&root, 1)],
    )
    .await;
}

pub async fn filters_say_whose_where_and_when(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let meeting = world.meeting("Weekly", None).await;
    let here = world.active(meeting, crate::world::HOUR_MS).await;
    let again = world.active(meeting, crate::world::HOUR_MS).await;
    let other = begin(world, &[&ada]).await;
    for at in [here, again] {
        world.join(at, &ada).await;
        world.join(at, &grace).await;
    }
    world.say(here, &ada, "one by ada").await;
    world.say(here, &grace, "one by grace").await;
    world.say(again, &ada, "two by ada").await;
    world.say(other, &ada, "three by ada").await;
    for at in [here, again, other] {
        world.archive(at).await;
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
        assert_eq!(says(world, &grace, &text).await, expected, "{text}");
    }
}

pub async fn what_was_changed_is_found_as_it_is(world: &mut World) {
    let ada = world.member("ada").await;
    let here = begin(world, &[&ada]).await;
    let changed = world.say(here, &ada, "an elephant").await.seq;
    let gone = world.say(here, &ada, "another elephant").await.seq;
    world.archive(here).await;
    assert_eq!(says(world, &ada, "elephant").await.len(), 2);
    let text = body("a giraffe");
    let edit = world.store.edit(here, &ada, cmid(90), changed, &text).await;
    edit.expect("it is hers");
    let delete = world.store.delete(here, &ada, cmid(91), gone).await;
    delete.expect("it is hers");
    world.archive(here).await;
    for when in ["live", "ended"] {
        if when == "ended" {
            world.end(here).await;
        }
        for text in ["elephant", "\"elephant\"", "another"] {
            assert_eq!(says(world, &ada, text).await, [""; 0], "{when}: {text}");
        }
        assert_eq!(says(world, &ada, "giraffe").await, ["a giraffe"], "{when}");
        let found = all(world, &ada, "giraffe", 10).await;
        assert!(found[0].message.edited.is_some());
        let everything = format!("in:{here}");
        assert_eq!(says(world, &ada, &everything).await, ["a giraffe"]);
    }
}

/// Texts, and searches that must find each.
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
    ("error 0x1F at 10.0.0.7:6379", &["0x1f", "10.0.0.7", "6379"]),
];

pub async fn every_script_and_sign_is_found(world: &mut World) {
    let ada = world.member("ada").await;
    let here = begin(world, &[&ada]).await;
    for (text, _) in TEXTS {
        world.say(here, &ada, text).await;
    }
    world.archive(here).await;
    for (text, searches) in TEXTS {
        for search in *searches {
            let found = says(world, &ada, search).await;
            assert!(found.iter().any(|one| one == text), "{search}: {found:?}");
            // By the one rule, and nothing else.
            let rule = query(search);
            let expected = TEXTS.iter().filter(|(text, _)| rule.finds(text)).count();
            assert_eq!(found.len(), expected, "{search}: {found:?}");
        }
    }
}

pub async fn much_is_found_page_by_page(world: &mut World) {
    let ada = world.member("ada").await;
    let here = begin(world, &[&ada]).await;
    let there = begin(world, &[&ada]).await;
    let mut expected: Vec<(InstanceId, Seq)> = vec![];
    for n in 0..700 {
        let at = if n % 3 == 0 { there } else { here };
        let text = if n % 7 == 0 {
            "a needle"
        } else {
            "hay and straw"
        };
        let posted = world.say(at, &ada, text).await;
        if n % 7 == 0 {
            expected.push((at, posted.seq));
        }
    }
    world.archive(here).await;
    world.archive(there).await;
    let sorted = |found: Vec<Found>| {
        let mut places: Vec<_> = found
            .iter()
            .map(|one| (one.instance, one.message.seq))
            .collect();
        places.sort_unstable();
        places
    };
    expected.sort_unstable();
    // By the index, and where no index helps.
    for text in ["needle", "\"needle\""] {
        for limit in [1, 9, 100] {
            let found = sorted(all(world, &ada, text, limit).await);
            assert_eq!(found, expected, "{text}, {limit} a page");
        }
    }
}
