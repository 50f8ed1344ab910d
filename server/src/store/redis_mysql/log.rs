//! Reading a log whose newer part is in Redis and whose older part is in MySQL.

use std::collections::BTreeMap;

use async_trait::async_trait;
use plenary_shared::domain::{Event, EventKind, Instance, InstanceState, Reason, User, UserRef};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::limits;
use plenary_shared::protocol::{EventsOk, Message, MessagesOk, OpenOk, OwnRestrictions};

use crate::error::Answer;
use crate::store::mysql::Stored;
use crate::store::redis::{LivePage, Refusal};
use crate::store::{LogStore, Page};

use super::RedisMysqlStore;

/// Pages of the log that one request for messages may read, as joins and leaves lie between messages. Then
/// the reply is shorter than requested and says that there is more.
const LOG_PAGES_MAX: usize = 8;

#[async_trait]
impl LogStore for RedisMysqlStore {
    async fn open(
        &self,
        id: InstanceId,
        user: &User,
        connection: Option<&crate::store::ConnectionId>,
        limit: usize,
    ) -> Answer<OpenOk> {
        match self
            .with_recovery(|| self.redis.open(id, user, connection, limit))
            .await?
        {
            Ok(opened) => {
                let page = self
                    .fill_events(id, opened.page, Page::Before(None), limit)
                    .await?;
                Ok(OpenOk {
                    instance: opened.instance,
                    generation: page.head.generation,
                    seq: page.head.seq,
                    durable: page.head.durable,
                    roster: opened.people,
                    more: page.events.first().is_some_and(|event| event.seq.get() > 1),
                    events: page.events,
                    users: page.users,
                    unread: None,
                    absent: None,
                    restrictions: opened.restrictions,
                })
            }
            Err(Refusal::Gone) => self.open_stored(id, user, limit).await,
            Err(refused) => Err(self.reject(id, user, refused).await),
        }
    }

    async fn events(
        &self,
        id: InstanceId,
        viewer: &User,
        asked: Page,
        limit: usize,
    ) -> Answer<EventsOk> {
        match self
            .with_recovery(|| self.redis.events(id, viewer, asked, limit))
            .await?
        {
            Ok(page) => {
                let page = self.fill_events(id, page, asked, limit).await?;
                Ok(EventsOk {
                    events: page.events,
                    more: page.more,
                    users: page.users,
                })
            }
            Err(Refusal::Gone) => {
                self.readable(id, viewer).await?;
                self.mysql.events(id, asked, limit, None).await
            }
            Err(refused) => Err(self.reject(id, viewer, refused).await),
        }
    }

