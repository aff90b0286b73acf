//! Resource versions as numbers.

/// A version as a number, by which versions of one kind compare. None of one that is no number.
pub fn number(version: Option<&str>) -> Option<u64> {
    version?.parse().ok()
}
