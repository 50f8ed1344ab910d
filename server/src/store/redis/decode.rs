//! What Redis answers, as our own values. Nothing in it is trusted to have the right shape.

use std::collections::HashMap;

use plenary_shared::domain::{
    Event, Gender, Moderation, Participant, Person, Presence, Reason, StoredModeration, User, What,
};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use redis::Value;
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::store::Head;

/// What the live state keeps of a person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) age: Option<u32>,
    pub(super) gender: Option<Gender>,
    pub(super) email: String,
}

impl Profile {
    /// Of a person.
    pub(super) fn of(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            age: user.age,
            gender: user.gender,
            email: user.email.clone(),
        }
    }

    /// As it is kept.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a profile has only strings and numbers")
    }
}

/// A Redis answer that is not what our scripts answer.
pub(super) fn unexpected(what: impl Into<String>) -> Fault {
    Fault::broken("reading what Redis answered", what.into())
}

/// Reads plain values.
pub(super) trait Decode {
    /// A string, or a number as one; nothing is the empty string.
    fn text(&self) -> Result<String, Fault>;
}

impl Decode for Value {
    fn text(&self) -> Result<String, Fault> {
        match self {
            Self::BulkString(bytes) => String::from_utf8(bytes.clone())
                .map_err(|_| unexpected("a string that is no UTF-8")),
            Self::SimpleString(text) => Ok(text.clone()),
            Self::Int(number) => Ok(number.to_string()),
            Self::Nil => Ok(String::new()),
            _ => Err(unexpected("no string where one belongs")),
        }
    }
}

/// The elements of an array.
pub(super) fn array(value: Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Nil => Ok(Vec::new()),
        _ => Err(unexpected("no array where one belongs")),
    }
}

/// The elements of an array of strings.
pub(super) fn texts(value: Value) -> Result<Vec<String>, Fault> {
    array(value)?.iter().map(Decode::text).collect()
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, Fault> {
    text.parse()
        .map_err(|_| unexpected("no number where one belongs"))
}

/// A seq.
pub(super) fn seq(value: &Value) -> Result<Seq, Fault> {
    number(&value.text()?)
}

/// A generation.
pub(super) fn generation(value: &Value) -> Result<Generation, Fault> {
    number(&value.text()?)
}

/// A user.
pub(super) fn user(text: &str) -> Result<UserId, Fault> {
    number(text)
}

/// A time: milliseconds, maybe as a sorted set's score writes them.
pub(super) fn time(text: &str) -> Result<Timestamp, Fault> {
    // Scores are doubles; milliseconds stay far below where those lose whole numbers.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be a time's size"
    )]
    match text.parse::<i64>() {
        Ok(ms) => Ok(Timestamp::from_ms(ms)),
        Err(_) => match text.parse::<f64>() {
            Ok(ms) if ms.abs() < 1e15 => Ok(Timestamp::from_ms(ms as i64)),
            _ => Err(unexpected("no time where one belongs")),
        },
    }
}

/// Reads the number and the time of an event that was emitted, now or before.
pub(super) fn posted(rest: &[Value], repeat: bool) -> Result<Posted, Fault> {
    let [number, at] = rest else {
        return Err(unexpected("an answer of another length"));
    };
    Ok(Posted {
        seq: seq(number)?,
        timestamp: time(&at.text()?)?,
        repeat,
        durable: None,
    })
}

/// See `head` of the prelude: the head, whether joins are possible, and the log's first seq.
pub(super) struct LogHead {
    pub(super) head: Head,
    pub(super) state: String,
    pub(super) first: Seq,
}

/// Reads what `head` of the prelude answers.
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
        _ => Err(unexpected("a head of another length")),
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

/// The names in these profiles, by user.
pub(super) fn persons(profiles: HashMap<UserId, Profile>) -> Vec<Person> {
    let mut persons: Vec<Person> = profiles
        .into_iter()
        .map(|(id, profile)| Person {
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

/// The participants of these stays.
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
                email: profile.email,
                id,
                joined,
                presence: Presence::Here,
                since: None,
            }
        })
        .collect()
}

/// Says of these participants who is not here: `{user, 'reconnecting since', …}`.
pub(super) fn absences(people: &mut [Participant], value: Value) -> Result<(), Fault> {
    let mut away = HashMap::new();
    for pair in texts(value)?.chunks_exact(2) {
        let (word, since) = pair[1]
            .split_once(' ')
            .ok_or_else(|| unexpected("nothing that says since when"))?;
        away.insert(user(&pair[0])?, (presence(word)?, time(since)?));
    }
    for one in people {
        if let Some((presence, since)) = away.get(&one.id) {
            (one.presence, one.since) = (*presence, Some(*since));
        }
    }
    Ok(())
}

