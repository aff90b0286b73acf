//! An entry of a Secret, as an object refers to it.

/// An entry of a Secret. In this order those of one Secret lie together, and the Secrets of one namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretEntry {
    /// The namespace.
    pub namespace: String,
    /// The name of the Secret.
    pub secret: String,
    /// The name of the entry.
    pub key: String,
}