    async fn messages(
        &self,
        id: InstanceId,
        viewer: &User,
        asked: Page,
        limit: usize,
    ) -> Answer<MessagesOk> {
        // One more than requested shows whether there are more.
        let wanted = limit + 1;
        let mut found: BTreeMap<Seq, Message> = BTreeMap::new();
        let mut names: BTreeMap<UserId, String> = BTreeMap::new();
        let mut next = asked;
        let mut more_log = true;
        let mut more_archived = false;
        for pages in 1.. {
            let page = match self
                .with_recovery(|| self.redis.events(id, viewer, next, limits::PAGE_MAX))
                .await?
            {
                Ok(page) => page,
                Err(Refusal::Gone) => {
                    self.readable(id, viewer).await?;
                    return self.mysql.messages(id, asked, limit, None).await;
                }
                Err(refused) => return Err(self.reject(id, viewer, refused).await),
            };
            let below = page.first;
            if let Page::After(seq) = next
                && seq.next() < below
            {
                // The page begins in the archive, whose messages come first.
                let older = self.mysql.messages(id, next, wanted, Some(below)).await?;
                more_archived |= older.more;
                found.extend(
                    older
                        .messages
                        .into_iter()
                        .map(|message| (message.seq, message)),
                );
            }
            names.extend(
                page.users
                    .into_iter()
                    .map(|person| (person.id, person.name)),
            );
            let edge = match next {
                Page::After(_) => page.events.last().map(|event| event.seq),
                Page::Before(_) => page.events.first().map(|event| event.seq),
            };
            found.extend(
                page.events
                    .iter()
                    .filter_map(|event| message(event, &names)),
            );
            more_log = match (next, edge) {
                (Page::After(_), Some(edge)) => edge < page.head.seq,
                (Page::Before(_), Some(edge)) => edge > below,
                (_, None) => false,
            };
            if let (Page::Before(bound), false) = (next, more_log)
                && found.len() < wanted
                && below.get() > 1
            {
                let bound = bound.map_or(below, |bound| bound.min(below));
                let older = Page::Before(Some(bound));
                let older = self
                    .mysql
                    .messages(id, older, wanted - found.len(), Some(below))
                    .await?;
                more_archived |= older.more;
                found.extend(
                    older
                        .messages
                        .into_iter()
                        .map(|message| (message.seq, message)),
                );
            }
            // With an empty reply the reader could not continue.
            let is_enough = pages >= LOG_PAGES_MAX && !found.is_empty();
            if found.len() >= wanted || !more_log || is_enough {
                break;
            }
            next = match (next, edge) {
                (Page::After(_), Some(edge)) => Page::After(edge),
                (Page::Before(_), Some(edge)) => Page::Before(Some(edge)),
                (other, None) => other,
            };
        }
        let more = found.len() > limit || more_log || more_archived;
        let mut messages: Vec<Message> = found.into_values().collect();
        if messages.len() > limit {
            match asked {
                Page::Before(_) => drop(messages.drain(..messages.len() - limit)),
                Page::After(_) => messages.truncate(limit),
            }
        }
        Ok(MessagesOk { messages, more })
    }

    async fn user_messages(
        &self,
        id: InstanceId,
        viewer: &User,
        of: UserId,
        asked: Page,
        limit: usize,
    ) -> Answer<MessagesOk> {
        let live = self
            .with_recovery(|| self.redis.user_messages(id, viewer, of, asked, limit))
            .await?;
        let page = match live {
            Ok(page) => page,
            Err(Refusal::Gone) => {
                self.readable(id, viewer).await?;
                return self.mysql.user_messages(id, of, asked, limit, None).await;
            }
            Err(refused) => return Err(self.reject(id, viewer, refused).await),
        };
        let names: BTreeMap<UserId, String> = page
            .users
            .into_iter()
            .map(|person| (person.id, person.name))
            .collect();
        let mut messages: Vec<Message> = page
            .events
            .iter()
            .filter_map(|event| Some(message(event, &names)?.1))
            .collect();
        let mut more = page.more;
        let below = page.first;
        let reaches_below = match asked {
            // The index has live messages only.
            Page::Before(_) => !page.more,
            Page::After(seq) => seq.next() < below,
        };
        if below.get() > 1 && reaches_below {
            let (asked_older, missing) = match asked {
                Page::Before(bound) => {
                    let bound = bound.map_or(below, |seq| seq.min(below));
                    (Page::Before(Some(bound)), limit - messages.len())
                }
                Page::After(_) => (asked, limit),
            };
            let older = self
                .mysql
                .user_messages(id, of, asked_older, missing, Some(below))
                .await?;
            more = match asked {
                Page::Before(_) if missing == 0 => !older.messages.is_empty(),
                Page::Before(_) => older.more,
                Page::After(_) => older.more || page.more,
            };
            if missing > 0 {
                messages.splice(0..0, older.messages);
            }
            if messages.len() > limit {
                messages.truncate(limit);
                more = true;
            }
        }
        Ok(MessagesOk { messages, more })
    }
}