/// Whether somebody is there, as the scripts say it.
pub(super) fn presence(word: &str) -> Result<Presence, Fault> {
    word.parse()
        .map_err(|_| unexpected("a presence that we do not know"))
}

/// Reads a log's entries: `[[seq-0, [field, value, …]], …]`.
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
                return Err(unexpected("a log entry of another shape"));
            };
            let id = id.text()?;
            let seq = id
                .strip_suffix("-0")
                .ok_or_else(|| unexpected("a log entry's id"))?;
            let fields = texts(fields)?;
            let [_, kind, _, user, _, time, rest @ ..] = fields.as_slice() else {
                return Err(unexpected("a log entry with too few fields"));
            };
            event(instance, generation, number(seq)?, kind, user, time, rest)
        })
        .collect()
}

/// One event from its parts; `fields` are the kind's own, as the scripts' `emit` writes them.
pub(super) fn event(
    instance: InstanceId,
    generation: Generation,
    seq: Seq,
    kind: &str,
    who: &str,
    at: &str,
    fields: &[String],
) -> Result<Event, Fault> {
    let reason = |text: &str| {
        text.parse::<Reason>()
            .map_err(|_| unexpected("a reason that we do not know"))
    };
    let what = match kind {
        "opened" => What::Opened,
        "join" => What::Join {
            user: user(who)?,
            name: field(fields, "name")?.to_owned(),
        },
        "leave" => What::Leave {
            user: user(who)?,
            reason: reason(field(fields, "reason")?)?,
        },
        "message" => What::Message {
            user: user(who)?,
            cmid: cmid(fields)?,
            body: body(fields)?,
            reply_to: maybe(fields, "replyTo").map(number).transpose()?,
            edited: maybe(fields, "edited").map(time).transpose()?,
            deleted: maybe(fields, "deleted").map(time).transpose()?,
        },
        "edited" => What::Edited {
            user: user(who)?,
            cmid: cmid(fields)?,
            target: number(field(fields, "target")?)?,
            body: body(fields)?,
        },
        "deleted" => What::Deleted {
            user: user(who)?,
            cmid: cmid(fields)?,
            target: number(field(fields, "target")?)?,
        },
        "moderated" => What::Moderated(moderation(who, fields)?),
        "closed" => What::Closed {
            reason: reason(field(fields, "reason")?)?,
        },
        _ => return Err(unexpected("an event of a kind that we do not know")),
    };
    Ok(Event {
        instance,
        generation,
        seq,
        what,
        timestamp: time(at)?,
    })
}

fn moderation(who: &str, fields: &[String]) -> Result<Moderation, Fault> {
    let kept = StoredModeration {
        action: field(fields, "action")?.to_owned(),
        subject: maybe(fields, "subject").map(number).transpose()?,
        was: maybe(fields, "was").map(number).transpose()?,
        note: maybe(fields, "note").map(str::to_owned),
    };
    let whom = maybe(fields, "whom").unwrap_or_default().to_owned();
    let (action, reason) = kept
        .read(|_| whom)
        .ok_or_else(|| unexpected("something of an admin that we do not know"))?;
    Ok(Moderation {
        user: user(who)?,
        name: field(fields, "name")?.to_owned(),
        cmid: cmid(fields)?,
        action,
        reason,
    })
}

/// A field of the kind's own, if it is there.
fn maybe<'a>(fields: &'a [String], name: &str) -> Option<&'a str> {
    fields
        .chunks_exact(2)
        .find(|pair| pair[0] == name)
        .map(|pair| pair[1].as_str())
}

fn field<'a>(fields: &'a [String], name: &str) -> Result<&'a str, Fault> {
    maybe(fields, name).ok_or_else(|| unexpected(format!("an event without its {name}")))
}

fn cmid(fields: &[String]) -> Result<Cmid, Fault> {
    field(fields, "cmid")?
        .parse()
        .map_err(|_| unexpected("a cmid that is none"))
}

fn body(fields: &[String]) -> Result<MessageBody, Fault> {
    match field(fields, "body")? {
        "" => Ok(MessageBody::gone()),
        text => MessageBody::parse(text).map_err(|_| unexpected("a body that may not be")),
    }
}
