//! Decoding rows. Other programs may have written them, so a row that cannot be used is skipped and
//! text is sanitized.

use plenary_shared::domain::{
    InstanceState, Meeting, Moderation, Reason, Role, StoredModeration, User,
};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, OrderId, Seq, UserId};
use plenary_shared::text::{MessageBody, email_key};
use plenary_shared::time::Timestamp;

use crate::store::sanitize;

/// The cmid of messages that are stored without one.
pub const NO_CMID: Cmid = Cmid(uuid::Uuid::nil());

/// The column that makes a row unusable.
#[derive(Clone, Copy, Debug)]
pub struct Unusable(pub &'static str);

/// Counts the rows that cannot be used.
pub struct Skipped {
    table: &'static str,
    rows: usize,
    column: &'static str,
}

impl Skipped {
    /// None so far.
    pub fn new(table: &'static str) -> Self {
        Self {
            table,
            rows: 0,
            column: "",
        }
    }

    /// Counts a row unless it could be decoded.
    pub fn note<T>(&mut self, decoded: Result<T, Unusable>) -> Option<T> {
        decoded
            .inspect_err(|unusable| {
                self.rows += 1;
                self.column = unusable.0;
            })
            .ok()
    }

    /// Logs one warning if there were any.
    pub fn warn(self) {
        let Self {
            table,
            rows,
            column,
        } = self;
        if rows > 0 {
            tracing::warn!(table, rows, column, "unusable rows skipped");
        }
    }
}

/// A row of either database. A column is `None` when it is NULL, missing, or of another type.
pub trait Row {
    /// A whole number.
    fn number(&self, column: &str) -> Option<i64>;
    /// Text; invalid UTF-8 is replaced.
    fn text(&self, column: &str) -> Option<String>;
    fn bytes(&self, column: &str) -> Option<Vec<u8>>;
    /// A point in time.
    fn maybe_time(&self, column: &str) -> Option<Timestamp>;
}

macro_rules! ids {
    ($($name:ident, $type:ident;)+) => {
        $(pub fn $name(&self, column: &'static str) -> Result<$type, Unusable> {
            self.number(column)
                .and_then(|id| u64::try_from(id).ok())
                .and_then(|id| $type::new(id).ok())
                .ok_or(Unusable(column))
        })+
    };
}

impl dyn Row + '_ {
    ids! {
        meeting_id, MeetingId;
        order_id, OrderId;
        user_id, UserId;
        seq, Seq;
        generation, Generation;
    }

    /// The instance of `meetingID` and `orderID`.
    pub fn instance_id(&self) -> Result<InstanceId, Unusable> {
        Ok(InstanceId::new(
            self.meeting_id("meetingID")?,
            self.order_id("orderID")?,
        ))
    }

    /// A count, 0 when it is missing.
    pub fn count(&self, column: &str) -> u64 {
        let number = self.number(column).unwrap_or(0);
        u64::try_from(number).unwrap_or(0)
    }

    /// A [`Row::count`] that is at most `u32::MAX`.
    pub fn small_count(&self, column: &str) -> u32 {
        u32::try_from(self.count(column)).unwrap_or(u32::MAX)
    }

    /// Whether a number is there and not 0.
    pub fn flag(&self, column: &str) -> bool {
        self.number(column).is_some_and(|flag| flag != 0)
    }

    /// Text that must be there.
    pub fn word(&self, column: &'static str) -> Result<String, Unusable> {
        self.text(column).ok_or(Unusable(column))
    }

    /// A point in time that must be there.
    pub fn time(&self, column: &'static str) -> Result<Timestamp, Unusable> {
        self.maybe_time(column).ok_or(Unusable(column))
    }

    /// The column `state`.
    pub fn state(&self) -> Result<InstanceState, Unusable> {
        const COLUMN: &str = "state";
        self.text(COLUMN)
            .and_then(|word| word.parse().ok())
            .ok_or(Unusable(COLUMN))
    }

    /// The column `reason`, if it holds a reason.
    pub fn maybe_reason(&self) -> Option<Reason> {
        self.text("reason").and_then(|word| word.parse().ok())
    }

    /// The column `reason`.
    pub fn reason(&self) -> Result<Reason, Unusable> {
        self.maybe_reason().ok_or(Unusable("reason"))
    }

    /// The column `cmid`, if it holds one.
    pub fn maybe_cmid(&self) -> Option<Cmid> {
        self.text("cmid").and_then(|text| text.parse().ok())
    }

    /// The column `cmid`, or [`NO_CMID`].
    pub fn cmid(&self) -> Cmid {
        self.maybe_cmid().unwrap_or(NO_CMID)
    }

    /// A stored moderation action, from `action`, `subject`, `was` and `note`.
    pub fn kept(&self) -> StoredModeration {
        let number = |column| self.number(column).and_then(|n| u64::try_from(n).ok());
        StoredModeration {
            action: self.text("action").unwrap_or_default(),
            subject: number("subject"),
            was: number("was"),
            note: self.text("note").map(|note| sanitize::many_lines(&note)),
        }
    }

    /// A moderation action and its admin, from the columns of [`Row::kept`], `userID`, `name`, `cmid`
    /// and `whom`, the name of the user it applies to.
    pub fn moderation(&self) -> Result<Moderation, Unusable> {
        let user = self.user_id("userID")?;
        let whom = |id| sanitize::user_name(&self.text("whom").unwrap_or_default(), id);
        let (action, reason) = self.kept().read(whom).ok_or(Unusable("action"))?;
        Ok(Moderation {
            user,
            name: self.user_name(user),
            cmid: self.cmid(),
            action,
            reason,
        })
    }

    /// An address in lower case, from `email`.
    pub fn email(&self) -> Result<String, Unusable> {
        const COLUMN: &str = "email";
        self.text(COLUMN)
            .map(|email| sanitize::one_line(&email_key(&email)))
            .filter(|email| !email.is_empty())
            .ok_or(Unusable(COLUMN))
    }

    /// A user, from the columns of `user`.
    pub fn user(&self) -> Result<User, Unusable> {
        let id = self.user_id("userID")?;
        Ok(User {
            id,
            name: self.user_name(id),
            age: self.number("age").and_then(sanitize::age),
            gender: self.text("gender").and_then(|word| sanitize::gender(&word)),
            email: sanitize::one_line(&self.text("email").unwrap_or_default()),
            role: self
                .text("role")
                .and_then(|word| word.parse().ok())
                .unwrap_or(Role::Member),
        })
    }

    /// The name of a user, from `name`.
    pub fn user_name(&self, id: UserId) -> String {
        sanitize::user_name(&self.text("name").unwrap_or_default(), id)
    }

    /// A meeting, from the columns of `meeting`.
    pub fn meeting(&self) -> Result<Meeting, Unusable> {
        let id = self.meeting_id("meetingID")?;
        Ok(Meeting {
            id,
            title: self.title(id),
            description: sanitize::many_lines(&self.text("description").unwrap_or_default()),
            is_public: self.flag("isPublic"),
        })
    }

    /// The title of a meeting, from `title`.
    pub fn title(&self, id: MeetingId) -> String {
        sanitize::title(&self.text("title").unwrap_or_default(), id)
    }

    /// The body of a message, from `body` and `deleted_at`: characters that a body may not have are
    /// replaced, and the body of a deleted message is gone.
    pub fn body(&self) -> Result<MessageBody, Unusable> {
        const COLUMN: &str = "body";
        if self.maybe_time("deleted_at").is_some() {
            return Ok(MessageBody::deleted());
        }
        self.text(COLUMN)
            .and_then(|written| sanitize::body(&written))
            .ok_or(Unusable(COLUMN))
    }
}
