//! Recovery after a lost connection, a gap or a fence: every event once and in order, and no entry
//! lost.

use plenary_shared::domain::{Code, Event, EventKind, InstanceState, Reason, Reject};
use plenary_shared::protocol::{EventsOk, Fence, OpenOk, Push, ResumeMode, Verb};

use super::fixture::{
    Fixture, ME, cmid_of, demo_meetings, event, generation, join, message, opened, posted, seq,
    sync, talk, user,
};
use crate::effect::Effect;
use crate::model::Link;
use crate::msg::AppEvent;
use crate::net::LinkEvent;

fn asked_names(fixture: &mut Fixture) -> Vec<String> {
    fixture.asked().into_iter().map(|(name, _)| name).collect()
}

fn known(fixture: &Fixture) -> Vec<u64> {
    let log = fixture
        .model
        .room()
        .and_then(|room| room.log.as_ref())
        .expect("a log");
    log.events().map(|event| event.seq.get()).collect()
}

#[test]
fn short_loss_resumes_and_shows_missed_messages() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.asked();
    fixture.lose_link();
    assert!(fixture.shows("offline") && fixture.shows("reconnecting in 4 s"));
    fixture.wait_ms(60_000);
    fixture.open_link();
    let asked = fixture.asked();
    let Verb::Hello(hello) = &asked[0].1.verb else {
        panic!("not hello")
    };
    assert_eq!(hello.resume.len(), 1);
    assert_eq!(
        (hello.resume[0].instance, hello.resume[0].seq),
        (sync(), seq(19))
    );

    fixture.effects = asked
        .into_iter()
        .map(|(_, request)| Effect::Ask(request))
        .collect();
    let now = fixture.now;
    fixture.answer(
        "hello",
        serde_json::json!({
            "userID": ME, "name": "ada", "email": "ada@example.org", "role": "member",
            "server": "0.1.0", "now": now,
            "resumed": [{"meetingID": 42, "orderID": 1, "mode": "delta"}],
        }),
    );
    fixture.now = fixture.now.plus_ms(-10_000);
    fixture.hears(20, 8, "said meanwhile");
    fixture.now = fixture.now.plus_ms(10_000);
    assert!(fixture.shows("offline 14:52–14:53 · 1 recovered, none missing"));
    assert_eq!(asked_names(&mut fixture), ["meetings"]);
}

#[test]
fn reconnect_resends_in_order_under_the_same_ids() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.asked();
    fixture.write("one");
    fixture.key("enter");
    let first = cmid_of(&fixture.asked()[0].1);
    fixture.lose_link();
    fixture.write("two");
    fixture.key("enter");
    assert!(fixture.shows("waiting to be sent"));
    fixture.greet(vec![(sync(), ResumeMode::Delta)]);
    let posts = |fixture: &Fixture| -> Vec<_> {
        let asked = fixture.effects.iter().filter_map(|effect| match effect {
            Effect::Ask(request) => Some(request.verb.clone()),
            _ => None,
        });
        let posts = asked.filter_map(|verb| match verb {
            Verb::Post(post) => Some((post.cmid, post.body.as_str().to_owned())),
            _ => None,
        });
        posts.collect()
    };
    assert_eq!(posts(&fixture), [(first, "one".to_owned())]);
    assert!(fixture.shows("sending") && fixture.shows("waiting to be sent"));
    fixture.answer("post", posted(20));
    let then = posts(&fixture);
    assert_eq!((then.len(), then[0].1.as_str()), (1, "two"));
}

#[test]
fn expired_grace_period_rejoins() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.lose_link();
    fixture.write("still here");
    fixture.key("enter");
    fixture.greet(vec![(sync(), ResumeMode::Delta)]);
    fixture.asked();
    fixture.event(
        20,
        EventKind::Leave {
            user: user(ME),
            reason: Reason::ConnectionLost,
        },
    );
    assert_eq!(asked_names(&mut fixture), ["join"]);
    fixture.event(21, join(ME, "ada"));
    assert!(fixture.model.room().expect("a room").wants_to_join);
}

#[test]
fn post_outside_the_meeting_joins_first() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.lose_link();
    fixture.greet(vec![(sync(), ResumeMode::Delta)]);
    fixture.write("hello");
    fixture.key("enter");
    fixture.refuse(
        "post",
        Reject::new(Code::NotParticipant, "You are not in this meeting."),
    );
    fixture.answer("join", posted(20));
    fixture.event(20, join(ME, "ada"));
    assert!(asked_names(&mut fixture).contains(&"post".to_owned()));
}

