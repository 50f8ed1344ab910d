//! What comes from the terminal and from the connection, as the model is told of it.

use std::io;

use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use plenary_shared::protocol::Close;

use crate::msg::{LinkNews, Mouse, News};
use crate::net::{Closed, Told};

/// What the terminal says; `None` when it means nothing. A terminal that says nothing any more is
/// gone, and with it the reason to go on.
pub(super) fn of_terminal(event: Option<io::Result<Event>>) -> Option<News> {
    match event {
        Some(Ok(Event::Key(key))) if key.kind == KeyEventKind::Release => None,
        Some(Ok(Event::Key(key))) => Some(News::Key(key.into())),
        Some(Ok(Event::Paste(text))) => Some(News::Pasted(text)),
        Some(Ok(Event::Resize(columns, rows))) => Some(News::Resized(columns, rows)),
        Some(Ok(Event::FocusGained)) => Some(News::Focused(true)),
        Some(Ok(Event::FocusLost)) => Some(News::Focused(false)),
        Some(Ok(Event::Mouse(event))) => mouse(event).map(News::Mouse),
        Some(Err(_)) | None => Some(News::Terminated),
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

/// What the connection says.
pub(super) fn of_link(told: Told) -> LinkNews {
    match told {
        Told::Connecting { attempt } => LinkNews::Connecting { attempt },
        Told::Open => LinkNews::Open,
        Told::Line(line) => LinkNews::Line(Box::new(line)),
        Told::Garbled => LinkNews::Garbled,
        Told::Unsent { id } => LinkNews::Unsent { id },
        Told::Closed { why, retry_in } => LinkNews::Closed {
            signed_out: matches!(
                why,
                Closed::ByServer { code, .. } if code == Close::NotSignedIn.code()
            ),
            why: why.to_string(),
            retry_in_ms: retry_in.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
        },
    }
}
