//! Notifications and the terminal title.

use rstest::rstest;

use super::stage::{Stage, id};
use crate::effect::Effect;
use crate::msg::AppEvent;

fn notifications(stage: &Stage) -> Vec<(&str, &str)> {
    let notifications = stage.effects.iter().filter_map(|effect| match effect {
        Effect::Notify { title, text } => Some((title.as_str(), text.as_str())),
        _ => None,
    });
    notifications.collect()
}

fn title(stage: &Stage) -> &str {
    &stage.model.title
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
    let mut stage = Stage::talking(80, 24);
    if !word.is_empty() {
        stage.write(word);
        stage.key("enter");
    }
    stage.tell(AppEvent::Focused(false));
    stage.hears(20, 8, said);
    let expected: &[(&str, &str)] = if expected {
        &[("grace in Platform sync", said)]
    } else {
        &[]
    };
    assert_eq!(notifications(&stage), expected);
}

#[test]
fn focused_user_is_not_notified() {
    let mut stage = Stage::talking(80, 24);
    stage.hears(20, 8, "@ada a terminal that tells nothing");
    assert!(notifications(&stage).is_empty());
    stage.key("ctrl-n");
    stage.hears(21, 8, "@ada one looks at another meeting");
    assert_eq!(notifications(&stage).len(), 1);
    stage.tell(AppEvent::Focused(true));
    stage.wait_ms(5_000);
    stage.hears(22, 8, "@ada one sees the count");
    assert_eq!(notifications(&stage).len(), 1);
}

#[test]
fn burst_causes_one_notification() {
    let mut stage = Stage::talking(80, 24);
    stage.write("/notify all");
    stage.key("enter");
    stage.tell(AppEvent::Focused(false));
    for number in 20..40 {
        stage.hears(number, 9, "quick");
    }
    assert_eq!(notifications(&stage).len(), 1);
    stage.wait_ms(2_100);
    stage.hears(40, 9, "later");
    assert_eq!(notifications(&stage).len(), 2);
}

#[test]
fn level_is_stored_and_shown() {
    let mut stage = Stage::talking(120, 36);
    stage.write("/notify al");
    stage.key("tab");
    stage.key("enter");
    assert!(stage.shows("Notifications: all messages"));
    let kept = stage
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::SaveNotifyLevels(kept) if kept.len() == 1));
    assert!(kept);
    stage.write("/notify");
    stage.key("enter");
    assert!(stage.shows("Notifications: all messages. Change with"));
    stage.write("/notify loudly");
    stage.key("enter");
    assert!(stage.shows("› /notify loudly"));
    stage.key("ctrl-u");
    stage.write("/dnd");
    stage.key("enter");
    assert!(stage.shows("DND"));
}

#[test]
fn title_shows_remaining_time_and_unread() {
    let mut stage = Stage::talking(80, 24);
    assert_eq!(title(&stage), "●23m Platform sync");
    stage.wait_ms(60_000);
    assert_eq!(title(&stage), "●22m Platform sync");
    stage.key("ctrl-n");
    assert_eq!(stage.model.shown, Some(id(44, 1)));
    stage.hears(20, 8, "something");
    assert!(
        title(&stage).ends_with("Incident 4471 +1"),
        "{}",
        title(&stage)
    );
    stage.hears(21, 8, "@ada something");
    assert!(
        title(&stage).ends_with("Incident 4471 !1"),
        "{}",
        title(&stage)
    );
    stage.write("/read all");
    stage.key("enter");
    assert!(
        title(&stage).ends_with("Incident 4471"),
        "{}",
        title(&stage)
    );
}
