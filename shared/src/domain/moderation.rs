//! Moderation of a running instance: one action type for requests, stores and events, and the
//! restrictions that follow from the actions.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{EnumDiscriminants, EnumString, IntoStaticStr};

use crate::ids::{Cmid, UserId};
use crate::text::MessageBody;
use crate::time::Timestamp;

/// A moderation event: which admin did what, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Moderation {
    /// The admin.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// The admin's name.
    #[serde(default)]
    pub name: String,
    /// The id that the admin's client chose; a retry under the same id has no effect.
    pub cmid: Cmid,
    /// What the admin did.
    #[serde(flatten)]
    pub action: ModerationAction,
    /// The reason that the admin gave: one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A moderation action. The words of `action` are the same in requests, stores and events.
///
/// `T` names the user concerned and `E` the new end of the instance: a request names them as an admin
/// types them ([`Target`](crate::protocol::Target), [`Extension`](crate::protocol::Extension)), an
/// event names them as the store resolved them ([`Subject`], [`EndChange`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, EnumDiscriminants)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "action", rename_all = "snake_case")]
#[strum_discriminants(
    name(ModerationKind),
    doc = "A moderation action without its arguments.",
    derive(EnumString, IntoStaticStr, Hash),
    strum(serialize_all = "snake_case")
)]
pub enum ModerationAction<T = Subject, E = EndChange> {
    /// Moves the end to a later time.
    Extend(E),
    /// Ends the instance now.
    End,
    /// Blocks new participants. Current participants stay.
    Lock,
    /// Allows new participants again.
    Unlock,
    /// Blocks posts, edits and deletions for everybody, admins included.
    ReadOnly,
    /// Allows posts, edits and deletions again.
    Writable,
    /// Blocks posts, edits and deletions of one user.
    Mute(T),
    /// Allows posts, edits and deletions of that user again.
    Unmute(T),
    /// Removes a participant, who may join again.
    Remove(T),
    /// Removes a user, present or not, who can neither join nor read the instance any longer.
    Ban(T),
    /// Allows a banned user to join again.
    Unban(T),
    /// Posts an announcement to all participants.
    Announce {
        /// The text of the announcement.
        body: MessageBody,
    },
}

/// The user whom an action concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subject {
    /// The user's id.
    #[serde(rename = "target")]
    pub id: UserId,
    /// The user's name.
    #[serde(default, rename = "targetName")]
    pub name: String,
}

/// The new and the previous end of an extended instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndChange {
    /// The new end.
    pub todatetime: Timestamp,
    /// The previous end.
    pub before: Timestamp,
}

impl ModerationKind {
    /// The word on the wire and in stores.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl<T, E> ModerationAction<T, E> {
    /// The action without its arguments.
    pub fn kind(&self) -> ModerationKind {
        self.into()
    }

    /// The user whom the action concerns, if it concerns one user.
    pub const fn target(&self) -> Option<&T> {
        match self {
            Self::Mute(target)
            | Self::Unmute(target)
            | Self::Remove(target)
            | Self::Ban(target)
            | Self::Unban(target) => Some(target),
            Self::Extend(_)
            | Self::End
            | Self::Lock
            | Self::Unlock
            | Self::ReadOnly
            | Self::Writable
            | Self::Announce { .. } => None,
        }
    }

    /// Replaces the user by what `target` returns and the end by what `end` returns.
    pub fn try_map<U, F, Error>(
        self,
        target: impl FnOnce(T) -> Result<U, Error>,
        end: impl FnOnce(E) -> Result<F, Error>,
    ) -> Result<ModerationAction<U, F>, Error> {
        use ModerationAction as To;
        Ok(match self {
            Self::Extend(by) => To::Extend(end(by)?),
            Self::End => To::End,
            Self::Lock => To::Lock,
            Self::Unlock => To::Unlock,
            Self::ReadOnly => To::ReadOnly,
            Self::Writable => To::Writable,
            Self::Mute(user) => To::Mute(target(user)?),
            Self::Unmute(user) => To::Unmute(target(user)?),
            Self::Remove(user) => To::Remove(target(user)?),
            Self::Ban(user) => To::Ban(target(user)?),
            Self::Unban(user) => To::Unban(target(user)?),
            Self::Announce { body } => To::Announce { body },
        })
    }
}

