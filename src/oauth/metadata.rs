//! Authorization server metadata (RFC 8414 §2, OIDC Discovery §3): it lists exactly what works.

use serde_json::{Value, json};

use super::tenant::OPENID_SCOPES;
use super::{AuthMethod, GrantType, Tenant, claims};

/// Renders the metadata document of a tenant.
pub fn render(tenant: &Tenant) -> Vec<u8> {
    let issuer = &*tenant.issuer;
    let at = |path: &str| format!("{issuer}{path}");
    let secret = [
        AuthMethod::ClientSecretBasic.as_str(),
        AuthMethod::ClientSecretPost.as_str(),
    ];
    let secret_or_none = [secret[0], secret[1], AuthMethod::None.as_str()];
    let own = tenant.scopes.iter().map(|scope| &*scope.name);
    let scopes: Vec<&str> = OPENID_SCOPES.into_iter().chain(own).collect();
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "revocation_endpoint": at("/revoke"),
        "introspection_endpoint": at("/introspect"),
        "end_session_endpoint": at("/logout"),
        "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": GrantType::ALL.map(GrantType::as_str),
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms(tenant),
        "token_endpoint_auth_methods_supported": secret_or_none,
        "revocation_endpoint_auth_methods_supported": secret_or_none,
        "introspection_endpoint_auth_methods_supported": secret,
        "scopes_supported": scopes,
        "claims_supported": claims_supported(tenant),
        "claim_types_supported": ["normal"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    });
    document.to_string().into_bytes()
}

/// Those that the tenant has a key for, each once.
fn algorithms(tenant: &Tenant) -> Vec<&'static str> {
    let keys = tenant.published_keys.iter().flat_map(|keys| keys.iter());
    let mut names: Vec<&str> = keys.map(|key| key.key.algorithm().as_str()).collect();
    // RS256 first: the one that every client knows (OIDC Core §15.1).
    names.sort_by_key(|name| (*name != "RS256", *name));
    names.dedup();
    names
}

/// Those of the protocol in an ID token, and what scopes promise.
fn claims_supported(tenant: &Tenant) -> Vec<Value> {
    let of_tokens = [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "amr",
        "sid",
    ];
    let names = of_tokens.into_iter().chain(claims::supported(tenant));
    names.map(Value::from).collect()
}