#[test]
fn snapshot_keeps_log_and_pending_entries() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.lose_link();
    fixture.write("waits");
    fixture.key("enter");
    fixture.greet(vec![(sync(), ResumeMode::Snapshot)]);
    let mut events = talk();
    events.push(event(20, fixture.now, message(8, 20, "far ahead")));
    let late = events.split_off(15);
    fixture.answer("open", opened(late, vec![(ME, "13:52")]));
    assert_eq!(known(&fixture), (1..=20).collect::<Vec<_>>());
    assert!(fixture.shows("far ahead") && fixture.shows("waits"));
    assert!(asked_names(&mut fixture).contains(&"post".to_owned()));
}

#[test]
fn snapshot_without_the_user_rejoins() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.lose_link();
    fixture.greet(vec![(sync(), ResumeMode::Snapshot)]);
    fixture.answer("open", opened(talk(), vec![(8, "13:31")]));
    assert!(asked_names(&mut fixture).contains(&"join".to_owned()));
}

#[test]
fn gap_is_requested_once_and_filled() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.asked();
    fixture.hears(22, 8, "three");
    fixture.hears(23, 8, "four");
    let asked = fixture.asked();
    assert_eq!(asked.len(), 1);
    let Verb::Events(events) = &asked[0].1.verb else {
        panic!("not events")
    };
    assert_eq!(events.after, Some(seq(19)));
    fixture.effects = asked
        .into_iter()
        .map(|(_, request)| Effect::Ask(request))
        .collect();
    let said = |number, body| event(number, fixture.now, message(8, number, body));
    let page = vec![
        said(20, "one"),
        said(21, "two"),
        said(22, "three"),
        said(23, "four"),
    ];
    fixture.answer(
        "events",
        EventsOk {
            events: page,
            more: false,
            users: vec![],
        },
    );
    assert_eq!(known(&fixture), (1..=23).collect::<Vec<_>>());
    assert!(fixture.shows("four"));
}

#[test]
fn fence_removes_void_events_and_resends_own() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.asked();
    fixture.write("mine");
    fixture.key("enter");
    let cmid = cmid_of(&fixture.asked()[0].1);
    let EventKind::Message { body, .. } = message(ME, 0, "mine") else {
        unreachable!("a message")
    };
    fixture.event(
        20,
        EventKind::Message {
            user: user(ME),
            cmid,
            body,
            reply_to: None,
            edited: None,
            deleted: None,
        },
    );
    fixture.hears(21, 8, "theirs");
    fixture.push(Push::Fence(Fence {
        instance: sync(),
        generation: generation(2),
        base: seq(19),
    }));
    assert!(fixture.shows("mine") && fixture.shows("waiting") && !fixture.shows("theirs"));
    let mut again = opened(talk(), vec![(ME, "13:52")]);
    again.generation = generation(2);
    fixture.answer("open", again);
    let asked = fixture.asked();
    let (_, request) = asked
        .iter()
        .find(|(name, _)| name == "post")
        .expect("it is said again");
    assert_eq!(cmid_of(request), cmid);
}

#[test]
fn event_of_another_generation_reopens() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.asked();
    let mut strange = event(20, fixture.now, message(8, 20, "x"));
    strange.generation = generation(9);
    fixture.push(Push::Event(Box::new(strange)));
    assert_eq!(asked_names(&mut fixture), ["open"]);
}

/// Returns the reply to opening the meeting after it was archived with these events.
fn archived(events: Vec<Event>) -> OpenOk {
    let mut ended = opened(events, vec![]);
    ended.instance.state = InstanceState::Ended;
    ended.generation = generation(0);
    ended.durable = ended.seq;
    for event in &mut ended.events {
        event.generation = generation(0);
    }
    ended
}

fn closed(number: u64, fixture: &Fixture) -> Event {
    let reason = Reason::Scheduled;
    event(number, fixture.now, EventKind::Closed { reason })
}