impl Moderation {
    /// Describes the action in a few words, without the admin: "extended the meeting to 15:45 (+30m):
    /// we need more time". `name` returns the name of a user; `when` formats a time for the reader.
    pub fn sentence(
        &self,
        name: impl Fn(UserId) -> String,
        when: impl Fn(Timestamp) -> String,
    ) -> String {
        use ModerationAction as Action;
        let sentence = match &self.action {
            Action::Extend(EndChange { todatetime, before }) => {
                let minutes = todatetime.ms_since(*before) / 60_000;
                let by = match (minutes / 60, minutes % 60) {
                    (0, minutes) => format!("{minutes}m"),
                    (hours, 0) => format!("{hours}h"),
                    (hours, minutes) => format!("{hours}h{minutes}m"),
                };
                format!("extended the meeting to {} (+{by})", when(*todatetime))
            }
            Action::End => "ended the meeting".to_owned(),
            Action::Lock => "locked the meeting".to_owned(),
            Action::Unlock => "unlocked the meeting".to_owned(),
            Action::ReadOnly => "turned read-only on".to_owned(),
            Action::Writable => "turned read-only off".to_owned(),
            Action::Mute(user) => format!("muted {}", name(user.id)),
            Action::Unmute(user) => format!("unmuted {}", name(user.id)),
            Action::Remove(user) => format!("removed {}", name(user.id)),
            Action::Ban(user) => format!("banned {}", name(user.id)),
            Action::Unban(user) => format!("unbanned {}", name(user.id)),
            Action::Announce { body } => format!("announced: {body}"),
        };
        match &self.reason {
            Some(reason) => format!("{sentence}: {reason}"),
            None => sentence,
        }
    }

    /// The columns in which a store keeps the action and its reason.
    pub fn stored(&self) -> StoredModeration {
        let ms = |at: Timestamp| u64::try_from(at.as_ms()).ok();
        let (subject, was, note) = match &self.action {
            ModerationAction::Extend(end) => {
                (ms(end.todatetime), ms(end.before), self.reason.clone())
            }
            ModerationAction::Announce { body } => (None, None, Some(body.to_string())),
            other => {
                let subject = other.target().map(|user| user.id.get());
                (subject, None, self.reason.clone())
            }
        };
        StoredModeration {
            action: self.action.kind().as_str().to_owned(),
            subject,
            was,
            note,
        }
    }
}

/// A [`Moderation`] as stores keep it, beside its admin, seq and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredModeration {
    /// The word of the action.
    pub action: String,
    /// The id of the user concerned. For `extend`: the new end, in milliseconds since 1970.
    pub subject: Option<u64>,
    /// For `extend`: the previous end, in milliseconds since 1970.
    pub was: Option<u64>,
    /// The reason. For `announce`: the text of the announcement.
    pub note: Option<String>,
}

impl StoredModeration {
    /// Returns the action and its reason, or `None` if the columns hold neither. `name` returns the
    /// name of the user concerned.
    pub fn read(
        self,
        name: impl FnOnce(UserId) -> String,
    ) -> Option<(ModerationAction, Option<String>)> {
        use ModerationAction as Action;
        let at = |ms: u64| i64::try_from(ms).ok().map(Timestamp::from_ms);
        let subject = self.subject;
        let user = move || {
            let id = UserId::new(subject?).ok()?;
            let name = name(id);
            Some(Subject { id, name })
        };
        let action = match self.action.parse().ok()? {
            ModerationKind::Extend => Action::Extend(EndChange {
                todatetime: at(self.subject?)?,
                before: at(self.was?)?,
            }),
            ModerationKind::End => Action::End,
            ModerationKind::Lock => Action::Lock,
            ModerationKind::Unlock => Action::Unlock,
            ModerationKind::ReadOnly => Action::ReadOnly,
            ModerationKind::Writable => Action::Writable,
            ModerationKind::Mute => Action::Mute(user()?),
            ModerationKind::Unmute => Action::Unmute(user()?),
            ModerationKind::Remove => Action::Remove(user()?),
            ModerationKind::Ban => Action::Ban(user()?),
            ModerationKind::Unban => Action::Unban(user()?),
            ModerationKind::Announce => {
                let body = MessageBody::parse(self.note?).ok()?;
                return Some((Action::Announce { body }, None));
            }
        };
        Some((action, self.note))
    }
}

/// The restrictions that an instance's moderation events add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// Whether new participants are blocked.
    pub locked: bool,
    /// Whether posts, edits and deletions are blocked.
    pub read_only: bool,
    /// The muted users.
    pub muted: BTreeSet<UserId>,
    /// The banned users.
    pub banned: BTreeSet<UserId>,
    /// When an admin ended the instance.
    pub ended: Option<Timestamp>,
}

