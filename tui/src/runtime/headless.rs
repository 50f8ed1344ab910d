//! The same program without a screen: state, connection, outbox and files, told what a person does
//! and asked what they would see. For programs and tests that talk as people do.

use std::io::Write as _;
use std::time::{Duration, SystemTime};

use plenary_shared::ids::Cmid;
use plenary_shared::text::for_terminal;
use tokio::time::Instant;

use super::outside::{Next, OnScreen, Outside};
use super::{LaunchOptions, now};
use crate::model::Model;
use crate::msg::{AppEvent, Msg};
use crate::net::LinkEvent;
use crate::update::update;

/// The screen that it would have: wide enough for nothing to be left out.
const SIZE: (u16, u16) = (120, 36);

/// The program. Dropped, it ends as if it had been killed.
pub struct Headless {
    model: Model,
    outside: Outside,
    is_over: bool,
    wall_clock: fn() -> SystemTime,
    new_id: fn() -> uuid::Uuid,
}

impl Headless {
    /// Begins, and connects if somebody is signed in. Must be called within a tokio runtime; the
    /// process must have a crypto provider.
    pub fn open(opening: &LaunchOptions) -> Self {
        let mut program = Self {
            model: opening.model(SIZE, None),
            outside: Outside::new(opening),
            is_over: false,
            wall_clock: opening.wall_clock,
            new_id: opening.new_id,
        };
        program.tell(AppEvent::Started);
        program
    }

    /// All that it knows.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Whether it wants to end.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Tells it that something happened, such as a key.
    pub fn tell(&mut self, event: AppEvent) {
        let msg = Msg {
            now: now(self.wall_clock),
            spare: Cmid((self.new_id)()),
            event,
        };
        for effect in update(&mut self.model, msg) {
            // There is no screen, and whoever holds this ends it.
            if let Some(OnScreen::Quit) = self.outside.carry_out(&self.model.server, effect) {
                self.is_over = true;
            }
        }
    }

    /// Waits for what comes next and works it in. Dropping it loses nothing.
    pub async fn next(&mut self) {
        let wake_ms = self.model.next_tick_at().plus_ms(-self.model.skew_ms);
        let wait_ms = wake_ms.ms_since(now(self.wall_clock)).max(0);
        let wake = Instant::now() + Duration::from_millis(wait_ms.unsigned_abs());
        let next = tokio::select! {
            next = self.outside.next() => next,
            () = tokio::time::sleep_until(wake) => Next::AppEvent(AppEvent::Tick),
        };
        match next {
            Next::Told(told) => {
                if matches!(told, LinkEvent::Closed { .. }) {
                    self.outside.forget_unsent();
                }
                self.tell(AppEvent::Link(told));
            }
            Next::AppEvent(event) => self.tell(event),
            Next::Sent => {}
        }
    }

    /// Ends in good order.
    pub async fn close(self) {
        for text in self.outside.end().await {
            // If nobody reads it, there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "plenary: {}", for_terminal(&text));
        }
    }
}

impl std::fmt::Debug for Headless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Headless").finish_non_exhaustive()
    }
}
