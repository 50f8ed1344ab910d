//! What admins do to a running instance, as its log tells it, and what holds because of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{Cmid, UserId};
use crate::text::MessageBody;
use crate::time::Timestamp;

/// An admin steered an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Moderation {
    /// The admin.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// What they are called.
    #[serde(default)]
    pub name: String,
    /// Their client's own id of it.
    pub cmid: Cmid,
    /// What they did.
    #[serde(flatten)]
    pub act: Act,
    /// Why, if they said so: one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What an admin did. The word on the wire and in stores is `action`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Act {
    /// The end was moved to later.
    Extended {
        /// When it is over now.
        todatetime: Timestamp,
        /// When it would have been over.
        before: Timestamp,
    },
    /// The end was brought about at once.
    Ended,
    /// Nobody joins any more; who is in stays in.
    Locked,
    /// People may join again.
    Unlocked,
    /// Nobody says, edits or deletes anything any more.
    ReadOnly,
    /// People may speak again.
    Writable,
    /// One person says, edits or deletes nothing any more.
    Muted(Whom),
    /// That person may speak again.
    Unmuted(Whom),
    /// One person was taken out; they may join again.
    Removed(Whom),
    /// One person was taken out, if they were in, and may not join or read along again.
    Banned(Whom),
    /// That person may join again.
    Unbanned(Whom),
    /// Something was said to everybody.
    Announced {
        /// What.
        body: MessageBody,
    },
}

/// Whom an action concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Whom {
    /// Who.
    #[serde(rename = "target")]
    pub id: UserId,
    /// What they are called.
    #[serde(default, rename = "targetName")]
    pub name: String,
}

impl Act {
    /// The word on the wire and in stores.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Extended { .. } => "extended",
            Self::Ended => "ended",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::ReadOnly => "read_only",
            Self::Writable => "writable",
            Self::Muted(_) => "muted",
            Self::Unmuted(_) => "unmuted",
            Self::Removed(_) => "removed",
            Self::Banned(_) => "banned",
            Self::Unbanned(_) => "unbanned",
            Self::Announced { .. } => "announced",
        }
    }

    /// Whom it concerns, if it is one person.
    pub const fn whom(&self) -> Option<&Whom> {
        match self {
            Self::Muted(whom)
            | Self::Unmuted(whom)
            | Self::Removed(whom)
            | Self::Banned(whom)
            | Self::Unbanned(whom) => Some(whom),
            Self::Extended { .. }
            | Self::Ended
            | Self::Locked
            | Self::Unlocked
            | Self::ReadOnly
            | Self::Writable
            | Self::Announced { .. } => None,
        }
    }
}

impl Moderation {
    /// What was done in a few words, without who did it: "extended the meeting to 15:45 (+30m): we are
    /// not done". `name`: what somebody is called; `when`: a time as its reader writes it.
    pub fn sentence(
        &self,
        name: impl Fn(UserId) -> String,
        when: impl Fn(Timestamp) -> String,
    ) -> String {
        let said = match &self.act {
            Act::Extended { todatetime, before } => {
                let minutes = todatetime.ms_since(*before) / 60_000;
                let by = match (minutes / 60, minutes % 60) {
                    (0, minutes) => format!("{minutes}m"),
                    (hours, 0) => format!("{hours}h"),
                    (hours, minutes) => format!("{hours}h{minutes}m"),
                };
                format!("extended the meeting to {} (+{by})", when(*todatetime))
            }
            Act::Ended => "ended the meeting".to_owned(),
            Act::Locked => "locked the meeting: nobody joins any more".to_owned(),
            Act::Unlocked => "unlocked the meeting".to_owned(),
            Act::ReadOnly => "made the meeting read-only".to_owned(),
            Act::Writable => "let everybody write again".to_owned(),
            Act::Muted(whom) => format!("muted {}", name(whom.id)),
            Act::Unmuted(whom) => format!("unmuted {}", name(whom.id)),
            Act::Removed(whom) => format!("removed {}", name(whom.id)),
            Act::Banned(whom) => format!("removed {} for good", name(whom.id)),
            Act::Unbanned(whom) => format!("let {} come back", name(whom.id)),
            Act::Announced { body } => format!("announced: {body}"),
        };
        match &self.reason {
            Some(reason) => format!("{said}: {reason}"),
            None => said,
        }
    }
}

/// A [`Moderation`] as stores keep it beside its actor, number and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The action's word.
    pub action: String,
    /// Whom it concerns; of `extended`: the end now, in milliseconds since 1970.
    pub subject: Option<u64>,
    /// Of `extended`: the end before, in milliseconds since 1970.
    pub was: Option<u64>,
    /// The reason; of `announced`: what was said.
    pub note: Option<String>,
}

impl Moderation {
    /// What a store keeps of it.
    pub fn kept(&self) -> Kept {
        let ms = |at: Timestamp| u64::try_from(at.as_ms()).ok();
        let (subject, was, note) = match &self.act {
            Act::Extended { todatetime, before } => {
                (ms(*todatetime), ms(*before), self.reason.clone())
            }
            Act::Announced { body } => (None, None, Some(body.to_string())),
            other => {
                let whom = other.whom().map(|whom| whom.id.get());
                (whom, None, self.reason.clone())
            }
        };
        Kept {
            action: self.act.as_str().to_owned(),
            subject,
            was,
            note,
        }
    }
}

