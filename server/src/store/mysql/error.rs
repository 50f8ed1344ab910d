//! Errors of MySQL and MariaDB as faults.

use crate::error::Fault;

/// The store's name in faults.
pub(super) const STORE: &str = "MySQL";

/// An error of the database server.
#[derive(Debug, thiserror::Error)]
#[error("error {code} ({state}): {message}")]
struct ServerError {
    code: u16,
    state: String,
    message: String,
}

/// The error number of a duplicate key.
pub(super) const DUPLICATE: u16 = 1062;
/// The error number of a transaction that was rolled back to end a deadlock.
const DEADLOCK: u16 = 1213;

/// Errors after which the same statement may succeed later or on another server: disk full, too many
/// connections, no access, no such database, shutting down, broken packets, lock wait timeout,
/// deadlock, over a quota, read-only, interrupted, killed, too long.
const AWAY: &[u16] = &[
    1021, 1040, 1044, 1045, 1049, 1053, 1077, 1079, 1130, 1158, 1159, 1160, 1161, 1203, 1205,
    DEADLOCK, 1226, 1290, 1317, 1836, 1927, 1969, 3024, 3168,
];

pub(super) fn fault(error: &mysql_async::Error) -> Fault {
    let mysql_async::Error::Server(server) = error else {
        return if is_lost(error) {
            Fault::unavailable(STORE, error.to_string())
        } else {
            Fault::broken("a statement", error.to_string())
        };
    };
    // Messages about values (classes 22 and 23) quote them, and users' data must not be logged.
    let quotes = server.state.starts_with("22") || server.state.starts_with("23");
    let source = ServerError {
        code: server.code,
        state: server.state.clone(),
        message: if quotes {
            "the value is invalid".to_owned()
        } else {
            server.message.clone()
        },
    };
    if AWAY.contains(&server.code) {
        Fault::unavailable(STORE, source)
    } else {
        Fault::broken("a statement", source)
    }
}

/// The number of a database server's error.
pub(super) fn server_code(fault: &Fault) -> Option<u16> {
    let source = match fault {
        Fault::Unavailable { source, .. } | Fault::Broken { source, .. } => source,
    };
    source.downcast_ref::<ServerError>().map(|error| error.code)
}

/// Whether a transaction was rolled back to end a deadlock, and can be repeated.
pub(super) fn is_deadlock(fault: &Fault) -> bool {
    server_code(fault) == Some(DEADLOCK)
}

/// Whether the connection is lost.
fn is_lost(error: &mysql_async::Error) -> bool {
    use mysql_async::{DriverError, Error};
    matches!(
        error,
        Error::Io(_) | Error::Driver(DriverError::ConnectionClosed | DriverError::PoolDisconnected)
    )
}

/// Whether another connection may work: after a restart of the database every idle one is lost.
pub(super) fn is_repeatable(error: &mysql_async::Error) -> bool {
    is_lost(error) && !is_refused(error)
}

/// Whether the database refuses connections.
fn is_refused(error: &mysql_async::Error) -> bool {
    match error {
        mysql_async::Error::Io(mysql_async::IoError::Io(io)) => matches!(
            io.kind(),
            std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound
        ),
        _ => false,
    }
}
