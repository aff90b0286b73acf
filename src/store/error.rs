//! Why the store could not answer, in sentences that say what to do.

use sqlx::error::DatabaseError;

/// Why the store could not answer. Nothing that was sent is in it, nor the password of the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that we know, or cannot be read.
    #[error("{0}")]
    Url(String),
    /// The database could not be opened.
    #[error("{0}")]
    Open(String),
    /// The database was written by a newer version of this program.
    #[error(
        "the database was written by a newer version (its schema has migration {0}, which this version does not know and which is not marked additive); run that version, or restore a backup from before the upgrade"
    )]
    Newer(i64),
    /// Another process uses the database, which only one may.
    #[error("{0}")]
    InUse(String),
    /// The database has not been reached since this process started.
    #[error("the database has not been reached since the start")]
    Unopened,
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(String),
    /// The database took too long. What was to be written may or may not be there; if it is, it is there as a whole.
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

/// What a database said, without what it was sent: details of PostgreSQL and decoding errors quote rows.
pub fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => {
            let message = error.message();
            let Some(code) = error.code() else {
                return message.to_owned();
            };
            match remedy(&code) {
                Some(remedy) => format!("{message} (code {code}); {remedy}"),
                None => format!("{message} (code {code})"),
            }
        }
        sqlx::Error::ColumnDecode { index, .. } => {
            format!("column {index} has a value that this version cannot read")
        }
        sqlx::Error::Decode(_) => "a column has a value that this version cannot read".to_owned(),
        error => error.to_string(),
    }
}

/// Whether SQLite said that another process has the file locked.
pub fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code.len() < 5 && primary(&code) == Some(5))
}

/// SQLite's code without what extends it.
fn primary(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|extended| extended & 0xff)
}

/// What a person can do about a code: SQLite's are numbers, PostgreSQL's have five characters.
fn remedy(code: &str) -> Option<&'static str> {
    if code.len() == 5 {
        return of_postgres(code);
    }
    of_sqlite(primary(code)?)
}

/// <https://www.sqlite.org/rescode.html>
const fn of_sqlite(primary: u32) -> Option<&'static str> {
    match primary {
        5 | 6 => Some(
            "another process has it locked: run one replica only with a SQLite file, and end the other process",
        ),
        8 => Some(
            "make the file, its folder and the files beside it writable for the user that runs this program",
        ),
        10 => {
            Some("check the disk; do not put a SQLite file on a network file system without locks")
        }
        11 => Some("the file is damaged: restore a backup, or move it away to start empty"),
        13 => Some("free space on the volume"),
        14 => Some("the folder must exist and be writable for the user that runs this program"),
        26 => Some("name another file, or move this one away so that a new one is made"),
        _ => None,
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
const fn of_postgres(code: &str) -> Option<&'static str> {
    match code.as_bytes() {
        b"28P01" | b"28000" => {
            Some("check user, password and sslmode in the database URL, and at pg_hba.conf")
        }
        b"3D000" => Some("create it with CREATE DATABASE, or name another one in the URL"),
        b"42501" => Some(
            "let the user of the URL own the database, or GRANT it CREATE and USAGE on the schema",
        ),
        b"53100" => Some("free space on the volume of the server"),
        b"53300" => Some("raise max_connections of the server; each replica holds up to 16"),
        b"08P01" => Some(
            "if a pooler is in between: with PgBouncer set pool_mode = session and ignore_startup_parameters = extra_float_digits",
        ),
        b"26000" | b"42P05" => Some(
            "a pooler gives each transaction another session: set pool_mode = session, or name the PostgreSQL server itself in the URL",
        ),
        b"25006" => Some("the URL must name the primary server, not a read-only standby"),
        b"57P03" => Some("the server is starting or stopping: wait, or check its log"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_both_databases_lead_to_a_remedy() {
        assert_eq!(remedy("13"), Some("free space on the volume"));
        // SQLITE_BUSY_RECOVERY, SQLITE_READONLY_DBMOVED.
        assert!(remedy("261").is_some_and(|text| text.contains("locked")));
        assert!(remedy("1032").is_some_and(|text| text.contains("writable")));
        assert!(remedy("25006").is_some_and(|text| text.contains("primary")));
        assert_eq!(remedy("1"), None);
        assert_eq!(remedy("42601"), None);
        assert_eq!(remedy(""), None);
    }

    #[test]
    fn a_column_that_cannot_be_read_is_named_but_not_quoted() {
        let error = sqlx::Error::ColumnDecode {
            index: "scope".to_owned(),
            source: "expected TEXT, got the-value".into(),
        };
        let text = describe(&error);
        assert_eq!(
            text,
            "column scope has a value that this version cannot read"
        );
        assert!(!describe(&sqlx::Error::Decode("the-value".into())).contains("the-value"));
    }
}
