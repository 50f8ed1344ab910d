//! Read positions and unread counts: MySQL counts archived messages, Redis the newer ones.

use async_trait::async_trait;
use plenary_shared::domain::{EventKind, User};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::limits;
use plenary_shared::protocol::Unread;
use plenary_shared::text::mentions;

use crate::error::Answer;
use crate::store::mysql::MessageRange;
use crate::store::{ReadPosition, ReadPositionStore};

use super::RedisMysqlStore;

/// Pages of a live log that are counted above the archive. While that is far behind, further messages are
/// not counted.
const LIVE_PAGES_MAX: usize = 10;

#[async_trait]
impl ReadPositionStore for RedisMysqlStore {
    async fn save_positions(&self, positions: &[ReadPosition]) -> Answer<()> {
        self.mysql.save_positions(positions).await
    }

    async fn publish_read(&self, positions: &[ReadPosition]) -> Answer<()> {
        Ok(self.redis.publish_read(positions).await?)
    }

    async fn unread(&self, viewer: &User, known: &[(InstanceId, Seq)]) -> Answer<Vec<Unread>> {
        let ids: Vec<InstanceId> = known.iter().map(|(id, _)| *id).collect();
        // Read first, so that messages archived meanwhile are not counted twice.
        let heads = self.redis.heads(&ids).await?;
        let positions = self.mysql.positions(viewer.id, &ids).await?;
        let end = Seq::new(limits::ID_MAX).unwrap_or_default();
        let stretches: Vec<MessageRange> = known
            .iter()
            .zip(&heads)
            .map(|((instance, noted), head)| MessageRange {
                instance: *instance,
                after: positions
                    .get(instance)
                    .copied()
                    .unwrap_or_default()
                    .max(*noted),
                upto: head.map_or(end, |head| head.durable),
            })
            .collect();
        let counts = self.mysql.said_by_others(viewer.id, &stretches).await?;
        let mut found = Vec::with_capacity(stretches.len());
        for (stretch, head) in stretches.into_iter().zip(heads) {
            let mut unread = Unread {
                instance: stretch.instance,
                read: stretch.after,
                unread: counts.get(&stretch.instance).copied().unwrap_or_default(),
                mentions: 0,
            };
            if unread.unread > 0 {
                let addressed = self.mysql.addressed(viewer.id, stretch).await?;
                let meant = addressed.iter().filter(|body| mentions(body, &viewer.name));
                unread.mentions = meant.count() as u64;
            }
            if let Some(head) = head.filter(|head| head.seq > head.durable) {
                self.count_live(viewer, stretch.after.max(head.durable), &mut unread)
                    .await?;
            }
            found.push(unread);
        }
        Ok(found)
    }
}

impl RedisMysqlStore {
    async fn count_live(&self, viewer: &User, after: Seq, unread: &mut Unread) -> Answer<()> {
        let mut after = after;
        let mut said = std::collections::BTreeMap::new();
        for _ in 0..LIVE_PAGES_MAX {
            let events = self
                .redis
                .log(unread.instance, after, limits::PAGE_MAX)
                .await?;
            let Some(last) = events.last().map(|event| event.seq) else {
                break;
            };
            for event in events {
                match event.kind {
                    EventKind::Message { user, body, .. } if user != viewer.id => {
                        said.insert(event.seq, body);
                    }
                    EventKind::Edited { target, body, .. } => {
                        if let Some(before) = said.get_mut(&target) {
                            *before = body;
                        }
                    }
                    EventKind::Deleted { target, .. } => drop(said.remove(&target)),
                    EventKind::Opened
                    | EventKind::Join { .. }
                    | EventKind::Leave { .. }
                    | EventKind::Message { .. }
                    | EventKind::Moderated(_)
                    | EventKind::Closed { .. } => {}
                }
            }
            after = last;
        }
        unread.unread += said.len() as u64;
        let meant = said
            .values()
            .filter(|body| mentions(body.as_str(), &viewer.name));
        unread.mentions += meant.count() as u64;
        Ok(())
    }
}
