//! Identifiers: meeting, order, user, seq, generation, cmid, and instances such as `1/4`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::ID_MAX;

/// An identifier that is not a whole number from 0 to [`ID_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 0 to {ID_MAX}")]
pub struct IdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::openapi::id()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}

        impl $name {
            /// Creates an identifier if the number is in range.
            pub fn new(value: u64) -> Result<Self, IdError> {
                if value <= ID_MAX { Ok(Self(value)) } else { Err(IdError) }
            }

            /// Returns the number.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(IdError);
                }
                Self::new(text.parse().map_err(|_| IdError)?)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_u64(WholeNumber).map(Self)
            }
        }
    };
}

id! {
    /// The id of a meeting.
    MeetingId
}
id! {
    /// The number of an instance within its meeting.
    OrderId
}
id! {
    /// The id of a user.
    UserId
}
id! {
    /// The number of an event in its instance's log: 1, 2, 3 …; 0 is before the first event.
    Seq
}
id! {
    /// The generation of an instance's live state. It increases whenever the live store may have lost
    /// events.
    Generation
}

impl Seq {
    /// Returns the next number.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

struct WholeNumber;

impl serde::de::Visitor<'_> for WholeNumber {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 0 to {ID_MAX}")
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<u64, E> {
        if value <= ID_MAX {
            Ok(value)
        } else {
            Err(E::invalid_value(
                serde::de::Unexpected::Unsigned(value),
                &self,
            ))
        }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value)
            .ok()
            .filter(|v| *v <= ID_MAX)
            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Signed(value), &self))
    }
}

/// The id of an instance, one scheduled occurrence of a meeting, written `1/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstanceId {
    /// The meeting.
    #[serde(rename = "meetingID")]
    pub meeting: MeetingId,
    /// The number of the instance within the meeting.
    #[serde(rename = "orderID")]
    pub order: OrderId,
}

impl InstanceId {
    /// Creates the id of an instance.
    pub const fn new(meeting: MeetingId, order: OrderId) -> Self {
        Self { meeting, order }
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.meeting, self.order)
    }
}

/// A text that is not `MEETING/ORDER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be MEETING/ORDER, two whole numbers like 1/4")]
pub struct InstanceIdError;

impl FromStr for InstanceId {
    type Err = InstanceIdError;

    fn from_str(text: &str) -> Result<Self, InstanceIdError> {
        let (meeting, order) = text.split_once('/').ok_or(InstanceIdError)?;
        Ok(Self {
            meeting: meeting.parse().map_err(|_| InstanceIdError)?,
            order: order.parse().map_err(|_| InstanceIdError)?,
        })
    }
}

/// The id that a client chooses for a message or another change, so that a retry has no effect. Any
/// UUID; our clients use version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Cmid(pub uuid::Uuid);

impl fmt::Display for Cmid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for Cmid {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1/4", Some((1, 4)))]
    #[case("0/0", Some((0, 0)))]
    #[case("9007199254740991/1", Some((ID_MAX, 1)))]
    #[case("9007199254740992/1", None)]
    #[case("1/18446744073709551616", None)]
    #[case("1/-1", None)]
    #[case("1/+1", None)]
    #[case("1", None)]
    #[case("1/2/3", None)]
    #[case("/", None)]
    #[case(" 1/4", None)]
    #[case("١/٤", None)]
    fn instances_are_two_whole_numbers(#[case] text: &str, #[case] expected: Option<(u64, u64)>) {
        let got = text
            .parse::<InstanceId>()
            .ok()
            .map(|i| (i.meeting.get(), i.order.get()));
        assert_eq!(got, expected);
    }

    #[rstest]
    #[case("7", true)]
    #[case("-1", false)]
    #[case("9007199254740992", false)]
    #[case("18446744073709551616", false)]
    #[case("1.5", false)]
    #[case("\"7\"", false)]
    #[case("null", false)]
    fn ids_in_json_say_their_range(#[case] json: &str, #[case] good: bool) {
        match serde_json::from_str::<OrderId>(json) {
            Ok(_) => assert!(good),
            Err(error) => {
                assert!(!good);
                assert!(
                    error.to_string().contains("a whole number from 0 to"),
                    "{error}"
                );
            }
        }
    }
}
