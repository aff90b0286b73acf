//! A resource server: verifies tokens with an independent library.

use clientele_oauth::Algorithm;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Header, Validation, decode, decode_header};
use serde_json::Value;

/// The algorithm under the library's name.
fn of(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    }
}

/// Verifies the signature with the key that the header names, and the audience; time is for the caller.
pub fn verify(
    jwks: &JwkSet,
    algorithm: Algorithm,
    audience: &str,
    token: &str,
) -> Result<(Header, Value), String> {
    let header = decode_header(token).map_err(|e| e.to_string())?;
    let key_id = header.kid.as_deref().ok_or("no kid")?;
    let jwk = jwks.find(key_id).ok_or("the kid is not in the JWK Set")?;
    let key = DecodingKey::from_jwk(jwk).map_err(|e| e.to_string())?;
    let mut validation = Validation::new(of(algorithm));
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_exp = false;
    decode::<Value>(token, &key, &validation)
        .map(|data| (data.header, data.claims))
        .map_err(|e| e.to_string())
}
