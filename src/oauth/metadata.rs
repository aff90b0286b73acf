//! Authorization server metadata (RFC 8414 §2, OIDC Discovery §3): it lists exactly what works.

use serde_json::json;

use super::{AuthMethod, GrantType};

/// Renders the metadata document of an issuer.
pub fn render(issuer: &str, scopes: &[&str]) -> Vec<u8> {
    let mut document = json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        // Required by RFC 8414 §2; empty because there is no authorization endpoint.
        "response_types_supported": [],
        "grant_types_supported": [GrantType::ClientCredentials.as_str()],
        "token_endpoint_auth_methods_supported": [
            AuthMethod::ClientSecretBasic.as_str(),
            AuthMethod::ClientSecretPost.as_str(),
        ],
    });
    if !scopes.is_empty() {
        document["scopes_supported"] = scopes.iter().copied().collect();
    }
    document.to_string().into_bytes()
}
