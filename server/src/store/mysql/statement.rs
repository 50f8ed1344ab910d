//! Running shared statements: parameters on their way in, rows on their way out.

use chrono::NaiveDateTime;
use mysql_async::prelude::FromValue;
use mysql_async::{Params, Row, Value};
use plenary_shared::time::Timestamp;

use super::pool::{Changed, MysqlStore, Transaction};
use crate::error::Fault;
use crate::store::sql::{self, Change, Query, Skipped};

impl MysqlStore {
    /// The rows of a query, `None` for each that cannot be used.
    pub(super) async fn rows<T>(&self, query: Query<T>) -> Result<Vec<Option<T>>, Fault> {
        let Query {
            table,
            sql,
            params,
            decode,
        } = query;
        let rows = self.select(&sql, named(params)).await?;
        Ok(decoded(&rows, table, decode))
    }

    /// The usable rows of a query.
    pub(super) async fn all<T>(&self, query: Query<T>) -> Result<Vec<T>, Fault> {
        Ok(self.rows(query).await?.into_iter().flatten().collect())
    }

    /// The first usable row of a query.
    pub(super) async fn one<T>(&self, query: Query<T>) -> Result<Option<T>, Fault> {
        Ok(self.all(query).await?.into_iter().next())
    }

    /// Runs a change that is safe to repeat.
    pub(super) async fn execute(&self, change: Change) -> Result<Changed, Fault> {
        self.change(&change.sql, named(change.params)).await
    }
}

impl Transaction {
    /// The usable rows of a query.
    pub(super) async fn all<T>(&mut self, query: Query<T>) -> Result<Vec<T>, Fault> {
        let Query {
            table,
            sql,
            params,
            decode,
        } = query;
        let rows = self.select(&sql, named(params)).await?;
        let decoded = decoded(&rows, table, decode);
        Ok(decoded.into_iter().flatten().collect())
    }

    /// The first usable row of a query.
    pub(super) async fn one<T>(&mut self, query: Query<T>) -> Result<Option<T>, Fault> {
        Ok(self.all(query).await?.into_iter().next())
    }

    /// Runs a change.
    pub(super) async fn execute(&mut self, change: Change) -> Result<Changed, Fault> {
        self.change(&change.sql, named(change.params)).await
    }
}

/// Decodes rows, `None` for each that cannot be used.
pub(super) fn decoded<T>(
    rows: &[Row],
    table: &'static str,
    decode: impl Fn(&dyn sql::Row) -> Result<T, sql::Unusable>,
) -> Vec<Option<T>> {
    let mut skipped = Skipped::new(table);
    let decoded = rows.iter().map(|row| skipped.note(decode(row))).collect();
    skipped.warn();
    decoded
}

/// Named parameters as the driver takes them.
pub(super) fn named(params: sql::Params) -> Params {
    if params.is_empty() {
        return Params::Empty;
    }
    let named = params.into_iter().map(|(name, value)| {
        let name = name.trim_start_matches(':').as_bytes();
        (name.to_vec(), value.into())
    });
    Params::Named(named.collect())
}

impl From<sql::Value> for Value {
    fn from(value: sql::Value) -> Self {
        match value {
            sql::Value::Null => Self::NULL,
            sql::Value::Number(number) => number.into(),
            sql::Value::Text(text) => text.into(),
            sql::Value::Time(at) => at.to_utc().naive_utc().into(),
            sql::Value::Bytes(bytes) => bytes.into(),
        }
    }
}

impl sql::Row for Row {
    fn number(&self, column: &str) -> Option<i64> {
        get(self, column)
    }

    fn text(&self, column: &str) -> Option<String> {
        match self.get_opt::<Value, _>(column) {
            Some(Ok(Value::Bytes(bytes))) => Some(match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }),
            Some(_) | None => None,
        }
    }

    fn bytes(&self, column: &str) -> Option<Vec<u8>> {
        get(self, column)
    }

    fn maybe_time(&self, column: &str) -> Option<Timestamp> {
        get::<NaiveDateTime>(self, column).map(|at| Timestamp::from(at.and_utc()))
    }
}

fn get<T: FromValue>(row: &Row, column: &str) -> Option<T> {
    match row.get_opt::<Option<T>, _>(column) {
        Some(Ok(value)) => value,
        Some(Err(_)) | None => None,
    }
}
