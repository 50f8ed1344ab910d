//! The terminal: raw mode and the alternate screen, restored on drop and on a panic.

mod hyperlinks;

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
use hyperlinks::{HyperlinkBackend, SharedLinks};

/// Size of the write buffer. Fits a frame of large screens, so that frames do not tear.
const FRAME_BYTES: usize = 64 * 1_024;

/// Save and restore the title on the title stack of xterm.
const PUSH_TITLE: &str = "\x1b[22;2t";
const POP_TITLE: &str = "\x1b[23;2t";

/// Enable and disable mouse reports: clicks and the wheel, with SGR coordinates.
const ENABLE_MOUSE: &str = "\x1b[?1000h\x1b[?1006h";
const DISABLE_MOUSE: &str = "\x1b[?1006l\x1b[?1000l";

/// Disable and enable wrapping at the right edge: a cluster that the terminal draws wider than expected
/// must not reach the next row.
const DISABLE_WRAP: &str = "\x1b[?7l";
const ENABLE_WRAP: &str = "\x1b[?7h";

/// The terminal in raw mode. Dropping it restores the terminal.
pub struct Term {
    inner: ratatui::Terminal<HyperlinkBackend<BufWriter<Stdout>>>,
    /// The URLs of the links on the screen. Empty without `has_links`.
    links: SharedLinks,
    has_links: bool,
    /// Whether the terminal is in raw mode. False while another program uses it.
    is_active: bool,
    has_mouse: bool,
}

/// Returns whether standard input and output are a terminal.
pub fn is_available() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Returns whether a terminal of this kind, the value of `TERM`, can draw a screen.
pub fn can_draw(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| !kind.trim().is_empty() && kind != "dumb")
}

impl Term {
    /// Enters raw mode and installs a panic hook that restores the terminal before the report.
    ///
    /// `has_links` makes links clickable with OSC 8.
    pub fn enter(has_links: bool) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                before(panic);
            }));
        });
        if let Err(error) = push_title().and_then(|()| enter_raw_mode()) {
            restore();
            return Err(error);
        }
        let links = SharedLinks::default();
        let writer = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
        match ratatui::Terminal::new(HyperlinkBackend::new(writer, links.clone())) {
            Ok(inner) => Ok(Self {
                inner,
                links,
                has_links,
                is_active: true,
                has_mouse: false,
            }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Returns the columns and rows.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.inner.size()?;
        Ok((size.width, size.height))
    }

    pub fn draw(&mut self, view: impl Fn(&mut Frame<'_>) -> Links) -> io::Result<()> {
        let mut is_stale = false;
        self.inner.draw(|frame| {
            let links = view(frame);
            if self.has_links {
                is_stale = self.links.borrow_mut().replace(links);
            }
        })?;
        if is_stale {
            // Cells with unchanged text but another link were not written.
            self.clear()?;
            self.inner.draw(|frame| drop(view(frame)))?;
        }
        Ok(())
    }

    /// Makes the next frame redraw all cells.
    pub fn clear(&mut self) -> io::Result<()> {
        // `Terminal::clear` would query the cursor position, whose report the event stream consumes.
        self.inner.backend_mut().forget_cursor();
        let size = self.inner.size()?;
        self.inner.resize(size.into())
    }

    /// Sets the title of the terminal.
    pub fn set_title(&mut self, title: &str) -> io::Result<()> {
        // This bypasses the widgets that strip control characters.
        let title = for_terminal(title);
        execute!(io::stdout(), Print(format!("\x1b]2;{title}\x07")))
    }

    /// Enables or disables reports of clicks and the wheel.
    pub fn set_mouse(&mut self, enabled: bool) -> io::Result<()> {
        self.has_mouse = enabled;
        execute!(
            io::stdout(),
            Print(if enabled { ENABLE_MOUSE } else { DISABLE_MOUSE })
        )
    }

    /// Writes a control sequence.
    pub fn write_sequence(&mut self, sequence: &str) -> io::Result<()> {
        execute!(io::stdout(), Print(sequence))
    }

    /// Restores the terminal, stops the job as Ctrl-Z does, and enters raw mode again after it
    /// continues.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.release();
        // Stops the process group, so that the shell notices even if this is not its direct child.
        let stopped = Command::new("sh").args(["-c", "kill -s TSTP 0"]).status();
        self.resume()?;
        stopped.map(|_| ())
    }

    /// Restores the terminal for another program.
    pub fn release(&mut self) {
        if std::mem::take(&mut self.is_active) {
            restore();
        }
    }

    /// Enters raw mode again after another program used the terminal.
    pub fn resume(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_active, true) {
            push_title()?;
        }
        enter_raw_mode()?;
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

fn enter_raw_mode() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        Print(DISABLE_WRAP),
        EnableBracketedPaste,
        EnableFocusChange
    )
}

/// Reverts `push_title` and `enter_raw_mode`. Continues after errors.
fn restore() {
    let mut out = io::stdout();
    // The terminal may be gone.
    let _ = execute!(
        out,
        Print(DISABLE_MOUSE),
        Print(ENABLE_WRAP),
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
