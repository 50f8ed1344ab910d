//! Moderation as participants see it.

use plenary_shared::domain::{
    EndChange, Moderation, ModerationAction, Reason, Reject, Subject, What,
};
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::ResumeMode;

use super::stage::{ME, Stage, sync, user};

/// An action by user 8.
fn done(action: ModerationAction, reason: &str) -> What {
    What::Moderated(Moderation {
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
fn admin(stage: &Stage) -> String {
    let log = stage.model.room().and_then(|room| room.log.as_ref());
    log.expect("an open meeting").name(user(8))
}

#[test]
fn extended_meeting_shows_its_new_end() {
    let mut stage = Stage::talking(100, 24);
    let before = stage.model.instance(sync()).expect("known").todatetime;
    let todatetime = before.plus_ms(30 * 60_000);
    let what = done(
        ModerationAction::Extend(EndChange { todatetime, before }),
        "not done yet",
    );
    stage.event(20, what);
    let instance = stage.model.instance(sync()).expect("known");
    assert_eq!(instance.todatetime, todatetime);
    let end = stage.model.zone.hm(todatetime);
    let admin = admin(&stage);
    let said = format!("{admin} extended the meeting to {end} (+30m): not done yet");
    assert!(stage.shows(&said), "{}", stage.screen());
}

#[test]
fn removed_user_sees_the_reason_and_stays_out() {
    let mut stage = Stage::talking(100, 24);
    stage.asked();
    stage.event(20, done(ModerationAction::Remove(me()), "spam"));
    let reason = Reason::Removed;
    let user = user(ME);
    stage.event(21, What::Leave { user, reason });
    let admin = admin(&stage);
    assert!(
        stage.shows(&format!("{admin} removed you: spam")),
        "{}",
        stage.screen()
    );
    assert!(!stage.model.room().expect("a room").wants_to_join);
    stage.lose_link();
    stage.greet(vec![(sync(), ResumeMode::Delta)]);
    let names: Vec<String> = stage.asked().into_iter().map(|(name, _)| name).collect();
    assert!(!names.contains(&"join".to_owned()), "{names:?}");
}

#[test]
fn muted_user_sees_why_a_post_is_rejected() {
    let mut stage = Stage::talking(100, 24);
    stage.event(20, done(ModerationAction::Mute(me()), "too loud"));
    let admin = admin(&stage);
    assert!(
        stage.shows(&format!("{admin} muted you: too loud")),
        "{}",
        stage.screen()
    );
    stage.write("but");
    stage.key("enter");
    stage.refuse("post", Reject::from(plenary_shared::domain::Code::Muted));
    assert!(stage.shows("An admin has muted you"), "{}", stage.screen());
    // Announcements are shown to all participants.
    let body = plenary_shared::text::MessageBody::parse("Coffee is ready").expect("a body");
    stage.event(21, done(ModerationAction::Announce { body }, "-"));
    assert!(
        stage.shows("announced: Coffee is ready"),
        "{}",
        stage.screen()
    );
}
