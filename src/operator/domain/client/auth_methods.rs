//! What proves a client without a secret, judged again as everything that the API server has judged.

use clientele_api::{
    self as api, JsonWebKey, OAuthClient, ServiceAccountRef, TokenEndpointAuthMethod,
};
use clientele_oauth::AuthMethod;
use clientele_oauth::client::AssertionMethods;
use clientele_oauth::client::service_account::ServiceAccount;
use clientele_oauth::client_auth::assertion::audience::AssertionAudience;
use clientele_oauth::client_auth::assertion::verification::Verification;
use clientele_oauth::jose::public_key::{Jwk, PublicKey};
use kube::ResourceExt;

use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::policy::{TenantPolicy, list};

/// The most keys that a client has: each may be tried.
const MOST_KEYS: usize = 8;
/// The most ServiceAccounts that a client has.
const MOST_ACCOUNTS: usize = 16;

/// The method that a manifest names.
pub fn auth_method(method: TokenEndpointAuthMethod) -> AuthMethod {
    match method {
        TokenEndpointAuthMethod::ClientSecretBasic => AuthMethod::ClientSecretBasic,
        TokenEndpointAuthMethod::ClientSecretPost => AuthMethod::ClientSecretPost,
        TokenEndpointAuthMethod::PrivateKeyJwt => AuthMethod::PrivateKeyJwt,
        TokenEndpointAuthMethod::ServiceAccount => AuthMethod::ServiceAccount,
    }
}

fn assertion_audience(audience: api::client::AssertionAudience) -> AssertionAudience {
    match audience {
        api::client::AssertionAudience::Issuer => AssertionAudience::Issuer,
        api::client::AssertionAudience::TokenEndpoint => AssertionAudience::TokenEndpoint,
    }
}

/// What proves the client of an object without a secret.
pub fn assertion_methods(
    object: &OAuthClient,
    tenant: &TenantPolicy,
) -> Result<AssertionMethods, Refusal> {
    check_methods(object)?;
    let spec = &object.spec;
    let keys = spec.jwks.iter().flat_map(|jwks| &jwks.keys).enumerate();
    let keys: Result<Vec<PublicKey>, Refusal> = keys.map(|(at, key)| public_key(at, key)).collect();
    let accounts = spec.service_accounts.iter();
    let accounts: Result<Vec<ServiceAccount>, Refusal> = accounts
        .map(|account| service_account(object, tenant, account))
        .collect();
    Ok(AssertionMethods {
        keys: list(keys?),
        audience: spec
            .assertion_audience
            .map_or_else(Default::default, assertion_audience),
        service_accounts: list(accounts?),
    })
}

/// The rules between the fields, and the bounds, that the schema has judged already.
fn check_methods(object: &OAuthClient) -> Result<(), Refusal> {
    let spec = &object.spec;
    let method = spec.token_endpoint_auth_method;
    let public = spec.type_ == api::ClientType::Public;
    let keys = spec.jwks.as_ref().map_or(0, |jwks| jwks.keys.len());
    let accounts = spec.service_accounts.len();
    let by_key = Some(TokenEndpointAuthMethod::PrivateKeyJwt);
    let by_account = Some(TokenEndpointAuthMethod::ServiceAccount);
    let other_than = |this| public || method.is_some() && method != this;
    let rules = [
        (
            keys == 0 && method == by_key,
            "private_key_jwt needs the public keys of the client in jwks",
        ),
        (
            accounts == 0 && method == by_account,
            "service_account needs the ServiceAccounts of the client in serviceAccounts",
        ),
        (
            keys > 0 && other_than(by_key),
            "jwks is for private_key_jwt of a Confidential client; remove it",
        ),
        (
            accounts > 0 && other_than(by_account),
            "serviceAccounts is for service_account of a Confidential client; remove it",
        ),
        (
            keys == 0 && spec.assertion_audience.is_some(),
            "assertionAudience is about the assertions that a key of jwks signs; add jwks, or remove assertionAudience",
        ),
        (
            keys > MOST_KEYS || accounts > MOST_ACCOUNTS,
            "jwks must have at most 8 keys, and serviceAccounts at most 16 entries",
        ),
    ];
    match rules.into_iter().find(|(broken, _)| *broken) {
        Some((_, message)) => Err(Refusal::new(Reason::InvalidSpec, message)),
        None => Ok(()),
    }
}

fn public_key(at: usize, key: &JsonWebKey) -> Result<PublicKey, Refusal> {
    PublicKey::new(jwk(key)).map_err(|problem| {
        let message = format!("the key jwks.keys[{at}] {problem}; correct it");
        Refusal::new(Reason::InvalidSpec, message)
    })
}

/// Offline, no API call tells whether the ServiceAccount is still the one that was meant; so its UID must.
fn service_account(
    object: &OAuthClient,
    tenant: &TenantPolicy,
    account: &ServiceAccountRef,
) -> Result<ServiceAccount, Refusal> {
    let name = &account.name;
    let part = |part: &str| {
        let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let ends = [part.bytes().next(), part.bytes().last()];
        ends.iter().all(|end| end.is_some_and(alphanumeric))
            && part.bytes().all(|b| alphanumeric(b) || b == b'-')
    };
    if name.len() > 253 || !name.split('.').all(part) {
        let message = format!("{name:?} in serviceAccounts must be the name of a ServiceAccount");
        return Err(Refusal::new(Reason::InvalidSpec, message));
    }
    if account.uid.is_none() && tenant.verification == Verification::Offline {
        let namespace = object.namespace().unwrap_or_default();
        return Err(Refusal::new(
            Reason::ServiceAccountNotPinned,
            format!(
                "OAuthTenant {:?} verifies tokens of ServiceAccounts offline, so each of serviceAccounts must have its uid, which `kubectl -n {namespace} get serviceaccount {name} -o jsonpath='{{.metadata.uid}}'` prints",
                &*tenant.name
            ),
        ));
    }
    Ok(ServiceAccount {
        name: name.as_str().into(),
        uid: account.uid.as_deref().map(Into::into),
    })
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
