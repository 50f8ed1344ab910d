//! The connection pool, and the deadline of every statement.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{
    Conn, Opts, OptsBuilder, Params, Pool, PoolConstraints, PoolOpts, Row, TxOpts, UrlError,
};
use tokio::time::timeout;

use super::IndexedWords;
use super::error::{STORE, fault, is_repeatable};
use crate::error::Fault;
use crate::store::instrument::{Backend, Call, Instrument, Locks};

/// How long getting a connection, or one statement, may take before the database counts as unavailable.
const DEADLINE: Duration = Duration::from_secs(5);

/// The settings of a session, which would otherwise be those of the server: UTF-8, each statement
/// commits unless it is in a transaction, UTC, no silent truncation, no hidden limits on rows, no stop
/// words in a new index, and time limits shorter than [`DEADLINE`], so that no statement runs longer
/// than its caller waits. MySQL alone reads the first comment, MariaDB alone the second.
const SESSION: &str = "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, \
     autocommit = 1, \
     completion_type = 'NO_CHAIN', \
     time_zone = '+00:00', \
     sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION', \
     sql_safe_updates = 0, \
     sql_select_limit = 18446744073709551615, \
     sql_big_selects = 1, \
     sql_auto_is_null = 0, \
     foreign_key_checks = 1, \
     unique_checks = 1, \
     innodb_ft_enable_stopword = 0, \
     wait_timeout = 28800, \
     innodb_lock_wait_timeout = 3 \
     /*!80000 , max_execution_time = 4000 */ \
     /*M!100100 , max_statement_time = 4 */";

/// A statement sees what was committed before it, and locks no gaps.
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE";

/// Connections of one server: more do not make the database of a small machine faster.
const CONNECTIONS_MAX: usize = 8;

/// Connections that stay open while idle.
const CONNECTIONS_MIN: usize = 1;

/// How long a connection above the minimum may be idle.
const IDLE: Duration = Duration::from_mins(1);

/// When the operating system starts to probe a silent TCP peer.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Prepared statements that each connection caches: more than this program has.
const STATEMENTS_MAX: usize = 128;

/// The durable store in MySQL or MariaDB. Cheap to clone; all clones share one connection pool.
#[derive(Clone)]
pub struct MysqlStore {
    opts: Opts,
    pool: Pool,
    instrument: Instrument,
    /// See [`Self::indexed_words`].
    pub(super) indexed: Arc<OnceLock<IndexedWords>>,
}

// The URL has a password in it.
impl fmt::Debug for MysqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MysqlStore")
    }
}

/// What a statement changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    /// Matching rows, whether or not their values changed.
    pub rows: u64,
    /// The generated id of the inserted row.
    pub id: Option<u64>,
}

impl MysqlStore {
    /// Parses the URL, `mysql://user:password@host:3306/database` or
    /// `mysql://user@localhost/database?socket=/path`. Connects with the first statement.
    pub fn connect(url: &str) -> Result<Self, Fault> {
        let bad = |why: &str| {
            Fault::broken(
                "the MySQL URL",
                format!(
                    "{why}; write mysql://USER:PASSWORD@HOST:3306/DATABASE \
                     or mysql://USER@localhost/DATABASE?socket=/PATH"
                ),
            )
        };
        let opts = Opts::from_url(url).map_err(|error| bad(url_error(&error)))?;
        if opts.db_name().is_none_or(str::is_empty) {
            return Err(bad("it names no database"));
        }
        let constraints = PoolConstraints::new(CONNECTIONS_MIN, CONNECTIONS_MAX)
            .ok_or_else(|| bad("its pool is empty"))?;
        // No statement changes the session that `init` sets up, so it needs no reset.
        let pool_opts = PoolOpts::default()
            .with_constraints(constraints)
            .with_inactive_connection_ttl(IDLE)
            .with_reset_connection(false);
        let opts: Opts = OptsBuilder::from_opts(opts)
            .pool_opts(pool_opts)
            .stmt_cache_size(STATEMENTS_MAX)
            .client_found_rows(true)
            .tcp_keepalive(Some(KEEPALIVE))
            .prefer_socket(false)
            .init(vec![SESSION, ISOLATION])
            .into();
        Ok(Self {
            pool: Pool::new(opts.clone()),
            opts,
            instrument: Instrument::default(),
            indexed: Arc::default(),
        })
    }

    /// The same connections, at this instrument.
    #[must_use]
    pub fn instrumented(&self, instrument: Instrument) -> Self {
        Self {
            instrument,
            ..self.clone()
        }
    }

    /// Its instrument.
    pub(in crate::store) fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    /// Checks that the database answers.
    pub async fn ping(&self) -> Result<(), Fault> {
        self.select("SELECT 1", Params::Empty).await.map(drop)
    }

    /// Closes every connection once it is idle. The store cannot be used afterwards.
    pub async fn close(&self) -> Result<(), Fault> {
        within(self.pool.clone().disconnect()).await
    }

