//! A reader that stops reading and later continues: it must receive everything once and in order.

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use plenary_shared::ids::{Generation, Seq};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::{Events, EventsOk, Open, OpenOk, Position, Push, ResumeMode, Verb};

use crate::line::Line;
use crate::place::{Place, here};

/// The receive buffer of this reader.
const RECEIVE_BYTES: u32 = 8 * 1024;

/// How long it may take until the buffers are full.
const STUCK: Duration = Duration::from_secs(20);

/// A reader that reads only when told to.
pub struct Reader {
    line: Line,
    person: usize,
    generation: Generation,
    last: Seq,
}

/// How it received what it had missed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Over the same connection.
    ReadOn,
    /// Over a new connection, on which the events were resumed.
    Resumed,
    /// Over a new connection, on which it read the log.
    Read,
}

impl How {
    pub fn came_again(self) -> bool {
        match self {
            Self::ReadOn => false,
            Self::Resumed | Self::Read => true,
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadOn => "everything came over the same connection, once",
            Self::Resumed => "everything came over a new connection, once",
            Self::Read => "everything was read over a new connection, once",
        })
    }
}

impl Reader {
    /// Follows the meeting, and reads nothing from now on.
    pub async fn begin(place: &Place, person: usize) -> Self {
        let (mut line, _) = connect(place, person, Some(RECEIVE_BYTES), vec![]).await;
        let open = Open {
            instance: here(),
            limit: 1,
        };
        let opened: OpenOk = line.ask(Verb::Open(open)).await;
        Self {
            line,
            person,
            generation: opened.generation,
            last: opened.seq,
        }
    }

    /// Waits until the buffers are full.
    pub async fn until_stuck(&self) {
        let end = Instant::now() + STUCK;
        while self.waiting_bytes() == 0 {
            assert!(Instant::now() < end, "its window does not fill");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Bytes that the kernel holds for it on the server's side.
    pub fn waiting_bytes(&self) -> u64 {
        let ours = self.line.stream.get_ref().local_addr().expect("a port");
        let theirs = self.line.stream.get_ref().peer_addr().expect("a port");
        let (ours, theirs) = (
            format!(":{:04X}", ours.port()),
            format!(":{:04X}", theirs.port()),
        );
        let table = fs::read_to_string("/proc/net/tcp");
        let table = table.expect("this needs Linux with /proc/net");
        let queue = table.lines().skip(1).find_map(|row| {
            let words: Vec<&str> = row.split_whitespace().collect();
            let is_it = words[1].ends_with(&theirs) && words[2].ends_with(&ours);
            is_it.then(|| words[4].split(':').next().map(str::to_owned))?
        });
        let bytes = queue.and_then(|hex| u64::from_str_radix(&hex, 16).ok());
        bytes.unwrap_or_default()
    }

    /// Reads everything posted until now; each message must come once and in order.
    pub async fn read_on(&mut self, place: &Place) -> How {
        let (mut other, _) = connect(place, self.person, None, vec![]).await;
        let open = Open {
            instance: here(),
            limit: 1,
        };
        let upto = other.ask::<OpenOk>(Verb::Open(open)).await.seq;
        drop(other);
        let mut how = How::ReadOn;
        while self.last < upto {
            match self.line.push().await {
                Some(Push::Event(event)) => self.take(event.seq),
                Some(
                    Push::Durable(_)
                    | Push::Changed(_)
                    | Push::Read(_)
                    | Push::Typing(_)
                    | Push::Waiting(_)
                    | Push::Presence(_)
                    | Push::Dashboard(_)
                    | Push::Detail(_),
                ) => {}
                Some(Push::Fence(_)) => panic!("nothing was lost here"),
                None => how = self.come_again(place).await,
            }
        }
        how
    }

    async fn come_again(&mut self, place: &Place) -> How {
        let position = Position {
            instance: here(),
            generation: self.generation,
            seq: self.last,
        };
        let (line, mode) = connect(place, self.person, None, vec![position]).await;
        self.line = line;
        if mode == Some(ResumeMode::Delta) {
            return How::Resumed;
        }
        let open = Open {
            instance: here(),
            limit: 1,
        };
        let upto = self.line.ask::<OpenOk>(Verb::Open(open)).await.seq;
        while self.last < upto {
            let page = Events {
                instance: here(),
                after: Some(self.last),
                before: None,
                limit: PAGE_MAX,
            };
            let page: EventsOk = self.line.ask(Verb::Events(page)).await;
            for event in page.events {
                // Events after the open are pushed as well.
                if event.seq <= upto {
                    self.take(event.seq);
                }
            }
        }
        How::Read
    }

    fn take(&mut self, seq: Seq) {
        assert_eq!(seq, self.last.next(), "in order, without a gap");
        self.last = seq;
    }
}

async fn connect(
    place: &Place,
    person: usize,
    receive_bytes: Option<u32>,
    resume: Vec<Position>,
) -> (Line, Option<ResumeMode>) {
    let (url, token) = (place.server().url(), &place.tokens[person]);
    let (line, hello) = Line::connect(&url, token, receive_bytes, resume).await;
    (line, hello.resumed.first().map(|resumed| resumed.mode))
}
