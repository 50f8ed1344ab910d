//! Moderation as participants see it.

use plenary_shared::domain::{
    EndChange, EventKind, Moderation, ModerationAction, Reason, Reject, Subject,
};
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::ResumeMode;

use super::fixture::{Fixture, ME, sync, user};

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
    fixture.event(20, done(ModerationAction::Mute(me()), "too loud"));
    let admin = admin(&fixture);
    assert!(
        fixture.shows(&format!("{admin} muted you: too loud")),
        "{}",
        fixture.screen()
    );
    fixture.write("but");
    fixture.key("enter");
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
