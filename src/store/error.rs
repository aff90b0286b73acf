//! Why the store could not answer, in sentences.

use std::fmt;

/// Why the store could not answer. Nothing that was sent is in it, nor the password of the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that we know, or cannot be read.
    #[error("{0}")]
    Url(String),
    /// The database could not be opened. Says what to do about it.
    #[error("{0}")]
    Open(String),
    /// The database was written by a newer version of this program.
    #[error(
        "the database was written by a newer version (its schema has migration {0}, which this version does not know); run that version, or restore a backup of before the upgrade"
    )]
    Newer(i64),
    /// A migration failed.
    #[error("the database could not be migrated: {0}")]
    Migration(String),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(String),
    /// The database took too long. What was to be written may or may not be; if it is, it is there as a whole.
    #[error("the database did not answer in time")]
    Timeout,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::Timeout,
            sqlx::Error::PoolClosed => Self::Closed,
            error => Self::Database(describe(&error)),
        }
    }
}

/// What a database said, without what it was sent: PostgreSQL's details and decoding errors quote rows.
pub fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => {
            let code = Code(error.code().unwrap_or_default());
            format!("{}{code}", error.message())
        }
        sqlx::Error::ColumnDecode { index, .. } => {
            format!("the column {index} holds what this version cannot read")
        }
        sqlx::Error::Decode(_) => "a column holds what this version cannot read".to_owned(),
        error => error.to_string(),
    }
}

/// A code after a message, in brackets, if there is one.
#[derive(Default)]
struct Code<'a>(std::borrow::Cow<'a, str>);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, " (code {})", self.0)
    }
}
