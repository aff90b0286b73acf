//! Resource versions as numbers.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// A version as a number, by which versions of one kind compare. None of one that is no number.
pub fn number(version: Option<&str>) -> Option<u64> {
    version?.parse().ok()
}

/// The highest revision of the cluster that a watch has told of.
#[derive(Debug, Default)]
pub struct HighestRevision(AtomicU64);

impl HighestRevision {
    /// Notes the version of an object. One that is no number says nothing.
    pub fn note(&self, version: Option<&str>) {
        self.0.fetch_max(number(version).unwrap_or(0), Relaxed);
    }

    /// The highest so far; 0 if there was none.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
