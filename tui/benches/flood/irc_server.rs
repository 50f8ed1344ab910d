//! A minimal IRC server for a flood.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::{LINES, author, line};

/// The number of lines per write.
const BATCH: u64 = 100;

/// A server for one client.
pub struct IrcServer {
    port: u16,
    floods: Sender<()>,
}

impl IrcServer {
    /// Starts on a free port of the loopback interface.
    pub fn start() -> Self {
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

    /// Starts the flood.
    pub fn flood(&self) {
        self.floods.send(()).expect("a client is there");
    }
}

fn flood(mut stream: TcpStream, begins: &Receiver<()>) {
    if begins.recv().is_err() {
        return;
    }
    for first in (1..=LINES).step_by(usize::try_from(BATCH).expect("small")) {
        let numbers = first..(first + BATCH).min(LINES + 1);
        let lines =
            numbers.map(|n| format!(":{0}!{0}@host PRIVMSG #flood :{1}\r\n", author(n), line(n)));
        // The client may have quit.
        if stream
            .write_all(lines.collect::<String>().as_bytes())
            .is_err()
        {
            return;
        }
    }
    // Keeps the connection open until the client quits.
    let _ = begins.recv();
}

fn answer(stream: TcpStream) {
    let mut writing = stream.try_clone().expect("a socket");
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let mut words = line.split(' ');
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
