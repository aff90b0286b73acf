//! What a database URL names. It may hold a password, so no sentence here quotes it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::any::AnyConnectOptions;
use tracing::log::LevelFilter;
use url::Url;

use crate::error::StoreError;

/// A statement that takes longer is worth a warning.
const SLOW: Duration = Duration::from_secs(1);

/// Where a database is.
#[cfg_attr(test, derive(PartialEq))]
pub enum Location {
    /// In memory, SQLite.
    Memory,
    /// In a file, SQLite.
    File(PathBuf),
    /// In a PostgreSQL server.
    Server(Url),
}

/// The URL of a server may hold a password.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("Memory"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Server(url) => f.debug_tuple("Server").field(&server_name(url)).finish(),
        }
    }
}

/// Parameters of a PostgreSQL URL. sqlx would log an unknown one with its value, and go on without it.
const PARAMETERS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// Reads a database URL.
pub fn parse(url: &str) -> Result<Location, StoreError> {
    let (scheme, rest) = url.split_once(':').unwrap_or_default();
    match scheme {
        "sqlite" => sqlite(rest.strip_prefix("//").unwrap_or(rest)),
        "postgres" | "postgresql" => server(url),
        _ => refuse(
            "a database URL is sqlite:PATH, sqlite::memory: or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
    }
}

fn refuse(sentence: &str) -> Result<Location, StoreError> {
    Err(StoreError::Url(sentence.to_owned()))
}

fn sqlite(path: &str) -> Result<Location, StoreError> {
    match path {
        ":memory:" => Ok(Location::Memory),
        "" => refuse("the database URL names no file: write sqlite:PATH"),
        path if path.contains('?') => refuse("a database URL sqlite:PATH takes no parameters"),
        path => Ok(Location::File(path.into())),
    }
}

fn server(url: &str) -> Result<Location, StoreError> {
    const ENCODE: &str = "special characters in user and password are written as %XX, for example / as %2F, ? as %3F, # as %23, @ as %40";
    let Ok(mut url) = Url::parse(url) else {
        return refuse(&format!("the database URL cannot be read: {ENCODE}"));
    };
    let astray = |part: Option<&str>| part.is_some_and(|part| part.contains('@'));
    // The password went on where the host should be.
    if url.fragment().is_some() || astray(Some(url.path())) || astray(url.query()) {
        return refuse(&format!("the database URL is cut short: {ENCODE}"));
    }
    if !url
        .query_pairs()
        .all(|(name, _)| PARAMETERS.contains(&&*name))
    {
        let known = PARAMETERS.join(", ");
        return refuse(&format!(
            "the database URL has an unknown parameter; use one of {known}"
        ));
    }
    if !url
        .query_pairs()
        .any(|(name, _)| name == "application_name")
    {
        url.query_pairs_mut()
            .append_pair("application_name", "clientele");
    }
    Ok(Location::Server(url))
}

/// The server of a URL as the subject of a sentence.
pub fn described(url: &Url) -> String {
    format!("the PostgreSQL server {}", server_name(url))
}

/// Host, port and database of a URL.
fn server_name(url: &Url) -> String {
    let parameter = |wanted: &str| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let host = parameter("host").or_else(|| url.host_str().map(str::to_owned));
    let port = parameter("port").or_else(|| url.port().map(|port| port.to_string()));
    let host = host.unwrap_or_else(|| "localhost".to_owned());
    format!("{host}:{}", port.unwrap_or_else(|| "5432".to_owned())).replace("%2F", "/")
}

/// How sqlx connects. What it logs are statements, never values.
pub fn options(url: &Url) -> Result<AnyConnectOptions, StoreError> {
    sqlx::any::install_default_drivers();
    let options = AnyConnectOptions::from_url(url)?;
    Ok(options
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, SLOW))
}

/// Says of a failure where it happened.
pub fn locate(place: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Database(said) => StoreError::Open(format!("{place} cannot be used: {said}")),
        StoreError::Timeout => StoreError::Open(format!("{place} did not answer in time")),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_is_written() {
        for (url, path) in [
            ("sqlite:clientele.db", "clientele.db"),
            ("sqlite:/var/lib/a b%20c.db", "/var/lib/a b%20c.db"),
            ("sqlite:///var/lib/c.db", "/var/lib/c.db"),
            ("sqlite://relative.db", "relative.db"),
        ] {
            assert_eq!(parse(url), Ok(Location::File(path.into())), "{url}");
        }
        assert_eq!(parse("sqlite::memory:"), Ok(Location::Memory));
        assert_eq!(parse("sqlite://:memory:"), Ok(Location::Memory));
    }

    #[test]
    fn a_url_that_cannot_be_read_is_refused_without_being_quoted() {
        for url in [
            "",
            "hunter2",
            "mysql://user:hunter2@host/database",
            "sqlite:",
            "sqlite:hunter2?mode=memory",
            "postgres://user:hunter2:x@host:port/database",
            "postgres://user:99/hunter2@host/database",
            "postgres://user:99?hunter2@host/database",
            "postgres://user:99#hunter2@host/database",
            "postgres://user@host/database?passwort=hunter2",
        ] {
            let error = parse(url).expect_err(url).to_string();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("URL"), "{error}");
        }
    }

    #[test]
    fn a_server_is_named_without_user_and_password() {
        for (url, name) in [
            ("postgres://u:p@db.example/d", "db.example:5432"),
            ("postgresql://u:p@db.example:6000/d", "db.example:6000"),
            ("postgres://u@%2Frun%2Fpg/d", "/run/pg:5432"),
            ("postgres:///d?host=/run/pg&port=7", "/run/pg:7"),
            ("postgres:///d", "localhost:5432"),
        ] {
            let Location::Server(url) = parse(url).unwrap() else {
                panic!("{url} is a server");
            };
            assert_eq!(server_name(&url), name);
        }
    }
}
