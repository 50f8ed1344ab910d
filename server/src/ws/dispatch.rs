//! The verbs: each calls a service, and updates the state of the connection.

use std::time::Duration;

use plenary_shared::domain::{Code, Reject, Role};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::{FOLLOWED_MAX, IDLE_AFTER_MS, IDLE_EVERY_MS, TYPING_EVERY_MS};
use plenary_shared::protocol::{
    Done, Explain, Hello, HelloOk, Idle, MarkRead, Resumed, TerminalsOk, Verb, Watch,
};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::ctx::Caller;
use crate::error::{Answer, Fault};
use crate::rules;
use crate::service;
use crate::store::ReadPosition;
use crate::store::dashboard::Holder;

use super::socket::Socket;

impl Socket {
    /// Runs a verb and returns the serialised answer. Posts do not come here: they run in parallel.
    pub(super) async fn dispatch(&mut self, verb: Verb) -> Answer<Box<RawValue>> {
        if let Verb::Hello(hello) = verb {
            return json(&self.hello(hello).await?);
        }
        let caller = self.current_caller().await?;
        let ctx = self.state.ctx.clone();
        match verb {
            Verb::Hello(_) | Verb::Post(_) => {
                Err(Fault::broken("dispatching", "a verb with its own path").into())
            }
            Verb::Meetings {} => json(&service::meeting::visible(&ctx, &caller).await?),
            Verb::Open(open) => json(&self.open(&caller, open).await?),
            Verb::Close(instance) => json(&self.close(&caller, instance).await?),
            Verb::Join(instance) => json(&self.join(&caller, instance).await?),
            Verb::Leave(instance) => json(&service::meeting::leave(&ctx, &caller, instance).await?),
            Verb::Edit(edit) => json(&service::chat::edit(&ctx, &caller, edit).await?),
            Verb::Delete(delete) => json(&service::chat::delete(&ctx, &caller, delete).await?),
            Verb::Read(read) => json(&self.read(&caller, read).await?),
            Verb::Typing(instance) => json(&self.typing(&caller, instance).await?),
            Verb::Idle(idle) => json(&self.idle(idle).await?),
            Verb::Wait(wait) => json(&self.wait(&caller, wait).await?),
            Verb::Moderate(request) => {
                json(&service::moderation::moderate(&ctx, &caller, request).await?)
            }
            Verb::Plan(plan) => json(&service::schedule::plan(&ctx, &caller, plan).await?),
            Verb::Watch(watch) => json(&self.watch(&caller, watch)?),
            Verb::Explain(Explain { instance, email }) => {
                json(&service::user_admin::explain(&ctx, &caller, instance, &email).await?)
            }
            Verb::Search(search) => json(&service::search::search(&ctx, &caller, search).await?),
            Verb::Events(events) => json(&service::chat::events(&ctx, &caller, events).await?),
            Verb::Participants(instance) => {
                let mut list = service::meeting::participants(&ctx, &caller, instance).await?;
                list.absent = service::meeting::absent(&ctx, &caller, instance).await;
                json(&list)
            }
            Verb::Terminals {} => json(&self.terminals(&caller).await?),
            Verb::JoinTimes {} => json(&service::meeting::join_times(&ctx, &caller).await?),
            Verb::UserMessages(request) => {
                json(&service::chat::user_messages(&ctx, &caller, request).await?)
            }
        }
    }

    /// Returns the caller. The role of an admin is read again, so that a demoted admin has lost it even if
    /// the notification is still under way.
    async fn current_caller(&mut self) -> Answer<Caller> {
        let caller = self.caller()?;
        if caller.user.role != Role::Admin {
            return Ok(caller);
        }
        let ctx = &self.state.ctx;
        let Some(session) = ctx.store.session(caller.session, ctx.now()).await? else {
            return Err(Code::NotSignedIn.into());
        };
        let user = session.user;
        if user.role != Role::Admin {
            self.watching = None;
        }
        let caller = Caller { user, ..caller };
        self.caller = Some(caller.clone());
        Ok(caller)
    }

