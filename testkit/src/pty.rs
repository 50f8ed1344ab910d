//! The real `plenary` in a pty: tests type keys and read the screen.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::client::Client;
use crate::process::binary;
use crate::wait::{DEADLINE, until};

/// Lines kept above the screen: none, because the client is full-screen.
const SCROLLBACK_LINES: usize = 0;

/// How the client is started.
#[derive(Clone, Debug)]
pub struct PtyOptions {
    /// Columns of the terminal.
    pub columns: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// Arguments for `plenary`.
    pub args: Vec<String>,
    /// Additional environment variables.
    pub env: Vec<(String, String)>,
}

impl PtyOptions {
    /// A terminal of this size without arguments or variables.
    pub fn sized(columns: u16, rows: u16) -> Self {
        Self {
            columns,
            rows,
            args: vec![],
            env: vec![],
        }
    }
}

/// A terminal with the client in it; both end on drop.
pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    terminal: Arc<Terminal>,
}

struct Terminal {
    parser: Mutex<vt100::Parser>,
    changed: Condvar,
    /// Bytes written by the client.
    written: AtomicU64,
}

impl Terminal {
    fn lock(&self) -> MutexGuard<'_, vt100::Parser> {
        self.parser.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pty {
    /// Starts `plenary` on `client`'s machine in a terminal of this size.
    pub fn open(client: &Client, columns: u16, rows: u16) -> Self {
        Self::with(client, &PtyOptions::sized(columns, rows))
    }

    /// Starts `plenary` on `client`'s machine with these options.
    pub fn with(client: &Client, options: &PtyOptions) -> Self {
        let mut options = options.clone();
        let given = std::mem::take(&mut options.env);
        options.env = client.environment().into_iter().chain(given).collect();
        Self::program(&binary("plenary"), client.home(), &options)
    }

    /// Starts another program in `directory`, with only the environment variables of `options`.
    pub fn program(program: &Path, directory: &Path, options: &PtyOptions) -> Self {
        let size = PtySize {
            rows: options.rows,
            cols: options.columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pty is available");
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        for (name, value) in &options.env {
            command.env(name, value);
        }
        command.cwd(directory);
        command.args(&options.args);
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the program starts");
        // Otherwise the reader would never see the end of the output.
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a pty can be read");
        let writer = pair.master.take_writer().expect("a pty can be written");
        let parser = vt100::Parser::new(
            rows_or_columns(options.rows),
            rows_or_columns(options.columns),
            SCROLLBACK_LINES,
        );
        let terminal = Arc::new(Terminal {
            parser: Mutex::new(parser),
            changed: Condvar::new(),
            written: AtomicU64::new(0),
        });
        let reading = Arc::clone(&terminal);
        thread::spawn(move || {
            let mut bytes = [0; 8_192];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                reading.written.fetch_add(count as u64, Ordering::Relaxed);
                reading.lock().process(&bytes[..count]);
                reading.changed.notify_all();
            }
        });
        Self {
            master: pair.master,
            writer,
            child,
            terminal,
        }
    }

    /// The text on the screen, one line for each row.
    pub fn screen(&self) -> String {
        self.terminal.lock().screen().contents()
    }

    /// How many bytes the program has written.
    pub fn written(&self) -> u64 {
        self.terminal.written.load(Ordering::Relaxed)
    }

    /// Reads the terminal's own state: modes, cells, cursor.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.terminal.lock().screen())
    }

    /// Waits until `look` accepts the text on the screen, and returns the text.
    #[track_caller]
    pub fn wait(&self, what: &str, mut look: impl FnMut(&str) -> bool) -> String {
        self.wait_terminal(what, |screen| look(&screen.contents()));
        self.screen()
    }

    /// Waits until `look` accepts the terminal's state: its modes or cells.
    #[track_caller]
    pub fn wait_terminal(&self, what: &str, mut look: impl FnMut(&vt100::Screen) -> bool) {
        let began = Instant::now();
        let mut parser = self.terminal.lock();
        while !look(parser.screen()) {
            let left = DEADLINE.saturating_sub(began.elapsed());
            if left.is_zero() {
                let screen = parser.screen().contents();
                drop(parser);
                panic!("timed out after {DEADLINE:?} waiting for {what}; the screen:\n{screen}");
            }
            let waited = self.terminal.changed.wait_timeout(parser, left);
            parser = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until `text` is on the screen.
    #[track_caller]
    pub fn wait_text(&self, text: &str) -> String {
        self.wait(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Types these keys.
    pub fn send(&mut self, keys: &str) {
        self.writer
            .write_all(keys.as_bytes())
            .and_then(|()| self.writer.flush())
            .expect("the client reads its keys");
    }

    /// Resizes the window.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let mut parser = self.terminal.lock();
        parser
            .screen_mut()
            .set_size(rows_or_columns(rows), rows_or_columns(columns));
        drop(parser);
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.master.resize(size).expect("a pty can be resized");
    }

    /// The client's pid, for signals.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("it has been started")
    }

    /// Sends a signal to the client.
    pub fn signal(&self, signal: &str) {
        let done = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{signal} {}", self.pid()))
            .status();
        assert!(done.is_ok_and(|d| d.success()), "the client has ended");
    }

    /// Waits until the client ends, and returns its exit code.
    #[track_caller]
    pub fn exit_code(&mut self) -> u32 {
        let screen = self.screen();
        let what = format!("the client to end; the screen:\n{screen}");
        until(&what, || {
            let status = self
                .child
                .try_wait()
                .expect("the status of a child can be read");
            status.map(|status| status.exit_code())
        })
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the screen at the end:\n{}", self.screen());
        }
    }
}

impl std::fmt::Debug for Pty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pty").finish_non_exhaustive()
    }
}

fn rows_or_columns(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has rows and columns")
}
