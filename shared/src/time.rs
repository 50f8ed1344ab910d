//! Points in time, and parsing of times and durations that users type.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, in milliseconds since 1970-01-01 UTC; written as RFC 3339
/// in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The range of RFC 3339 (years 1 to 9999).
    const MS_MIN: i64 = -62_135_596_800_000;
    const MS_MAX: i64 = 253_402_300_799_999;

    /// Creates a point from milliseconds since 1970-01-01 UTC, or `None` outside of the range of RFC 3339.
    pub const fn try_from_ms(ms: i64) -> Option<Self> {
        if Self::MS_MIN <= ms && ms <= Self::MS_MAX {
            Some(Self(ms))
        } else {
            None
        }
    }

    /// Returns the point this duration later, or `None` outside of the range of RFC 3339. For times that
    /// users type, which must not be cut silently.
    pub fn checked_add(self, length: TimeDelta) -> Option<Self> {
        Self::try_from_ms(self.0.checked_add(length.num_milliseconds())?)
    }

    /// Creates a point from milliseconds since 1970-01-01 UTC, clamped to the range of RFC 3339.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(Self::MS_MIN, Self::MS_MAX))
    }

    /// Returns milliseconds since 1970-01-01 UTC.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// Converts to chrono's type.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// Returns the point `ms` milliseconds later.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// Returns the milliseconds since `earlier`; negative if `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self::from_ms(at.timestamp_millis())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// Why a text is not an RFC 3339 time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// It has another form.
    #[error("must be a time like 2026-05-06T13:00:00Z")]
    Form,
    /// It is outside of the years that can be stored.
    #[error("must be a time from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z")]
    Range,
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Self::try_from_ms(at.timestamp_millis()).ok_or(TimestampError::Range);
        }
        // RFC 3339 has four digits for the year; this form has more, after a sign.
        match text.parse::<DateTime<Utc>>() {
            Ok(at) if Self::try_from_ms(at.timestamp_millis()).is_none() => {
                Err(TimestampError::Range)
            }
            Ok(_) | Err(_) => Err(TimestampError::Form),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        crate::openapi::timestamp()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Timestamp {}

/// Why a typed time or duration is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// The time has none of the known forms.
    #[error(
        "Invalid time: '{0}'. Use 2026-05-06T13:00:00Z, '2026-05-06 13:00' (local), now, or 'in 5m'"
    )]
    Time(String),
    /// The time is outside of the years that can be stored.
    #[error("'{0}' is outside of the years 1 to 9999: the last time is 9999-12-31T23:59:59Z")]
    Range(String),
    /// The duration has none of the known forms.
    #[error("Invalid duration: '{0}'. Use 45m, 90s, 2h, 1h30m or 1d")]
    Length(String),
    /// The local time is skipped when the clocks go forward.
    #[error("{0} does not exist here: the clocks go forward")]
    Skipped(NaiveDateTime),
    /// The local time occurs twice when the clocks go back.
    #[error("{0} occurs twice here. Add the offset, like 2026-10-25T02:30:00+02:00")]
    Twice(NaiveDateTime),
}

/// Parses a time that a user types: RFC 3339, `2026-05-06 13:00` in `zone`, `now`, `in 5m`.
pub fn parse_when<Z: TimeZone>(
    text: &str,
    now: Timestamp,
    zone: &Z,
) -> Result<Timestamp, WhenError> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    if let Some(length) = text.strip_prefix("in ") {
        return add(now, length, text);
    }
    match text.parse() {
        Ok(at) => return Ok(at),
        Err(TimestampError::Range) => return Err(WhenError::Range(text.to_owned())),
        Err(TimestampError::Form) => {}
    }
    let local = [
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M:%S",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    .ok_or_else(|| WhenError::Time(text.to_owned()))?;
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => Timestamp::try_from_ms(at.timestamp_millis())
            .ok_or_else(|| WhenError::Range(text.to_owned())),
        LocalResult::Ambiguous(..) => Err(WhenError::Twice(local)),
        LocalResult::None => Err(WhenError::Skipped(local)),
    }
}

