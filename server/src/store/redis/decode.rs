//! Decoding of Redis replies. No reply is trusted to have the right shape.

use std::collections::HashMap;

use plenary_shared::domain::{
    Event, EventKind, Gender, Moderation, Participant, Presence, Reason, StoredModeration, User,
    UserRef,
};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use redis::Value;
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::store::Head;

/// What the live state stores of a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) age: Option<u32>,
    pub(super) gender: Option<Gender>,
    pub(super) email: String,
}

impl Profile {
    /// The profile of a user.
    pub(super) fn of(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            age: user.age,
            gender: user.gender,
            email: user.email.clone(),
        }
    }

    /// The stored form.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a profile has only strings and numbers")
    }
}

/// The fault for a reply that our scripts never give.
pub(super) fn unexpected(what: impl Into<String>) -> Fault {
    Fault::broken("reading a reply of Redis", what.into())
}

/// Reads plain values.
pub(super) trait Decode {
    /// Returns a string, or a number as one. Nil is the empty string.
    fn text(&self) -> Result<String, Fault>;
}

impl Decode for Value {
    fn text(&self) -> Result<String, Fault> {
        match self {
            Self::BulkString(bytes) => String::from_utf8(bytes.clone())
                .map_err(|_| unexpected("a string that is not UTF-8")),
            Self::SimpleString(text) => Ok(text.clone()),
            Self::Int(number) => Ok(number.to_string()),
            Self::Nil => Ok(String::new()),
            _ => Err(unexpected("a string is missing")),
        }
    }
}

/// Returns the elements of an array.
pub(super) fn array(value: Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Nil => Ok(Vec::new()),
        _ => Err(unexpected("an array is missing")),
    }
}

/// Returns the elements of an array of strings.
pub(super) fn texts(value: Value) -> Result<Vec<String>, Fault> {
    array(value)?.iter().map(Decode::text).collect()
}

/// Parses a number or id.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| unexpected("a number is missing"))
}

/// Reads a seq.
pub(super) fn seq(value: &Value) -> Result<Seq, Fault> {
    number(&value.text()?)
}

/// Reads a generation.
pub(super) fn generation(value: &Value) -> Result<Generation, Fault> {
    number(&value.text()?)
}

/// Parses a user id.
pub(super) fn user(text: &str) -> Result<UserId, Fault> {
    number(text)
}

/// Parses a time in milliseconds, also in the format of a sorted set's score.
pub(super) fn time(text: &str) -> Result<Timestamp, Fault> {
    // Scores are doubles, which hold milliseconds of today exactly.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be a time's size"
    )]
    match text.parse::<i64>() {
        Ok(ms) => Ok(Timestamp::from_ms(ms)),
        Err(_) => match text.parse::<f64>() {
            Ok(ms) if ms.abs() < 1e15 => Ok(Timestamp::from_ms(ms as i64)),
            _ => Err(unexpected("a time is missing")),
        },
    }
}

/// Reads seq and time of an event that was emitted now or, with `repeat`, earlier.
pub(super) fn posted(rest: &[Value], repeat: bool) -> Result<Posted, Fault> {
    let [number, at] = rest else {
        return Err(unexpected("a reply of the wrong length"));
    };
    Ok(Posted {
        seq: seq(number)?,
        timestamp: time(&at.text()?)?,
        repeat,
        durable: None,
    })
}

/// The result of `log_head` in prelude.lua.
pub(super) struct LogHead {
    pub(super) head: Head,
    pub(super) state: String,
    pub(super) first: Seq,
}

/// Reads the result of `log_head` in prelude.lua.
pub(super) fn log_head(value: Value) -> Result<LogHead, Fault> {
    match texts(value)?.as_slice() {
        [generation, seq, archived, state, first] => Ok(LogHead {
            head: Head {
                generation: number(generation)?,
                seq: number(seq)?,
                durable: number(archived)?,
            },
            state: state.clone(),
            first: number(first)?,
        }),
        _ => Err(unexpected("a log head of the wrong length")),
    }
}

/// Reads `{user, profile, …}`.
pub(super) fn profiles(value: Value) -> Result<HashMap<UserId, Profile>, Fault> {
    let mut found = HashMap::new();
    for pair in texts(value)?.chunks_exact(2) {
        let [id, json] = pair else { continue };
        if let Ok(profile) = serde_json::from_str(json) {
            found.insert(user(id)?, profile);
        }
    }
    Ok(found)
}

/// Returns the users of these profiles, by id.
pub(super) fn persons(profiles: HashMap<UserId, Profile>) -> Vec<UserRef> {
    let mut persons: Vec<UserRef> = profiles
        .into_iter()
        .map(|(id, profile)| UserRef {
            id,
            name: profile.name,
        })
        .collect();
    persons.sort_by_key(|person| person.id);
    persons
}

/// Reads `{user, joined, …}`.
pub(super) fn stays(value: Value) -> Result<Vec<(UserId, Timestamp)>, Fault> {
    texts(value)?
        .chunks_exact(2)
        .map(|pair| Ok((user(&pair[0])?, time(&pair[1])?)))
        .collect()
}

/// Joins stays and profiles to participants.
pub(super) fn participants(
    stays: Vec<(UserId, Timestamp)>,
    mut profiles: HashMap<UserId, Profile>,
) -> Vec<Participant> {
    stays
        .into_iter()
        .map(|(id, joined)| {
            let profile = profiles.remove(&id).unwrap_or_else(|| Profile {
                name: format!("#{id}"),
                age: None,
                gender: None,
                email: String::new(),
            });
            Participant {
                name: profile.name,
                age: profile.age,
                gender: profile.gender,
                email: (!profile.email.is_empty()).then_some(profile.email),
                id,
                joined,
                presence: Presence::Present,
                since: None,
            }
        })
        .collect()
}

