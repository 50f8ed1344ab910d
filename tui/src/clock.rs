//! Local dates, times and durations in short form.

use chrono::{
    DateTime, Datelike as _, FixedOffset, Local, LocalResult, NaiveDate, TimeZone as _, Timelike,
};
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

    /// `14:31`; on another day than `now` with the date: `22 Sep 14:31`, or in another year
    /// `22 Sep 2025 14:31`. An hour that the end of summer time repeats has its offset: `01:30+01:00`.
    pub fn time(self, time: Timestamp, now: Timestamp) -> String {
        let (at, today) = (self.at(time), self.day(now));
        let offset = if self.is_repeated(at) { "%:z" } else { "" };
        let day = match at.date_naive() {
            day if day == today => "",
            day if day.year() == today.year() => "%-d %b ",
            _ => "%-d %b %Y ",
        };
        at.format(&format!("{day}%H:%M{offset}")).to_string()
    }

    /// `14:31`, or `22 Sep` on another day than `now`: for narrow columns.
    pub fn short_time(self, time: Timestamp, now: Timestamp) -> String {
        if self.day(time) == self.day(now) {
            self.hm(time)
        } else {
            self.day_month(time)
        }
    }

    /// `14:30–15:15`; with the days where they are not today: `22 Sep 14:30–15:15`, or
    /// `22 Sep 14:30–23 Oct 14:30`.
    pub fn span(self, from: Timestamp, to: Timestamp, now: Timestamp, dash: &str) -> String {
        // On the same day, the date of the start is enough.
        let day_of_end = if self.day(from) == self.day(to) {
            to
        } else {
            now
        };
        let (from, to) = (self.time(from, now), self.time(to, day_of_end));
        format!("{from}{dash}{to}")
    }

    /// `UTC+01:00`
    pub fn offset(self, time: Timestamp) -> String {
        self.at(time).format("UTC%:z").to_string()
    }

    /// Whether the clock shows this time twice because summer time ends.
    fn is_repeated(self, at: DateTime<FixedOffset>) -> bool {
        let local = at.naive_local();
        let found = match self {
            Self::Local => Local.offset_from_local_datetime(&local).map(|_| ()),
            Self::Fixed(offset) => offset.offset_from_local_datetime(&local).map(|_| ()),
        };
        matches!(found, LocalResult::Ambiguous(..))
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

/// Returns the whole minutes until `end`, rounded down; 0 in the last minute and after it.
pub fn minutes_left(now: Timestamp, end: Timestamp) -> i64 {
    end.ms_since(now).max(0) / MINUTE_MS
}

/// The time until `end` in whole minutes: `23m`, or `<1m` in the last minute.
pub fn left(now: Timestamp, end: Timestamp) -> String {
    match minutes_left(now, end) {
        0 if now < end => "<1m".to_owned(),
        count => minutes(count),
    }
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
    fn time_left_is_rounded_down() {
        let end = Timestamp::from_ms(10 * MINUTE_MS);
        let shown = |ms| left(Timestamp::from_ms(ms), end);
        assert_eq!(shown(0), "10m");
        assert_eq!(shown(1), "9m");
        assert_eq!(shown(10 * MINUTE_MS - 65_000), "1m");
        assert_eq!(shown(9 * MINUTE_MS), "1m");
        assert_eq!(shown(9 * MINUTE_MS + 1), "<1m");
        assert_eq!(shown(10 * MINUTE_MS), "0m");
        assert_eq!(shown(10 * MINUTE_MS + 5), "0m");
    }

    #[rstest]
    #[case("2026-09-22T13:30:00Z", "2026-09-22T14:15:00Z", "14:30-15:15")]
    #[case("2026-09-21T13:30:00Z", "2026-09-21T14:15:00Z", "21 Sep 14:30-15:15")]
    #[case("2026-09-22T06:34:00Z", "2026-10-23T06:34:00Z", "07:34-23 Oct 07:34")]
    #[case(
        "2026-09-01T06:34:00Z",
        "2026-10-02T06:34:00Z",
        "1 Sep 07:34-2 Oct 07:34"
    )]
    #[case("2026-09-21T21:30:00Z", "2026-09-22T14:15:00Z", "21 Sep 22:30-15:15")]
    #[case(
        "2025-12-31T21:30:00Z",
        "2025-12-31T22:30:00Z",
        "31 Dec 2025 22:30-23:30"
    )]
    fn span_has_the_days_that_are_not_today(
        #[case] from: Timestamp,
        #[case] to: Timestamp,
        #[case] expected: &str,
    ) {
        let zone = Zone::Fixed(FixedOffset::east_opt(3_600).expect("an offset"));
        let now: Timestamp = "2026-09-22T13:52:00Z".parse().expect("a time");
        assert_eq!(zone.span(from, to, now, "-"), expected);
        assert_eq!(zone.offset(from), "UTC+01:00");
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
