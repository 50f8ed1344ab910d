//! Running statements: parameters on their way in, rows on their way out.

use plenary_shared::time::Timestamp;
use rusqlite::types::{FromSql, ToSqlOutput, Value as Stored, ValueRef};
use rusqlite::{Connection, Params, Row, ToSql};

use crate::store::sql::{self, Change, Query, Skipped, Unusable, Value};

/// The rows of a shared query, `None` for each that cannot be used.
pub(super) fn rows<T>(conn: &Connection, query: Query<T>) -> rusqlite::Result<Vec<Option<T>>> {
    let Query {
        table,
        sql,
        params,
        decode,
    } = query;
    select(conn, table, &sql, &*bound(&params), decode)
}

/// The usable rows of a shared query.
pub(super) fn all<T>(conn: &Connection, query: Query<T>) -> rusqlite::Result<Vec<T>> {
    Ok(rows(conn, query)?.into_iter().flatten().collect())
}

/// The first usable row of a shared query.
pub(super) fn one<T>(conn: &Connection, query: Query<T>) -> rusqlite::Result<Option<T>> {
    Ok(all(conn, query)?.into_iter().next())
}

/// Runs a shared change. Returns the number of changed rows.
pub(super) fn execute(conn: &Connection, change: Change) -> rusqlite::Result<usize> {
    let Change { sql, params } = change;
    conn.prepare_cached(&sql)?.execute(&*bound(&params))
}

fn bound(params: &sql::Params) -> Vec<(&str, &dyn ToSql)> {
    let bound = params.iter().map(|(name, value)| {
        let value: &dyn ToSql = value;
        (name.as_ref(), value)
    });
    bound.collect()
}

/// The rows of a statement, `None` for each that cannot be used.
pub(super) fn select<T>(
    conn: &Connection,
    table: &'static str,
    sql: &str,
    params: impl Params,
    decode: impl Fn(&dyn sql::Row) -> Result<T, Unusable>,
) -> rusqlite::Result<Vec<Option<T>>> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut decoded = Vec::new();
    let mut skipped = Skipped::new(table);
    while let Some(row) = rows.next()? {
        decoded.push(skipped.note(decode(row)));
    }
    skipped.warn();
    Ok(decoded)
}

/// The usable rows of a statement.
pub(super) fn select_all<T>(
    conn: &Connection,
    table: &'static str,
    sql: &str,
    params: impl Params,
    decode: impl Fn(&dyn sql::Row) -> Result<T, Unusable>,
) -> rusqlite::Result<Vec<T>> {
    let rows = select(conn, table, sql, params, decode)?;
    Ok(rows.into_iter().flatten().collect())
}

/// The first usable row of a statement.
pub(super) fn select_one<T>(
    conn: &Connection,
    table: &'static str,
    sql: &str,
    params: impl Params,
    decode: impl Fn(&dyn sql::Row) -> Result<T, Unusable>,
) -> rusqlite::Result<Option<T>> {
    let rows = select_all(conn, table, sql, params, decode)?;
    Ok(rows.into_iter().next())
}

/// Whether a statement finds a row.
pub(super) fn exists(conn: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<bool> {
    conn.prepare_cached(sql)?.exists(params)
}

/// Runs a statement that changes rows. Returns how many.
pub(super) fn change(conn: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
    conn.prepare_cached(sql)?.execute(params)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Stored::Null),
            Self::Number(number) => ToSqlOutput::Owned(Stored::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Time(at) => ToSqlOutput::Owned(Stored::Integer(at.as_ms())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

impl sql::Row for Row<'_> {
    fn number(&self, column: &str) -> Option<i64> {
        get(self, column)
    }

    fn text(&self, column: &str) -> Option<String> {
        match self.get_ref(column) {
            Ok(ValueRef::Text(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Ok(_) | Err(_) => None,
        }
    }

    fn bytes(&self, column: &str) -> Option<Vec<u8>> {
        get(self, column)
    }

    fn maybe_time(&self, column: &str) -> Option<Timestamp> {
        get(self, column).map(Timestamp::from_ms)
    }
}

fn get<T: FromSql>(row: &Row<'_>, column: &str) -> Option<T> {
    row.get::<_, Option<T>>(column).ok().flatten()
}
