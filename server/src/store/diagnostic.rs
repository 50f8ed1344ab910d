//! What a look at a store finds: one line for an operator, and what to do about it.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As it should be.
    Good,
    /// It works, and something may go wrong some day.
    Warning,
    /// A promise is not kept, or the server does not start.
    Bad,
    /// The store does not answer: nothing more is known of it.
    Unavailable,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What was looked at, such as `Redis: maxmemory-policy`.
    pub about: String,
    /// How it is.
    pub grade: Grade,
    /// What was found.
    pub says: String,
    /// What to do about it, unless it is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Diagnostic {
    /// As it should be.
    pub fn good(about: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            about: about.into(),
            grade: Grade::Good,
            says: says.into(),
            advice: None,
        }
    }

    /// Not as it should be, and what to do.
    pub fn not_good(
        grade: Grade,
        about: impl Into<String>,
        says: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            about: about.into(),
            grade,
            says: says.into(),
            advice: Some(advice.into()),
        }
    }

    /// Good if `well`, else of this grade, with this advice.
    pub fn of(
        well: bool,
        otherwise: Grade,
        about: impl Into<String>,
        says: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        if well {
            Self::good(about, says)
        } else {
            Self::not_good(otherwise, about, says, advice)
        }
    }

    /// How far another clock is from ours, in milliseconds: meetings begin by the server's and end by
    /// the store's.
    pub fn clock(about: impl Into<String>, ahead_ms: i64) -> Self {
        Self::of(
            ahead_ms.abs() <= SKEW_MS_MAX,
            Grade::Warning,
            about,
            format!("{ahead_ms} ms ahead of this machine's"),
            "let NTP set the clocks of all machines: meetings begin and end by them",
        )
    }
}

/// Clocks that differ by more make people notice, in milliseconds.
const SKEW_MS_MAX: i64 = 1_000;
