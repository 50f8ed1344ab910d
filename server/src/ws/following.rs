//! The verbs that change what a connection follows, waits for, or holds a stay in.

use plenary_shared::domain::{Code, InstanceState};
use plenary_shared::ids::{Generation, InstanceId, Seq};
use plenary_shared::limits::FOLLOWED_MAX;
use plenary_shared::protocol::{
    Done, Open, OpenOk, Position, Posted, PresenceChange, ResumeMode, Wait, WaitOk,
};

use crate::ctx::Caller;
use crate::error::{Answer, Error};
use crate::hub::Cursor;
use crate::service;
use crate::store::Waiting;

use super::socket::Socket;

/// Events that a resume sends. A client that missed more opens the instance again.
const RESUME_EVENTS_MAX: u64 = 1_000;

impl Socket {
    /// Resumes following an instance at the client's position.
    pub(super) async fn resume(
        &mut self,
        caller: &Caller,
        position: Position,
    ) -> Answer<ResumeMode> {
        let open = Open {
            instance: position.instance,
            limit: 1,
        };
        let (opened, cursor) = match self.follow(caller, open).await {
            Ok(found) => found,
            Err(Error::Reject(reject)) => {
                return match reject.code {
                    Code::NotFound | Code::NotAllowed | Code::NotStarted => Ok(ResumeMode::Gone),
                    _ => Err(reject.into()),
                };
            }
            Err(fault) => return Err(fault),
        };
        let Some(mut cursor) = cursor else {
            return Ok(ResumeMode::Ended);
        };
        let missed = opened.seq.get().checked_sub(position.seq.get());
        let can_resume = opened.generation == position.generation
            && missed.is_some_and(|missed| missed <= RESUME_EVENTS_MAX);
        if !can_resume {
            return Ok(ResumeMode::Snapshot);
        }
        // The client may have missed the durable seq, so it is sent again.
        cursor.place(position.generation, position.seq, Seq::default());
        self.cursors.insert(position.instance, cursor);
        // Presence is not in the log, so the current state is sent.
        let subscriber = self.subscriber()?;
        for one in opened
            .roster
            .iter()
            .filter(|one| !one.presence.is_present())
        {
            subscriber.notify_presence(PresenceChange {
                instance: position.instance,
                user: one.id,
                state: one.presence,
                since: one.since.unwrap_or(one.joined),
            });
        }
        Ok(ResumeMode::Delta)
    }

    /// Reads an instance and follows it. If the connection follows it already, a fault changes nothing,
    /// and a reject ends the following.
    pub(super) async fn open(&mut self, caller: &Caller, open: Open) -> Answer<OpenOk> {
        let instance = open.instance;
        if !self.cursors.contains_key(&instance) {
            self.check_followed()?;
        }
        let followed = self.follow(caller, open).await;
        if !matches!(followed, Err(Error::Fault(_))) {
            self.cursors.remove(&instance);
        }
        let (mut opened, cursor) = followed?;
        let ctx = &self.state.ctx;
        let instances = [instance];
        let unread = service::chat::unread(ctx, caller, &instances);
        if cursor.is_some() && !opened.instance.is_public {
            let (unread, absent) =
                tokio::join!(unread, service::meeting::absent(ctx, caller, instance));
            (opened.unread, opened.absent) = (unread.into_iter().next(), absent);
        } else {
            opened.unread = unread.await.into_iter().next();
        }
        if let Some(mut cursor) = cursor {
            cursor.place(opened.generation, opened.seq, opened.durable);
            self.cursors.insert(instance, cursor);
            // The instance has started, which ends the waiting list.
            self.waits.remove(&instance);
            self.subscriber()?.set_waiting(instance, false);
        }
        Ok(opened)
    }

    /// Follows the room first and reads the instance second, so that the cursor has what happens in
    /// between.
    async fn follow(&mut self, caller: &Caller, open: Open) -> Answer<(OpenOk, Option<Cursor>)> {
        let instance = open.instance;
        let subscriber = self.subscriber()?;
        let mut cursor = self.state.hub.follow(instance, &subscriber).await?;
        let connection = self.connection.clone();
        let is_new = self.bound.insert(instance);
        let opened = service::meeting::open(&self.state.ctx, caller, open, Some(&connection)).await;
        let holds_nothing = match &opened {
            Ok(opened) => opened.instance.joined.is_none(),
            Err(Error::Reject(_)) => true,
            // The store may have bound the stay.
            Err(Error::Fault(_)) => false,
        };
        if is_new && holds_nothing {
            self.bound.remove(&instance);
        }
        let opened = opened?;
        let is_live = opened.generation != Generation::default()
            && opened.instance.state != InstanceState::Ended;
        if !is_live {
            cursor = None;
        } else if cursor.is_none() {
            // The instance started in between.
            cursor = self.state.hub.follow(instance, &subscriber).await?;
            if cursor.is_none() {
                // And it has ended since. The next attempt says so.
                return Err(Code::Unavailable.into());
            }
        }
        Ok((opened, cursor))
    }

