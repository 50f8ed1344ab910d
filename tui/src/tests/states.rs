//! A table of keys in every state of the screen: the state, the keys, a text shown afterwards and
//! one not shown.

use plenary_shared::domain::{Code, Reject, UserRef};
use plenary_shared::protocol::WaitOk;
use rstest::rstest;

use super::fixture::{Fixture, user};
use crate::msg::AppEvent;
use crate::theme::Theme;

/// The state in which keys are pressed.
#[derive(Clone, Copy, Debug)]
enum State {
    /// The sign-in form.
    SignIn,
    /// In a live meeting.
    Talking,
    /// In a live meeting, with a draft.
    Draft,
    /// In a live meeting, with the connection lost.
    Lost,
    /// With a selected message.
    Selected,
    /// At a meeting that starts soon.
    Waiting,
    /// With the participants as a drawer over the chat.
    People,
    /// The full-text search.
    Search,
    /// The finder for meetings, users and commands.
    Finder,
    /// The help page.
    Help,
    /// The outbox page.
    Outbox,
    /// The question on quitting.
    Leaving,
}

fn begin(at: State) -> Fixture {
    let talking = || Fixture::talking(80, 24);
    let pressed = |key: &str| {
        let mut fixture = talking();
        fixture.key(key);
        fixture
    };
    match at {
        State::SignIn => Fixture::begin(80, 24, None, Theme::new(true, false)),
        State::Talking => talking(),
        State::Draft => {
            let mut fixture = talking();
            fixture.write("half a thought");
            fixture
        }
        State::Lost => {
            let mut fixture = talking();
            fixture.lose_link();
            fixture
        }
        State::Selected => pressed("ctrl-s"),
        State::Waiting => {
            let mut fixture = Fixture::ready(80, 24);
            fixture.key("alt-3");
            let people = vec![UserRef {
                id: user(8),
                name: "tim".to_owned(),
            }];
            fixture.answer(
                "wait",
                WaitOk {
                    count: 1,
                    users: people,
                },
            );
            fixture
        }
        State::People => pressed("f3"),
        State::Search => pressed("f6"),
        State::Finder => pressed("ctrl-g"),
        State::Help => pressed("f1"),
        State::Outbox => {
            let mut fixture = talking();
            fixture.write("/outbox");
            fixture.key("enter");
            fixture
        }
        State::Leaving => pressed("ctrl-q"),
    }
}

/// Presses the words in `keys` as keys and types the text between quotation marks.
fn press(fixture: &mut Fixture, keys: &str) {
    for (nth, part) in keys.split('\'').enumerate() {
        if nth % 2 == 1 {
            fixture.write(part);
        } else {
            part.split_whitespace().for_each(|key| fixture.key(key));
        }
    }
}

