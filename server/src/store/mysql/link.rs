//! The connections: where they lead, how many there are, and how long a statement may take.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{
    Conn, Opts, OptsBuilder, Params, Pool, PoolConstraints, PoolOpts, Row, Transaction, TxOpts,
    UrlError,
};
use tokio::time::timeout;

use crate::error::Fault;
use crate::store::instrument::{Backend, Call, Instrument, Locks};

/// How faults name the store.
const STORE: &str = "MySQL";

/// How long getting a connection, or one statement, may take before the database counts as away.
const DEADLINE: Duration = Duration::from_secs(5);

/// What a session asks of the database: one clock, no silent truncation, no gap locks, and to give
/// up by itself before [`DEADLINE`], so that nothing goes on which nobody waits for. The comments
/// are read by MySQL and by MariaDB alone, in this order.
const SESSION: &str = "SET time_zone = '+00:00', \
     sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION', \
     innodb_lock_wait_timeout = 3 \
     /*!80000 , max_execution_time = 4000 */ \
     /*M!100100 , max_statement_time = 4 */";

/// So that a statement sees what was committed before it, and locks no gaps.
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Connections of one server: more do not make a small machine's database faster.
const CONNECTIONS_MAX: usize = 8;

/// Connections that are kept when nothing is to be done.
const CONNECTIONS_MIN: usize = 1;

/// How long a connection above the minimum may idle.
const IDLE: Duration = Duration::from_mins(1);

/// When the operating system begins to ask whether a silent TCP peer is still there.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Prepared statements kept on each connection: more than this program has.
const STATEMENTS_MAX: usize = 128;

/// What lasts. Cheap to clone; all clones share one pool of connections.
#[derive(Clone)]
pub struct MysqlStore {
    opts: Opts,
    pool: Pool,
    instrument: Instrument,
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
    /// Rows that it found, whether or not they became different.
    pub rows: u64,
    /// The id that was given to the row inserted.
    pub id: Option<u64>,
}

impl MysqlStore {
    /// Reads the URL, `mysql://user:password@host:3306/database` or
    /// `mysql://user@localhost/database?socket=/path`; connects when first asked for something.
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
        // The session never differs from what `init` makes it, so nothing is to be reset.
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

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Fault> {
        self.rows("SELECT 1", Params::Empty).await.map(drop)
    }

    /// Closes every connection once it is idle. Nothing can be asked afterwards.
    pub async fn close(&self) -> Result<(), Fault> {
        within(self.pool.clone().disconnect()).await
    }

    /// The rows that a statement finds. It must be safe to repeat.
    pub(super) async fn rows(&self, sql: &str, params: Params) -> Result<Vec<Row>, Fault> {
        let asking = within(async {
            let mut spare = CONNECTIONS_MAX;
            loop {
                match self.try_rows(sql, params.clone()).await {
                    Err(error) if spare > 0 && another_may_do(&error) => spare -= 1,
                    outcome => return outcome,
                }
            }
        });
        self.instrument
            .call(call(Locks::Free, &Statement(sql)), asking)
            .await
    }

    /// The one row that a statement finds. It must be safe to repeat.
    pub(super) async fn row(&self, sql: &str, params: Params) -> Result<Option<Row>, Fault> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// Lets a statement change rows. It must be safe to repeat.
    pub(super) async fn change(&self, sql: &str, params: Params) -> Result<Changed, Fault> {
        let asking = within(async {
            let mut spare = CONNECTIONS_MAX;
            loop {
                match self.try_change(sql, params.clone()).await {
                    Err(error) if spare > 0 && another_may_do(&error) => spare -= 1,
                    outcome => return outcome,
                }
            }
        });
        self.instrument
            .call(call(Locks::Waits, &Statement(sql)), asking)
            .await
    }

