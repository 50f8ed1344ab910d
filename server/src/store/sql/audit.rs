//! The audit log: actions of admins, each written in the transaction of the action.

use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use super::{Change, params};

/// Adds an entry. `by` is `None` for an action from the command line.
pub fn entry(
    at: Timestamp,
    by: Option<UserId>,
    action: &str,
    target: String,
    detail: Option<String>,
) -> Change {
    Change::new(
        "INSERT INTO audit (at, actor, action, target, detail)
         VALUES (:at, :actor, :action, :target, :detail)",
        params! {
            "at": at,
            "actor": by,
            "action": action,
            "target": target,
            "detail": detail,
        },
    )
}

/// A user as the target of an entry.
pub fn user(user: UserId) -> String {
    format!("user {user}")
}
