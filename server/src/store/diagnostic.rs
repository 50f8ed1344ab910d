//! Diagnostics of the stores: one line each for an operator, with advice.

use serde::Serialize;

/// The severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    Good,
    /// It works, but something may fail later.
    Warning,
    /// A guarantee is not kept, or the server does not start.
    Bad,
    Unavailable,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What was checked, such as `Redis: maxmemory-policy`.
    pub about: String,
    pub grade: Grade,
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

    /// The difference of a store's clock in milliseconds: instances start by the server's clock and end by the
    /// store's.
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

/// The largest difference of clocks that users do not notice, in milliseconds.
const SKEW_MS_MAX: i64 = 1_000;