#[rstest]
// The sign-in form.
#[case(State::SignIn, "", "Sign in", "LIVE")]
#[case(State::SignIn, "'ada@x.org' tab 'secret'", "••••••", "secret")]
#[case(
    State::SignIn,
    "'ada@x.org' tab 'secret' enter",
    "Signing in",
    "secret"
)]
#[case(
    State::SignIn,
    "'ada@x.org' tab 'secret' enter esc",
    "ada@x.org",
    "Signing in"
)]
#[case(State::SignIn, "f1", "Esc closes", "Password")]
#[case(State::SignIn, "f1 esc", "Password", "Esc closes")]
// In a live meeting.
#[case(State::Talking, "'hello' enter", "you        hello", "› hello")]
#[case(State::Talking, "'/who' enter", "Loading", "› /who")]
#[case(
    State::Talking,
    "'/nonsense' enter",
    "› /nonsense",
    "you        /nonsense"
)]
#[case(State::Talking, "'//not' enter", "you        /not", "you        //not")]
#[case(State::Talking, "alt-l", "you joined", "Platform sync")]
#[case(State::Talking, "alt-l alt-l", "Platform sync", "no such text")]
#[case(State::Talking, "alt-2", "Incident 4471  44/1", "you joined")]
#[case(State::Talking, "alt-2 alt-s", "you joined", "44/1")]
#[case(State::Talking, "ctrl-c", "again to quit", "no such text")]
// Drafts are never lost.
#[case(State::Draft, "esc", "half a thought", "no such text")]
#[case(State::Draft, "alt-2", "44/1", "half a thought")]
#[case(State::Draft, "alt-2 alt-1", "half a thought", "44/1")]
#[case(State::Draft, "ctrl-u ctrl-y", "half a thought", "no such text")]
#[case(State::Draft, "f1 esc", "half a thought", "Esc closes")]
#[case(State::Draft, "alt-enter 'more'", "more", "you        half")]
// Offline, messages wait.
#[case(State::Lost, "", "offline", "✓ connected")]
#[case(State::Lost, "'later' enter", "waiting to be sent", "› later")]
#[case(State::Lost, "'/reconnect' enter", "offline", "› /reconnect")]
#[case(State::Lost, "alt-2 enter", "Not connected", "✓ connected")]
// With a selected message.
#[case(State::Selected, "", "r reply", "⏎ send")]
#[case(State::Selected, "r", "do we have the runbook", "r reply")]
#[case(State::Selected, "esc", "⏎ send", "r reply")]
#[case(State::Selected, "k k k", "r reply", "⏎ send")]
#[case(State::Selected, "/ 'disk'", "disk", "⏎ send")]
#[case(State::Selected, "y", "Copied", "⏎ join")]
#[case(State::Selected, "'z'", "No such key here", "› z")]
// At a meeting that starts soon.
#[case(State::Waiting, "", "1 waiting: tim", "You'll join at the start")]
#[case(
    State::Waiting,
    "enter",
    "You'll join at the start",
    "⏎ join automatically"
)]
#[case(
    State::Waiting,
    "enter enter",
    "⏎ join automatically",
    "You'll join at the start"
)]
#[case(
    State::Waiting,
    "'note to self'",
    "note to self",
    "You'll join at the start"
)]
#[case(State::Waiting, "f3", "WAITING 1", "PARTICIPANTS")]
#[case(State::Waiting, "alt-1", "42/1", "waiting: tim")]
#[case(State::Waiting, "alt-1 alt-s", "starts in 8m", "42/1")]
// The participants as a drawer.
#[case(State::People, "", "PARTICIPANTS 3", "MEETINGS")]
#[case(State::People, "f3", "⏎ send", "PARTICIPANTS 3")]
#[case(State::People, "esc", "⏎ send", "PARTICIPANTS 3")]
#[case(State::People, "f2", "LIVE NOW", "PARTICIPANTS 3")]
// The full-text search.
#[case(State::Search, "", "Search all meetings", "r reply")]
#[case(State::Search, "tab", "Search in Platform sync", "Search all meetings")]
#[case(State::Search, "tab tab", "Search all meetings", "no such text")]
#[case(State::Search, "'budget' enter", "Searching", "no such text")]
#[case(State::Search, "'budget' esc", "⏎ send", "Search all meetings")]
// The finder for meetings, users and commands.
#[case(State::Finder, "'desi'", "Design review", "Vendor call")]
#[case(State::Finder, "'desi' enter", "starts in", "Find ─")]
#[case(State::Finder, "'@mar'", "@margaret", "Vendor")]
#[case(State::Finder, "'@mar' enter", "› @margaret", "Find ─")]
#[case(State::Finder, "'/dnd' enter", "DND", "Find ─")]
#[case(State::Finder, "esc", "⏎ send", "Find ─")]
#[case(State::Finder, "'zzzz' enter", "No match", "starts in")]
#[case(State::Finder, "'zzzz' enter backspace", "› zzz", "starts in")]
// The help page.
#[case(State::Help, "", "Esc closes", "you joined")]
#[case(State::Help, "pagedown", "more: PgDn", "you joined")]
#[case(State::Help, "esc", "you joined", "Esc closes")]
#[case(State::Help, "f1", "you joined", "Esc closes")]
#[case(State::Help, "'typed'", "No match", "you joined")]
// The outbox page.
#[case(State::Outbox, "", "Esc closes", "no such text")]
#[case(State::Outbox, "esc", "⏎ send", "Esc closes")]
// The question on quitting.
#[case(State::Leaving, "", "l: leave", "Esc closes")]
#[case(State::Leaving, "esc", "⏎ send", "keep seat")]
fn keys_in_every_state(
    #[case] at: State,
    #[case] keys: &str,
    #[case] shown: &str,
    #[case] hidden: &str,
) {
    let mut fixture = begin(at);
    press(&mut fixture, keys);
    assert!(
        fixture.shows(shown),
        "no {shown:?} on\n{}",
        fixture.screen()
    );
    assert!(
        !fixture.shows(hidden),
        "{hidden:?} on\n{}",
        fixture.screen()
    );
}

#[rstest]
#[case(State::Talking)]
#[case(State::Draft)]
#[case(State::Selected)]
#[case(State::Waiting)]
#[case(State::People)]
#[case(State::Search)]
#[case(State::Finder)]
#[case(State::Help)]
#[case(State::Outbox)]
#[case(State::Leaving)]
fn lost_connection_keeps_the_state(#[case] at: State) {
    let mut fixture = begin(at);
    let covered = |fixture: &Fixture| fixture.screen().contains("Esc closes");
    let (before, drafted) = (covered(&fixture), fixture.shows("half a thought"));
    fixture.lose_link();
    assert_eq!(covered(&fixture), before, "{}", fixture.screen());
    assert_eq!(
        fixture.shows("half a thought"),
        drafted,
        "{}",
        fixture.screen()
    );
    fixture.tell(AppEvent::Resized(44, 20));
    fixture.tell(AppEvent::Resized(80, 24));
    assert_eq!(covered(&fixture), before, "{}", fixture.screen());
}

#[test]
fn rejection_shows_the_reason() {
    let mut fixture = begin(State::Talking);
    press(&mut fixture, "'/who' enter");
    fixture.refuse("participants", Reject::from(Code::NotAllowed));
    assert!(
        fixture.shows(Code::NotAllowed.sentence()),
        "{}",
        fixture.screen()
    );
    assert!(fixture.shows("⏎ send"), "{}", fixture.screen());
}
