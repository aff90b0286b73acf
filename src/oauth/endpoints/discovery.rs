//! Authorization server metadata (RFC 8414 §2, OIDC Discovery §3): it lists exactly what works.

use serde_json::{Value, json};

use crate::endpoints::authorize::claims_parameter::CLASS;
use crate::jose::public_key::ALGORITHMS;
use crate::tenant::OPENID_SCOPES;
use crate::user::claims;
use crate::{Algorithm, AuthMethod, GrantType, Tenant};

/// The claims of ID tokens that are not about the person but about signing in.
const OF_SIGNING_IN: [&str; 12] = [
    "iss",
    "sub",
    "aud",
    "iat",
    "exp",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "jti",
    "at_hash",
];

impl Tenant {
    /// The tenant with its documents rendered, and what else follows from the rest.
    #[must_use]
    pub fn rendered(mut self) -> Self {
        self.derive();
        self.metadata = render(&self).into();
        let algorithms = &self.published_algorithms;
        let jwks = self.published_keys.as_ref();
        let jwks = jwks.map(|keys| keys.jwks(algorithms));
        self.jwks = jwks.unwrap_or_default().into();
        self
    }
}

/// Renders the metadata document of a tenant.
fn render(tenant: &Tenant) -> Vec<u8> {
    let issuer = &*tenant.issuer;
    let confidential = [
        AuthMethod::ClientSecretBasic,
        AuthMethod::ClientSecretPost,
        AuthMethod::PrivateKeyJwt,
    ];
    let confidential = confidential.map(AuthMethod::as_str);
    let [basic, post, jwt] = confidential;
    let all = [basic, post, jwt, AuthMethod::None.as_str()];
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": tenant.token_endpoint(),
        "token_endpoint_auth_methods_supported": all,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "revocation_endpoint_auth_methods_supported": all,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint": format!("{issuer}/introspect"),
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "end_session_endpoint": format!("{issuer}/logout"),
        "jwks_uri": format!("{issuer}/jwks"),
        "grant_types_supported": GrantType::ALL.map(GrantType::as_str),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "claims_parameter_supported": true,
        "acr_values_supported": [CLASS],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms(tenant),
        "scopes_supported": scopes(tenant),
        "claims_supported": claims(tenant),
    });
    document.to_string().into_bytes()
}

/// The published algorithms that the tenant has keys for.
fn algorithms(tenant: &Tenant) -> Value {
    let keys = tenant.published_keys.as_ref();
    let has = |algorithm: &Algorithm| keys.is_some_and(|keys| keys.has(*algorithm));
    let known = tenant.published_algorithms.iter();
    let known = known.copied().filter(has);
    known.map(Algorithm::as_str).collect()
}

fn scopes(tenant: &Tenant) -> Value {
    let own = tenant.scopes.iter().map(|scope| &*scope.name);
    let mut scopes = OPENID_SCOPES.to_vec();
    scopes.extend(own.filter(|name| !OPENID_SCOPES.contains(name)));
    scopes.into_iter().collect()
}

fn claims(tenant: &Tenant) -> Value {
    let about_users = claims::supported(tenant);
    OF_SIGNING_IN.into_iter().chain(about_users).collect()
}
