//! The chat that is running beside the loads: one member posts, another receives, and every message is timed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plenary_shared::domain::EventKind;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::Push;
use plenary_testkit::{Http, Server, Ws, until_async};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Times;

/// Time between two messages, in milliseconds.
const EVERY_MS: u64 = 50;

/// A running chat.
pub struct Chat {
    times: Arc<Mutex<Times>>,
    posting: JoinHandle<()>,
    receiving: JoinHandle<()>,
}

/// The meeting of the chat, created on a new server.
pub async fn meeting(server: &Server) -> InstanceId {
    let add = ["meeting", "add", "--title", "Talk", "--public", "--json"];
    let meeting = server.cli(&add).json()["meetingID"].to_string();
    let from_now = [
        "meeting", "schedule", &meeting, "--from", "now", "--for", "3h",
    ];
    server.cli(&from_now).ok();
    let http = Http::with_token(&server.url(), &server.token("ada@example.org"));
    until_async("the meeting to start", async || {
        let at = format!("/meeting/{meeting}/order/1");
        (http.get(&at).await.body["state"] == "active").then_some(())
    })
    .await;
    format!("{meeting}/1").parse().expect("an instance")
}

impl Chat {
    /// Starts a chat of Ada and Bob.
    pub async fn start(server: &Server) -> Self {
        let here = meeting(server).await;
        let mut ada = Ws::hello(&server.url(), &server.token("ada@example.org")).await;
        let mut bob = Ws::hello(&server.url(), &server.token("bob@example.org")).await;
        for member in [&mut ada, &mut bob] {
            member.join(here).await.expect("it is public");
        }
        bob.open(here).await.expect("it is public");
        let times = Arc::new(Mutex::new(Times::default()));
        let began = Instant::now();
        let posting = tokio::spawn(async move {
            let mut turn = interval(Duration::from_millis(EVERY_MS));
            turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                turn.tick().await;
                let body = began.elapsed().as_micros().to_string();
                ada.post(here, &body).await.expect("ada may post");
            }
        });
        let received = times.clone();
        let receiving = tokio::spawn(async move {
            loop {
                let push = bob.try_next().await.expect("bob is connected");
                let Push::Event(event) = push else { continue };
                let EventKind::Message { body, .. } = event.kind else {
                    continue;
                };
                let sent = body.as_str().parse().map(Duration::from_micros);
                let took = began.elapsed().saturating_sub(sent.expect("a time"));
                received
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(took);
            }
        });
        Self {
            times,
            posting,
            receiving,
        }
    }

    /// Takes the delivery times since the last call.
    pub fn take_times(&self) -> Times {
        std::mem::take(&mut *self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the chat. Fails if a member could not take part until now.
    pub async fn stop(self) {
        for task in [self.posting, self.receiving] {
            assert!(!task.is_finished(), "a member was disconnected");
            task.abort();
            // Cancelled on purpose.
            let _ = task.await;
        }
    }
}