    async fn hello(&mut self, hello: Hello) -> Answer<HelloOk> {
        if self.caller.is_some() {
            let detail = "This connection is signed in already; open another connection.";
            return Err(Reject::new(Code::Malformed, detail).into());
        }
        if hello.resume.len() > FOLLOWED_MAX {
            return Err(Code::TooManyFollowed.into());
        }
        let peer = Some(self.client.peer);
        let ctx = &self.state.ctx;
        let caller = service::account::authenticate_from(ctx, &hello.token, peer).await?;
        self.sign_in(caller.clone())?;
        // Finds a session that ended after the first check, but before the hub knew the connection.
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

    /// Lists the instances that another connection of the user, on any server, holds a stay in.
    async fn terminals(&self, caller: &Caller) -> Answer<TerminalsOk> {
        let instances: Vec<InstanceId> = self.bound.iter().copied().collect();
        let holders = self.state.ctx.store.holders(&instances).await?;
        let own = self.connection.to_string();
        let is_other =
            |held: &Holder| held.user == caller.user.id && !held.lost && held.connection != own;
        let elsewhere = instances.into_iter().zip(holders);
        let elsewhere = elsewhere.filter(|(_, holders)| holders.iter().any(is_other));
        Ok(TerminalsOk {
            elsewhere: elsewhere.map(|(instance, _)| instance).collect(),
        })
    }

    /// Stores the read position. The user's connections to this server learn it at once, those to other
    /// servers within a second.
    async fn read(&mut self, caller: &Caller, read: MarkRead) -> Answer<Done> {
        let (user, instance) = (caller.user.id, read.instance);
        let seq = service::chat::read(&self.state.ctx, caller, read).await?;
        self.state.hub.publish_read(ReadPosition {
            user,
            instance,
            seq,
        });
        Ok(Done {})
    }

    /// Publishes that the user is typing, at most once in [`TYPING_EVERY_MS`].
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

    /// Publishes the idle state, at most once in [`IDLE_EVERY_MS`]. The next check publishes the rest.
    async fn idle(&mut self, idle: Idle) -> Answer<Done> {
        self.idle.reported = idle.idle;
        let window = Duration::from_millis(IDLE_EVERY_MS.unsigned_abs());
        let last = self.idle.published_at;
        if last.is_none_or(|at| Instant::now() >= at + window) {
            self.publish_idle().await?;
        }
        Ok(Done {})
    }

    /// Publishes the idle state to the followers of the instances that the user has joined, if it has
    /// changed.
    pub(super) async fn publish_idle(&mut self) -> Answer<()> {
        if self.idle.reported == self.idle.published {
            return Ok(());
        }
        let idle_ms = self.idle.reported.then_some(IDLE_AFTER_MS);
        for instance in &self.bound {
            let ctx = &self.state.ctx;
            service::meeting::idle(ctx, *instance, &self.connection, idle_ms).await?;
        }
        self.idle.published = self.idle.reported;
        self.idle.published_at = Some(Instant::now());
        Ok(())
    }

    /// Starts, changes or stops watching the dashboard.
    fn watch(&mut self, caller: &Caller, watch: Watch) -> Answer<Done> {
        rules::admin(&caller.user)?;
        if watch.stop {
            self.watching = None;
            return Ok(Done {});
        }
        let subscriber = self.subscriber()?;
        let dashboard = &self.state.dashboard;
        let watching = self
            .watching
            .get_or_insert_with(|| dashboard.watch(subscriber));
        watching.look_into(watch.instance)?;
        Ok(Done {})
    }
}

fn json<T: Serialize>(value: &T) -> Answer<Box<RawValue>> {
    serde_json::value::to_raw_value(value)
        .map_err(|error| Fault::broken("serialising an answer", error).into())
}
