//! Reading an instance: pages of its event log and of its messages.

use async_trait::async_trait;
use plenary_shared::domain::{Code, Instance, InstanceState, Reason, User};
use plenary_shared::ids::{Generation, InstanceId, UserId};
use plenary_shared::protocol::{EventsOk, MessagesOk, OpenOk, OwnRestrictions};
use plenary_shared::time::Timestamp;
use rusqlite::Connection;

use crate::error::{Answer, Fault};
use crate::store::sql::lifecycle::Stored;
use crate::store::sql::page::Range;
use crate::store::sql::{Dialect, history};
use crate::store::{ConnectionId, LogStore, Page, PresenceStore};

use super::live::{LiveState, live, may_read_live, may_read_stored, stay_of, stored, why_not_open};
use super::participation::participants;
use super::restriction::{Restriction, is_restrained};
use super::{SqliteStore, presence, statement};

#[async_trait]
impl LogStore for SqliteStore {
    async fn open(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
        limit: usize,
    ) -> Answer<OpenOk> {
        if let Some(connection) = connection {
            let held = self.bind(instance, user, connection).await;
            presence::or_later(instance, held)?;
        }
        let (user, now) = (user.clone(), self.now());
        self.link
            .read(move |conn| open(conn, instance, &user, limit, now))
            .await
    }

    async fn events(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<EventsOk> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| events(conn, instance, &viewer, page, limit, now))
            .await
    }

    async fn messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| messages(conn, instance, &viewer, None, (page, limit), now))
            .await
    }

    async fn user_messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        of: UserId,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| messages(conn, instance, &viewer, Some(of), (page, limit), now))
            .await
    }
}

fn open(
    conn: &Connection,
    id: InstanceId,
    user: &User,
    limit: usize,
    now: Timestamp,
) -> Answer<OpenOk> {
    let (generation, found) = readable(conn, id, user, now)?;
    let page = log(conn, id, generation, Page::Before(None), limit)?;
    let mut instance = Instance {
        title: found.meeting.title,
        description: found.meeting.description,
        is_public: found.meeting.is_public,
        fromdatetime: found.from,
        todatetime: found.to,
        id,
        state: found.state,
        participants: 0,
        joined: None,
        cancelled: found.reason == Some(Reason::Cancelled),
        ended_at: found.ended_at,
    };
    let mut people = Vec::new();
    let mut restrictions = OwnRestrictions::default();
    if let Some(live) = live(conn, id)? {
        restrictions = OwnRestrictions {
            locked: live.locked,
            read_only: live.read_only,
            muted: is_restrained(conn, id, user.id, Restriction::Muted)?,
        };
        people = participants(conn, id)?;
        instance.state = match live.state {
            LiveState::Active => InstanceState::Active,
            LiveState::Ending => InstanceState::Ending,
            LiveState::Closed => InstanceState::Ended,
        };
        instance.participants = u32::try_from(people.len()).unwrap_or(u32::MAX);
        instance.joined = stay_of(conn, id, user.id)?.map(|(joined, _)| joined);
    }
    Ok(OpenOk {
        instance,
        generation,
        seq: found.archived,
        durable: found.archived,
        roster: people,
        events: page.events,
        more: page.more,
        users: page.users,
        unread: None,
        absent: None,
        restrictions,
    })
}

fn events(
    conn: &Connection,
    id: InstanceId,
    viewer: &User,
    page: Page,
    limit: usize,
    now: Timestamp,
) -> Answer<EventsOk> {
    let (generation, _) = readable(conn, id, viewer, now)?;
    Ok(log(conn, id, generation, page, limit)?)
}

/// A page of the messages, of one user if that is given.
fn messages(
    conn: &Connection,
    id: InstanceId,
    viewer: &User,
    by: Option<UserId>,
    (page, limit): (Page, usize),
    now: Timestamp,
) -> Answer<MessagesOk> {
    readable(conn, id, viewer, now)?;
    let range = Range::new(page, limit, None);
    let rows = statement::rows(conn, history::messages(Dialect::Sqlite, id, by, &range))?;
    Ok(history::messages_page(&range, rows))
}

/// The instance, if the user may read it, and the generation of its live state; 0: it is not live.
pub(super) fn readable(
    conn: &Connection,
    id: InstanceId,
    viewer: &User,
    now: Timestamp,
) -> Answer<(Generation, Stored)> {
    let Some(found) = stored(conn, id)? else {
        return Err(why_not_open(conn, id, viewer, now));
    };
    if let Some(live) = live(conn, id)? {
        if may_read_live(conn, id, live.is_public, viewer)? {
            return Ok((live.generation, found));
        }
        return Err(Code::NotAllowed.into());
    }
    // Another program made it active; the sweep opens it.
    if found.state == InstanceState::Active || !may_read_stored(conn, id, &found, viewer)? {
        return Err(why_not_open(conn, id, viewer, now));
    }
    Ok((Generation::default(), found))
}

pub(super) fn log(
    conn: &Connection,
    id: InstanceId,
    generation: Generation,
    page: Page,
    limit: usize,
) -> Result<EventsOk, Fault> {
    let range = Range::new(page, limit, None);
    let query = history::events(Dialect::Sqlite, id, generation, &range);
    Ok(history::events_page(&range, statement::rows(conn, query)?))
}
