//! The lock by which one process at a time uses a SQLite file.
//!
//! SQLite itself lets several processes write, one after the other. But each would take itself for the only one, and say that a client
//! is ready that the other does not know. The lock is on a file beside the database, because to close any descriptor of the database itself
//! would release SQLite's own locks.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// Held as long as this value. The kernel releases it also when the process is killed.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "held, not used")] File);

impl FileLock {
    /// Locks the database file, in the name of this holder.
    ///
    /// # Errors
    /// If another process holds it, or if the file beside the database cannot be made.
    pub fn take(database: &Path, holder: &str) -> Result<Self, StoreError> {
        let path = beside(database);
        let mut open = OpenOptions::new();
        open.read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let failed = |error: std::io::Error| {
            StoreError::Open(format!(
                "the lock file {} cannot be used: {error}; its folder must exist and be writable for the user that runs this program",
                path.display()
            ))
        };
        let mut file = open.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(database, file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let noted = file
            .set_len(0)
            .and_then(|()| file.write_all(holder.as_bytes()));
        noted.map_err(failed)?;
        Ok(Self(file))
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-lock");
    path.into()
}

fn in_use(database: &Path, mut lock: File) -> StoreError {
    let mut holder = String::new();
    let read = lock
        .rewind()
        .and_then(|()| lock.read_to_string(&mut holder));
    let holder = match read {
        Ok(_) if !holder.is_empty() => format!("{holder:?}"),
        _ => "another process".to_owned(),
    };
    StoreError::InUse(format!(
        "the database file {} is in use by {holder}: one process at a time uses a SQLite file; end that one, or use PostgreSQL for several replicas",
        database.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o07_a_locked_file_says_who_holds_it_until_it_is_free() {
        let folder = std::env::temp_dir().join(format!("clientele-lock-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let database = folder.join("store.db");
        let held = FileLock::take(&database, "pod-a").unwrap();
        let refused = FileLock::take(&database, "pod-b").unwrap_err();
        assert!(
            refused.to_string().contains("in use by \"pod-a\""),
            "{refused}"
        );
        drop(held);
        FileLock::take(&database, "b").unwrap();
        assert_eq!(std::fs::read_to_string(beside(&database)).unwrap(), "b");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
