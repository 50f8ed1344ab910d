//! Addresses of rows that other programs wrote: the column `emailKey` folds only ASCII, so other addresses
//! are stored in the form in which they are compared.

use plenary_shared::text::email_key;
use rusqlite::{Connection, named_params};

use super::statement;

/// A row with an address that `emailKey` does not fold.
struct Foreign {
    id: i64,
    email: String,
}

/// The tables with addresses, and the first column of their keys.
const TABLES: [(&str, &str); 2] = [("user", "userID"), ("audience", "meetingID")];

/// Puts every address with other characters than ASCII into NFC and lower case. An address that exists in
/// that form already stays as it is. Returns how many were changed.
pub(super) fn normalize(conn: &Connection) -> rusqlite::Result<usize> {
    let mut changed = 0;
    for (table, key) in TABLES {
        let found = statement::select_all(
            conn,
            table,
            &format!("SELECT {key} AS id, email FROM {table} WHERE email GLOB '*[^ -~]*'"),
            [],
            |row| {
                Ok(Foreign {
                    id: row.number("id").unwrap_or_default(),
                    email: row.word("email")?,
                })
            },
        )?;
        for Foreign { id, email } in found {
            let normal = email_key(&email);
            if normal != email {
                changed += statement::change(
                    conn,
                    &format!(
                        "UPDATE OR IGNORE {table}
                         SET email = :normal
                         WHERE {key} = :id
                           AND email = :email"
                    ),
                    named_params! { ":normal": normal, ":id": id, ":email": email },
                )?;
            }
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use plenary_shared::time::Timestamp;

    use super::*;
    use crate::store::sqlite::migrate;

    #[test]
    fn addresses_of_other_programs_are_compared_without_case() {
        let mut conn = Connection::open_in_memory().expect("SQLite");
        migrate::migrate(&mut conn, Timestamp::default()).expect("an empty database is filled");
        conn.execute_batch(
            "INSERT INTO user (userID, email) VALUES
               (1, 'ΕΛΈΝΗ@x'), (2, 'jose\u{301}@x'), (3, 'Ada@X'), (4, 'ÉMILE@x'), (5, 'émile@x');
             INSERT INTO meeting (meetingID, title) VALUES (1, 'Seminar');
             INSERT INTO audience (meetingID, email) VALUES (1, 'ΕΛΈΝΗ@x'), (1, 'ελένη@x')",
        )
        .expect("rows");
        assert_eq!(normalize(&conn).expect("SQLite"), 2);
        let keys = "SELECT group_concat(emailKey, ' ' ORDER BY userID) FROM user";
        let keys: String = conn.query_row(keys, [], |row| row.get(0)).expect("keys");
        assert_eq!(keys, "ελένη@x josé@x ada@x Émile@x émile@x");
        assert_eq!(normalize(&conn).expect("SQLite"), 0);
    }
}
