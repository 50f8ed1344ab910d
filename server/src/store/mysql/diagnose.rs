//! Diagnostics of the database: version, tables, durability, clock.

use std::time::Instant;

use plenary_shared::time::Timestamp;

use super::pool::MysqlStore;
use crate::store::diagnostic::{Diagnostic, Grade};
use crate::store::sql::{Query, params};

/// The oldest versions that support the statements.
const MYSQL_MIN: (u32, u32) = (8, 0);
const MARIADB_MIN: (u32, u32) = (10, 6);

/// The size in bytes of a packet that holds a batch of archive rows.
const PACKET_BYTES_MIN: u64 = 4 * 1024 * 1024;

impl MysqlStore {
    /// Checks everything that the guarantees of the server depend on, and tries what the server does.
    /// Leaves nothing behind.
    pub async fn examine(&self, clock: impl Fn() -> Timestamp) -> Vec<Diagnostic> {
        let (began, before) = (Instant::now(), clock());
        let server = match self.one(server()).await {
            Ok(server) => server,
            Err(error) => {
                return vec![Diagnostic::not_good(
                    Grade::Unavailable,
                    "MySQL",
                    error.to_string(),
                    "start it, or correct --mysql",
                )];
            }
        };
        let answered_ms = began.elapsed().as_secs_f64() * 1_000.0;
        let ours = i64::midpoint(before.as_ms(), clock().as_ms());
        let mut diagnostics = vec![Diagnostic::good(
            "MySQL",
            format!("answers within {answered_ms:.1} ms"),
        )];
        if let Some(server) = server {
            diagnostics.extend([
                version(&server.version),
                durability(server.flush),
                packet(server.packet_bytes),
                read_only(server.is_read_only),
                Diagnostic::clock("MySQL: clock", server.now_ms.unwrap_or(ours) - ours),
            ]);
        }
        let tables = self.examine_tables().await;
        match self.pending_migrations().await {
            Ok(pending) if pending.is_empty() => {
                diagnostics.extend([
                    tables,
                    self.examine_indexed_words().await,
                    self.try_statements().await,
                ]);
            }
            Ok(_) => diagnostics.extend([tables, self.try_migrations().await]),
            Err(_) => diagnostics.push(tables),
        }
        diagnostics
    }

    async fn examine_tables(&self) -> Diagnostic {
        let about = "MySQL: tables";
        match self.pending_migrations().await {
            Ok(pending) if pending.is_empty() => self.examine_import(about).await,
            Ok(pending) => Diagnostic::not_good(
                Grade::Warning,
                about,
                format!("missing {}", pending.join(", ")),
                "run plenary-server migrate, or start the server",
            ),
            Err(error) => Diagnostic::not_good(
                Grade::Bad,
                about,
                error.to_string(),
                "no server starts until this is corrected",
            ),
        }
    }

    async fn examine_import(&self, about: &'static str) -> Diagnostic {
        match self.transfer_mark().await {
            Ok(Some(mark)) if mark.completed_at.is_none() => Diagnostic::not_good(
                Grade::Bad,
                about,
                format!("the move from {} is incomplete", mark.place),
                "repeat the same plenary-server move: no server starts until it is complete",
            ),
            Ok(_) => Diagnostic::good(about, "up to date"),
            Err(error) => Diagnostic::not_good(
                Grade::Bad,
                about,
                error.to_string(),
                "check the table moving",
            ),
        }
    }
}

struct ServerInfo {
    version: String,
    now_ms: Option<i64>,
    /// `innodb_flush_log_at_trx_commit`.
    flush: Option<i64>,
    packet_bytes: u64,
    is_read_only: bool,
}

fn server() -> Query<ServerInfo> {
    Query::new(
        "",
        "SELECT VERSION() AS version,
                CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS now_ms,
                CAST(@@innodb_flush_log_at_trx_commit AS UNSIGNED) AS flush,
                CAST(@@max_allowed_packet AS UNSIGNED) AS packet,
                CAST(@@read_only AS UNSIGNED) AS read_only",
        params! {},
        |row| {
            Ok(ServerInfo {
                version: row.text("version").unwrap_or_default(),
                now_ms: row.number("now_ms"),
                flush: row.number("flush"),
                packet_bytes: row.count("packet"),
                is_read_only: row.flag("read_only"),
            })
        },
    )
}

fn version(text: &str) -> Diagnostic {
    let mut numbers = text.split(['.', '-']).map_while(|it| it.parse().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let least = if text.contains("MariaDB") {
        MARIADB_MIN
    } else {
        MYSQL_MIN
    };
    Diagnostic::of(
        found >= least,
        Grade::Bad,
        "MySQL: version",
        text,
        "use MySQL 8.0 or MariaDB 10.6, or newer",
    )
}

fn durability(flush: Option<i64>) -> Diagnostic {
    Diagnostic::of(
        flush == Some(1),
        Grade::Bad,
        "MySQL: innodb_flush_log_at_trx_commit",
        flush.map_or("unknown".to_owned(), |it| it.to_string()),
        "set it to 1: otherwise a power failure loses acknowledged data",
    )
}

fn packet(bytes: u64) -> Diagnostic {
    Diagnostic::of(
        bytes >= PACKET_BYTES_MIN,
        Grade::Bad,
        "MySQL: max_allowed_packet",
        format!("{} KiB", bytes / 1024),
        format!(
            "set it to {} MiB or more: it must hold a batch of the archive",
            PACKET_BYTES_MIN / 1024 / 1024
        ),
    )
}

fn read_only(is: bool) -> Diagnostic {
    Diagnostic::of(
        !is,
        Grade::Bad,
        "MySQL: read_only",
        if is { "on" } else { "off" },
        "name the primary server in --mysql: this one accepts no writes",
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("10.11.14-MariaDB-0+deb12u2", Grade::Good)]
    #[case("10.6.0-MariaDB", Grade::Good)]
    #[case("10.5.22-MariaDB", Grade::Bad)]
    #[case("8.0.36", Grade::Good)]
    #[case("8.4.0-commercial", Grade::Good)]
    #[case("5.7.44-log", Grade::Bad)]
    #[case("", Grade::Bad)]
    fn old_versions_are_bad(#[case] text: &str, #[case] grade: Grade) {
        assert_eq!(version(text).grade, grade);
    }
}
