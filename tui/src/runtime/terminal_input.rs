//! Converts events of the terminal to events of the application.

use std::io;

use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};

use crate::msg::{AppEvent, Mouse};

/// Converts a terminal event. Returns `None` for events without a meaning, and
/// [`AppEvent::Terminated`] when the terminal is gone.
pub(super) fn convert(event: Option<io::Result<Event>>) -> Option<AppEvent> {
    match event {
        Some(Ok(Event::Key(key))) if key.kind == KeyEventKind::Release => None,
        Some(Ok(Event::Key(key))) => Some(AppEvent::Key(key.into())),
        Some(Ok(Event::Paste(text))) => Some(AppEvent::Pasted(text)),
        Some(Ok(Event::Resize(columns, rows))) => Some(AppEvent::Resized(columns, rows)),
        Some(Ok(Event::FocusGained)) => Some(AppEvent::Focused(true)),
        Some(Ok(Event::FocusLost)) => Some(AppEvent::Focused(false)),
        Some(Ok(Event::Mouse(event))) => mouse(event).map(AppEvent::Mouse),
        Some(Err(_)) | None => Some(AppEvent::Terminated),
    }
}

fn mouse(event: MouseEvent) -> Option<Mouse> {
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Mouse::Click {
            column: event.column,
            row: event.row,
        }),
        MouseEventKind::ScrollUp => Some(Mouse::WheelUp),
        MouseEventKind::ScrollDown => Some(Mouse::WheelDown),
        _ => None,
    }
}
