//! The terminal: taken, and always given back.

mod linking;

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};
use std::process::Command;
use std::sync::Once;

use crossterm::cursor::{SetCursorStyle, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use crossterm::execute;
use crossterm::style::Print;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Frame;

use plenary_shared::text::for_terminal;

use crate::link::Links;
use linking::{Linking, Shared};

/// Bytes that go to the terminal at once: a frame of the largest screens, so that none is seen half.
const FRAME_BYTES: usize = 64 * 1_024;

/// xterm's stack of titles: the one that was there comes back.
const PUSH_TITLE: &str = "\x1b[22;2t";
const POP_TITLE: &str = "\x1b[23;2t";

/// Presses and the wheel, by their full places.
const TAKE_MOUSE: &str = "\x1b[?1000h\x1b[?1006h";
const GIVE_MOUSE: &str = "\x1b[?1006l\x1b[?1000l";

/// The terminal, while it is ours. Dropping it gives it back.
pub struct Term {
    inner: ratatui::Terminal<Linking<BufWriter<Stdout>>>,
    /// Where the links on the screen lead; nowhere, if this terminal does not know them.
    links: Shared,
    has_links: bool,
    /// Whether it is ours just now.
    is_taken: bool,
    /// Whether the mouse is ours as well.
    has_mouse: bool,
}

/// Whether there is a terminal to draw on and to read keys from.
pub fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

impl Term {
    /// Takes the terminal. From here on a panic gives it back before it is reported. `has_links` says
    /// whether it is told where links lead.
    pub fn take(has_links: bool) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        if let Err(error) = push_title().and_then(|()| enter()) {
            give_back();
            return Err(error);
        }
        let links = Shared::default();
        let writer = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
        match ratatui::Terminal::new(Linking::new(writer, links.clone())) {
            Ok(inner) => Ok(Self {
                inner,
                links,
                has_links,
                is_taken: true,
                has_mouse: false,
            }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Columns and rows.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.inner.size()?;
        Ok((size.width, size.height))
    }

    /// Draws one frame.
    pub fn draw(&mut self, view: impl Fn(&mut Frame<'_>) -> Links) -> io::Result<()> {
        let mut is_stale = false;
        self.inner.draw(|frame| {
            let links = view(frame);
            if self.has_links {
                is_stale = self.links.borrow_mut().replace(links);
            }
        })?;
        if is_stale {
            // Where the text stayed and its link did not, nothing was written.
            self.clear()?;
            self.inner.draw(|frame| drop(view(frame)))?;
        }
        Ok(())
    }

    /// Forgets what is on the screen: the next frame draws everything.
    pub fn clear(&mut self) -> io::Result<()> {
        // Not by `Terminal::clear`: it asks the terminal where the cursor is, and the answer would
        // have to come past the keys that are being read.
        self.inner.backend_mut().forget();
        let size = self.inner.size()?;
        self.inner.resize(size.into())
    }

    /// Writes the terminal's title.
    pub fn set_title(&mut self, title: &str) -> io::Result<()> {
        // Only what may stand in a title: it is written past the widgets that strip controls.
        let title = for_terminal(title);
        execute!(io::stdout(), Print(format!("\x1b]2;{title}\x07")))
    }

    /// Takes the mouse, or gives it back: presses and the wheel, no motion.
    pub fn set_mouse(&mut self, ours: bool) -> io::Result<()> {
        self.has_mouse = ours;
        execute!(
            io::stdout(),
            Print(if ours { TAKE_MOUSE } else { GIVE_MOUSE })
        )
    }

    /// Writes a sequence for the terminal itself, which shows nothing.
    pub fn say(&mut self, sequence: &str) -> io::Result<()> {
        execute!(io::stdout(), Print(sequence))
    }

    /// Gives the terminal back, stops the whole job as Ctrl-Z does, and takes the terminal again
    /// when it is continued.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.release();
        // The job as a whole, so that the shell notices also when another program began this one.
        let stopped = Command::new("sh").args(["-c", "kill -s TSTP 0"]).status();
        self.resume()?;
        stopped.map(|_| ())
    }

    /// Gives the terminal to another program.
    pub fn release(&mut self) {
        if std::mem::take(&mut self.is_taken) {
            give_back();
        }
    }

    /// Takes the terminal again after something else had it.
    pub fn resume(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_taken, true) {
            push_title()?;
        }
        enter()?;
        self.set_mouse(self.has_mouse)?;
        self.clear()
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.release();
    }
}

fn push_title() -> io::Result<()> {
    execute!(io::stdout(), Print(PUSH_TITLE))
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange
    )
}

/// Undoes everything that `push_title` and `enter` do, each whether or not the others could be done.
fn give_back() {
    let mut out = io::stdout();
    // If the terminal is gone, there is nothing to give back and nobody to tell.
    let _ = execute!(
        out,
        Print(GIVE_MOUSE),
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        SetCursorStyle::DefaultUserShape,
        Show,
        Print(POP_TITLE)
    );
    let _ = out.flush();
    let _ = disable_raw_mode();
}
