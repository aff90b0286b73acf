//! What proves a client without a secret, judged again as everything that the API server has judged.

use super::reason::{Reason, Refusal};
use crate::api::{self, JsonWebKey, OAuthClient, TokenEndpointAuthMethod};
use crate::oauth::AuthMethod;
use crate::oauth::client::Secretless;
use crate::oauth::public_key::{Jwk, PublicKey};

/// The most keys that a client has: each may be tried.
const MOST_KEYS: usize = 8;

/// The method that a manifest names.
pub fn auth_method(method: TokenEndpointAuthMethod) -> AuthMethod {
    match method {
        TokenEndpointAuthMethod::ClientSecretBasic => AuthMethod::ClientSecretBasic,
        TokenEndpointAuthMethod::ClientSecretPost => AuthMethod::ClientSecretPost,
        TokenEndpointAuthMethod::PrivateKeyJwt => AuthMethod::PrivateKeyJwt,
    }
}

/// What proves the client of an object without a secret.
pub fn secretless(object: &OAuthClient) -> Result<Secretless, Refusal> {
    let spec = &object.spec;
    let refuse = |message: String| Err(Refusal::new(Reason::InvalidSpec, message));
    let keys = spec.jwks.as_ref().map_or([].as_slice(), |jwks| &jwks.keys);
    let by_key = Some(TokenEndpointAuthMethod::PrivateKeyJwt);
    let method = spec.token_endpoint_auth_method;
    if keys.is_empty() && method == by_key {
        return refuse("private_key_jwt needs the public keys of the client in jwks".into());
    }
    let may = spec.type_ == api::ClientType::Confidential && (method.is_none() || method == by_key);
    if !keys.is_empty() && !may {
        return refuse("jwks is for private_key_jwt of a Confidential client; remove it".into());
    }
    if keys.len() > MOST_KEYS {
        return refuse(format!("jwks must have at most {MOST_KEYS} keys"));
    }
    let parse = |(at, key): (usize, &JsonWebKey)| {
        PublicKey::new(jwk(key)).map_err(|problem| {
            Refusal::new(
                Reason::InvalidSpec,
                format!("the key jwks.keys[{at}] {problem}; correct it"),
            )
        })
    };
    let keys: Result<Vec<PublicKey>, Refusal> = keys.iter().enumerate().map(parse).collect();
    Ok(Secretless { keys: keys?.into() })
}

fn jwk(key: &JsonWebKey) -> Jwk {
    let key = key.clone();
    Jwk {
        kty: key.kty,
        key_use: key.key_use,
        kid: key.kid,
        alg: key.alg,
        crv: key.crv,
        x: key.x,
        y: key.y,
        n: key.n,
        e: key.e,
    }
}
