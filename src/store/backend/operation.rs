//! An operation as a value: it can wait in a queue, and be run again when the transaction that it was part of failed.

use std::future::Future;

use jiff::Timestamp;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use sqlx::{Decode, Row, Type};

/// What runs on a connection, inside a transaction if it writes. It either happens wholly or not at all.
pub trait Operation: Send + Sync + 'static {
    /// What it answers.
    type Output: Send + 'static;

    /// Whether at most one of its statements writes, after which it sends no other: then none needs a transaction around it, and a
    /// statement that could not be sent means that nothing was written.
    const SINGLE: bool = true;

    /// The common case in one statement, for PostgreSQL, where every statement is a journey. `None` if this is not the
    /// common case; nothing has happened then.
    fn at_once(
        &self,
        _: &mut AnyConnection,
    ) -> impl Future<Output = sqlx::Result<Option<Self::Output>>> + Send {
        std::future::ready(Ok(None))
    }

    /// Runs it. It may be called again after a failure, when nothing of the first time has remained.
    fn run(
        &self,
        db: &mut AnyConnection,
    ) -> impl Future<Output = sqlx::Result<Self::Output>> + Send;
}

/// Whether the database answers.
pub struct Check;

impl Operation for Check {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        sqlx::query("SELECT 1").execute(db).await.map(drop)
    }
}

/// A time as it is kept: milliseconds since 1970. What is finer is lost.
pub fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// A row as a value.
pub trait FromRow: Sized {
    /// Reads it by the names of the columns.
    fn from_row(row: &AnyRow) -> sqlx::Result<Self>;
}

/// Reads a column.
pub fn column<'r, T>(row: &'r AnyRow, name: &'static str) -> sqlx::Result<T>
where
    T: Decode<'r, sqlx::Any> + Type<sqlx::Any>,
{
    row.try_get(name)
}

/// Reads a column that holds a time.
pub fn time(row: &AnyRow, name: &'static str) -> sqlx::Result<Timestamp> {
    to_time(column(row, name)?)
}

/// Reads a column that may hold a time.
pub fn optional_time(row: &AnyRow, name: &'static str) -> sqlx::Result<Option<Timestamp>> {
    column::<Option<i64>>(row, name)?.map(to_time).transpose()
}

fn to_time(millis: i64) -> sqlx::Result<Timestamp> {
    Timestamp::from_millisecond(millis).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
