//! What an operator should know of the database: version, tables, durability, clock.

use std::time::Instant;

use mysql_async::{Params, Row};
use plenary_shared::time::Timestamp;

use super::link::MysqlStore;
use super::row;
use crate::store::diagnostic::{Diagnostic, Grade};

/// The oldest versions that have what the statements use.
const MYSQL_MIN: (u32, u32) = (8, 0);
const MARIADB_MIN: (u32, u32) = (10, 6);

/// A packet must hold a batch of the archive's rows, in bytes.
const PACKET_BYTES_MIN: u64 = 4 * 1024 * 1024;

impl MysqlStore {
    /// Looks at everything that the promises need of the database. Changes nothing.
    pub async fn examine(&self, clock: impl Fn() -> Timestamp) -> Vec<Diagnostic> {
        let (began, before) = (Instant::now(), clock());
        let asked = self
            .rows(
                "SELECT VERSION() AS version,
                   CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED) AS now_ms,
                   CAST(@@innodb_flush_log_at_trx_commit AS UNSIGNED) AS flush,
                   CAST(@@max_allowed_packet AS UNSIGNED) AS packet,
                   CAST(@@read_only AS UNSIGNED) AS read_only",
                Params::Empty,
            )
            .await;
        let rows = match asked {
            Ok(rows) => rows,
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
        if let Some(row) = rows.first() {
            diagnostics.extend([
                version(&row::text(row, "version").unwrap_or_default()),
                durability(row),
                packet(row),
                read_only(row),
                Diagnostic::clock(
                    "MySQL: clock",
                    row::get::<i64>(row, "now_ms").unwrap_or(ours) - ours,
                ),
            ]);
        }
        diagnostics.push(self.examine_tables().await);
        diagnostics
    }

    async fn examine_tables(&self) -> Diagnostic {
        let about = "MySQL: tables";
        match self.pending_migrations().await {
            Ok(pending) if pending.is_empty() => self.examine_arrival(about).await,
            Ok(pending) => Diagnostic::not_good(
                Grade::Warning,
                about,
                format!("lack {}", pending.join(", ")),
                "run plenary-server migrate; serve does it too",
            ),
            Err(error) => Diagnostic::not_good(
                Grade::Bad,
                about,
                error.to_string(),
                "until then no server starts",
            ),
        }
    }

    async fn examine_arrival(&self, about: &'static str) -> Diagnostic {
        match self.mark().await {
            Ok(Some(mark)) if mark.completed_at.is_none() => Diagnostic::not_good(
                Grade::Bad,
                about,
                format!("the move from {} is not completed", mark.place),
                "run the same plenary-server move again; until then no server starts",
            ),
            Ok(_) => Diagnostic::good(about, "up to date"),
            Err(error) => Diagnostic::not_good(
                Grade::Bad,
                about,
                error.to_string(),
                "look at the table moving",
            ),
        }
    }
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

fn durability(row: &Row) -> Diagnostic {
    let flush: Option<u64> = row::get(row, "flush");
    Diagnostic::of(
        flush == Some(1),
        Grade::Bad,
        "MySQL: innodb_flush_log_at_trx_commit",
        flush.map_or("unknown".to_owned(), |it| it.to_string()),
        "set it to 1: otherwise a power failure takes what was called durable",
    )
}

fn packet(row: &Row) -> Diagnostic {
    let bytes: u64 = row::get(row, "packet").unwrap_or(0);
    Diagnostic::of(
        bytes >= PACKET_BYTES_MIN,
        Grade::Bad,
        "MySQL: max_allowed_packet",
        format!("{} KiB", bytes / 1024),
        format!(
            "set it to {} MiB or more: a batch of the archive must fit",
            PACKET_BYTES_MIN / 1024 / 1024
        ),
    )
}

fn read_only(row: &Row) -> Diagnostic {
    let is: bool = row::get::<u64>(row, "read_only").unwrap_or(0) != 0;
    Diagnostic::of(
        !is,
        Grade::Bad,
        "MySQL: read_only",
        if is { "on" } else { "off" },
        "name the primary in --mysql: this one takes no writes",
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
    fn old_versions_are_found(#[case] text: &str, #[case] grade: Grade) {
        assert_eq!(version(text).grade, grade);
    }
}
