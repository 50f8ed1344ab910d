//! Participation and reading in live instances: one round trip each.

use std::collections::HashMap;

use plenary_shared::domain::{Event, Instance, InstanceState, Participant, User, UserRef};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::limits;
use plenary_shared::protocol::{JoinEventType, JoinLog, JoinTimes, OwnRestrictions, Posted};
use plenary_shared::time::Timestamp;
use redis::Value;

use crate::error::Fault;
use crate::rate_limits::WriteKind;
use crate::store::{ConnectionId, Head, Page};

use super::decode::{self, Decode, Profile, unexpected};
use super::keys::{self, Keys};
use super::scripts::{Script, ScriptError};
use super::{PIPELINE_INSTANCES_MAX, RedisStore, reader};

/// A page of a live log.
#[derive(Debug)]
pub struct LivePage {
    /// How far the log is.
    pub head: Head,
    /// The first live seq. Only the archive has the events below.
    pub first: Seq,
    /// The events, ascending.
    pub events: Vec<Event>,
    /// The users in these events.
    pub users: Vec<UserRef>,
    /// Whether there are more live messages in the same direction. Set for the messages of one user only.
    pub more: bool,
}

/// A live instance as a new follower reads it.
#[derive(Debug)]
pub struct Opened {
    pub instance: Instance,
    pub people: Vec<Participant>,
    pub page: LivePage,
    /// What is restricted for the reader.
    pub restrictions: OwnRestrictions,
}

impl RedisStore {
    /// Makes a user a participant.
    pub async fn join(
        &self,
        id: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
    ) -> Result<Posted, ScriptError> {
        let profile = Profile::of(user).to_json();
        let connection = connection.map(ToString::to_string).unwrap_or_default();
        let (_, rest) = self
            .change(id, |generation| {
                let mut command = self.write_command(Script::Join, id, user.id);
                command
                    .arg(generation.get())
                    .arg(user.id.get())
                    .arg(user.email_key())
                    .arg(&profile)
                    .arg(&user.name)
                    .arg(&connection)
                    .arg(limits::PARTICIPANTS_MAX)
                    .arg(&self.quotas(WriteKind::Join));
                command
            })
            .await?;
        Ok(decode::posted(&rest, false)?)
    }

    /// Ends the stay of a participant.
    pub async fn leave(&self, id: InstanceId, user: &User) -> Result<Posted, ScriptError> {
        let (_, rest) = self
            .change(id, |generation| {
                let mut command = self.scripts.command(Script::Leave, id);
                command.arg(generation.get()).arg(user.id.get());
                command
            })
            .await?;
        Ok(decode::posted(&rest, false)?)
    }

    /// Reads an instance for a new follower.
    pub async fn open(
        &self,
        id: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
        limit: usize,
    ) -> Result<Opened, ScriptError> {
        let mut command = self.scripts.command(Script::Open, id);
        command
            .arg(&reader(user))
            .arg(connection.map(ToString::to_string).unwrap_or_default())
            .arg(limit);
        let (_, rest) = self.run(&command).await?.done()?;
        let [head, facts, here, here_profiles, entries, spoken_of, away] = exactly(rest)?;
        let page = page(id, head, entries, spoken_of)?;
        let mut people =
            decode::participants(decode::stays(here)?, decode::profiles(here_profiles)?);
        decode::absences(&mut people, away)?;
        let joined = people
            .iter()
            .find(|one| one.id == user.id)
            .map(|one| one.joined);
        let facts = decode::texts(facts)?;
        let is_set = |nth: usize| facts.get(nth).is_some_and(|flag| flag == "1");
        let restrictions = OwnRestrictions {
            locked: is_set(5),
            read_only: is_set(6),
            muted: is_set(7),
        };
        let mut instance = instance(id, &facts, page.state)?;
        instance.participants = u32::try_from(people.len()).unwrap_or(u32::MAX);
        instance.joined = joined;
        self.remember(id, page.page.head.generation);
        Ok(Opened {
            instance,
            people,
            page: page.page,
            restrictions,
        })
    }

    /// Reads a page of the log.
    pub async fn events(
        &self,
        id: InstanceId,
        viewer: &User,
        asked: Page,
        limit: usize,
    ) -> Result<LivePage, ScriptError> {
        let mut command = self.scripts.command(Script::ReadLog, id);
        let (mode, seq) = asked_for(asked);
        command.arg(&reader(viewer)).arg(mode).arg(seq).arg(limit);
        let (_, rest) = self.run(&command).await?.done()?;
        let [head, entries, spoken_of] = exactly(rest)?;
        Ok(page(id, head, entries, spoken_of)?.page)
    }