#[test]
fn meeting_ended_while_offline_is_read_to_its_end() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.durable(19);
    fixture.lose_link();
    fixture.write("never said");
    fixture.key("enter");
    fixture.wait_ms(60_000);
    fixture.greet(vec![(sync(), ResumeMode::Ended)]);
    let last = event(20, fixture.now, message(8, 20, "last words"));
    let end = closed(21, &fixture);
    fixture.answer("open", archived(vec![last, end]));
    assert!(fixture.shows("last words") && fixture.shows("(scheduled)"));
    assert!(fixture.shows("offline 14:52–14:53 · 1 recovered, none missing"));
    assert!(fixture.shows("not sent: This meeting has ended"));
    assert_eq!(known(&fixture), (1..=21).collect::<Vec<_>>());
}

#[test]
fn void_events_are_removed_after_the_end() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.durable(19);
    fixture.hears(20, 8, "forgotten by the store");
    fixture.lose_link();
    fixture.greet(vec![(sync(), ResumeMode::Ended)]);
    let instead = event(20, fixture.now, message(9, 99, "said instead"));
    let end = closed(21, &fixture);
    fixture.answer("open", archived(vec![instead, end]));
    assert!(fixture.shows("said instead") && !fixture.shows("forgotten by the store"));
    assert!(fixture.shows("1 recovered, none missing"));
}

#[test]
fn long_offline_period_shows_missing_messages() {
    let mut fixture = Fixture::talking(80, 30);
    fixture.lose_link();
    fixture.wait_ms(60_000);
    fixture.greet(vec![(sync(), ResumeMode::Snapshot)]);
    let said = |number: u64| event(number, fixture.now, message(8, number, "far ahead"));
    let (missed, last): (Vec<Event>, Vec<Event>) = (20..=31).map(said).partition(|event| {
        // More than opening reads.
        event.seq.get() < 28
    });
    fixture.answer("open", opened(last, vec![(ME, "13:52")]));
    assert!(fixture.shows("offline 14:52–14:53 · 4 recovered, older ones not loaded: PgUp"));
    assert_eq!(known(&fixture), [28, 29, 30, 31]);
    fixture.key("pageup");
    let page = |events: Vec<Event>, more| EventsOk {
        events,
        more,
        users: vec![],
    };
    fixture.answer(
        "events",
        page([talk().split_off(10), missed].concat(), true),
    );
    assert!(fixture.shows("offline 14:52–14:53 · 12 recovered, none missing"));
}

#[test]
fn own_messages_do_not_count_as_recovered() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("mine");
    fixture.key("enter");
    let cmid = cmid_of(&fixture.asked()[0].1);
    fixture.lose_link();
    fixture.greet(vec![(sync(), ResumeMode::Delta)]);
    let EventKind::Message { body, .. } = message(ME, 0, "mine") else {
        unreachable!("a message")
    };
    let user = user(ME);
    fixture.event(
        20,
        EventKind::Message {
            user,
            cmid,
            body,
            reply_to: None,
            edited: None,
            deleted: None,
        },
    );
    assert!(fixture.shows("nothing missed"), "{}", fixture.screen());
}

#[test]
fn removed_meeting_is_reported_and_keeps_its_entries() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.lose_link();
    fixture.write("for nobody");
    fixture.key("enter");
    fixture.greet(vec![(sync(), ResumeMode::Gone)]);
    assert!(fixture.shows("You can no longer read Platform sync. Unsent messages: /outbox"));
    fixture.wait_ms(10_000);
    fixture.key("ctrl-n");
    assert!(
        fixture.shows("1 failed in other meetings: /outbox"),
        "{}",
        fixture.screen()
    );
    fixture.write("/outbox");
    fixture.key("enter");
    assert!(fixture.shows("for nobody") && fixture.shows("not sent: You are not invited"));
}

#[test]
fn rejected_token_shows_the_sign_in_form() {
    let mut fixture = Fixture::new(80, 24);
    fixture.open_link();
    fixture.refuse(
        "hello",
        Reject::new(Code::NotSignedIn, "You are not signed in."),
    );
    assert!(fixture.shows("sign in") && fixture.shows("You are not signed in."));
    assert!(fixture.effects.contains(&Effect::Disconnect));
    assert_eq!(fixture.model.connection.link, Link::Off);
}

#[test]
fn cancelled_sign_in_ignores_its_reply() {
    let theme = crate::theme::Theme::new(true, false);
    let mut fixture = Fixture::begin(80, 24, None, theme);
    fixture.write("ada@example.org");
    fixture.key("enter");
    fixture.write("secret password");
    fixture.key("enter");
    assert!(
        fixture
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::SignIn { .. }))
    );
    assert!(fixture.shows("Esc cancels") && !fixture.shows("secret"));
    fixture.key("esc");
    assert!(fixture.effects.contains(&Effect::CancelSignIn));
    fixture.tell(AppEvent::SignedIn(Err("too late".into())));
    assert!(!fixture.shows("too late"));
}