/// Returns the end of a period that starts at `from` and lasts as long as the user typed.
pub fn parse_end(from: Timestamp, length: &str) -> Result<Timestamp, WhenError> {
    add(from, length, &format!("{from} + {}", length.trim()))
}

fn add(from: Timestamp, length: &str, typed: &str) -> Result<Timestamp, WhenError> {
    from.checked_add(parse_length(length)?)
        .ok_or_else(|| WhenError::Range(typed.to_owned()))
}

/// Parses a duration that a user types: `45m`, `90s`, `2h`, `1h30m`, `1d`. Zero is invalid.
pub fn parse_length(text: &str) -> Result<TimeDelta, WhenError> {
    let text = text.trim();
    let wrong = || WhenError::Length(text.to_owned());
    let mut seconds: i64 = 0;
    let mut digits = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit_s = match c {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let count: i64 = digits.parse().map_err(|_| wrong())?;
        digits.clear();
        seconds = count
            .checked_mul(unit_s)
            .and_then(|more| seconds.checked_add(more))
            .ok_or_else(wrong)?;
    }
    let in_range = digits.is_empty() && seconds > 0;
    TimeDelta::try_seconds(seconds)
        .filter(|_| in_range)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::FixedOffset;
    use rstest::rstest;

    #[rstest]
    #[case("now", "2026-05-06T11:00:00.000Z")]
    #[case("in 5m", "2026-05-06T11:05:00.000Z")]
    #[case("in 1h30m", "2026-05-06T12:30:00.000Z")]
    #[case("2026-05-06T13:00:00Z", "2026-05-06T13:00:00.000Z")]
    #[case("2026-05-06T13:00:00.1239+02:00", "2026-05-06T11:00:00.123Z")]
    #[case("2026-05-06 13:00", "2026-05-06T11:00:00.000Z")]
    #[case("2026-05-06 13:00:07", "2026-05-06T11:00:07.000Z")]
    fn times_as_people_type_them(#[case] text: &str, #[case] expected: &str) {
        let now = "2026-05-06T11:00:00Z".parse().expect("a time");
        let zone = FixedOffset::east_opt(7_200).expect("an offset");
        assert_eq!(
            parse_when(text, now, &zone).map(|t| t.to_string()),
            Ok(expected.to_owned())
        );
    }

    #[rstest]
    #[case("9999-12-31 23:59:59", true)]
    #[case("9999-12-31T23:59:59.999Z", true)]
    #[case("9999-12-31T23:59:59-01:00", false)]
    #[case("+10000-01-01T00:00:00Z", false)]
    #[case("+10000-01-01 00:00", false)]
    #[case("in 3000000d", false)]
    #[case("0000-01-01T00:00:00Z", false)]
    #[case("-0001-01-01 00:00", false)]
    fn times_outside_of_the_years_that_can_be_stored_are_refused(
        #[case] text: &str,
        #[case] good: bool,
    ) {
        let now = "2026-05-06T11:00:00Z".parse().expect("a time");
        match parse_when(text, now, &Utc) {
            Ok(_) => assert!(good, "{text}"),
            Err(error) => {
                assert!(
                    !good && error.to_string().contains("9999-12-31T23:59:59Z"),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn end_beyond_the_last_time_is_refused_and_not_cut() {
        let from: Timestamp = "9999-12-31T23:50:00Z".parse().expect("a time");
        assert!(parse_end(from, "9m").is_ok());
        let error = parse_end(from, "1h").expect_err("too late").to_string();
        assert!(error.contains("9999-12-31T23:59:59Z"), "{error}");
    }

    #[rstest]
    #[case("tomorrow")]
    #[case("")]
    #[case("in")]
    #[case("in 5")]
    #[case("in -5m")]
    #[case("2026-13-06 13:00")]
    #[case("in 99999999999999999999d")]
    fn what_is_no_time_is_refused(#[case] text: &str) {
        assert!(parse_when(text, Timestamp::default(), &Utc).is_err());
    }
}
