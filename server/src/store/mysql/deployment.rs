//! The nonce that the servers of one deployment share.

use super::pool::MysqlStore;
use crate::error::{Answer, Fault};
use crate::store::sql::{Change, Query, params};

impl MysqlStore {
    /// The nonce by which Redis knows that it belongs to this database: 32 hexadecimal digits, made once.
    pub async fn nonce(&self) -> Answer<String> {
        if let Some(nonce) = self.one(nonce()).await? {
            return Ok(nonce);
        }
        // The nonce of the first server is kept. It is not a secret; it only has to differ between
        // databases.
        let insert = Change::new(
            "INSERT INTO deployment (id, nonce)
             VALUES (1, LEFT(SHA2(CONCAT(UUID(), RAND(), UTC_TIMESTAMP(6), CONNECTION_ID()), 256), 32))
             ON DUPLICATE KEY UPDATE id = 1",
            params! {},
        );
        self.execute(insert).await?;
        let nonce = self.one(nonce()).await?;
        nonce.ok_or_else(|| Fault::broken("reading the nonce", "it is not stored").into())
    }
}

fn nonce() -> Query<String> {
    Query::new(
        "deployment",
        "SELECT nonce
         FROM deployment
         WHERE id = 1",
        params! {},
        |row| row.word("nonce"),
    )
}
