//! Sending events: pulls what the cursors have, and reads from the log what has left the ring.

use std::time::Duration;

use plenary_shared::domain::Role;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::Close;
use tokio::time::Instant;

use super::socket::Socket;
use super::wire::{End, Wire};
use crate::hub::{Cursor, Pull};
use crate::metrics::Stage;
use crate::store::Store;

/// Size of a frame of events, in bytes: small enough for a small window, large enough to save system
/// calls.
const FRAME_BYTES_MAX: usize = 16 * 1024;

/// Frames of events that are sent before requests are handled again.
const FRAMES_PER_TURN_MAX: usize = 8;

/// Events per read from the log, for a reader who is behind.
const BEHIND_EVENTS_MAX: usize = 200;

/// How far one cursor was sent.
enum Sent {
    All,
    /// The turn has no frames left.
    More,
    /// The cursor is void.
    Fenced,
}

impl Socket {
    /// Sends the pending events of all cursors. Returns whether there are more.
    pub(super) async fn send_events(&mut self, wire: &mut Wire) -> Result<bool, End> {
        let metrics = self.state.ctx.metrics.clone();
        let began = Instant::now();
        let mut out = String::new();
        let mut frames = 0;
        let mut fenced = Vec::new();
        let mut oldest = Vec::new();
        let mut more = false;
        for (instance, cursor) in &mut self.cursors {
            let first = cursor.seq();
            let store = &*self.state.ctx.store;
            match send_from(cursor, store, wire, &mut out, &mut frames).await? {
                Sent::All => {}
                Sent::More => more = true,
                Sent::Fenced => fenced.push(*instance),
            }
            let sent = cursor.seq().get().saturating_sub(first.get());
            metrics.deliveries.inc_by(sent);
            oldest.extend(cursor.take_oldest());
        }
        for instance in fenced {
            self.cursors.remove(&instance);
        }
        if !out.is_empty() {
            wire.lines(out).await?;
        }
        metrics.observe_stage(Stage::Send, began.elapsed());
        let now = self.state.ctx.now();
        for timestamp in oldest {
            let took = u64::try_from(now.ms_since(timestamp)).unwrap_or(0);
            metrics.record_delivery(Duration::from_millis(took));
        }
        if !more {
            self.unfollow_banned();
        }
        Ok(more)
    }

    /// Stops following the instances that the user was banned from. The events that say so were sent.
    fn unfollow_banned(&mut self) {
        let banned = std::mem::take(&mut self.banned);
        let caller = self.caller.as_ref();
        if caller.is_some_and(|caller| caller.user.role == Role::Admin) {
            // Admins may read all meetings.
            return;
        }
        for instance in banned {
            self.cursors.remove(&instance);
            self.bound.remove(&instance);
        }
    }
}

async fn send_from(
    cursor: &mut Cursor,
    store: &dyn Store,
    wire: &mut Wire,
    out: &mut String,
    frames: &mut usize,
) -> Result<Sent, End> {
    loop {
        match cursor.pull(out, FRAME_BYTES_MAX) {
            Pull::CaughtUp => return Ok(Sent::All),
            Pull::Fenced => return Ok(Sent::Fenced),
            Pull::More => send_frame(wire, out, frames).await?,
            Pull::Behind => send_behind(cursor, store, wire, out, frames).await?,
        }
        if *frames >= FRAMES_PER_TURN_MAX {
            return Ok(Sent::More);
        }
    }
}

async fn send_frame(wire: &mut Wire, out: &mut String, frames: &mut usize) -> Result<(), End> {
    *frames += 1;
    wire.lines(std::mem::take(out)).await
}

/// Sends events that have left the ring, as many as the turn has frames for. If the log lacks them too,
/// the client has to resume.
async fn send_behind(
    cursor: &mut Cursor,
    store: &dyn Store,
    wire: &mut Wire,
    out: &mut String,
    frames: &mut usize,
) -> Result<(), End> {
    let instance: InstanceId = cursor.instance();
    let after = cursor.seq();
    let events = store.backfill(instance, after, BEHIND_EVENTS_MAX).await;
    let events = events.map_err(|error| {
        tracing::debug!(%instance, %error, "reading the log failed, the client has to resume");
        End::from(Close::TooSlow)
    })?;
    let mut rest = events.as_slice();
    loop {
        let taken = cursor.push(out, rest, FRAME_BYTES_MAX);
        rest = &rest[taken..];
        if !out.is_empty() {
            send_frame(wire, out, frames).await?;
        }
        if rest.is_empty() || *frames >= FRAMES_PER_TURN_MAX {
            break;
        }
    }
    if rest.is_empty() && cursor.seq() == after {
        return Err(Close::TooSlow.into());
    }
    Ok(())
}
