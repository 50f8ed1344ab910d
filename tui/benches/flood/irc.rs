//! As much of an IRC server as a client needs to be flooded by it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::{LINES, line, who};

/// Lines of one write.
const TOGETHER: u64 = 100;

/// The server; one client comes.
pub struct Irc {
    port: u16,
    floods: Sender<()>,
}

impl Irc {
    /// On a free port of loopback.
    pub fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (floods, begins) = mpsc::channel();
        thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            let reading = stream.try_clone().expect("a socket");
            thread::spawn(move || answer(reading));
            flood(stream, &begins);
        });
        Self { port, floods }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Begins the flood.
    pub fn flood(&self) {
        self.floods.send(()).expect("a client is there");
    }
}

fn flood(mut stream: TcpStream, begins: &Receiver<()>) {
    if begins.recv().is_err() {
        return;
    }
    for first in (1..=LINES).step_by(usize::try_from(TOGETHER).expect("small")) {
        let numbers = first..(first + TOGETHER).min(LINES + 1);
        let said =
            numbers.map(|n| format!(":{0}!{0}@host PRIVMSG #flood :{1}\r\n", who(n), line(n)));
        // A client that went has seen enough.
        if stream
            .write_all(said.collect::<String>().as_bytes())
            .is_err()
        {
            return;
        }
    }
    // Open until the client goes.
    let _ = begins.recv();
}

fn answer(stream: TcpStream) {
    let mut writing = stream.try_clone().expect("a socket");
    for said in BufReader::new(stream).lines().map_while(Result::ok) {
        let mut words = said.split(' ');
        let answer = match (words.next().unwrap_or_default(), words.next()) {
            ("CAP", Some("LS")) => ":s CAP * LS :\r\n".to_owned(),
            ("USER", _) => ":s 001 ada :Welcome\r\n:s 376 ada :End of MOTD\r\n".to_owned(),
            ("PING", token) => format!(":s PONG s {}\r\n", token.unwrap_or_default()),
            ("JOIN", Some(channel)) => format!(
                ":ada!ada@host JOIN {channel}\r\n:s 353 ada = {channel} :ada grace linus barbara \
                 margaret ken radia\r\n:s 366 ada {channel} :End of NAMES\r\n"
            ),
            _ => continue,
        };
        if writing.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
