//! What admins did, for good: rows of the table `audit`, written with what they tell of.

use plenary_shared::ids::UserId;
use rusqlite::named_params;

use super::row;
use super::writer::WriteTransaction;
use crate::error::Fault;

/// Notes one deed. `by`: nobody where it was the command line.
pub(super) fn note(
    tx: &mut WriteTransaction<'_>,
    by: Option<UserId>,
    action: &str,
    target: &str,
    detail: Option<&str>,
) -> Result<(), Fault> {
    row::change(
        tx.conn,
        "INSERT INTO audit (at, actor, action, target, detail)
         VALUES (:at, :actor, :action, :target, :detail)",
        named_params! {
            ":at": tx.now.as_ms(),
            ":actor": by.map(UserId::get),
            ":action": action,
            ":target": target,
            ":detail": detail,
        },
    )?;
    Ok(())
}
