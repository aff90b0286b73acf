//! For whom a client signs assertions.

/// The one audience of the assertions that a client signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer of the tenant (draft-ietf-oauth-rfc7523bis).
    #[default]
    Issuer,
    /// The URL of the token endpoint, instead of the issuer and at every endpoint, for libraries of RFC 7523 §3.
    TokenEndpoint,
}
