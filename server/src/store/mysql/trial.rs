//! Trials for the diagnostics: what the server does in MySQL is done in transactions that change nothing.

use mysql_async::Params;

use super::error::server_code;
use super::pool::{MysqlStore, TRIES_MAX, within};
use crate::error::Fault;
use crate::store::diagnostic::{Diagnostic, Grade};
use crate::store::sql::tables::{TABLES, column_names};
use mysql_async::prelude::Queryable;

const STATEMENTS: &str = "MySQL: statements";
const MIGRATIONS: &str = "MySQL: migrations";

/// The table that is created and dropped to try whether migrations can run.
const SCRATCH_TABLE: &str = "plenary_trial";

/// The error number of a statement that needs another binary log format.
const BINLOG_FORMAT: u16 = 1665;

/// The error number of a database that refuses writes.
const READ_ONLY: u16 = 1290;

impl MysqlStore {
    /// Tries every kind of statement on every table in one transaction, and a commit. No statement finds
    /// a row, except for one row that is inserted and deleted again.
    pub(super) async fn try_statements(&self) -> Diagnostic {
        let mut tried = self.statements_work().await;
        for _ in 1..TRIES_MAX {
            if !matches!(&tried, Err(fault) if super::error::is_deadlock(fault)) {
                break;
            }
            tried = self.statements_work().await;
        }
        match tried {
            Ok(()) => Diagnostic::good(STATEMENTS, "all allowed"),
            Err(fault) => failed(
                STATEMENTS,
                &fault,
                match server_code(&fault) {
                    Some(BINLOG_FORMAT) => {
                        "set binlog_format to ROW: the server reads committed rows only"
                    }
                    Some(READ_ONLY) => "name the primary server in --mysql",
                    Some(_) | None => {
                        "grant this user SELECT, INSERT, UPDATE and DELETE on the database, and see its \
                         error log"
                    }
                },
            ),
        }
    }

    async fn statements_work(&self) -> Result<(), Fault> {
        let mut work = self.transaction().await?;
        for table in TABLES {
            let (name, key) = (table.name, table.columns[0].name);
            let columns = column_names(table.columns);
            for statement in [
                format!("SELECT {columns} FROM {name} WHERE FALSE FOR UPDATE"),
                format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM {name} WHERE FALSE"),
                format!("UPDATE {name} SET {key} = {key} WHERE FALSE"),
                format!("DELETE FROM {name} WHERE FALSE"),
            ] {
                work.change(&statement, Params::Empty).await?;
            }
        }
        let insert = "INSERT INTO audit (at, action, target)
             VALUES (UTC_TIMESTAMP(3), 'trial', '')";
        let inserted = work.change(insert, Params::Empty).await?;
        let delete = "DELETE FROM audit WHERE auditID = ?";
        let id = inserted.id.unwrap_or_default();
        work.change(delete, Params::from((id,))).await?;
        work.commit().await
    }

    /// Creates, alters and drops a table, as migrations do.
    pub(super) async fn try_migrations(&self) -> Diagnostic {
        match self.tables_work().await {
            Ok(()) => Diagnostic::good(MIGRATIONS, "tables can be created"),
            Err(fault) => failed(
                MIGRATIONS,
                &fault,
                "grant this user CREATE, ALTER, INDEX, REFERENCES and DROP on the database",
            ),
        }
    }

    async fn tables_work(&self) -> Result<(), Fault> {
        let mut conn = self.own_conn().await?;
        let statements = [
            format!("DROP TABLE IF EXISTS {SCRATCH_TABLE}"),
            format!(
                "CREATE TABLE {SCRATCH_TABLE} (id INT NOT NULL, up INT NULL, body TEXT, PRIMARY KEY (id))
                 ENGINE = InnoDB"
            ),
            format!(
                "ALTER TABLE {SCRATCH_TABLE}
                 ADD FOREIGN KEY (up) REFERENCES {SCRATCH_TABLE} (id),
                 ADD FULLTEXT KEY trial_text (body)"
            ),
            format!("DROP TABLE {SCRATCH_TABLE}"),
        ];
        for statement in &statements {
            if let Err(fault) = within(conn.query_drop(statement)).await {
                // A table that cannot be changed is not left behind.
                let _ = within(conn.query_drop(&statements[0])).await;
                return Err(fault);
            }
        }
        within(conn.disconnect()).await
    }
}

/// The diagnostic of a trial that failed.
fn failed(about: &str, fault: &Fault, advice: &str) -> Diagnostic {
    let (grade, source) = match fault {
        // Codes of a database that answers are not those of an unavailable one.
        Fault::Unavailable { source, .. } if server_code(fault).is_none() => {
            (Grade::Unavailable, source)
        }
        Fault::Unavailable { source, .. } | Fault::Broken { source, .. } => (Grade::Bad, source),
    };
    Diagnostic::not_good(grade, about, source.to_string(), advice)
}
