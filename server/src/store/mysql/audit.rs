//! What admins did, for good: rows of the table `audit`, written with what they tell of.

use mysql_async::params;
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use super::link::Work;
use super::row;
use crate::error::Fault;

/// Notes one deed. `by`: nobody where it was the command line.
pub(super) async fn note(
    work: &mut Work,
    at: Timestamp,
    by: Option<UserId>,
    action: &str,
    target: String,
    detail: Option<String>,
) -> Result<(), Fault> {
    work.change(
        "INSERT INTO audit (at, actor, action, target, detail)
         VALUES (:at, :actor, :action, :target, :detail)",
        params! {
            "at" => row::at(at),
            "actor" => by.map(UserId::get),
            "action" => action,
            "target" => target,
            "detail" => detail,
        },
    )
    .await?;
    Ok(())
}
