//! Every limit of the wire and of the domain, with its unit and its reason.

/// Largest identifier: the largest whole number that every JSON reader keeps exact (2^53 − 1).
pub const ID_MAX: u64 = 9_007_199_254_740_991;

/// A message's body, in bytes of UTF-8: long enough for a page of text, short enough to fan out.
pub const MESSAGE_BODY_BYTES_MAX: usize = 4_096;

/// A WebSocket frame or message, in bytes: a body with every character escaped fits twice.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// An HTTP request's body, in bytes; the same bound as a frame.
pub const HTTP_BODY_BYTES_MAX: usize = FRAME_BYTES_MAX;

/// A user's name, in bytes: the width of the column in characters, so no encoding overflows it.
pub const NAME_BYTES_MAX: usize = 255;

/// A meeting's title, in bytes; see [`NAME_BYTES_MAX`].
pub const TITLE_BYTES_MAX: usize = 255;

/// A meeting's description, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 4_096;

/// The reason of a moderation, in bytes: one line that every screen can show.
pub const REASON_BYTES_MAX: usize = 255;

/// An email address, in bytes (RFC 5321's path limit less its brackets).
pub const EMAIL_BYTES_MAX: usize = 254;

/// A password, in bytes: beyond this the hash only costs time.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// A password, in bytes: the least that is worth hashing.
pub const PASSWORD_BYTES_MIN: usize = 8;

/// A user's age, in years.
pub const AGE_YEARS_MAX: u32 = 150;

/// Messages or events in one page.
pub const PAGE_MAX: usize = 1_000;

/// Messages or events in one page when the caller does not say.
pub const PAGE_DEFAULT: usize = 100;

/// Instances that one connection may follow at once; bounds what a resume may ask for.
pub const FOLLOWED_MAX: usize = 64;

/// Participants of one instance: the script that lists them stays within a few milliseconds.
pub const PARTICIPANTS_MAX: usize = 10_000;

/// The duration of an instance, in days. Longer ones are assumed to be typing mistakes.
pub const INSTANCE_DAYS_MAX: i64 = 31;

/// The shortest time between two typing notices of a client, in milliseconds. Earlier ones are answered
/// and not forwarded.
pub const TYPING_EVERY_MS: i64 = 3_000;

/// How long a participant is shown as typing after the last notice, in milliseconds: two intervals and the
/// transmission.
pub const TYPING_SHOWN_MS: i64 = 7_000;

/// How long without a key press until a client is idle, in milliseconds: longer than a pause for reading.
pub const IDLE_AFTER_MS: i64 = 5 * 60 * 1_000;

/// The shortest time between two idle changes of a client that a server forwards, in milliseconds. The last
/// of the changes in between is forwarded within ten seconds.
pub const IDLE_EVERY_MS: i64 = 3_000;

/// Names of invited users who have not joined, in one answer; as many as a tall screen shows.
pub const ABSENT_MAX: usize = 60;

/// Names of waiting users in one answer.
pub const WAITING_MAX: usize = 60;

/// How long a user counts as waiting after the client's last renewal, in milliseconds. Two renewals may be
/// late.
pub const WAITING_MS: i64 = 25_000;

/// A search, in bytes: more than anybody types.
pub const SEARCH_BYTES_MAX: usize = 512;

/// Words of one search: each of them is looked for in every candidate.
pub const SEARCH_TERMS_MAX: usize = 8;

/// Messages in one page of a search.
pub const SEARCH_PAGE_MAX: usize = 100;

/// Messages in one page of a search when the caller does not say.
pub const SEARCH_PAGE_DEFAULT: usize = 20;

/// How long the answer to a post that wants to be durable waits for the archive, in milliseconds: a
/// hundred times the usual delay of the archive, and below the timeouts of clients.
pub const DURABLE_WAIT_MS_MAX: u64 = 5_000;

/// How long before its start the dashboard shows an instance, in milliseconds.
pub const UPCOMING_MS: i64 = 15 * 60 * 1_000;

/// How long after the start a first join counts as late, in milliseconds.
pub const LATE_MS: i64 = 5 * 60 * 1_000;

/// Minutes that the activity sparklines of the dashboard show.
pub const ACTIVITY_MINUTES: usize = 10;

/// Addresses in one audience: as many as may be in one instance.
pub const AUDIENCE_MAX: usize = PARTICIPANTS_MAX;

/// Meetings in one page of an admin's plan.
pub const PLAN_PAGE: usize = 100;

/// Addresses in such a page, beside those of its last meeting: with them it stays far below what a
/// client reads at once.
pub const PLAN_PAGE_EMAILS_MAX: usize = 20_000;

/// A list of addresses to be imported, in bytes: the largest audience with a hundred bytes a line. By
/// WebSocket it must fit into a frame.
pub const IMPORT_BYTES_MAX: usize = 1024 * 1024;

/// Lines of such a list: twice the largest audience, for comments and what is there twice.
pub const IMPORT_LINES_MAX: usize = 20_000;

/// Invalid lines that an import reports one by one. More usually mean the wrong file.
pub const IMPORT_WRONG_MAX: usize = 100;

/// Overlaps that are reported for one meeting.
pub const OVERLAPS_MAX: usize = 50;

/// Email addresses that are reported for one overlap.
pub const OVERLAP_EMAILS_MAX: usize = 3;

/// The latest stays of an attendee that the detail lists one by one; earlier stays are summed up.
pub const STAYS_MAX: usize = 8;

/// Steps of the histogram of joins in the detail: what a third of a screen shows.
pub const ARRIVAL_STEPS_MAX: usize = 24;

/// Timeline entries of an instance's detail: more than a screen shows.
pub const TIMELINE_MAX: usize = 200;