#[test]
fn ticks_follow_the_countdown() {
    let mut fixture = Fixture::ready(80, 24);
    let wakes = |fixture: &Fixture| fixture.model.next_tick_at().ms_since(fixture.model.now);
    fixture.wait_ms(30_500);
    assert!(wakes(&fixture) > 20_000, "{}", wakes(&fixture));
    fixture.lose_link();
    assert!(wakes(&fixture) <= 1_000);
    fixture.tell(AppEvent::Link(LinkEvent::Connecting { attempt: 2 }));
    assert!(wakes(&fixture) > 20_000);
}

#[test]
fn meetings_are_read_again_on_changes_and_starts() {
    let mut fixture = Fixture::ready(80, 24);
    fixture.asked();
    fixture.push(Push::Changed(plenary_shared::protocol::Changed {
        instance: None,
        changed: plenary_shared::protocol::ChangedList::Meetings,
    }));
    assert_eq!(asked_names(&mut fixture), ["meetings"]);
    let mut fixture = Fixture::ready(80, 24);
    fixture.asked();
    fixture.wait_ms(8 * 60_000 + 1);
    assert_eq!(asked_names(&mut fixture), ["meetings"]);
    let mut meetings = demo_meetings();
    meetings[2].state = InstanceState::Active;
    assert_eq!(meetings.len(), 6);
}

#[test]
fn offline_period_starts_with_the_sleep() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.now = fixture.now.plus_ms(20 * 60_000);
    fixture.tell(AppEvent::Tick);
    fixture.lose_link();
    fixture.greet(vec![(sync(), ResumeMode::Delta)]);
    assert!(fixture.shows("offline 14:52–15:12 · nothing missed"));
}

/// Returns a fence to generation 2.
fn fence(base: u64) -> Push {
    Push::Fence(Fence {
        instance: sync(),
        generation: generation(2),
        base: seq(base),
    })
}

#[test]
fn open_after_a_fence_is_retried_until_it_succeeds() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.asked();
    fixture.push(fence(19));
    let away = || Reject::new(Code::Unavailable, "The store is unavailable.");
    for wait_ms in [1_500, 1_500, 3_000, 6_000, 12_000, 15_000] {
        fixture.refuse("open", away());
        assert!(fixture.shows("The store is unavailable."));
        assert!(!fixture.model.room().expect("a room").following);
        assert!(fixture.asked().is_empty(), "not at once");
        fixture.wait_ms(wait_ms);
    }
    let mut reopened = opened(talk(), vec![(8, "13:31"), (9, "13:31"), (ME, "13:52")]);
    reopened.generation = generation(2);
    fixture.answer("open", reopened);
    assert!(fixture.model.room().expect("a room").following);
    fixture.wait_ms(60_000);
    assert!(asked_names(&mut fixture).iter().all(|name| name != "open"));
}

#[test]
fn join_after_a_fence_is_retried() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.asked();
    fixture.push(fence(18));
    let without_me = || {
        let mut reopened = opened(talk()[..18].to_vec(), vec![(8, "13:31")]);
        reopened.generation = generation(2);
        reopened
    };
    fixture.answer("open", without_me());
    fixture.write("hello");
    fixture.key("enter");
    fixture.refuse(
        "join",
        Reject::new(Code::Unavailable, "The store is unavailable."),
    );
    assert!(fixture.model.room().expect("a room").wants_to_join);
    assert!(fixture.asked().is_empty());
    fixture.wait_ms(1_500);
    fixture.answer("open", without_me());
    fixture.answer("join", posted(19));
    let mut mine = event(19, fixture.now, join(ME, "ada"));
    mine.generation = generation(2);
    fixture.push(Push::Event(Box::new(mine)));
    assert_eq!(asked_names(&mut fixture), ["post"]);
}

#[test]
fn fence_of_an_unreadable_meeting_removes_it() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.asked();
    fixture.push(fence(19));
    fixture.refuse("open", Code::NotAllowed.into());
    assert!(fixture.shows("You can no longer read Platform sync"));
    assert!(fixture.model.room().is_none());
}
