//! Moderation as participants see it.

use plenary_shared::domain::{
    EndChange, EventKind, Moderation, ModerationAction, Reason, Reject, Subject,
};
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::ResumeMode;

use super::fixture::{Fixture, ME, opened, posted, sync, talk, user};
use rstest::rstest;

/// An action by user 8.
fn done(action: ModerationAction, reason: &str) -> EventKind {
    EventKind::Moderated(Moderation {
        user: user(8),
        name: "ben".to_owned(),
        cmid: Cmid(uuid::Uuid::nil()),
        action,
        reason: Some(reason.to_owned()),
    })
}

fn me() -> Subject {
    Subject {
        id: user(ME),
        name: "ada".to_owned(),
    }
}

/// The name of user 8.
fn admin(fixture: &Fixture) -> String {
    let log = fixture.model.room().and_then(|room| room.log.as_ref());
    log.expect("an open meeting").name(user(8))
}

#[test]
fn extended_meeting_shows_its_new_end() {
    let mut fixture = Fixture::talking(100, 24);
    let before = fixture.model.instance(sync()).expect("known").todatetime;
    let todatetime = before.plus_ms(30 * 60_000);
    let what = done(
        ModerationAction::Extend(EndChange { todatetime, before }),
        "not done yet",
    );
    fixture.event(20, what);
    let instance = fixture.model.instance(sync()).expect("known");
    assert_eq!(instance.todatetime, todatetime);
    let end = fixture.model.zone.hm(todatetime);
    let admin = admin(&fixture);
    let said = format!("{admin} extended the meeting to {end} (+30m): not done yet");
    assert!(fixture.shows(&said), "{}", fixture.screen());
}

#[test]
fn removed_user_sees_the_reason_and_stays_out() {
    let mut fixture = Fixture::talking(100, 24);
    fixture.asked();
    fixture.event(20, done(ModerationAction::Remove(me()), "spam"));
    let reason = Reason::Removed;
    let user = user(ME);
    fixture.event(21, EventKind::Leave { user, reason });
    let admin = admin(&fixture);
    assert!(
        fixture.shows(&format!("{admin} removed you: spam")),
        "{}",
        fixture.screen()
    );
    assert!(!fixture.model.room().expect("a room").wants_to_join);
    fixture.lose_link();
    fixture.greet(vec![(sync(), ResumeMode::Delta)]);
    let names: Vec<String> = fixture.asked().into_iter().map(|(name, _)| name).collect();
    assert!(!names.contains(&"join".to_owned()), "{names:?}");
}

#[test]
fn muted_user_sees_why_a_post_is_rejected() {
    let mut fixture = Fixture::talking(100, 24);
    // The post and the action cross on the wire.
    fixture.write("but");
    fixture.key("enter");
    fixture.event(20, done(ModerationAction::Mute(me()), "too loud"));
    let admin = admin(&fixture);
    assert!(
        fixture.shows(&format!("{admin} muted you: too loud")),
        "{}",
        fixture.screen()
    );
    fixture.refuse("post", Reject::from(plenary_shared::domain::Code::Muted));
    assert!(
        fixture.shows("You are muted in this meeting"),
        "{}",
        fixture.screen()
    );
    // Announcements are shown to all participants.
    let body = plenary_shared::text::MessageBody::parse("Coffee is ready").expect("a body");
    fixture.event(21, done(ModerationAction::Announce { body }, "-"));
    assert!(
        fixture.shows("announced: Coffee is ready"),
        "{}",
        fixture.screen()
    );
}

#[rstest]
#[case(
    ModerationAction::Mute(me()),
    ModerationAction::Unmute(me()),
    "MUTED",
    "Muted: you can read, but not post"
)]
#[case(
    ModerationAction::ReadOnly,
    ModerationAction::Writable,
    "READ-ONLY",
    "Read-only: no one can post now"
)]
fn restricted_user_sees_it_in_title_and_prompt_and_keeps_the_text(
    #[case] restricts: ModerationAction,
    #[case] allows: ModerationAction,
    #[case] word: &str,
    #[case] sentence: &str,
    #[values((120, 36), (80, 24), (44, 20))] (columns, rows): (u16, u16),
) {
    let mut fixture = Fixture::talking(columns, rows);
    fixture.asked();
    assert!(!fixture.shows(word) && fixture.shows("⏎ send"));
    fixture.event(20, done(restricts, "-"));
    let screen = fixture.screen();
    let title = if columns < 60 { "sync" } else { "LIVE" };
    assert!(fixture.shows(&format!("{title}  {word}")), "{screen}");
    assert!(
        fixture.shows(sentence) && !fixture.shows("⏎ send"),
        "{screen}"
    );
    fixture.write("still here");
    fixture.key("enter");
    assert!(fixture.asked().iter().all(|(name, _)| name != "post"));
    assert!(fixture.shows("✗ still here"), "{}", fixture.screen());
    fixture.event(21, done(allows, "-"));
    assert!(!fixture.shows(word), "{}", fixture.screen());
    fixture.key("enter");
    assert!(fixture.asked().iter().any(|(name, _)| name == "post"));
}

#[test]
fn locked_out_user_sees_it_in_title_and_prompt() {
    let mut fixture = Fixture::ready(120, 36);
    fixture.key("enter");
    fixture.refuse("join", Reject::from(plenary_shared::domain::Code::Locked));
    let mut ok = opened(talk(), vec![(8, "13:31")]);
    ok.restrictions.locked = true;
    fixture.answer("open", ok);
    let screen = fixture.screen();
    assert!(fixture.shows("LIVE  LOCKED"), "{screen}");
    assert!(
        fixture.shows("Locked: no one can join") && !fixture.shows("⏎ join"),
        "{screen}"
    );
    fixture.event(20, done(ModerationAction::Unlock, "-"));
    assert!(!fixture.shows("LOCKED") && fixture.shows("⏎ join"));
}

#[test]
fn restrictions_are_known_after_opening() {
    let mut fixture = Fixture::ready(80, 24);
    fixture.key("enter");
    fixture.answer("join", posted(19));
    let mut ok = opened(talk(), vec![(8, "13:31"), (ME, "13:52")]);
    ok.restrictions.muted = true;
    fixture.answer("open", ok);
    assert!(fixture.shows("LIVE  MUTED"), "{}", fixture.screen());
}

#[test]
fn good_news_of_moderation_is_no_error() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.event(20, done(ModerationAction::Mute(me()), "-"));
    assert!(fixture.shows("✗ Platform sync"));
    fixture.event(21, done(ModerationAction::Unmute(me()), "-"));
    assert!(fixture.shows("unmuted you") && !fixture.shows("✗ Platform sync"));
}
