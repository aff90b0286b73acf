//! What outlives a request: sessions, authorization codes, refresh families, consents.
//!
//! These are values as the store keeps them. Everything belongs to registrations (UIDs), never to names,
//! and codes, session cookies and tokens are kept as digests: who reads the store can use none of them.

pub mod login_transaction;
pub mod session;
pub mod validity;

use jiff::Timestamp;

use super::{Client, User};

/// What the ID of every family begins with.
pub const FAMILY_PREFIX: &str = "fam_";

/// A person who is signed in, in one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The UID of the tenant.
    pub tenant: String,
    /// [`digest_of`](crate::digest::digest_of) the cookie.
    pub digest: String,
    /// The session's public name: `sid` in ID tokens (OIDC Front-Channel Logout §3), and what grants refer to.
    pub sid: String,
    /// Who.
    pub subject: String,
    /// The UID of the `OAuthUser`.
    pub user_uid: String,
    /// [`super::user::User::credential`] at that time.
    pub credential: String,
    /// When the person proved who they are (OIDC Core §2).
    pub auth_time: Timestamp,
    /// When it was last used, to within a minute.
    pub last_used: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
}

/// What a person allowed a client: the part that code and family have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The UID of the tenant.
    pub tenant: String,
    /// `client_id`.
    pub client_id: String,
    /// The UID of the `OAuthClient`.
    pub client_uid: String,
    /// Who.
    pub subject: String,
    /// The UID of the `OAuthUser`.
    pub user_uid: String,
    /// [`super::user::User::credential`] at that time.
    pub credential: String,
    /// The `sid` of the session in which it was allowed.
    pub sid: String,
    /// When the person proved who they are.
    pub auth_time: Timestamp,
    /// The scopes granted, separated by spaces.
    pub scope: String,
    /// The resources granted (RFC 8707), separated by spaces; URIs have none.
    pub resources: String,
    /// The `claims` parameter (OIDC Core §5.5) in its normal form: see `claims_request`. Empty when there was none.
    pub claims: String,
}

impl Authorization {
    /// Whether it was given to this registration of the client: a recreated object is another client.
    pub fn belongs_to(&self, client: &Client) -> bool {
        self.client_id == *client.id && self.client_uid == *client.uid
    }

    /// Whether it outlives the session in which it was allowed (OIDC Core §11).
    pub fn is_offline(&self) -> bool {
        let mut scopes = self.scope.split(' ');
        scopes.any(|scope| scope == "offline_access")
    }
}

/// An authorization code as it is kept (RFC 6749 §4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// [`digest_of`](crate::digest::digest_of) the code.
    pub digest: String,
    /// The authorization request that it answers, and the digest: a request may be answered more than once, each time by
    /// a code of its own.
    pub transaction: String,
    /// What was allowed.
    pub authorization: Authorization,
    /// Where it was sent: the token request names the same (RFC 6749 §4.1.3).
    pub redirect_uri: String,
    /// The S256 challenge (RFC 7636 §4.2), if there was one.
    pub code_challenge: Option<String>,
    /// `nonce` (OIDC Core §3.1.2.1).
    pub nonce: Option<String>,
    /// The family that redeeming it begins; a second use ends that family.
    pub family: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was used.
    pub redeemed_at: Option<Timestamp>,
}

/// A grant in use: everything that came of one code. Its access tokens live as long as it does, and its refresh
/// tokens are derived from its ID and a sequence number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// `fam_` and 128 random bits. Stands in the `jti` of access tokens.
    pub id: String,
    /// What was allowed.
    pub authorization: Authorization,
    /// The sequence number of the newest refresh token.
    pub sequence: u32,
    /// When the newest refresh token was made, by using the one before it.
    pub rotated_at: Timestamp,
    /// When the family began.
    pub issued_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// When it ends if it is not used.
    pub idle_expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Family {
    /// Whether it may still be used.
    pub fn lives(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at && now < self.idle_expires_at
    }

    /// Whether it outlives the session in which it was allowed (OIDC Core §11).
    pub fn is_offline(&self) -> bool {
        self.authorization.is_offline()
    }
}

/// What a person has agreed to for a client, so as not to be asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The UID of the tenant.
    pub tenant: String,
    /// Who.
    pub subject: String,
    /// The UID of the `OAuthUser`.
    pub user_uid: String,
    /// The UID of the `OAuthClient`.
    pub client_uid: String,
    /// `client_id`, to show.
    pub client_id: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// The resources, separated by spaces.
    pub resources: String,
    /// When it was last widened.
    pub granted_at: Timestamp,
}

impl Consent {
    /// Whether this registration of the person gave it: another `OAuthUser` with the same brought subject did not agree to
    /// anything.
    pub fn is_of(&self, user: &User) -> bool {
        self.subject == *user.subject && self.user_uid == *user.uid
    }
}
