//! The program without a screen, driven by code: for line mode, tests and simulations.

use std::time::SystemTime;

use plenary_shared::ids::Cmid;

use super::effects::{Effects, Next, ScreenEffect};
use super::{LaunchOptions, now, print_notes, wake_at};
use crate::model::Model;
use crate::msg::{AppEvent, Msg};
use crate::update::update;

/// The size of the virtual screen in columns and rows, wide enough to show everything.
const SIZE: (u16, u16) = (120, 36);

/// The program. Dropping it is like killing the process.
pub struct Headless {
    model: Model,
    effects: Effects,
    has_quit: bool,
    wall_clock: fn() -> SystemTime,
    new_id: fn() -> uuid::Uuid,
}

impl Headless {
    /// Starts the program. It connects if there is a login token.
    ///
    /// Must be called within a tokio runtime. The process must have a rustls crypto provider
    /// installed.
    pub fn open(options: &LaunchOptions) -> Self {
        let mut program = Self {
            model: options.model(SIZE, None),
            effects: Effects::new(options),
            has_quit: false,
            wall_clock: options.wall_clock,
            new_id: options.new_id,
        };
        program.tell(AppEvent::Started);
        program
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Returns whether the program has quit.
    pub fn has_quit(&self) -> bool {
        self.has_quit
    }

    /// Updates the model with an event.
    pub fn tell(&mut self, event: AppEvent) {
        let msg = Msg {
            now: now(self.wall_clock),
            spare: Cmid((self.new_id)()),
            event,
        };
        for effect in update(&mut self.model, msg) {
            // Other effects of the screen have no meaning here.
            if let Some(ScreenEffect::Quit) =
                self.effects.execute(&self.model.session.server, effect)
            {
                self.has_quit = true;
            }
        }
    }

    /// Waits for the next event and processes it. Cancel safe.
    pub async fn next(&mut self) {
        let tick_at = wake_at(&self.model, self.wall_clock);
        let next = tokio::select! {
            next = self.effects.next() => next,
            () = tokio::time::sleep_until(tick_at) => Next::Event(AppEvent::Tick),
        };
        match next {
            Next::Link(event) => self.tell(AppEvent::Link(event)),
            Next::Event(event) => self.tell(event),
            Next::Progress => {}
        }
    }

    /// Shuts down: closes the connection and finishes writing files.
    pub async fn close(self) {
        print_notes(&self.effects.finish().await);
    }
}

impl std::fmt::Debug for Headless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Headless").finish_non_exhaustive()
    }
}
