//! What an error of PostgreSQL says: about the connection, and about what was to be done.

use std::borrow::Cow;
use std::io;

use sqlx::error::DatabaseError;

/// A server that stops, that only reads since it is no longer the primary, or that cannot be reached by this connection.
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
const LOST: [&str; 4] = ["25006", "57P01", "57P02", "57P03"];

/// Whether a connection that reported this error is closed instead of used again.
pub fn loses_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        error => {
            code(error).is_some_and(|code| code.starts_with("08") || LOST.contains(&code.as_str()))
        }
    }
}

/// Whether nothing of what was to be sent was done: the server says so, or the connection was closed before it could be sent. `57P02`
/// is no such error: the server sends it to every connection when one of its processes crashed, also to one whose COMMIT it has
/// carried out.
pub fn did_nothing(error: &sqlx::Error) -> bool {
    if let sqlx::Error::Io(error) = error {
        return error.kind() == io::ErrorKind::BrokenPipe;
    }
    code(error).is_some_and(|code| matches!(&*code, "25006" | "57P01" | "57P03"))
}

/// Whether another transaction was in the way, so that nothing was done: `serialization_failure`, `deadlock_detected`.
pub fn was_in_the_way(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| matches!(&*code, "40001" | "40P01"))
}

/// Whether the next try to connect may succeed although nothing is changed: the server starts, or has no room for a moment.
pub fn passes_by_itself(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::NotFound
        ),
        error => {
            code(error).is_some_and(|code| matches!(&*code, "53300" | "57P01" | "57P02" | "57P03"))
        }
    }
}

/// Whether the server does not accept the user or the password.
pub fn is_unauthenticated(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| matches!(&*code, "28P01" | "28000"))
}

fn code(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.map(Cow::into_owned)
}
