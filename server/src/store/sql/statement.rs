//! A statement with its parameters and, if it finds rows, the decoding of a row.

use std::borrow::Cow;

use super::{Row, Unusable, Value};

/// The named parameters of a statement, written as in its text: `:name`.
pub type Params = Vec<(Cow<'static, str>, Value)>;

/// Makes [`Params`] of `"name": value` pairs.
macro_rules! params {
    ($($name:literal: $value:expr),* $(,)?) => {
        vec![$((
            std::borrow::Cow::Borrowed(concat!(":", $name)),
            $crate::store::sql::Value::from($value),
        )),*]
    };
}
pub(in crate::store) use params;

type Decode<T> = Box<dyn Fn(&dyn Row) -> Result<T, Unusable> + Send + Sync>;

/// A statement that finds rows and may be repeated.
pub struct Query<T> {
    /// The table of the rows, as the warning about unusable rows names it.
    pub table: &'static str,
    pub sql: Cow<'static, str>,
    pub params: Params,
    pub decode: Decode<T>,
}

impl<T> Query<T> {
    pub fn new(
        table: &'static str,
        sql: impl Into<Cow<'static, str>>,
        params: Params,
        decode: impl Fn(&dyn Row) -> Result<T, Unusable> + Send + Sync + 'static,
    ) -> Self {
        Self {
            table,
            sql: sql.into(),
            params,
            decode: Box::new(decode),
        }
    }
}

/// A statement that changes rows.
pub struct Change {
    pub sql: Cow<'static, str>,
    pub params: Params,
}

impl Change {
    pub fn new(sql: impl Into<Cow<'static, str>>, params: Params) -> Self {
        Self {
            sql: sql.into(),
            params,
        }
    }
}
