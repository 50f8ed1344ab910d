//! What each verb does: the same services as HTTP, and what they mean for the connection.

use std::time::Duration;

use plenary_shared::domain::{Code, InstanceState};
use plenary_shared::ids::{Generation, InstanceId};
use plenary_shared::limits::{FOLLOWED_MAX, IDLE_AFTER_MS, IDLE_EVERY_MS, TYPING_EVERY_MS};
use plenary_shared::protocol::{
    Done, Explain, Hello, HelloOk, Idle, MessagesOk, Open, OpenOk, Position, Posted, PresenceTold,
    ReadUpTo, ResumeMode, Resumed, Verb, Wait, WaitOk, Watch,
};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::ctx::Caller;
use crate::error::{Answer, Error, Fault};
use crate::hub::Cursor;
use crate::rules;
use crate::service;
use crate::store::{ReadPosition, Waiting};

use super::socket::Socket;

/// Events that a resume sends by themselves; who missed more opens the instance again.
const RESUME_EVENTS_MAX: u64 = 1_000;

impl Socket {
    /// Does what is asked, except posts, which the socket runs side by side. The answer's JSON.
    pub(super) async fn obey(&mut self, verb: Verb) -> Answer<Box<RawValue>> {
        if let Verb::Hello(hello) = verb {
            return json(&self.hello(hello).await?);
        }
        let caller = self.caller()?;
        let ctx = self.state.ctx.clone();
        match verb {
            Verb::Hello(_) | Verb::Post(_) => {
                Err(Fault::broken("obeying", "a verb that is obeyed elsewhere").into())
            }
            Verb::Meetings {} => json(&service::meeting::visible(&ctx, &caller).await?),
            Verb::Open(open) => json(&self.open(&caller, open).await?),
            Verb::Close(instance) => json(&self.close(&caller, instance).await?),
            Verb::Join(instance) => json(&self.join(&caller, instance).await?),
            Verb::Leave(instance) => json(&service::meeting::leave(&ctx, &caller, instance).await?),
            Verb::Edit(edit) => json(&service::chat::edit(&ctx, &caller, edit).await?),
            Verb::Delete(delete) => json(&service::chat::delete(&ctx, &caller, delete).await?),
            Verb::Read(asked) => json(&self.read(&caller, asked).await?),
            Verb::Typing(instance) => json(&self.typing(&caller, instance).await?),
            Verb::Idle(asked) => json(&self.idle(asked).await?),
            Verb::Wait(asked) => json(&self.wait(&caller, asked).await?),
            Verb::Moderate(asked) => {
                json(&service::moderation::moderate(&ctx, &caller, asked).await?)
            }
            Verb::Plan(asked) => json(&service::schedule::plan(&ctx, &caller, asked).await?),
            Verb::Watch(asked) => json(&self.watch(&caller, asked)?),
            Verb::Explain(asked) => {
                let Explain { instance, email } = asked;
                json(&service::people::explain(&ctx, &caller, instance, &email).await?)
            }
            Verb::Search(asked) => json(&service::search::search(&ctx, &caller, asked).await?),
            Verb::Events(events) => json(&service::chat::events(&ctx, &caller, events).await?),
            Verb::People(instance) => {
                let mut people = service::meeting::people(&ctx, &caller, instance).await?;
                people.absent = service::meeting::absent(&ctx, instance).await;
                json(&people)
            }
            Verb::JoinTimes {} => json(&service::meeting::join_times(&ctx, &caller).await?),
            Verb::UserMessages(asked) => {
                let found: MessagesOk = service::chat::user_messages(&ctx, &caller, asked).await?;
                json(&found)
            }
        }
    }

    /// Who is on this connection.
    pub(super) fn caller(&self) -> Result<Caller, Error> {
        self.caller.clone().ok_or_else(|| Code::NotSignedIn.into())
    }

    async fn hello(&mut self, hello: Hello) -> Answer<HelloOk> {
        if self.caller.is_some() {
            let detail = "This connection has said hello already: open another.";
            return Err(plenary_shared::domain::Reject::new(Code::Malformed, detail).into());
        }
        if hello.resume.len() > FOLLOWED_MAX {
            return Err(Code::TooManyFollowed.into());
        }
        let caller = service::account::authenticate(&self.state.ctx, &hello.token).await?;
        self.sign_in(caller.clone());
        // Whoever ended the session before this connection could be told of it is seen now.
        service::account::authenticate(&self.state.ctx, &hello.token).await?;
        let mut resumed = Vec::with_capacity(hello.resume.len());
        for position in hello.resume {
            let mode = self.resume(&caller, position).await?;
            resumed.push(Resumed {
                instance: position.instance,
                mode,
            });
        }
        Ok(HelloOk {
            user: caller.user.id,
            name: caller.user.name,
            email: caller.user.email,
            role: caller.user.role,
            server: env!("CARGO_PKG_VERSION").to_owned(),
            now: self.state.ctx.now(),
            resumed,
        })
    }

