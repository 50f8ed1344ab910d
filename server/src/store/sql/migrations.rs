//! Migrations: numbered SQL scripts that create and change the tables, embedded into the program.

use sha2::{Digest, Sha256};

use super::{Query, Unusable, params};
use crate::error::Fault;
use crate::store::TokenHash;

/// One step of the tables. Once released it is never edited: a new one is written instead.
pub struct Migration {
    pub version: u32,
    pub name: &'static str,
    pub sql: &'static str,
}

impl Migration {
    /// `0001_users`.
    pub fn full_name(&self) -> String {
        format!("{:04}_{}", self.version, self.name)
    }

    /// SHA-256 of the text in hexadecimal. Line ends may be of either kind.
    pub fn checksum(&self) -> String {
        let digest = Sha256::digest(self.sql.replace("\r\n", "\n").as_bytes());
        TokenHash(digest.into()).to_hex()
    }
}

macro_rules! migrations {
    ($($version:literal $name:literal $file:literal,)+) => {
        /// The migrations of MySQL, in order.
        pub const MYSQL: &[Migration] = &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../../sql/mysql/", $file)),
        }),+];

        /// The migrations of SQLite, in order.
        pub const SQLITE: &[Migration] = &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../../sql/sqlite/", $file)),
        }),+];
    };
}

migrations![
    1 "users" "0001_users.sql",
    2 "schedule" "0002_schedule.sql",
    3 "event_log" "0003_event_log.sql",
    4 "operations" "0004_operations.sql",
    5 "transfer" "0005_transfer.sql",
    6 "cmid_index" "0006_cmid_index.sql",
    7 "replies_and_edits" "0007_replies_and_edits.sql",
    8 "read_positions" "0008_read_positions.sql",
    9 "search" "0009_search.sql",
    10 "lease_renewal" "0010_lease_renewal.sql",
    11 "moderation" "0011_moderation.sql",
    12 "disabled_users" "0012_disabled_users.sql",
    13 "meeting_revision" "0013_meeting_revision.sql",
    14 "idle_connections" "0014_idle_connections.sql",
];

/// A migration that a database has.
pub struct Applied {
    pub version: u32,
    pub name: String,
    checksum: String,
    /// Whether it was begun and not completed, which only MySQL can leave behind.
    dirty: bool,
}

/// The migrations that a database has.
pub fn applied() -> Query<Applied> {
    Query::new(
        "migration",
        "SELECT version, name, checksum, dirty
         FROM migration
         ORDER BY version",
        params! {},
        |row| {
            let version = row.number("version").and_then(|n| u32::try_from(n).ok());
            Ok(Applied {
                version: version.ok_or(Unusable("version"))?,
                name: row.word("name")?,
                checksum: row.word("checksum")?,
                dirty: row.flag("dirty"),
            })
        },
    )
}

/// Why the tables are not as this program needs them.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database does not answer, or refuses a statement.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// A newer version of this program has run a migration.
    #[error(
        "the tables are newer than this program: migration {version} '{name}' is unknown; \
         use a newer plenary-server"
    )]
    Newer { version: u32, name: String },
    /// A migration was started and not completed, which happens only in MySQL.
    #[error(
        "migration {version} '{name}' was started and not completed. Compare the tables with \
         sql/mysql/{version:04}_{name}.sql; then either complete them and run \
         UPDATE migration SET dirty = 0 WHERE version = {version}; or undo its changes and run \
         DELETE FROM migration WHERE version = {version}; and start again"
    )]
    Dirty { version: u32, name: String },
    /// The text of a migration differs from the one that was run.
    #[error(
        "migration {version} '{name}' of the database differs from this program's: \
         use the program that ran it, or restore a backup"
    )]
    Edited {
        version: u32,
        /// The migration's name in the database.
        name: String,
    },
    /// The database has tables of another program.
    #[error(
        "the database has a table '{table}' that this program did not create: \
         use an empty database, or another --data directory"
    )]
    Occupied { table: String },
    /// A statement of a migration failed.
    #[error("migration {version} '{name}' failed: {fault}")]
    Failed {
        version: u32,
        name: &'static str,
        fault: Fault,
    },
}

/// The migrations that are missing after those that were applied.
pub fn missing<'a>(
    migrations: &'a [Migration],
    applied: &[Applied],
) -> Result<Vec<&'a Migration>, MigrateError> {
    for one in applied {
        let (version, name) = (one.version, one.name.clone());
        let Some(ours) = migrations.iter().find(|m| m.version == version) else {
            return Err(MigrateError::Newer { version, name });
        };
        if one.dirty {
            return Err(MigrateError::Dirty { version, name });
        }
        if one.checksum != ours.checksum() || name != ours.name {
            return Err(MigrateError::Edited { version, name });
        }
    }
    let is_missing =
        |migration: &&Migration| applied.iter().all(|a| a.version != migration.version);
    Ok(migrations.iter().filter(is_missing).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_gaps() {
        for (at, migration) in MYSQL.iter().enumerate() {
            assert_eq!(usize::try_from(migration.version), Ok(at + 1));
        }
    }

    #[test]
    fn migrations_are_never_edited() {
        let checksums = |migrations: &[Migration]| -> Vec<String> {
            let start = |migration: &Migration| migration.checksum()[..16].to_owned();
            migrations.iter().map(start).collect()
        };
        assert_eq!(
            checksums(MYSQL),
            [
                "992e89d63893e902",
                "cf93331dcbe344e0",
                "988b9e1cbe6852c7",
                "46880629987aa2b6",
                "29172ba0e8519b07",
                "da794f0771802594",
                "1c05f4e0b8d2781a",
                "b50fda2d64114c5e",
                "ba0370f7ae8b460f",
                "8f4f53152a29d21d",
                "0b062e17d7754696",
                "0ec29abab8a97e95",
                "e71de70fb84f5ea9",
                "bc46363901a1fa7d",
            ]
        );
        assert_eq!(
            checksums(SQLITE),
            [
                "45b13be311aed7f0",
                "556c11789f57d88f",
                "279e7479c8b48b8a",
                "b006ebf544e51535",
                "ada5348ca7f50846",
                "43ea749cea899041",
                "65336c07be9c955a",
                "1d3bcc31824209b3",
                "89afedc851df2f24",
                "27821bd7dd451234",
                "239ab19a4c289cb0",
                "283e31837b448159",
                "6b0f7df7a26f1d5c",
                "e169b35e969c643f",
            ]
        );
    }
}