    /// Begins a transaction, on a connection that lives. Dropped uncommitted, it is rolled back.
    pub(super) async fn transaction(&self) -> Result<Work, Fault> {
        let asking = within(async {
            let mut spare = CONNECTIONS_MAX;
            loop {
                match self.pool.start_transaction(TxOpts::new()).await {
                    Err(error) if spare > 0 && another_may_do(&error) => spare -= 1,
                    outcome => return outcome,
                }
            }
        });
        let instrument = self.instrument.clone();
        let tx = instrument
            .call(call(Locks::Takes, &Statement("BEGIN")), asking)
            .await?;
        let open = instrument.transaction();
        Ok(Work {
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

    /// A connection of its own, outside the pool.
    pub(super) async fn own_conn(&self) -> Result<Conn, Fault> {
        within(Conn::new(self.opts.clone())).await
    }
}

/// A transaction whose every statement has a deadline.
pub(super) struct Work {
    tx: Transaction<'static>,
    instrument: Instrument,
    /// Says until when it is open, to whoever watches.
    open: Box<dyn Any + Send>,
}

impl Work {
    /// The rows that a statement finds.
    pub async fn rows(&mut self, sql: &str, params: Params) -> Result<Vec<Row>, Fault> {
        let asking = within(self.tx.exec(sql, params));
        self.instrument
            .call(call(Locks::Holds, &Statement(sql)), asking)
            .await
    }

    /// The one row that a statement finds.
    pub async fn row(&mut self, sql: &str, params: Params) -> Result<Option<Row>, Fault> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// Lets a statement change rows.
    pub async fn change(&mut self, sql: &str, params: Params) -> Result<Changed, Fault> {
        let asking = within(changed(&mut self.tx, sql, params));
        self.instrument
            .call(call(Locks::Holds, &Statement(sql)), asking)
            .await
    }

    /// Makes it last.
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

/// Waits for the database, but not longer than the deadline.
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

/// The server said no, with this number.
#[derive(Debug, thiserror::Error)]
#[error("error {code} ({state}): {message}")]
pub(super) struct ServerSaid {
    pub code: u16,
    state: String,
    message: String,
}

/// A row of this key is there already.
pub(super) const DUPLICATE: u16 = 1062;
/// Two transactions waited for each other, and ours was rolled back.
const DEADLOCK: u16 = 1213;

/// Errors after which the same statement may well succeed later, or elsewhere: disk full, too many
/// connections, no access, no such database, shutting down, broken packets, lock wait timeout,
/// deadlock, over a quota, read-only, interrupted, killed, too long.
const AWAY: &[u16] = &[
    1021, 1040, 1044, 1045, 1049, 1053, 1077, 1079, 1130, 1158, 1159, 1160, 1161, 1203, 1205,
    DEADLOCK, 1226, 1290, 1317, 1836, 1927, 1969, 3024, 3168,
];

fn fault(error: &mysql_async::Error) -> Fault {
    let mysql_async::Error::Server(server) = error else {
        return if lost(error) {
            Fault::unavailable(STORE, error.to_string())
        } else {
            Fault::broken("a statement", error.to_string())
        };
    };
    // Messages about values (classes 22 and 23) quote them, and people's data belongs in no log.
    let quotes = server.state.starts_with("22") || server.state.starts_with("23");
    let said = ServerSaid {
        code: server.code,
        state: server.state.clone(),
        message: if quotes {
            "a value was refused".to_owned()
        } else {
            server.message.clone()
        },
    };
    if AWAY.contains(&server.code) {
        Fault::unavailable(STORE, said)
    } else {
        Fault::broken("a statement", said)
    }
}

/// The number of the server's error, if it is one.
pub(super) fn server_code(fault: &Fault) -> Option<u16> {
    let source = match fault {
        Fault::Unavailable { source, .. } | Fault::Broken { source, .. } => source,
    };
    source.downcast_ref::<ServerSaid>().map(|said| said.code)
}

/// Whether a transaction was rolled back for the sake of another, and may simply be tried again.
pub(super) fn is_deadlock(fault: &Fault) -> bool {
    server_code(fault) == Some(DEADLOCK)
}

/// Whether the connection is dead, so that another may fare better.
fn lost(error: &mysql_async::Error) -> bool {
    use mysql_async::{DriverError, Error};
    matches!(
        error,
        Error::Io(_) | Error::Driver(DriverError::ConnectionClosed | DriverError::PoolDisconnected)
    )
}

/// Whether the same may be done on another connection: after a restart of the database every one
/// that was idle may be dead.
fn another_may_do(error: &mysql_async::Error) -> bool {
    lost(error) && !refused(error)
}

/// Whether nothing listens there: another connection would fare no better.
fn refused(error: &mysql_async::Error) -> bool {
    match error {
        mysql_async::Error::Io(mysql_async::IoError::Io(io)) => matches!(
            io.kind(),
            std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound
        ),
        _ => false,
    }
}

/// What is wrong with a URL, without a word of it.
fn url_error(error: &UrlError) -> &'static str {
    match error {
        UrlError::UnsupportedScheme { .. } => "it does not begin with mysql://",
        UrlError::UnknownParameter { .. } => "it has a parameter that is not known",
        UrlError::InvalidParamValue { .. } | UrlError::FeatureRequired { .. } => {
            "a parameter of it has a value that is not possible"
        }
        UrlError::InvalidPoolConstraints { .. } | UrlError::Invalid | UrlError::Parse(_) => {
            "it is no URL"
        }
    }
}

/// Tries a transaction again that lost a deadlock, up to this many times in all.
pub(super) const TRIES_MAX: usize = 4;