impl Restrictions {
    /// Applies the next action of the log.
    pub fn apply(&mut self, action: &ModerationAction, at: Timestamp) {
        use ModerationAction as Action;
        match action {
            Action::Lock => self.locked = true,
            Action::Unlock => self.locked = false,
            Action::ReadOnly => self.read_only = true,
            Action::Writable => self.read_only = false,
            Action::Mute(user) => drop(self.muted.insert(user.id)),
            Action::Unmute(user) => drop(self.muted.remove(&user.id)),
            Action::Ban(user) => drop(self.banned.insert(user.id)),
            Action::Unban(user) => drop(self.banned.remove(&user.id)),
            Action::End => self.ended = Some(at),
            Action::Extend(_) | Action::Remove(_) | Action::Announce { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Event, EventKind};

    fn subject() -> Subject {
        Subject {
            id: UserId::new(7).expect("small"),
            name: "mallory".to_owned(),
        }
    }

    fn all() -> Vec<ModerationAction> {
        use ModerationAction as Action;
        vec![
            Action::Extend(EndChange {
                todatetime: Timestamp::from_ms(2_000),
                before: Timestamp::from_ms(1_000),
            }),
            Action::End,
            Action::Lock,
            Action::Unlock,
            Action::ReadOnly,
            Action::Writable,
            Action::Mute(subject()),
            Action::Unmute(subject()),
            Action::Remove(subject()),
            Action::Ban(subject()),
            Action::Unban(subject()),
            Action::Announce {
                body: MessageBody::parse("listen").expect("a body"),
            },
        ]
    }

    fn moderation(action: ModerationAction) -> Moderation {
        let is_announcement = action.kind() == ModerationKind::Announce;
        Moderation {
            user: UserId::new(3).expect("small"),
            name: "ada".to_owned(),
            cmid: Cmid(uuid::Uuid::nil()),
            action,
            reason: (!is_announcement).then(|| "because".to_owned()),
        }
    }

    #[test]
    fn every_action_round_trips_through_the_stored_columns() {
        for action in all() {
            let moderation = moderation(action.clone());
            let read = moderation.stored().read(|_| "mallory".to_owned());
            assert_eq!(read, Some((action, moderation.reason)));
        }
        let unknown = StoredModeration {
            action: "praise".to_owned(),
            ..StoredModeration::default()
        };
        assert_eq!(unknown.read(|_| String::new()), None);
    }

    #[test]
    fn every_action_round_trips_over_the_wire() {
        for action in all() {
            let word = action.kind().as_str();
            let event = Event {
                instance: "1/4".parse().expect("an instance"),
                generation: crate::ids::Generation::default(),
                seq: crate::ids::Seq::default(),
                kind: EventKind::Moderated(moderation(action)),
                timestamp: Timestamp::from_ms(0),
            };
            let json = serde_json::to_string(&event).expect("JSON");
            assert!(json.contains(r#""event":"moderated","userID":3"#), "{json}");
            assert!(json.contains(&format!(r#""action":"{word}""#)), "{json}");
            let read: Event = serde_json::from_str(&json).expect("an event");
            assert_eq!(read, event);
        }
    }

    #[test]
    fn sentences_say_what_was_done_and_why() {
        let sentence = |action| {
            moderation(action).sentence(|id| format!("u{id}"), |at| format!("<{}>", at.as_ms()))
        };
        let extend = |ms| {
            ModerationAction::Extend(EndChange {
                todatetime: Timestamp::from_ms(ms),
                before: Timestamp::from_ms(0),
            })
        };
        for (action, expected) in [
            (
                extend(1_800_000),
                "extended the meeting to <1800000> (+30m): because",
            ),
            (
                extend(5_400_000),
                "extended the meeting to <5400000> (+1h30m): because",
            ),
            (
                extend(7_200_000),
                "extended the meeting to <7200000> (+2h): because",
            ),
            (ModerationAction::Lock, "locked the meeting: because"),
            (ModerationAction::Writable, "turned read-only off: because"),
            (ModerationAction::Remove(subject()), "removed u7: because"),
            (ModerationAction::Ban(subject()), "banned u7: because"),
        ] {
            assert_eq!(sentence(action), expected);
        }
        let body = MessageBody::parse("listen").expect("a body");
        assert_eq!(
            sentence(ModerationAction::Announce { body }),
            "announced: listen"
        );
    }

    #[test]
    fn the_last_action_decides() {
        let mut restrictions = Restrictions::default();
        for action in all() {
            restrictions.apply(&action, Timestamp::from_ms(5));
        }
        let expected = Restrictions {
            ended: Some(Timestamp::from_ms(5)),
            ..Restrictions::default()
        };
        assert_eq!(restrictions, expected);
        restrictions.apply(&ModerationAction::Mute(subject()), Timestamp::from_ms(6));
        assert!(restrictions.muted.contains(&subject().id));
    }
}
