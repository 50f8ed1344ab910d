//! The password dialog and the list of sessions.

use insta::assert_snapshot;
use plenary_shared::protocol::{SessionId, SessionListed};

use super::fixture::{Fixture, at};
use crate::effect::{AccountRequest, Effect};
use crate::msg::AppEvent;

fn command(fixture: &mut Fixture, text: &str) {
    fixture.write(text);
    fixture.key("enter");
}

/// Takes the requests about the account.
fn requests(fixture: &mut Fixture) -> Vec<AccountRequest> {
    let effects = std::mem::take(&mut fixture.effects);
    effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Account { request, .. } => Some(request),
            _ => None,
        })
        .collect()
}

/// The dialog with its fields filled.
fn filled(columns: u16, rows: u16, new: &str, again: &str) -> Fixture {
    let mut fixture = Fixture::talking(columns, rows);
    command(&mut fixture, "/password");
    for text in ["the old one", new, again] {
        fixture.write(text);
        fixture.key("tab");
    }
    fixture
}

fn listed(columns: u16, rows: u16) -> Fixture {
    let mut fixture = Fixture::talking(columns, rows);
    command(&mut fixture, "/sessions");
    let one = |id, label: &str, current| SessionListed {
        id: SessionId(id),
        label: label.to_owned(),
        created_at: at("13:31"),
        expires_at: at("13:52"),
        current,
    };
    assert!(requests(&mut fixture) == [AccountRequest::ListSessions]);
    fixture.tell(AppEvent::Sessions(Ok(vec![
        one(1, "plenary screen", true),
        one(2, "plenary on laptop", false),
        one(3, "plenary-server token", false),
    ])));
    fixture
}

#[test]
fn password_dialog_80x24() {
    assert_snapshot!(filled(80, 24, "a long new one", "a long").screen());
}

#[test]
fn password_dialog_44x20() {
    assert_snapshot!(filled(44, 20, "a long new one", "a long").screen());
}

#[test]
fn sessions_120x36() {
    assert_snapshot!(listed(120, 36).screen());
}

#[test]
fn sessions_80x24() {
    assert_snapshot!(listed(80, 24).screen());
}

#[test]
fn sessions_44x20() {
    assert_snapshot!(listed(44, 20).screen());
}

#[test]
fn password_is_changed_and_never_shown() {
    let mut fixture = filled(80, 24, "a long new one", "a long new one");
    assert!(!fixture.shows("the old one") && !fixture.shows("a long new one"));
    fixture.key("enter");
    let expected = AccountRequest::ChangePassword {
        old: "the old one".to_owned(),
        new: "a long new one".to_owned(),
    };
    assert!(requests(&mut fixture) == [expected]);
    // A second Enter does not send it again.
    fixture.key("enter");
    assert!(requests(&mut fixture).is_empty());
    fixture.tell(AppEvent::PasswordChanged(Err(
        "The old password is wrong.".into()
    )));
    assert!(fixture.shows("The old password is wrong."));
    fixture.write("the right one");
    fixture.key("enter");
    assert_eq!(requests(&mut fixture).len(), 1);
    fixture.tell(AppEvent::PasswordChanged(Ok(())));
    assert!(fixture.shows("Password changed"));
    assert!(!fixture.shows("Old password"));
}

#[test]
fn new_passwords_must_be_equal() {
    let mut fixture = filled(80, 24, "a long new one", "another new one");
    fixture.key("enter");
    assert!(fixture.shows("The new passwords differ"));
    assert!(requests(&mut fixture).is_empty());
    // Esc forgets everything.
    fixture.key("esc");
    assert!(!fixture.shows("Old password"));
    command(&mut fixture, "/password");
    fixture.key("enter");
    assert!(fixture.shows("Old password is empty"));
}

#[test]
fn selected_session_is_ended_but_not_the_own_one() {
    let mut fixture = listed(80, 24);
    fixture.key("x");
    assert!(requests(&mut fixture).is_empty());
    assert!(fixture.shows("This is the session that you are using"));
    fixture.key("down");
    fixture.key("x");
    assert!(requests(&mut fixture) == [AccountRequest::EndSession(SessionId(2))]);
    fixture.key("X");
    assert!(requests(&mut fixture) == [AccountRequest::EndOtherSessions]);
    fixture.tell(AppEvent::Sessions(Ok(vec![])));
    assert!(!fixture.shows("laptop"));
    fixture.key("esc");
    assert!(!fixture.shows("Sessions"));
}
