//! SQLite and MySQL have the same tables: columns, nullability and keys.

use std::collections::BTreeSet;

use plenary_testkit::{Server, Stores};

use crate::harness::Harness;

/// Tables that only SQLite has: live state, commands to the server, search index.
const SQLITE_ONLY: [&str; 12] = [
    "signed_out",
    "live_instance",
    "restraint",
    "stay",
    "holder",
    "node",
    "message_place",
    "message_text",
    "message_text_config",
    "message_text_data",
    "message_text_docsize",
    "message_text_idx",
];

#[test]
fn sqlite_and_mysql_have_the_same_tables() {
    let stores = Stores::start();
    Server::migrate(&stores.redis, &stores.database);
    let there = |query: &str| -> BTreeSet<String> {
        let rows = stores.database.query(query);
        rows.into_iter().map(|row| row.join(" ")).collect()
    };
    let harness = Harness::with(&["ada"]);
    let here = |query: &str| -> BTreeSet<String> {
        let rows = harness.rows(&format!("SELECT 0, said FROM ({query})"));
        rows.into_iter()
            .map(|(_, said)| said)
            .filter(|said| {
                SQLITE_ONLY
                    .iter()
                    .all(|table| !said.starts_with(&format!("{table} ")))
            })
            .collect()
    };

    let columns = there(
        "SELECT TABLE_NAME, COLUMN_NAME, IS_NULLABLE FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = DATABASE()",
    );
    assert!(columns.len() > 40, "{columns:?}");
    assert_eq!(
        here(
            "SELECT t.name || ' ' || c.name || ' ' || iif(c.\"notnull\", 'NO', 'YES') AS said
             FROM pragma_table_list t, pragma_table_xinfo(t.name) c
             WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'"
        ),
        columns
    );

    let keys = there(
        "SELECT TABLE_NAME, IF(MIN(NON_UNIQUE), 'key', 'unique'), \
         GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX) FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = DATABASE() AND INDEX_TYPE <> 'FULLTEXT' \
         GROUP BY TABLE_NAME, INDEX_NAME",
    );
    assert!(keys.len() > 15, "{keys:?}");
    // SQLite has no index for an integer primary key.
    assert_eq!(
        here(
            "SELECT t.name || ' ' || iif(i.\"unique\", 'unique', 'key') || ' ' ||
               (SELECT group_concat(name) FROM
                 (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) AS said
             FROM pragma_table_list t, pragma_index_list(t.name) i
             WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'
             UNION
             SELECT t.name || ' unique ' || c.name
             FROM pragma_table_list t, pragma_table_info(t.name) c
             WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' AND c.pk = 1
               AND NOT EXISTS (
                 SELECT 1 FROM pragma_index_list(t.name) i WHERE i.origin = 'pk')"
        ),
        keys
    );
}
