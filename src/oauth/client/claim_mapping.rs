//! What a tenant lets the access tokens for an audience say about a person: a closed mapping, without expressions.

use std::sync::Arc;

/// The most claims of one audience.
pub const MAX_CLAIMS: usize = 16;
/// The longest name of a claim, in characters.
pub const MAX_NAME: usize = 64;
/// The longest constant, in characters.
pub const MAX_CONSTANT: usize = 128;

/// One claim of the access tokens for an audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMapping {
    /// The name of the claim in the token.
    pub name: Arc<str>,
    /// Where its value comes from.
    pub source: ClaimSource,
}

/// Where the value of a claim comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimSource {
    /// This text, also in tokens without a person.
    Constant(Arc<str>),
    /// An attribute of the person.
    Attribute {
        /// `groups`, or the name of a claim about the person.
        name: Arc<str>,
        /// Values without it are left out.
        prefix: Option<Arc<str>>,
        /// Values that are replaced, with what replaces them.
        rename: Arc<[(Arc<str>, Arc<str>)]>,
    },
}

/// Whether a constant can stand in a token: printable ASCII that JSON does not escape, so that its length is known.
pub fn is_constant(text: &str) -> bool {
    let plain = |b: u8| (b == b' ' || b.is_ascii_graphic()) && b != b'"' && b != b'\\';
    (1..=MAX_CONSTANT).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether a name can be that of a claim: visible ASCII that JSON does not escape.
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && is_constant(text) && !text.contains(' ')
}
