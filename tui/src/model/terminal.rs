//! The terminal that the client draws on.

/// The terminal.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is independent of the others"
)]
pub struct Terminal {
    /// The size in columns and rows.
    pub size: (u16, u16),
    /// Whether the terminal has the focus; true until it reports otherwise.
    pub focused: bool,
    /// Whether the terminal has ever reported its focus.
    pub reports_focus: bool,
    pub mouse: bool,
    /// Whether only the chat is shown, to copy from.
    pub plain: bool,
    pub title: String,
}

impl Terminal {
    /// Creates a focused terminal of a size in columns and rows.
    pub fn new(size: (u16, u16)) -> Self {
        Self {
            size,
            focused: true,
            reports_focus: false,
            mouse: true,
            plain: false,
            title: String::new(),
        }
    }
}
