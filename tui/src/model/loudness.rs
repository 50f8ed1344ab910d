//! The notification level of a meeting.

use std::fmt;
use std::str::FromStr;

/// Which messages cause a notification while the user looks elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loudness {
    /// Every message.
    All,
    /// Messages that mention the user.
    #[default]
    Mentions,
    /// Nothing.
    Silent,
}

impl Loudness {
    /// The words for the levels.
    pub const WORDS: &'static [&'static str] = &["all", "mentions", "none"];

    /// Describes the level in a notice.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::All => "Notifications: all messages",
            Self::Mentions => "Notifications: mentions only",
            Self::Silent => "Muted",
        }
    }

    /// Returns whether a message causes a notification.
    pub fn calls(self, is_meant: bool) -> bool {
        match self {
            Self::All => true,
            Self::Mentions => is_meant,
            Self::Silent => false,
        }
    }
}

impl fmt::Display for Loudness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::Silent => "none",
        })
    }
}

impl FromStr for Loudness {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "all" => Ok(Self::All),
            "mentions" => Ok(Self::Mentions),
            "none" => Ok(Self::Silent),
            _ => Err(()),
        }
    }
}
