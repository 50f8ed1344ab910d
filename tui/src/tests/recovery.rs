//! Recovery after a lost connection, a gap or a fence: every event once and in order, and no entry
//! lost.

use plenary_shared::domain::{Code, Event, InstanceState, Reason, Reject, What};
use plenary_shared::protocol::{EventsOk, Fence, OpenOk, Push, ResumeMode, Verb};

use super::stage::{
    ME, Stage, cmid_of, demo_meetings, event, generation, join, message, opened, posted, seq, sync,
    talk, user,
};
use crate::effect::Effect;
use crate::model::Link;
use crate::msg::AppEvent;
use crate::net::LinkEvent;

fn asked_names(stage: &mut Stage) -> Vec<String> {
    stage.asked().into_iter().map(|(name, _)| name).collect()
}

fn known(stage: &Stage) -> Vec<u64> {
    let log = stage
        .model
        .room()
        .and_then(|room| room.log.as_ref())
        .expect("a log");
    log.events().map(|event| event.seq.get()).collect()
}

#[test]
fn short_loss_resumes_and_shows_missed_messages() {
    let mut stage = Stage::talking(80, 24);
    stage.asked();
    stage.lose_link();
    assert!(stage.shows("offline") && stage.shows("reconnecting in 4 s"));
    stage.wait_ms(60_000);
    stage.open_link();
    let asked = stage.asked();
    let Verb::Hello(hello) = &asked[0].1.verb else {
        panic!("not hello")
    };
    assert_eq!(hello.resume.len(), 1);
    assert_eq!(
        (hello.resume[0].instance, hello.resume[0].seq),
        (sync(), seq(19))
    );

    stage.effects = asked
        .into_iter()
        .map(|(_, request)| Effect::Ask(request))
        .collect();
    let now = stage.now;
    stage.answer(
        "hello",
        serde_json::json!({
            "userID": ME, "name": "ada", "email": "ada@example.org", "role": "member",
            "server": "0.1.0", "now": now,
            "resumed": [{"meetingID": 42, "orderID": 1, "mode": "delta"}],
        }),
    );
    stage.now = stage.now.plus_ms(-10_000);
    stage.hears(20, 8, "said meanwhile");
    stage.now = stage.now.plus_ms(10_000);
    assert!(stage.shows("offline 14:52–14:53 · 1 recovered, none missing"));
    assert_eq!(asked_names(&mut stage), ["meetings"]);
}

#[test]
fn reconnect_resends_in_order_under_the_same_ids() {
    let mut stage = Stage::talking(80, 24);
    stage.asked();
    stage.write("one");
    stage.key("enter");
    let first = cmid_of(&stage.asked()[0].1);
    stage.lose_link();
    stage.write("two");
    stage.key("enter");
    assert!(stage.shows("waiting to be sent"));
    stage.greet(vec![(sync(), ResumeMode::Delta)]);
    let posts = |stage: &Stage| -> Vec<_> {
        let asked = stage.effects.iter().filter_map(|effect| match effect {
            Effect::Ask(request) => Some(request.verb.clone()),
            _ => None,
        });
        let posts = asked.filter_map(|verb| match verb {
            Verb::Post(post) => Some((post.cmid, post.body.as_str().to_owned())),
            _ => None,
        });
        posts.collect()
    };
    assert_eq!(posts(&stage), [(first, "one".to_owned())]);
    assert!(stage.shows("sending") && stage.shows("waiting to be sent"));
    stage.answer("post", posted(20));
    let then = posts(&stage);
    assert_eq!((then.len(), then[0].1.as_str()), (1, "two"));
}

#[test]
fn expired_grace_period_rejoins() {
    let mut stage = Stage::talking(80, 24);
    stage.lose_link();
    stage.write("still here");
    stage.key("enter");
    stage.greet(vec![(sync(), ResumeMode::Delta)]);
    stage.asked();
    stage.event(
        20,
        What::Leave {
            user: user(ME),
            reason: Reason::ConnectionLost,
        },
    );
    assert_eq!(asked_names(&mut stage), ["join"]);
    stage.event(21, join(ME, "ada"));
    assert!(stage.model.room().expect("a room").wants_to_join);
}