    /// Stops following and waiting. A stay stays bound, so it ends with the connection.
    pub(super) async fn close(&mut self, caller: &Caller, instance: InstanceId) -> Answer<Done> {
        self.cursors.remove(&instance);
        self.waits.remove(&instance);
        self.stop_waiting(caller, instance).await?;
        Ok(Done {})
    }

    /// Joins an instance and binds the stay to this connection.
    pub(super) async fn join(&mut self, caller: &Caller, instance: InstanceId) -> Answer<Posted> {
        let connection = self.connection.clone();
        // Bound first: if the answer is lost, the stay must still end with the connection.
        let is_new = self.bound.insert(instance);
        let joined =
            service::meeting::join(&self.state.ctx, caller, instance, Some(&connection)).await;
        if is_new && matches!(joined, Err(Error::Reject(_))) {
            self.bound.remove(&instance);
        }
        if joined.is_ok() && self.idle.published {
            // An automatic join does not mean that the user is back.
            self.idle.published = false;
            self.publish_idle().await?;
        }
        joined
    }

    /// Waits for an instance to start, or only follows its waiting list. Follows first and reads second,
    /// so that no change is lost.
    pub(super) async fn wait(&mut self, caller: &Caller, wait: Wait) -> Answer<WaitOk> {
        let Wait {
            instance,
            waiting: waits,
        } = wait;
        let known = self.waits.get(&instance).map(|(_, waiting)| *waiting);
        if known.is_none() {
            self.check_followed()?;
        }
        if waits != (known == Some(Waiting::Wait)) {
            // A renewal notifies nobody.
            self.state.ctx.count_signal(caller.user.id)?;
        }
        let subscriber = self.subscriber()?;
        let hub = &self.state.hub;
        let cursor = hub.follow_waiting(instance, &subscriber).await?;
        if !waits && subscriber.set_waiting(instance, false) {
            // The user no longer waits, on none of their terminals.
            hub.stop_waiting(caller.user.id, instance);
            let store = &self.state.ctx.store;
            store.wait(instance, &caller.user, Waiting::Stop).await?;
        }
        let waiting = if waits { Waiting::Wait } else { Waiting::Look };
        let found = service::meeting::wait(&self.state.ctx, caller, instance, waiting).await;
        if matches!(found, Err(Error::Reject(_))) {
            self.waits.remove(&instance);
            subscriber.set_waiting(instance, false);
        }
        let found = found?;
        subscriber.set_waiting(instance, waits);
        self.waits.insert(instance, (cursor, waiting));
        Ok(found)
    }

    /// Renews the entries in the waiting lists. Drops instances that have started or that the user can
    /// no longer see.
    pub(super) async fn renew_waits(&mut self, caller: &Caller) -> Answer<()> {
        let subscriber = self.subscriber()?;
        let store = self.state.ctx.store.clone();
        let waits = self.waits.iter().map(|(id, (_, waiting))| (*id, *waiting));
        let waits: Vec<(InstanceId, Waiting)> = waits.collect();
        for (instance, waiting) in waits {
            match store.wait(instance, &caller.user, waiting).await {
                Ok(_) => {}
                Err(Error::Reject(_)) => {
                    self.waits.remove(&instance);
                    subscriber.set_waiting(instance, false);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Removes the user from the waiting list, unless another of their connections waits.
    async fn stop_waiting(&mut self, caller: &Caller, instance: InstanceId) -> Answer<()> {
        let was_waiting = self.subscriber()?.set_waiting(instance, false);
        if was_waiting && !self.state.hub.is_waiting(caller.user.id, instance) {
            let store = &self.state.ctx.store;
            store.wait(instance, &caller.user, Waiting::Stop).await?;
        }
        Ok(())
    }

    fn check_followed(&self) -> Result<(), Error> {
        if self.cursors.len() + self.waits.len() >= FOLLOWED_MAX {
            return Err(Code::TooManyFollowed.into());
        }
        Ok(())
    }
}
