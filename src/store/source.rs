//! Where the URL of the database is written. A file is read again for every connection, because passwords change.

use std::fmt;
use std::path::PathBuf;

use crate::error::StoreError;

/// Where the URL of the database is written.
#[derive(Clone)]
pub enum UrlSource {
    /// In the settings: it does not change while the process runs.
    Fixed(String),
    /// In a file, such as an entry of a mounted Secret, which changes with the Secret.
    File(PathBuf),
}

impl UrlSource {
    /// The URL as it is now.
    pub(crate) async fn read(&self) -> Result<String, StoreError> {
        let path = match self {
            Self::Fixed(url) => return Ok(url.clone()),
            Self::File(path) => path,
        };
        let text = tokio::fs::read_to_string(path).await;
        let text = text.map_err(|error| {
            StoreError::Url(format!(
                "cannot read the database URL from {}: {error}; give a file with --database-url-file",
                path.display()
            ))
        })?;
        Ok(text.trim().to_owned())
    }
}

/// A URL may hold a password.
impl fmt::Debug for UrlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(_) => f.write_str("Fixed([redacted])"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}