#[test]
fn post_outside_the_meeting_joins_first() {
    let mut stage = Stage::talking(80, 24);
    stage.lose_link();
    stage.greet(vec![(sync(), ResumeMode::Delta)]);
    stage.write("hello");
    stage.key("enter");
    stage.refuse(
        "post",
        Reject::new(Code::NotParticipant, "You are not in this meeting."),
    );
    stage.answer("join", posted(20));
    stage.event(20, join(ME, "ada"));
    assert!(asked_names(&mut stage).contains(&"post".to_owned()));
}

#[test]
fn snapshot_keeps_log_and_pending_entries() {
    let mut stage = Stage::talking(80, 24);
    stage.lose_link();
    stage.write("waits");
    stage.key("enter");
    stage.greet(vec![(sync(), ResumeMode::Snapshot)]);
    let mut events = talk();
    events.push(event(20, stage.now, message(8, 20, "far ahead")));
    let late = events.split_off(15);
    stage.answer("open", opened(late, vec![(ME, "13:52")]));
    assert_eq!(known(&stage), (1..=20).collect::<Vec<_>>());
    assert!(stage.shows("far ahead") && stage.shows("waits"));
    assert!(asked_names(&mut stage).contains(&"post".to_owned()));
}

#[test]
fn snapshot_without_the_user_rejoins() {
    let mut stage = Stage::talking(80, 24);
    stage.lose_link();
    stage.greet(vec![(sync(), ResumeMode::Snapshot)]);
    stage.answer("open", opened(talk(), vec![(8, "13:31")]));
    assert!(asked_names(&mut stage).contains(&"join".to_owned()));
}

#[test]
fn gap_is_requested_once_and_filled() {
    let mut stage = Stage::talking(80, 24);
    stage.asked();
    stage.hears(22, 8, "three");
    stage.hears(23, 8, "four");
    let asked = stage.asked();
    assert_eq!(asked.len(), 1);
    let Verb::Events(events) = &asked[0].1.verb else {
        panic!("not events")
    };
    assert_eq!(events.after, Some(seq(19)));
    stage.effects = asked
        .into_iter()
        .map(|(_, request)| Effect::Ask(request))
        .collect();
    let said = |number, body| event(number, stage.now, message(8, number, body));
    let page = vec![
        said(20, "one"),
        said(21, "two"),
        said(22, "three"),
        said(23, "four"),
    ];
    stage.answer(
        "events",
        EventsOk {
            events: page,
            more: false,
            users: vec![],
        },
    );
    assert_eq!(known(&stage), (1..=23).collect::<Vec<_>>());
    assert!(stage.shows("four"));
}

#[test]
fn fence_removes_void_events_and_resends_own() {
    let mut stage = Stage::talking(80, 24);
    stage.asked();
    stage.write("mine");
    stage.key("enter");
    let cmid = cmid_of(&stage.asked()[0].1);
    let What::Message { body, .. } = message(ME, 0, "mine") else {
        unreachable!("a message")
    };
    stage.event(
        20,
        What::Message {
            user: user(ME),
            cmid,
            body,
            reply_to: None,
            edited: None,
            deleted: None,
        },
    );
    stage.hears(21, 8, "theirs");
    stage.push(Push::Fence(Fence {
        instance: sync(),
        generation: generation(2),
        base: seq(19),
    }));
    assert!(stage.shows("mine") && stage.shows("waiting") && !stage.shows("theirs"));
    let mut again = opened(talk(), vec![(ME, "13:52")]);
    again.generation = generation(2);
    stage.answer("open", again);
    let asked = stage.asked();
    let (_, request) = asked
        .iter()
        .find(|(name, _)| name == "post")
        .expect("it is said again");
    assert_eq!(cmid_of(request), cmid);
}

