//! The notification level of a meeting.

use std::fmt;
use std::str::FromStr;

/// Which messages cause a notification while the user looks elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotifyLevel {
    All,
    /// Messages that mention the user.
    #[default]
    Mentions,
    Off,
}

impl NotifyLevel {
    /// The words for the levels.
    pub const WORDS: &'static [&'static str] = &["all", "mentions", "none"];

    /// Describes the level in a notice.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::All => "Notifications: all messages",
            Self::Mentions => "Notifications: mentions only",
            Self::Off => "Muted",
        }
    }

    /// Returns whether a message causes a notification.
    pub fn notifies(self, is_mention: bool) -> bool {
        match self {
            Self::All => true,
            Self::Mentions => is_mention,
            Self::Off => false,
        }
    }
}

impl fmt::Display for NotifyLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::Off => "none",
        })
    }
}

impl FromStr for NotifyLevel {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "all" => Ok(Self::All),
            "mentions" => Ok(Self::Mentions),
            "none" => Ok(Self::Off),
            _ => Err(()),
        }
    }
}