    /// Goes on with an instance where the client was.
    async fn resume(&mut self, caller: &Caller, position: Position) -> Answer<ResumeMode> {
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
        let goes_on = opened.generation == position.generation
            && missed.is_some_and(|missed| missed <= RESUME_EVENTS_MAX);
        if !goes_on {
            return Ok(ResumeMode::Snapshot);
        }
        // What is durable is told anew: the client may have missed it.
        cursor.place(
            position.generation,
            position.seq,
            plenary_shared::ids::Seq::default(),
        );
        self.cursors.insert(position.instance, cursor);
        // What was told of it meanwhile is in no log.
        let listener = self.listener()?;
        for one in opened.people.iter().filter(|one| !one.presence.is_here()) {
            listener.note_presence(PresenceTold {
                instance: position.instance,
                user: one.id,
                state: one.presence,
                since: one.since.unwrap_or(one.joined),
            });
        }
        Ok(ResumeMode::Delta)
    }

    /// Whoever follows an instance and opens it again goes on following as before when a store does
    /// not answer; when they may not read it, they follow it no longer.
    async fn open(&mut self, caller: &Caller, open: Open) -> Answer<OpenOk> {
        let instance = open.instance;
        if !self.cursors.contains_key(&instance) {
            self.may_follow_more()?;
        }
        let followed = self.follow(caller, open).await;
        if !matches!(followed, Err(Error::Fault(_))) {
            self.cursors.remove(&instance);
        }
        let (mut opened, cursor) = followed?;
        let ctx = &self.state.ctx;
        let asked = [instance];
        let unread = service::chat::unread(ctx, caller, &asked);
        if cursor.is_some() && !opened.instance.is_public {
            let (unread, absent) = tokio::join!(unread, service::meeting::absent(ctx, instance));
            (opened.unread, opened.absent) = (unread.into_iter().next(), absent);
        } else {
            opened.unread = unread.await.into_iter().next();
        }
        if let Some(mut cursor) = cursor {
            cursor.place(opened.generation, opened.seq, opened.durable);
            self.cursors.insert(instance, cursor);
            // It has begun: nobody waits any more.
            self.waits.remove(&instance);
            self.listener()?.set_waits(instance, false);
        }
        Ok(opened)
    }

    /// Subscribes, then reads: what happens between the two is told by the cursor.
    async fn follow(&mut self, caller: &Caller, open: Open) -> Answer<(OpenOk, Option<Cursor>)> {
        let instance = open.instance;
        let listener = self.listener()?;
        let mut cursor = self.state.hub.follow(instance, &listener).await?;
        let connection = self.connection.clone();
        let is_new = self.bound.insert(instance);
        let opened = service::meeting::open(&self.state.ctx, caller, open, Some(&connection)).await;
        let holds_nothing = match &opened {
            Ok(opened) => opened.instance.joined.is_none(),
            Err(Error::Reject(_)) => true,
            // It may have been done.
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
            // It began between the two.
            cursor = self.state.hub.follow(instance, &listener).await?;
            if cursor.is_none() {
                // And has ended since: whoever asks again is told so, and nobody waits for its events.
                return Err(Code::Unavailable.into());
            }
        }
        Ok((opened, cursor))
    }

    /// Whoever is in stays in, and is shown as left once the connection is lost: it holds the stay
    /// although it does not follow.
    async fn close(&mut self, caller: &Caller, instance: InstanceId) -> Answer<Done> {
        self.cursors.remove(&instance);
        self.waits.remove(&instance);
        self.wait_no_more(caller, instance).await?;
        Ok(Done {})
    }

    fn may_follow_more(&self) -> Result<(), Error> {
        if self.cursors.len() + self.waits.len() >= FOLLOWED_MAX {
            return Err(Code::TooManyFollowed.into());
        }
        Ok(())
    }

    /// Hears of it first, then reads: what happens between the two is told.
    async fn wait(&mut self, caller: &Caller, asked: Wait) -> Answer<WaitOk> {
        let Wait { instance, waits } = asked;
        if !self.waits.contains_key(&instance) {
            self.may_follow_more()?;
        }
        let listener = self.listener()?;
        let hears = self.state.hub.hear(instance, &listener).await?;
        if !waits {
            self.wait_no_more(caller, instance).await?;
        }
        let what = if waits { Waiting::Wait } else { Waiting::Look };
        let found = self
            .state
            .ctx
            .store
            .wait(instance, &caller.user, what)
            .await;
        if matches!(found, Err(Error::Reject(_))) {
            self.waits.remove(&instance);
            listener.set_waits(instance, false);
        }
        let found = found?;
        listener.set_waits(instance, waits);
        self.waits.insert(instance, (hears, what));
        Ok(found)
    }