#[test]
fn event_of_another_generation_reopens() {
    let mut stage = Stage::talking(80, 24);
    stage.asked();
    let mut strange = event(20, stage.now, message(8, 20, "x"));
    strange.generation = generation(9);
    stage.push(Push::Event(Box::new(strange)));
    assert_eq!(asked_names(&mut stage), ["open"]);
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

fn closed(number: u64, stage: &Stage) -> Event {
    let reason = Reason::Scheduled;
    event(number, stage.now, What::Closed { reason })
}

#[test]
fn meeting_ended_while_offline_is_read_to_its_end() {
    let mut stage = Stage::talking(80, 24);
    stage.durable(19);
    stage.lose_link();
    stage.write("never said");
    stage.key("enter");
    stage.wait_ms(60_000);
    stage.greet(vec![(sync(), ResumeMode::Ended)]);
    let last = event(20, stage.now, message(8, 20, "last words"));
    let end = closed(21, &stage);
    stage.answer("open", archived(vec![last, end]));
    assert!(stage.shows("last words") && stage.shows("(scheduled)"));
    assert!(stage.shows("offline 14:52–14:53 · 1 recovered, none missing"));
    assert!(stage.shows("not sent: This meeting has ended"));
    assert_eq!(known(&stage), (1..=21).collect::<Vec<_>>());
}

#[test]
fn void_events_are_removed_after_the_end() {
    let mut stage = Stage::talking(80, 24);
    stage.durable(19);
    stage.hears(20, 8, "forgotten by the store");
    stage.lose_link();
    stage.greet(vec![(sync(), ResumeMode::Ended)]);
    let instead = event(20, stage.now, message(9, 99, "said instead"));
    let end = closed(21, &stage);
    stage.answer("open", archived(vec![instead, end]));
    assert!(stage.shows("said instead") && !stage.shows("forgotten by the store"));
    assert!(stage.shows("1 recovered, none missing"));
}

#[test]
fn long_offline_period_shows_missing_messages() {
    let mut stage = Stage::talking(80, 30);
    stage.lose_link();
    stage.wait_ms(60_000);
    stage.greet(vec![(sync(), ResumeMode::Snapshot)]);
    let said = |number: u64| event(number, stage.now, message(8, number, "far ahead"));
    let (missed, last): (Vec<Event>, Vec<Event>) = (20..=31).map(said).partition(|event| {
        // More than opening reads.
        event.seq.get() < 28
    });
    stage.answer("open", opened(last, vec![(ME, "13:52")]));
    assert!(stage.shows("offline 14:52–14:53 · 4 recovered, older ones not loaded: PgUp"));
    assert_eq!(known(&stage), [28, 29, 30, 31]);
    stage.key("pageup");
    let page = |events: Vec<Event>, more| EventsOk {
        events,
        more,
        users: vec![],
    };
    stage.answer(
        "events",
        page([talk().split_off(10), missed].concat(), true),
    );
    assert!(stage.shows("offline 14:52–14:53 · 12 recovered, none missing"));
}

#[test]
fn own_messages_do_not_count_as_recovered() {
    let mut stage = Stage::talking(80, 24);
    stage.write("mine");
    stage.key("enter");
    let cmid = cmid_of(&stage.asked()[0].1);
    stage.lose_link();
    stage.greet(vec![(sync(), ResumeMode::Delta)]);
    let What::Message { body, .. } = message(ME, 0, "mine") else {
        unreachable!("a message")
    };
    let user = user(ME);
    stage.event(
        20,
        What::Message {
            user,
            cmid,
            body,
            reply_to: None,
            edited: None,
            deleted: None,
        },
    );
    assert!(stage.shows("nothing missed"), "{}", stage.screen());
}

#[test]
fn removed_meeting_is_reported_and_keeps_its_entries() {
    let mut stage = Stage::talking(80, 24);
    stage.lose_link();
    stage.write("for nobody");
    stage.key("enter");
    stage.greet(vec![(sync(), ResumeMode::Gone)]);
    assert!(stage.shows("You can no longer read Platform sync. Unsent messages: /outbox"));
    stage.wait_ms(10_000);
    stage.key("ctrl-n");
    assert!(
        stage.shows("1 failed in other meetings: /outbox"),
        "{}",
        stage.screen()
    );
    stage.write("/outbox");
    stage.key("enter");
    assert!(stage.shows("for nobody") && stage.shows("not sent: You are not allowed"));
}

#[test]
fn rejected_token_shows_the_sign_in_form() {
    let mut stage = Stage::new(80, 24);
    stage.open_link();
    stage.refuse(
        "hello",
        Reject::new(Code::NotSignedIn, "You are not signed in."),
    );
    assert!(stage.shows("sign in") && stage.shows("You are not signed in."));
    assert!(stage.effects.contains(&Effect::Disconnect));
    assert_eq!(stage.model.link, Link::Off);
}

#[test]
fn cancelled_sign_in_ignores_its_reply() {
    let theme = crate::theme::Theme::new(true, false);
    let mut stage = Stage::begin(80, 24, None, theme);
    stage.write("ada@example.org");
    stage.key("enter");
    stage.write("secret password");
    stage.key("enter");
    assert!(
        stage
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::SignIn { .. }))
    );
    assert!(stage.shows("Esc cancels") && !stage.shows("secret"));
    stage.key("esc");
    assert!(stage.effects.contains(&Effect::CancelSignIn));
    stage.tell(AppEvent::SignedIn(Err("too late".into())));
    assert!(!stage.shows("too late"));
}

