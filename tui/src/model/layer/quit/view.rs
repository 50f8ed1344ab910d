//! The question before quitting, as the status line shows it.

use crate::text;

/// Returns the question on quitting from a live meeting, in the longest form that fits. `elsewhere`:
/// another terminal stays in the meeting.
pub fn question(dot: &str, columns: usize, elsewhere: bool) -> String {
    if elsewhere {
        let forms = [
            format!(
                " Another terminal stays in the meeting. s: quit here {dot} l: leave on all \
                 {dot} Esc: cancel"
            ),
            format!(" Other terminal stays. s quit {dot} l leave all {dot} Esc"),
        ];
        return longest(
            forms,
            columns,
            format!(" s quit here {dot} l leave all {dot} Esc"),
        );
    }
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
    longest(forms, columns, short)
}

fn longest<const COUNT: usize>(
    forms: [String; COUNT],
    columns: usize,
    otherwise: String,
) -> String {
    let fits = |text: &String| text::width(text) < columns;
    forms.into_iter().find(fits).unwrap_or(otherwise)
}
