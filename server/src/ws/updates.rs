//! The wire format of the updates that are not events.

use plenary_shared::protocol::{Changed, ChangedList, ReadPositionChange, Typing, WaitingChange};
use serde::Serialize;

use crate::hub::Updates;

/// Returns one line for each update.
pub(super) fn lines(updates: Updates) -> String {
    let mut lines = String::new();
    for (instance, read) in updates.read {
        push(&mut lines, &ReadPositionChange { instance, read });
    }
    for (instance, user) in updates.typing {
        push(&mut lines, &Typing { instance, user });
    }
    for presence in updates.presence.into_values() {
        push(&mut lines, &presence);
    }
    for (count, users) in updates.waiting.into_values() {
        for update in users.into_values() {
            // Every line has the current count; older counts are obsolete.
            push(&mut lines, &WaitingChange { count, ..update });
        }
    }
    for instance in updates.participants {
        let changed = ChangedList::Participants;
        let instance = Some(instance);
        push(&mut lines, &Changed { instance, changed });
    }
    lines
}

fn push(lines: &mut String, update: &impl Serialize) {
    // Serialising our own types does not fail.
    if let Ok(line) = serde_json::to_string(update) {
        lines.push_str(&line);
        lines.push('\n');
    }
}