#[test]
fn ticks_follow_the_countdown() {
    let mut stage = Stage::ready(80, 24);
    let wakes = |stage: &Stage| stage.model.next_tick_at().ms_since(stage.model.now);
    stage.wait_ms(30_500);
    assert!(wakes(&stage) > 20_000, "{}", wakes(&stage));
    stage.lose_link();
    assert!(wakes(&stage) <= 1_000);
    stage.tell(AppEvent::Link(LinkEvent::Connecting { attempt: 2 }));
    assert!(wakes(&stage) > 20_000);
}

#[test]
fn meetings_are_read_again_on_changes_and_starts() {
    let mut stage = Stage::ready(80, 24);
    stage.asked();
    stage.push(Push::Changed(plenary_shared::protocol::Changed {
        instance: None,
        changed: plenary_shared::protocol::ChangedList::Meetings,
    }));
    assert_eq!(asked_names(&mut stage), ["meetings"]);
    let mut stage = Stage::ready(80, 24);
    stage.asked();
    stage.wait_ms(8 * 60_000 + 1);
    assert_eq!(asked_names(&mut stage), ["meetings"]);
    let mut meetings = demo_meetings();
    meetings[2].state = InstanceState::Active;
    assert_eq!(meetings.len(), 6);
}

#[test]
fn offline_period_starts_with_the_sleep() {
    let mut stage = Stage::talking(80, 24);
    stage.now = stage.now.plus_ms(20 * 60_000);
    stage.tell(AppEvent::Tick);
    stage.lose_link();
    stage.greet(vec![(sync(), ResumeMode::Delta)]);
    assert!(stage.shows("offline 14:52–15:12 · nothing missed"));
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
    let mut stage = Stage::talking(80, 24);
    stage.asked();
    stage.push(fence(19));
    let away = || Reject::new(Code::Unavailable, "The store is unavailable.");
    for wait_ms in [1_500, 1_500, 3_000, 6_000, 12_000, 15_000] {
        stage.refuse("open", away());
        assert!(stage.shows("The store is unavailable."));
        assert!(!stage.model.room().expect("a room").following);
        assert!(stage.asked().is_empty(), "not at once");
        stage.wait_ms(wait_ms);
    }
    let mut reopened = opened(talk(), vec![(8, "13:31"), (9, "13:31"), (ME, "13:52")]);
    reopened.generation = generation(2);
    stage.answer("open", reopened);
    assert!(stage.model.room().expect("a room").following);
    stage.wait_ms(60_000);
    assert!(asked_names(&mut stage).iter().all(|name| name != "open"));
}

#[test]
fn join_after_a_fence_is_retried() {
    let mut stage = Stage::talking(80, 24);
    stage.asked();
    stage.push(fence(18));
    let without_me = || {
        let mut reopened = opened(talk()[..18].to_vec(), vec![(8, "13:31")]);
        reopened.generation = generation(2);
        reopened
    };
    stage.answer("open", without_me());
    stage.write("hello");
    stage.key("enter");
    stage.refuse(
        "join",
        Reject::new(Code::Unavailable, "The store is unavailable."),
    );
    assert!(stage.model.room().expect("a room").wants_to_join);
    assert!(stage.asked().is_empty());
    stage.wait_ms(1_500);
    stage.answer("open", without_me());
    stage.answer("join", posted(19));
    let mut mine = event(19, stage.now, join(ME, "ada"));
    mine.generation = generation(2);
    stage.push(Push::Event(Box::new(mine)));
    assert_eq!(asked_names(&mut stage), ["post"]);
}

#[test]
fn fence_of_an_unreadable_meeting_removes_it() {
    let mut stage = Stage::talking(80, 24);
    stage.asked();
    stage.push(fence(19));
    stage.refuse("open", Code::NotAllowed.into());
    assert!(stage.shows("You can no longer read Platform sync"));
    assert!(stage.model.room().is_none());
}
