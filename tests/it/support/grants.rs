//! What the store has of what a client was told, and ID tokens as hints.

use clientele_oauth::digest::digest_of;
use clientele_oauth::grant::Code;
use clientele_oauth::{Algorithm, SigningKeys};
use serde_json::{Value, json};

use super::keys;
use super::test_server::{ISSUER, TestServer};

/// The UID of the tenant `default`.
pub const TENANT: &str = "uid-of-tenant-default";

impl TestServer {
    /// What is kept of a code.
    pub async fn kept(&self, code: &str) -> Code {
        let code = self.app.store.code(TENANT, &digest_of(code)).await;
        code.unwrap().expect("the code is kept")
    }
}

/// The claims of an ID token of `alice` for a client.
pub fn id_claims(client_id: &str, sid: &str) -> Value {
    json!({
        "iss": ISSUER,
        "sub": "subject-of-alice",
        "aud": client_id,
        "sid": sid,
        "iat": 1_700_000_000,
        "exp": 1_700_000_600,
    })
}

/// An ID token of the tenant `default`.
pub fn id_token(claims: &Value) -> String {
    signed(&keys::signing_keys_of_all(), claims)
}

/// A request of `team-a.app` to sign out, encoded, with an ID token that has as many claims as a person may have.
pub fn longest_sign_out(issuer: &str, sid: &str, uri: &str, state: &str) -> String {
    let mut claims = id_claims("team-a.app", sid);
    claims["iss"] = issuer.into();
    claims["about"] = "a".repeat(5 * 1024).into();
    let hint = id_token(&claims);
    let fields = [
        ("id_token_hint", &*hint),
        ("post_logout_redirect_uri", uri),
        ("state", state),
    ];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields).finish()
}

/// An ID token that these keys sign.
pub fn signed(keys: &SigningKeys, claims: &Value) -> String {
    let rs256 = Algorithm::Rs256;
    let scheduled = keys.active(rs256, super::clock::now()).unwrap();
    let claims = serde_json::to_vec(claims).unwrap();
    scheduled.key.sign_id_token(&claims).unwrap()
}