impl RedisMysqlStore {
    /// Reads an instance that has not started or has ended.
    async fn open_stored(&self, id: InstanceId, user: &User, limit: usize) -> Answer<OpenOk> {
        let stored = self.readable(id, user).await?;
        if stored.state == InstanceState::Active {
            return Err(self.reject(id, user, Refusal::Gone).await);
        }
        let page = self
            .mysql
            .events(id, Page::Before(None), limit, None)
            .await?;
        Ok(OpenOk {
            instance: Instance {
                title: stored.meeting.title,
                description: stored.meeting.description,
                is_public: stored.meeting.is_public,
                fromdatetime: stored.from,
                todatetime: stored.to,
                id,
                state: stored.state,
                participants: 0,
                joined: None,
                cancelled: stored.reason == Some(Reason::Cancelled),
                ended_at: stored.ended_at,
            },
            generation: Generation::default(),
            seq: stored.archived,
            durable: stored.archived,
            roster: Vec::new(),
            events: page.events,
            more: page.more,
            users: page.users,
            unread: None,
            absent: None,
            restrictions: OwnRestrictions::default(),
        })
    }

    /// Returns what MySQL has of an instance that this user may read.
    async fn readable(&self, id: InstanceId, viewer: &User) -> Answer<Stored> {
        match self.mysql.stored(id).await? {
            Some(stored) if self.mysql.may_read(id, viewer).await? => Ok(stored),
            _ => Err(self.why_not_live(id, viewer).await?.into()),
        }
    }

    /// Puts archived events before a live page.
    async fn fill_events(
        &self,
        id: InstanceId,
        mut page: LivePage,
        asked: Page,
        limit: usize,
    ) -> Answer<LivePage> {
        let below = page.first;
        let from_archive = match asked {
            Page::Before(_) => {
                let missing = limit.saturating_sub(page.events.len());
                let upto = page.events.first().map_or(below, |event| event.seq);
                let asked = match asked {
                    Page::Before(Some(seq)) => Page::Before(Some(seq.min(upto))),
                    Page::Before(None) | Page::After(_) => Page::Before(Some(upto)),
                };
                (missing > 0 && below.get() > 1).then_some((asked, missing))
            }
            Page::After(seq) => (seq.next() < below).then_some((asked, limit)),
        };
        if let Some((asked, missing)) = from_archive {
            let older = self.mysql.events(id, asked, missing, Some(below)).await?;
            page.users = merge_users(page.users, older.users);
            page.events.splice(0..0, older.events);
            page.events.truncate(limit);
        }
        // Seqs have no gaps, so the edges of a page show what lies beyond.
        page.more = match asked {
            Page::Before(_) => page.events.first().is_some_and(|event| event.seq.get() > 1),
            Page::After(after) => {
                let last = page.events.last().map_or(after, |event| event.seq);
                last < page.head.seq
            }
        };
        Ok(page)
    }
}

fn message(event: &Event, names: &BTreeMap<UserId, String>) -> Option<(Seq, Message)> {
    match &event.kind {
        EventKind::Message {
            user,
            cmid,
            body,
            reply_to,
            edited,
            deleted,
        } => Some((
            event.seq,
            Message {
                user: *user,
                body: body.clone(),
                timestamp: event.timestamp,
                seq: event.seq,
                cmid: *cmid,
                name: names
                    .get(user)
                    .cloned()
                    .unwrap_or_else(|| format!("#{user}")),
                reply_to: *reply_to,
                edited: *edited,
                deleted: *deleted,
            },
        )),
        EventKind::Opened
        | EventKind::Join { .. }
        | EventKind::Leave { .. }
        | EventKind::Edited { .. }
        | EventKind::Deleted { .. }
        | EventKind::Moderated(_)
        | EventKind::Closed { .. } => None,
    }
}

fn merge_users(mut users: Vec<UserRef>, more: Vec<UserRef>) -> Vec<UserRef> {
    for person in more {
        if !users.iter().any(|known| known.id == person.id) {
            users.push(person);
        }
    }
    // In the order of a page from one store.
    users.sort_unstable_by_key(|person| person.id);
    users
}
