//! A value of a column or a parameter, in a form that belongs to no database.

use plenary_shared::ids::{Cmid, Generation, MeetingId, OrderId, Seq, UserId};
use plenary_shared::time::Timestamp;

/// A value. MySQL stores a time as `DATETIME(3)`, SQLite as milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Number(i64),
    /// UTF-8.
    Text(String),
    /// A point in time, to the millisecond.
    Time(Timestamp),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// Numbers above `i64::MAX` are larger than any id, count or limit, and become `i64::MAX`.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Number(flag.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_owned())
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Time(at)
    }
}

impl From<Cmid> for Value {
    fn from(cmid: Cmid) -> Self {
        Self::Text(cmid.to_string())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! ids {
    ($($id:ident),+) => {
        $(impl From<$id> for Value {
            fn from(id: $id) -> Self {
                id.get().into()
            }
        })+
    };
}

ids!(Generation, MeetingId, OrderId, Seq, UserId);
