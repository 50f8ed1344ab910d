//! Every limit of the wire and of the domain, with its unit and its reason.

/// Largest identifier: the largest whole number that every JSON reader keeps exact (2^53 − 1).
pub const ID_MAX: u64 = 9_007_199_254_740_991;

/// A message's body, in bytes of UTF-8: long enough for a page of text, short enough to fan out.
pub const MESSAGE_BODY_BYTES_MAX: usize = 4_096;

/// A WebSocket frame or message, in bytes: a body with every character escaped fits twice.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// An HTTP request's body, in bytes; the same bound as a frame.
pub const HTTP_BODY_BYTES_MAX: usize = FRAME_BYTES_MAX;

/// A person's name, in bytes: the width of the column in characters, so no encoding overflows it.
pub const NAME_BYTES_MAX: usize = 255;

/// A meeting's title, in bytes; see [`NAME_BYTES_MAX`].
pub const TITLE_BYTES_MAX: usize = 255;

/// A meeting's description, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 4_096;

/// Why an admin does something, in bytes: one line that every screen can show.
pub const REASON_BYTES_MAX: usize = 255;

/// An e-mail address, in bytes (RFC 5321's path limit less its brackets).
pub const EMAIL_BYTES_MAX: usize = 254;

/// A password, in bytes: beyond this the hash only costs time.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// A password, in bytes: the least that is worth hashing.
pub const PASSWORD_BYTES_MIN: usize = 8;

/// A person's age, in years.
pub const AGE_YEARS_MAX: u32 = 150;

/// Messages or events in one page.
pub const PAGE_MAX: usize = 1_000;

/// Messages or events in one page when the caller does not say.
pub const PAGE_DEFAULT: usize = 100;

/// Instances that one connection may follow at once; bounds what a resume may ask for.
pub const FOLLOWED_MAX: usize = 64;

/// Participants of one instance: the script that lists them stays within a few milliseconds.
pub const PARTICIPANTS_MAX: usize = 10_000;

/// A meeting's length, in days: what is longer is a typing mistake.
pub const INSTANCE_DAYS_MAX: i64 = 31;

/// Between two words of a client that its person is writing, in milliseconds; what comes sooner is
/// answered and told to nobody.
pub const TYPING_EVERY_MS: i64 = 3_000;

/// How long somebody is shown as writing after the last word of it, in milliseconds: two of those
/// words and the way they take.
pub const TYPING_SHOWN_MS: i64 = 7_000;

/// How long no key was pressed when somebody is idle, in milliseconds: longer than one listens to
/// somebody else who talks.
pub const IDLE_AFTER_MS: i64 = 5 * 60 * 1_000;

/// Between two changes of that word which a server tells others, in milliseconds; of what changes in
/// between, the last is told within ten seconds.
pub const IDLE_EVERY_MS: i64 = 3_000;

/// Names of those who are invited and have not been in; of more, only how many: as many as a tall screen
/// shows.
pub const ABSENT_MAX: usize = 60;

/// Names of those who wait for an instance to begin; of more, only how many.
pub const WAITING_MAX: usize = 60;

/// How long somebody is taken to wait after their terminal said so last, in milliseconds: two of those
/// words may be late.
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
/// hundred times what the archive takes when it is well; within everybody's patience and timeouts.
pub const DURABLE_WAIT_MS_MAX: u64 = 5_000;

/// How soon an instance begins that the dashboard shows before its beginning, in milliseconds: as far
/// ahead as an admin prepares for it.
pub const UPCOMING_MS: i64 = 15 * 60 * 1_000;

/// How long after the beginning somebody comes late, in milliseconds: what nobody minds is less.
pub const LATE_MS: i64 = 5 * 60 * 1_000;

/// Minutes that the dashboard's small curves show.
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

/// Wrong lines that an import tells one by one: whoever has more has taken the wrong file.
pub const IMPORT_WRONG_MAX: usize = 100;

/// Overlaps that are shown of one meeting: more than anybody goes through.
pub const OVERLAPS_MAX: usize = 50;

/// People of an overlap that are shown by their addresses.
pub const OVERLAP_EMAILS_MAX: usize = 3;

/// A person's last stays that are told one by one in an instance's detail; those before are summed up.
pub const STAYS_MAX: usize = 8;

/// Steps of the curve of arrivals in an instance's detail: what a third of a screen shows.
pub const ARRIVAL_STEPS_MAX: usize = 24;

/// What has happened in an instance that is told to whoever begins to look into it: more than a screen
/// shows.
pub const TIMELINE_MAX: usize = 200;