    /// Runs a statement that finds rows and is safe to repeat.
    pub(super) async fn select(&self, sql: &str, params: Params) -> Result<Vec<Row>, Fault> {
        let asking = within(async {
            let mut spare = CONNECTIONS_MAX;
            loop {
                match self.try_rows(sql, params.clone()).await {
                    Err(error) if spare > 0 && is_repeatable(&error) => spare -= 1,
                    outcome => return outcome,
                }
            }
        });
        self.instrument
            .call(call(Locks::Free, &Statement(sql)), asking)
            .await
    }

    /// Runs a statement that changes rows and is safe to repeat.
    pub(super) async fn change(&self, sql: &str, params: Params) -> Result<Changed, Fault> {
        let asking = within(async {
            let mut spare = CONNECTIONS_MAX;
            loop {
                match self.try_change(sql, params.clone()).await {
                    Err(error) if spare > 0 && is_repeatable(&error) => spare -= 1,
                    outcome => return outcome,
                }
            }
        });
        self.instrument
            .call(call(Locks::Waits, &Statement(sql)), asking)
            .await
    }

    /// Begins a transaction, which is rolled back when it is dropped before [`Transaction::commit`].
    pub(super) async fn transaction(&self) -> Result<Transaction, Fault> {
        let asking = within(async {
            let mut spare = CONNECTIONS_MAX;
            loop {
                match self.pool.start_transaction(TxOpts::new()).await {
                    Err(error) if spare > 0 && is_repeatable(&error) => spare -= 1,
                    outcome => return outcome,
                }
            }
        });
        let instrument = self.instrument.clone();
        let tx = instrument
            .call(call(Locks::Takes, &Statement("BEGIN")), asking)
            .await?;
        let open = instrument.transaction();
        Ok(Transaction {
            tx,
            instrument,
            open,
        })
    }

    async fn try_rows(&self, sql: &str, params: Params) -> mysql_async::Result<Vec<Row>> {
        self.pool.get_conn().await?.exec(sql, params).await
    }

    async fn try_change(&self, sql: &str, params: Params) -> mysql_async::Result<Changed> {
        changed(&mut self.pool.get_conn().await?, sql, params).await
    }

    /// Opens a connection outside the pool.
    pub(super) async fn own_conn(&self) -> Result<Conn, Fault> {
        within(Conn::new(self.opts.clone())).await
    }
}

/// A transaction whose every statement has a deadline.
pub(super) struct Transaction {
    tx: mysql_async::Transaction<'static>,
    instrument: Instrument,
    /// Tells the instrument that the transaction is open.
    open: Box<dyn Any + Send>,
}

impl Transaction {
    /// Runs a statement that finds rows.
    pub async fn select(&mut self, sql: &str, params: Params) -> Result<Vec<Row>, Fault> {
        let asking = within(self.tx.exec(sql, params));
        self.instrument
            .call(call(Locks::Holds, &Statement(sql)), asking)
            .await
    }

    /// Runs a statement that changes rows.
    pub async fn change(&mut self, sql: &str, params: Params) -> Result<Changed, Fault> {
        let asking = within(changed(&mut self.tx, sql, params));
        self.instrument
            .call(call(Locks::Holds, &Statement(sql)), asking)
            .await
    }

    pub async fn commit(self) -> Result<(), Fault> {
        let Self {
            tx,
            instrument,
            open,
        } = self;
        let asking = async {
            let committed = within(tx.commit()).await;
            drop(open);
            committed
        };
        instrument
            .call(call(Locks::Holds, &Statement("COMMIT")), asking)
            .await
    }
}

/// A statement on one line, for traces.
struct Statement<'a>(&'a str);

impl fmt::Display for Statement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.0.split_whitespace().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(word)?;
        }
        Ok(())
    }
}

fn call<'a>(locks: Locks, text: &'a Statement<'_>) -> Call<'a> {
    Call {
        backend: Backend::MySql,
        locks,
        text,
    }
}

async fn changed<Q: Queryable>(
    on: &mut Q,
    sql: &str,
    params: Params,
) -> mysql_async::Result<Changed> {
    let result = on.exec_iter(sql, params).await?;
    let changed = Changed {
        rows: result.affected_rows(),
        id: result.last_insert_id(),
    };
    result.drop_result().await?;
    Ok(changed)
}

/// Waits for the database until [`DEADLINE`].
pub(super) async fn within<T>(
    work: impl Future<Output = mysql_async::Result<T>>,
) -> Result<T, Fault> {
    match timeout(DEADLINE, work).await {
        Ok(outcome) => outcome.map_err(|error| fault(&error)),
        Err(_) => Err(Fault::unavailable(
            STORE,
            format!("no answer within {} s", DEADLINE.as_secs()),
        )),
    }
}

/// What is wrong with a URL, without quoting it: it has a password.
fn url_error(error: &UrlError) -> &'static str {
    match error {
        UrlError::UnsupportedScheme { .. } => "it does not start with mysql://",
        UrlError::UnknownParameter { .. } => "it has an unknown parameter",
        UrlError::InvalidParamValue { .. } | UrlError::FeatureRequired { .. } => {
            "one of its parameters has an invalid value"
        }
        UrlError::InvalidPoolConstraints { .. } | UrlError::Invalid | UrlError::Parse(_) => {
            "it is not a URL"
        }
    }
}

/// How often a transaction runs at most when it loses deadlocks.
pub(super) const TRIES_MAX: usize = 4;