impl Kept {
    /// What was done and why; `whom`: what the person is called whom it concerns. `None`: it is none
    /// of ours.
    pub fn read(self, whom: impl FnOnce(UserId) -> String) -> Option<(Act, Option<String>)> {
        let at = |ms: u64| i64::try_from(ms).ok().map(Timestamp::from_ms);
        let subject = self.subject;
        let person = move || {
            let id = UserId::new(subject?).ok()?;
            let name = whom(id);
            Some(Whom { id, name })
        };
        let act = match self.action.as_str() {
            "extended" => Act::Extended {
                todatetime: at(self.subject?)?,
                before: at(self.was?)?,
            },
            "ended" => Act::Ended,
            "locked" => Act::Locked,
            "unlocked" => Act::Unlocked,
            "read_only" => Act::ReadOnly,
            "writable" => Act::Writable,
            "muted" => Act::Muted(person()?),
            "unmuted" => Act::Unmuted(person()?),
            "removed" => Act::Removed(person()?),
            "banned" => Act::Banned(person()?),
            "unbanned" => Act::Unbanned(person()?),
            "announced" => {
                let body = MessageBody::parse(self.note?).ok()?;
                return Some((Act::Announced { body }, None));
            }
            _ => return None,
        };
        Some((act, self.note))
    }
}

/// What holds in an instance because admins said so: what its log comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Nobody joins.
    pub locked: bool,
    /// Nobody speaks.
    pub read_only: bool,
    /// Who does not speak.
    pub muted: BTreeSet<UserId>,
    /// Who does not come in.
    pub banned: BTreeSet<UserId>,
    /// When an admin ended it.
    pub ended: Option<Timestamp>,
}

impl Standing {
    /// The next of the log.
    pub fn note(&mut self, act: &Act, at: Timestamp) {
        match act {
            Act::Locked => self.locked = true,
            Act::Unlocked => self.locked = false,
            Act::ReadOnly => self.read_only = true,
            Act::Writable => self.read_only = false,
            Act::Muted(whom) => drop(self.muted.insert(whom.id)),
            Act::Unmuted(whom) => drop(self.muted.remove(&whom.id)),
            Act::Banned(whom) => drop(self.banned.insert(whom.id)),
            Act::Unbanned(whom) => drop(self.banned.remove(&whom.id)),
            Act::Ended => self.ended = Some(at),
            Act::Extended { .. } | Act::Removed(_) | Act::Announced { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Event, What};

    fn whom() -> Whom {
        Whom {
            id: UserId::new(7).expect("small"),
            name: "mallory".to_owned(),
        }
    }

    fn all() -> Vec<Act> {
        vec![
            Act::Extended {
                todatetime: Timestamp::from_ms(2_000),
                before: Timestamp::from_ms(1_000),
            },
            Act::Ended,
            Act::Locked,
            Act::Unlocked,
            Act::ReadOnly,
            Act::Writable,
            Act::Muted(whom()),
            Act::Unmuted(whom()),
            Act::Removed(whom()),
            Act::Banned(whom()),
            Act::Unbanned(whom()),
            Act::Announced {
                body: MessageBody::parse("listen").expect("a body"),
            },
        ]
    }

    fn moderation(act: Act) -> Moderation {
        let is_said = matches!(act, Act::Announced { .. });
        Moderation {
            user: UserId::new(3).expect("small"),
            name: "ada".to_owned(),
            cmid: Cmid(uuid::Uuid::nil()),
            act,
            reason: (!is_said).then(|| "because".to_owned()),
        }
    }

    #[test]
    fn every_act_is_kept_and_read_as_it_was() {
        for act in all() {
            let done = moderation(act.clone());
            let read = done.kept().read(|_| "mallory".to_owned());
            assert_eq!(read, Some((act, done.reason)));
        }
        let unknown = Kept {
            action: "praised".to_owned(),
            ..Kept::default()
        };
        assert_eq!(unknown.read(|_| String::new()), None);
    }

    #[test]
    fn every_act_goes_over_the_wire_and_back() {
        for act in all() {
            let event = Event {
                instance: "1/4".parse().expect("an instance"),
                generation: crate::ids::Generation::default(),
                seq: crate::ids::Seq::default(),
                what: What::Moderated(moderation(act)),
                timestamp: Timestamp::from_ms(0),
            };
            let json = serde_json::to_string(&event).expect("JSON");
            assert!(json.contains(r#""event":"moderated","userID":3"#), "{json}");
            let read: Event = serde_json::from_str(&json).expect("an event");
            assert_eq!(read, event);
        }
    }

    #[test]
    fn each_is_told_in_a_few_words() {
        let told =
            |act| moderation(act).sentence(|id| format!("u{id}"), |at| format!("<{}>", at.as_ms()));
        let longer = |ms| Act::Extended {
            todatetime: Timestamp::from_ms(ms),
            before: Timestamp::from_ms(0),
        };
        for (act, expected) in [
            (
                longer(1_800_000),
                "extended the meeting to <1800000> (+30m): because",
            ),
            (
                longer(5_400_000),
                "extended the meeting to <5400000> (+1h30m): because",
            ),
            (
                longer(7_200_000),
                "extended the meeting to <7200000> (+2h): because",
            ),
            (Act::Removed(whom()), "removed u7: because"),
            (Act::Banned(whom()), "removed u7 for good: because"),
        ] {
            assert_eq!(told(act), expected);
        }
        let body = MessageBody::parse("listen").expect("a body");
        assert_eq!(told(Act::Announced { body }), "announced: listen");
    }

    #[test]
    fn the_last_word_holds() {
        let mut standing = Standing::default();
        for act in all() {
            standing.note(&act, Timestamp::from_ms(5));
        }
        let expected = Standing {
            ended: Some(Timestamp::from_ms(5)),
            ..Standing::default()
        };
        assert_eq!(standing, expected);
        standing.note(&Act::Muted(whom()), Timestamp::from_ms(6));
        assert!(standing.muted.contains(&whom().id));
    }
}
