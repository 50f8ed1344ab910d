//! The leases of servers.

use rusqlite::named_params;

use crate::error::Answer;
use crate::store::NodeId;
use crate::store::sql::Unusable;

use super::statement;
use super::writer::WriteTransaction;

/// Renews the lease of a server; 0 ends it. Returns every running server.
pub(super) fn renew_lease(
    tx: &mut WriteTransaction<'_>,
    node: &NodeId,
    lease_ms: i64,
) -> Answer<Vec<NodeId>> {
    statement::change(
        tx.conn,
        "INSERT INTO node (node, lease, renewed)
         VALUES (:node, :lease, :now)
         ON CONFLICT (node)
         DO UPDATE SET lease = excluded.lease, renewed = excluded.renewed",
        named_params! {
            ":node": node.0,
            ":lease": tx.now.as_ms().saturating_add(lease_ms),
            ":now": tx.now.as_ms(),
        },
    )?;
    Ok(statement::select_all(
        tx.conn,
        "node",
        "SELECT node
         FROM node
         WHERE lease > :now
         ORDER BY lease, node",
        named_params! { ":now": tx.now.as_ms() },
        |row| row.text("node").map(NodeId).ok_or(Unusable("node")),
    )?)
}