    /// Reads a page of one user's messages.
    pub async fn user_messages(
        &self,
        id: InstanceId,
        viewer: &User,
        of: UserId,
        asked: Page,
        limit: usize,
    ) -> Result<LivePage, ScriptError> {
        let mut command = self.scripts.user_command(Script::UserMessages, id, of);
        let (mode, seq) = asked_for(asked);
        command.arg(&reader(viewer)).arg(mode).arg(seq).arg(limit);
        let (_, rest) = self.run(&command).await?.done()?;
        let [log_head, entries, spoken_of, has_more] = exactly(rest)?;
        let mut page = page(id, log_head, entries, spoken_of)?.page;
        page.more = has_more.text()? == "1";
        Ok(page)
    }

    /// Returns the title of the meeting and the participants.
    pub async fn people(
        &self,
        id: InstanceId,
        viewer: &User,
    ) -> Result<(String, Vec<Participant>), ScriptError> {
        let (_, rest) = self.run(&self.people_command(id, viewer)).await?.done()?;
        people(rest)
    }

    fn people_command(&self, id: InstanceId, viewer: &User) -> redis::Cmd {
        let mut command = self.scripts.command(Script::Participants, id);
        command.arg(&reader(viewer));
        command
    }

    /// Returns when the participants of every active instance that the viewer may see joined.
    pub async fn join_times(&self, viewer: &User) -> Result<Vec<JoinTimes>, ScriptError> {
        let mut found = Vec::new();
        let visible: Vec<InstanceId> = self
            .active_meetings(viewer)
            .await?
            .into_iter()
            .map(|one| one.id)
            .collect();
        for some in visible.chunks(PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for id in some {
                pipeline.add_command(self.people_command(*id, viewer));
            }
            let answers: Vec<Value> = self.connection.ask_all(&pipeline).await??;
            for (id, answer) in some.iter().zip(answers) {
                let Ok(said) = super::ScriptReply::read(answer) else {
                    continue;
                };
                let (title, participants) = people(said.done()?.1)?;
                found.push(JoinTimes {
                    meeting: title,
                    join_logs: participants.into_iter().map(join_log).collect(),
                    instance: *id,
                });
            }
        }
        Ok(found)
    }

    /// Returns the active instances that the viewer may see: two round trips.
    pub async fn active_meetings(&self, viewer: &User) -> Result<Vec<Instance>, ScriptError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(keys::ACTIVE_MEETINGS).arg(0).arg(-1);
        let members: Vec<String> = self.ask(&mut command).await?;
        let ids: Vec<InstanceId> = members
            .iter()
            .filter_map(|member| keys::instance_of(member))
            .collect();
        let mut found: Vec<Instance> = self.visible(viewer, &ids).await?.into_values().collect();
        found.sort_by_key(|one| (one.fromdatetime, one.id));
        Ok(found)
    }

    /// Returns whether an instance is active and the viewer may see it.
    pub async fn sees(&self, id: InstanceId, viewer: &User) -> Result<bool, ScriptError> {
        Ok(self.visible(viewer, &[id]).await?.contains_key(&id))
    }

    /// Returns those of these instances that are active and that the viewer may see.
    async fn visible(
        &self,
        viewer: &User,
        ids: &[InstanceId],
    ) -> Result<HashMap<InstanceId, Instance>, ScriptError> {
        let mut found = HashMap::new();
        for some in ids.chunks(PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for id in some {
                let k = Keys(*id);
                pipeline
                    .cmd("HMGET")
                    .arg(k.meeting())
                    .arg(&[
                        "title",
                        "description",
                        "isPublic",
                        "fromdatetime",
                        "todatetime",
                    ])
                    .arg("state")
                    .cmd("SISMEMBER")
                    .arg(k.audience())
                    .arg(viewer.email_key())
                    .cmd("ZCARD")
                    .arg(k.participants())
                    .cmd("ZSCORE")
                    .arg(k.participants())
                    .arg(viewer.id.get());
            }
            let answers: Vec<Value> = self.ask_all(&pipeline).await?;
            for (id, answer) in some.iter().zip(answers.chunks_exact(4)) {
                if let Some(instance) = visible_instance(*id, viewer, answer)? {
                    found.insert(*id, instance);
                }
            }
        }
        Ok(found)
    }

    /// Returns how far the logs of these instances are; `None` if not live.
    pub async fn heads(&self, ids: &[InstanceId]) -> Result<Vec<Option<Head>>, Fault> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for id in some {
                pipeline
                    .cmd("HMGET")
                    .arg(Keys(*id).meeting())
                    .arg(&["gen", "seq", "archived"]);
            }
            let answers: Vec<Vec<Option<u64>>> = self.ask_all(&pipeline).await?;
            for answer in answers {
                found.push(match answer.as_slice() {
                    [Some(generation), Some(seq), Some(durable)] => Some(Head {
                        generation: number(*generation)?,
                        seq: Seq::new(*seq).map_err(bad_number)?,
                        durable: Seq::new(*durable).map_err(bad_number)?,
                    }),
                    _ => None,
                });
            }
        }
        Ok(found)
    }

    /// Returns events above `after` with their generation. Checks no permission.
    pub async fn log(&self, id: InstanceId, after: Seq, limit: usize) -> Result<Vec<Event>, Fault> {
        let k = Keys(id);
        let mut pipeline = redis::pipe();
        // MULTI, so that generation and entries belong together.
        pipeline.atomic().cmd("HGET").arg(k.meeting()).arg("gen");
        pipeline
            .cmd("XRANGE")
            .arg(k.log())
            .arg(format!("{}-0", after.next()))
            .arg("+")
            .arg("COUNT")
            .arg(limit);
        let (generation, entries): (Option<u64>, Value) = self.ask_all(&pipeline).await?;
        match generation {
            Some(generation) => decode::events(id, number(generation)?, entries),
            None => Ok(Vec::new()),
        }
    }
}

