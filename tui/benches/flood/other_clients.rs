//! The other clients: how to start each and join a channel.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use plenary_testkit::{Pty, PtyOptions};
use tempfile::TempDir;

use crate::irc_server::IrcServer;
use crate::{CALM, Flood, measured};

/// Another client.
pub struct OtherClient {
    /// The name of its program.
    pub name: &'static str,
    /// Writes its configuration and returns its arguments.
    prepare: fn(&Path, u16) -> Vec<String>,
}

/// All other clients.
pub const OTHERS: [OtherClient; 2] = [
    OtherClient {
        name: "weechat",
        prepare: weechat,
    },
    OtherClient {
        name: "irssi",
        prepare: irssi,
    },
];

impl OtherClient {
    /// Returns the path of its program if it is installed.
    pub fn path(&self) -> Option<PathBuf> {
        let paths = std::env::var_os("PATH")?;
        let mut found = std::env::split_paths(&paths).map(|path| path.join(self.name));
        found.find(|path| path.is_file())
    }

    /// Measures a flood.
    pub fn flood(&self) -> Flood {
        let home = TempDir::new().expect("a directory");
        let irc = IrcServer::start();
        let options = PtyOptions {
            args: (self.prepare)(home.path(), irc.port()),
            env: vec![
                ("HOME".into(), home.path().display().to_string()),
                ("TERM".into(), "xterm-256color".into()),
                ("LANG".into(), "C.UTF-8".into()),
            ],
            ..PtyOptions::sized(120, 36)
        };
        let program = self.path().expect("it was there");
        let mut pty = Pty::program(&program, home.path(), &options);
        pty.wait("the welcome", |screen| screen.contains("Welcome"));
        pty.send("/join #flood\r");
        pty.wait("the others", |screen| screen.contains("margaret"));
        thread::sleep(CALM);
        measured(&pty, || irc.flood())
    }
}

/// Disables logs and scripts, since plenary does not log messages either.
fn weechat(home: &Path, port: u16) -> Vec<String> {
    fs::write(home.join("weechat.conf"), "[plugin]\nautoload = \"irc\"\n").expect("written");
    let set = format!("/server add f 127.0.0.1/{port} -notls -notssl; /connect f");
    vec!["-d".into(), home.display().to_string(), "-r".into(), set]
}

fn irssi(home: &Path, port: u16) -> Vec<String> {
    let home = format!("--home={}", home.display());
    let port = port.to_string();
    ["-c", "127.0.0.1", "-p", &port, "-n", "ada", &home]
        .map(str::to_owned)
        .to_vec()
}
