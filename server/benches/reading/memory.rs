//! Measures the memory of a real server that serves the database to many readers.

use std::fs;

use futures_util::future::join_all;
use plenary_shared::protocol::{Events, EventsOk, MessagesOk, Open, OpenOk, UserMessages, Verb};
use plenary_testkit::{Server, Ws};
use tokio::runtime::Runtime;

use crate::archive::{Archive, token};
use crate::{OF_PERSON, PAGE, Room};

/// Pages that each reader goes back.
const PAGES: usize = 10;

/// The server's limit, in MB.
const LIMIT_MB: f64 = 100.0;

/// Starts a server on the database and lets a user read in every active meeting over WebSocket, all
/// at once. Returns whether the memory stayed below the limit.
pub fn serve(runtime: &Runtime, archive: &Archive) -> bool {
    let server = Server::embedded_in(&archive.directory, &[]);
    println!(
        "\n{:<58}{:>10}{:>10}",
        "MB of plenary-server", "now", "peak"
    );
    tell(&server, "started");
    let rooms: Vec<&Room> = [&archive.large]
        .into_iter()
        .chain(&archive.active)
        .collect();
    let peak_mb = runtime.block_on(async {
        let url = server.url();
        let mut readers = join_all(rooms.iter().map(|room| Reader::open(&url, room))).await;
        let what = format!("{} readers, each has opened a meeting", readers.len());
        tell(&server, &what);
        join_all(readers.iter_mut().map(Reader::page)).await;
        let peak_mb = tell(&server, &format!("each has gone back {PAGES} pages"));
        for reader in readers {
            reader.ws.close().await;
        }
        peak_mb
    });
    let small = peak_mb < LIMIT_MB;
    if !small {
        println!("TOO MUCH: at most {LIMIT_MB} MB are promised");
    }
    small
}

/// A user who reads in one meeting.
struct Reader<'a> {
    room: &'a Room,
    ws: Ws,
    /// What it read first.
    first: OpenOk,
}

impl<'a> Reader<'a> {
    async fn open(url: &str, room: &'a Room) -> Self {
        let mut ws = Ws::hello(url, &token(room.people[0].id)).await;
        let open = Open {
            instance: room.here,
            limit: PAGE,
        };
        let opened = ws.ask_as(Verb::Open(open)).await;
        Self {
            room,
            ws,
            first: opened.expect("may be opened"),
        }
    }

    /// Goes back some pages, and reads one user's messages.
    async fn page(&mut self) {
        let mut before = self.first.events[0].seq;
        for _ in 0..PAGES {
            let events = Events {
                instance: self.room.here,
                after: None,
                before: Some(before),
                limit: PAGE,
            };
            let page: EventsOk = self.ws.ask_as(Verb::Events(events)).await.expect("a page");
            assert_eq!(page.events.len(), PAGE);
            before = page.events[0].seq;
        }
        let words = UserMessages {
            instance: self.room.here,
            user: self.room.people[0].id,
            after: None,
            before: None,
            limit: OF_PERSON,
        };
        let words: MessagesOk = self
            .ws
            .ask_as(Verb::UserMessages(words))
            .await
            .expect("words");
        assert!(!words.messages.is_empty());
    }
}

/// Prints the current and the peak memory. Returns the peak.
fn tell(server: &Server, when: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid()));
    let status = status.expect("this needs Linux with /proc");
    let mb = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kb = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kb: f64 = kb.and_then(|kb| kb.parse().ok()).expect("a number of kB");
        kb * 1_024.0 / 1e6
    };
    let (now, peak) = (mb("VmRSS:"), mb("VmHWM:"));
    println!("{when:<58}{now:>10.1}{peak:>10.1}");
    peak
}