struct StatedPage {
    page: LivePage,
    state: InstanceState,
}

fn number(generation: u64) -> Result<plenary_shared::ids::Generation, Fault> {
    plenary_shared::ids::Generation::new(generation).map_err(bad_number)
}

fn bad_number(error: plenary_shared::ids::IdError) -> Fault {
    Fault::broken("reading a reply of Redis", error)
}

fn asked_for(asked: Page) -> (&'static str, u64) {
    match asked {
        Page::After(seq) => ("after", seq.get()),
        Page::Before(Some(seq)) => ("before", seq.get()),
        Page::Before(None) => ("before", limits::ID_MAX),
    }
}

fn exactly<const N: usize>(rest: Vec<Value>) -> Result<[Value; N], Fault> {
    rest.try_into()
        .map_err(|_| unexpected("a reply of the wrong length"))
}

fn page(
    id: InstanceId,
    head: Value,
    entries: Value,
    spoken_of: Value,
) -> Result<StatedPage, Fault> {
    let log = decode::log_head(head)?;
    let events = decode::events(id, log.head.generation, entries)?;
    let users = decode::persons(decode::profiles(spoken_of)?);
    let state = live_state(&log.state);
    Ok(StatedPage {
        page: LivePage {
            head: log.head,
            first: log.first,
            events,
            users,
            more: false,
        },
        state,
    })
}

pub(super) fn live_state(word: &str) -> InstanceState {
    match word {
        "active" => InstanceState::Active,
        "closed" => InstanceState::Ended,
        _ => InstanceState::Ending,
    }
}

fn people(rest: Vec<Value>) -> Result<(String, Vec<Participant>), ScriptError> {
    let [title, here, known, away] = exactly(rest)?;
    let mut participants = decode::participants(decode::stays(here)?, decode::profiles(known)?);
    decode::absences(&mut participants, away)?;
    Ok((title.text()?, participants))
}

fn join_log(participant: Participant) -> JoinLog {
    JoinLog {
        user: participant.id,
        event_type: JoinEventType::Join,
        timestamp: participant.joined,
        name: participant.name,
    }
}

fn instance(id: InstanceId, facts: &[String], state: InstanceState) -> Result<Instance, Fault> {
    let [title, description, is_public, from, to, ..] = facts else {
        return Err(unexpected("an instance with too few fields"));
    };
    Ok(Instance {
        title: title.clone(),
        description: description.clone(),
        is_public: is_public == "1",
        fromdatetime: decode::time(from)?,
        todatetime: decode::time(to)?,
        id,
        state,
        participants: 0,
        joined: None,
        cancelled: false,
        ended_at: None,
    })
}

fn visible_instance(
    id: InstanceId,
    viewer: &User,
    answer: &[Value],
) -> Result<Option<Instance>, Fault> {
    let [facts, in_audience, count, joined] = answer else {
        return Err(unexpected("a reply of the wrong length"));
    };
    let facts = decode::texts(facts.clone())?;
    if facts.get(5).map(String::as_str) != Some("active") {
        return Ok(None);
    }
    let mut instance = instance(id, &facts, InstanceState::Active)?;
    let joined: Option<Timestamp> = match joined {
        Value::Nil => None,
        Value::Double(ms) => Some(decode::time(&ms.to_string())?),
        other => Some(decode::time(&other.text()?)?),
    };
    let is_admin = viewer.role == plenary_shared::domain::Role::Admin;
    let may_see = instance.is_public || in_audience.text()? == "1" || joined.is_some() || is_admin;
    instance.participants = count.text()?.parse().unwrap_or(u32::MAX);
    instance.joined = joined;
    Ok(may_see.then_some(instance))
}