    /// Their other terminals may still.
    async fn wait_no_more(&mut self, caller: &Caller, instance: InstanceId) -> Answer<()> {
        let listener = self.listener()?;
        if listener.set_waits(instance, false) && !self.state.hub.waits(caller.user.id, instance) {
            let store = &self.state.ctx.store;
            store.wait(instance, &caller.user, Waiting::Stop).await?;
        }
        Ok(())
    }

    /// Says again who waits; what has begun, or may not be known any more, is heard of no longer.
    pub(super) async fn wait_again(&mut self, caller: &Caller) -> Answer<()> {
        let listener = self.listener()?;
        let all: Vec<_> = self
            .waits
            .iter()
            .map(|(id, (_, what))| (*id, *what))
            .collect();
        for (instance, what) in all {
            match self
                .state
                .ctx
                .store
                .wait(instance, &caller.user, what)
                .await
            {
                Ok(_) => {}
                Err(Error::Reject(_)) => {
                    self.waits.remove(&instance);
                    listener.set_waits(instance, false);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// The person's other terminals at this server are told at once, those at others soon.
    async fn read(&mut self, caller: &Caller, asked: ReadUpTo) -> Answer<Done> {
        let (user, instance) = (caller.user.id, asked.instance);
        let seq = service::chat::read(&self.state.ctx, caller, asked).await?;
        self.state.hub.publish_read(ReadPosition {
            user,
            instance,
            seq,
        });
        Ok(Done {})
    }

    /// What comes too soon after the last is answered, and told to nobody.
    async fn typing(&mut self, caller: &Caller, instance: InstanceId) -> Answer<Done> {
        let now = Instant::now();
        let window = Duration::from_millis(TYPING_EVERY_MS.unsigned_abs());
        self.typed.retain(|_, at| now < *at + window);
        if self.typed.contains_key(&instance) || self.typed.len() >= FOLLOWED_MAX {
            return Ok(Done {});
        }
        let done = service::chat::typing(&self.state.ctx, caller, instance).await?;
        self.typed.insert(instance, now);
        Ok(done)
    }

    /// What comes too soon after the last is told to others when it is looked at again.
    async fn idle(&mut self, asked: Idle) -> Answer<Done> {
        self.idle.wanted = asked.idle;
        let window = Duration::from_millis(IDLE_EVERY_MS.unsigned_abs());
        if self.idle.at.is_none_or(|at| Instant::now() >= at + window) {
            self.tell_idle().await?;
        }
        Ok(Done {})
    }

    /// Tells whoever follows what this connection's person is in whether they use it.
    pub(super) async fn tell_idle(&mut self) -> Answer<()> {
        if self.idle.wanted == self.idle.passed_on {
            return Ok(());
        }
        let idle_ms = self.idle.wanted.then_some(IDLE_AFTER_MS);
        for instance in &self.bound {
            let ctx = &self.state.ctx;
            service::meeting::idle(ctx, *instance, &self.connection, idle_ms).await?;
        }
        self.idle.passed_on = self.idle.wanted;
        self.idle.at = Some(Instant::now());
        Ok(())
    }

    /// Whoever watches already goes on as before.
    fn watch(&mut self, caller: &Caller, asked: Watch) -> Answer<Done> {
        rules::admin(&caller.user)?;
        if asked.stop {
            self.watching = None;
            return Ok(Done {});
        }
        let listener = self.listener()?;
        let board = &self.state.board;
        let watching = self.watching.get_or_insert_with(|| board.watch(listener));
        watching.look_into(asked.instance)?;
        Ok(Done {})
    }

    async fn join(&mut self, caller: &Caller, instance: InstanceId) -> Answer<Posted> {
        let connection = self.connection.clone();
        // Bound before it is known: if the answer is lost, the stay must not outlive the socket.
        let is_new = self.bound.insert(instance);
        let joined =
            service::meeting::join(&self.state.ctx, caller, instance, Some(&connection)).await;
        if is_new && matches!(joined, Err(Error::Reject(_))) {
            self.bound.remove(&instance);
        }
        if joined.is_ok() && self.idle.passed_on {
            // It joined by itself: they are not there for this one either.
            self.idle.passed_on = false;
            self.tell_idle().await?;
        }
        joined
    }
}

fn json<T: Serialize>(value: &T) -> Answer<Box<RawValue>> {
    serde_json::value::to_raw_value(value)
        .map_err(|error| Fault::broken("writing an answer", error).into())
}
