//! Notifications and the terminal title.

use rstest::rstest;

use super::fixture::{Fixture, id};
use crate::effect::Effect;
use crate::msg::AppEvent;

fn notifications(fixture: &Fixture) -> Vec<(&str, &str)> {
    let notifications = fixture.effects.iter().filter_map(|effect| match effect {
        Effect::Notify { title, text } => Some((title.as_str(), text.as_str())),
        _ => None,
    });
    notifications.collect()
}

fn title(fixture: &Fixture) -> &str {
    &fixture.model.terminal.title
}

#[rstest]
#[case("", "@ada look", true)]
#[case("", "nothing special", false)]
#[case("/notify all", "nothing special", true)]
#[case("/notify none", "@ada look", false)]
#[case("/mute", "@ada look", false)]
#[case("/dnd", "@ada look", false)]
fn levels_decide_about_notifications(
    #[case] word: &str,
    #[case] said: &str,
    #[case] expected: bool,
) {
    let mut fixture = Fixture::talking(80, 24);
    if !word.is_empty() {
        fixture.write(word);
        fixture.key("enter");
    }
    fixture.tell(AppEvent::Focused(false));
    fixture.hears(20, 8, said);
    let expected: &[(&str, &str)] = if expected {
        &[("grace in Platform sync", said)]
    } else {
        &[]
    };
    assert_eq!(notifications(&fixture), expected);
}

#[test]
fn focused_user_is_not_notified() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.hears(20, 8, "@ada a terminal that tells nothing");
    assert!(notifications(&fixture).is_empty());
    fixture.key("ctrl-n");
    fixture.hears(21, 8, "@ada one looks at another meeting");
    assert_eq!(notifications(&fixture).len(), 1);
    fixture.tell(AppEvent::Focused(true));
    fixture.wait_ms(5_000);
    fixture.hears(22, 8, "@ada one sees the count");
    assert_eq!(notifications(&fixture).len(), 1);
}

#[test]
fn burst_causes_one_notification() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("/notify all");
    fixture.key("enter");
    fixture.tell(AppEvent::Focused(false));
    for number in 20..40 {
        fixture.hears(number, 9, "quick");
    }
    assert_eq!(notifications(&fixture).len(), 1);
    fixture.wait_ms(2_100);
    fixture.hears(40, 9, "later");
    assert_eq!(notifications(&fixture).len(), 2);
}

#[test]
fn level_is_stored_and_shown() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("/notify al");
    fixture.key("tab");
    fixture.key("enter");
    assert!(fixture.shows("Notifications: all messages"));
    let kept = fixture
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::SaveNotifyLevels(kept) if kept.len() == 1));
    assert!(kept);
    fixture.write("/notify");
    fixture.key("enter");
    assert!(fixture.shows("Notifications: all messages. Change with"));
    fixture.write("/notify loudly");
    fixture.key("enter");
    assert!(fixture.shows("› /notify loudly"));
    fixture.key("ctrl-u");
    fixture.write("/dnd");
    fixture.key("enter");
    assert!(fixture.shows("DND"));
}

#[test]
fn title_shows_remaining_time_and_unread() {
    let mut fixture = Fixture::talking(80, 24);
    assert_eq!(title(&fixture), "●23m Platform sync");
    fixture.wait_ms(60_000);
    assert_eq!(title(&fixture), "●22m Platform sync");
    fixture.key("ctrl-n");
    assert_eq!(fixture.model.shown, Some(id(44, 1)));
    fixture.hears(20, 8, "something");
    assert!(
        title(&fixture).ends_with("Incident 4471 +1"),
        "{}",
        title(&fixture)
    );
    fixture.hears(21, 8, "@ada something");
    assert!(
        title(&fixture).ends_with("Incident 4471 !1"),
        "{}",
        title(&fixture)
    );
    fixture.write("/read all");
    fixture.key("enter");
    assert!(
        title(&fixture).ends_with("Incident 4471"),
        "{}",
        title(&fixture)
    );
}