/// Applies `{user, 'reconnecting since' | 'idle since', …}` to these participants.
pub(super) fn absences(people: &mut [Participant], value: Value) -> Result<(), Fault> {
    let mut away = HashMap::new();
    for pair in texts(value)?.chunks_exact(2) {
        let (word, since) = pair[1]
            .split_once(' ')
            .ok_or_else(|| unexpected("a presence without a time"))?;
        away.insert(user(&pair[0])?, (presence(word)?, time(since)?));
    }
    for one in people {
        if let Some((presence, since)) = away.get(&one.id) {
            (one.presence, one.since) = (*presence, Some(*since));
        }
    }
    Ok(())
}

/// Parses a presence.
pub(super) fn presence(word: &str) -> Result<Presence, Fault> {
    word.parse().map_err(|_| unexpected("an unknown presence"))
}

/// Reads log entries: `[[seq-0, [field, value, …]], …]`.
pub(super) fn events(
    instance: InstanceId,
    generation: Generation,
    value: Value,
) -> Result<Vec<Event>, Fault> {
    array(value)?
        .into_iter()
        .map(|entry| {
            let mut halves = array(entry)?.into_iter();
            let (Some(id), Some(fields), None) = (halves.next(), halves.next(), halves.next())
            else {
                return Err(unexpected("a log entry of the wrong shape"));
            };
            let id = id.text()?;
            let seq = id
                .strip_suffix("-0")
                .ok_or_else(|| unexpected("a log entry with an invalid id"))?;
            let fields = texts(fields)?;
            let [_, kind, _, user, _, time, rest @ ..] = fields.as_slice() else {
                return Err(unexpected("a log entry with too few fields"));
            };
            event(instance, generation, number(seq)?, kind, user, time, rest)
        })
        .collect()
}

/// Builds an event. `fields` belong to its kind, as `emit` in prelude.lua writes them.
pub(super) fn event(
    instance: InstanceId,
    generation: Generation,
    seq: Seq,
    kind: &str,
    who: &str,
    at: &str,
    fields: &[impl AsRef<str>],
) -> Result<Event, Fault> {
    let reason = |text: &str| {
        text.parse::<Reason>()
            .map_err(|_| unexpected("an unknown reason"))
    };
    let what = match kind {
        "opened" => EventKind::Opened,
        "join" => EventKind::Join {
            user: user(who)?,
            name: field(fields, "name")?.to_owned(),
        },
        "leave" => EventKind::Leave {
            user: user(who)?,
            reason: reason(field(fields, "reason")?)?,
        },
        "message" => EventKind::Message {
            user: user(who)?,
            cmid: cmid(fields)?,
            body: body(fields)?,
            reply_to: maybe(fields, "replyTo").map(number).transpose()?,
            edited: maybe(fields, "edited").map(time).transpose()?,
            deleted: maybe(fields, "deleted").map(time).transpose()?,
        },
        "edited" => EventKind::Edited {
            user: user(who)?,
            cmid: cmid(fields)?,
            target: number(field(fields, "target")?)?,
            body: body(fields)?,
        },
        "deleted" => EventKind::Deleted {
            user: user(who)?,
            cmid: cmid(fields)?,
            target: number(field(fields, "target")?)?,
        },
        "moderated" => EventKind::Moderated(moderation(who, fields)?),
        "closed" => EventKind::Closed {
            reason: reason(field(fields, "reason")?)?,
        },
        _ => return Err(unexpected("an event of an unknown kind")),
    };
    Ok(Event {
        instance,
        generation,
        seq,
        kind: what,
        timestamp: time(at)?,
    })
}

fn moderation(who: &str, fields: &[impl AsRef<str>]) -> Result<Moderation, Fault> {
    let kept = StoredModeration {
        action: field(fields, "action")?.to_owned(),
        subject: maybe(fields, "subject").map(number).transpose()?,
        was: maybe(fields, "was").map(number).transpose()?,
        note: maybe(fields, "note").map(str::to_owned),
    };
    let whom = maybe(fields, "whom").unwrap_or_default().to_owned();
    let (action, reason) = kept
        .read(|_| whom)
        .ok_or_else(|| unexpected("an unknown moderation action"))?;
    Ok(Moderation {
        user: user(who)?,
        name: field(fields, "name")?.to_owned(),
        cmid: cmid(fields)?,
        action,
        reason,
    })
}

/// Returns a field of the kind, if present.
fn maybe<'a>(fields: &'a [impl AsRef<str>], name: &str) -> Option<&'a str> {
    fields
        .chunks_exact(2)
        .find(|pair| pair[0].as_ref() == name)
        .map(|pair| pair[1].as_ref())
}

fn field<'a>(fields: &'a [impl AsRef<str>], name: &str) -> Result<&'a str, Fault> {
    maybe(fields, name).ok_or_else(|| unexpected(format!("an event without its {name}")))
}

fn cmid(fields: &[impl AsRef<str>]) -> Result<Cmid, Fault> {
    field(fields, "cmid")?
        .parse()
        .map_err(|_| unexpected("an invalid cmid"))
}

fn body(fields: &[impl AsRef<str>]) -> Result<MessageBody, Fault> {
    match field(fields, "body")? {
        "" => Ok(MessageBody::deleted()),
        text => MessageBody::parse(text).map_err(|_| unexpected("an invalid message body")),
    }
}
