//! The question before quitting, as the status line shows it.

use crate::text;

/// Returns the question on quitting from a live meeting, in the longest form that fits.
pub fn question(dot: &str, columns: usize) -> String {
    let short = format!(" l leave {dot} s quit, keep seat {dot} Esc cancel");
    let forms = [
        format!(
            " You're still in a meeting. l: leave and quit {dot} s: quit, keep my seat for 20 s \
             {dot} Esc: cancel"
        ),
        format!(
            " You're still in a meeting. l: leave, quit {dot} s: quit, keep seat {dot} Esc: cancel"
        ),
    ];
    let fits = |text: &String| text::width(text) < columns;
    forms.into_iter().find(fits).unwrap_or(short)
}
