//! What the servers of one deployment have in common.

use mysql_async::Params;

use super::link::MysqlStore;
use super::row;
use crate::error::{Answer, Fault};

impl MysqlStore {
    /// By what a live store knows that it belongs to this database: 32 hexadecimal digits, made
    /// once.
    pub async fn nonce(&self) -> Answer<String> {
        const SELECT: &str = "
         SELECT nonce
         FROM deployment
         WHERE id = 1";
        if let Some(row) = self.row(SELECT, Params::Empty).await?
            && let Some(nonce) = row::text(&row, "nonce")
        {
            return Ok(nonce);
        }
        // Of those who come here together the first one's stays. It is no secret: it only has to
        // be another one in every database.
        self.change(
            "INSERT INTO deployment (id, nonce)
             VALUES (1, LEFT(SHA2(CONCAT(UUID(), RAND(), UTC_TIMESTAMP(6), CONNECTION_ID()), 256), 32))
             ON DUPLICATE KEY UPDATE id = 1",
            Params::Empty,
        )
        .await?;
        let row = self.row(SELECT, Params::Empty).await?;
        row.and_then(|row| row::text(&row, "nonce"))
            .ok_or_else(|| Fault::broken("the deployment's nonce", "it is not there").into())
    }
}
