//! Local dates, times and durations in short form.

use chrono::{DateTime, FixedOffset, Local, NaiveDate, Timelike};
use plenary_shared::time::{Timestamp, WhenError, parse_when};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;

/// The time zone in which times are displayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    Local,
    /// A fixed offset, for reproducible screens.
    Fixed(FixedOffset),
}

impl Zone {
    fn at(self, time: Timestamp) -> DateTime<FixedOffset> {
        match self {
            Self::Local => time.to_utc().with_timezone(&Local).fixed_offset(),
            Self::Fixed(offset) => time.to_utc().with_timezone(&offset),
        }
    }

    /// `14:31`
    pub fn hm(self, time: Timestamp) -> String {
        self.at(time).format("%H:%M").to_string()
    }

    /// `14:31:05`
    pub fn hms(self, time: Timestamp) -> String {
        self.at(time).format("%H:%M:%S").to_string()
    }

    /// Returns the local calendar day.
    pub fn day(self, time: Timestamp) -> NaiveDate {
        self.at(time).date_naive()
    }

    /// `Tue 22 Sep 2026`
    pub fn day_title(self, time: Timestamp) -> String {
        self.at(time).format("%a %-d %b %Y").to_string()
    }

    /// `Wed 09:30`
    pub fn weekday_hm(self, time: Timestamp) -> String {
        self.at(time).format("%a %H:%M").to_string()
    }

    /// `22 Sep`
    pub fn day_month(self, time: Timestamp) -> String {
        self.at(time).format("%-d %b").to_string()
    }

    /// `2026-09-22 14:31`, a form that [`Self::parse_when`] accepts.
    pub fn ymd_hm(self, time: Timestamp) -> String {
        self.at(time).format("%Y-%m-%d %H:%M").to_string()
    }

    /// Parses a time as typed in this zone.
    pub fn parse_when(self, text: &str, now: Timestamp) -> Result<Timestamp, WhenError> {
        match self {
            Self::Local => parse_when(text, now, &Local),
            Self::Fixed(offset) => parse_when(text, now, &offset),
        }
    }

    /// Returns the start of the next minute.
    pub fn next_minute(self, time: Timestamp) -> Timestamp {
        let at = self.at(time);
        let into_ms = i64::from(at.second()) * SECOND_MS + time.as_ms().rem_euclid(SECOND_MS);
        time.plus_ms(MINUTE_MS - into_ms)
    }
}

/// Returns the minutes until `end`, rounded up: 0 only once `end` is reached.
pub fn minutes_left(now: Timestamp, end: Timestamp) -> i64 {
    let ms = end.ms_since(now).max(0);
    ms / MINUTE_MS + i64::from(ms % MINUTE_MS > 0)
}

/// `5m`, `1h05`, `3d`
pub fn minutes(count: i64) -> String {
    match count {
        ..60 => format!("{count}m"),
        60..1_440 => format!("{}h{:02}", count / 60, count % 60),
        _ => format!("{}d", count / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0m")]
    #[case(59, "59m")]
    #[case(65, "1h05")]
    #[case(3_000, "2d")]
    fn durations_are_short(#[case] count: i64, #[case] text: &str) {
        assert_eq!(minutes(count), text);
    }

    #[test]
    fn minutes_left_rounds_up() {
        let end = Timestamp::from_ms(10 * MINUTE_MS);
        assert_eq!(minutes_left(Timestamp::from_ms(0), end), 10);
        assert_eq!(minutes_left(Timestamp::from_ms(1), end), 10);
        assert_eq!(minutes_left(Timestamp::from_ms(9 * MINUTE_MS + 1), end), 1);
        assert_eq!(minutes_left(end, end), 0);
        assert_eq!(minutes_left(end.plus_ms(5), end), 0);
    }

    #[test]
    fn next_minute_follows_the_zone() {
        let zone = Zone::Fixed(FixedOffset::east_opt(3_600).expect("an offset"));
        let at: Timestamp = "2026-09-22T13:52:10.250Z".parse().expect("a time");
        assert_eq!(zone.hm(at), "14:52");
        assert_eq!(zone.next_minute(at).to_string(), "2026-09-22T13:53:00.000Z");
        assert_eq!(zone.day_title(at), "Tue 22 Sep 2026");
    }
}
