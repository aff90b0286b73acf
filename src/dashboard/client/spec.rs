//! Fields of an OAuthClient with their defaults, read as JSON so that fields of other versions do no harm.

use clientele_kubectl::shared::text;
use serde_json::Value;

/// The texts of an array; empty if it is none.
pub fn texts(value: &Value, pointer: &str) -> Vec<String> {
    let array = value.pointer(pointer).and_then(Value::as_array);
    let texts = array.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// Whether a field is true.
pub fn flag(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

/// A number.
pub fn number(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer).and_then(Value::as_i64)
}

/// The grants that the client may use.
pub fn grants(client: &Value) -> Vec<String> {
    if client.pointer("/spec/grantTypes").is_some() {
        return texts(client, "/spec/grantTypes");
    }
    let default: &[&str] = if texts(client, "/spec/redirectUris").is_empty() {
        &["client_credentials"]
    } else {
        &["authorization_code", "refresh_token"]
    };
    default.iter().map(|&grant| grant.to_owned()).collect()
}

/// The scopes that the client may ask for.
pub fn scopes(client: &Value) -> Vec<String> {
    if client.pointer("/spec/scopes").is_some() {
        return texts(client, "/spec/scopes");
    }
    let mut scopes: Vec<String> = ["openid", "profile", "email"].map(str::to_owned).into();
    if grants(client).iter().any(|grant| grant == "refresh_token") {
        scopes.push("offline_access".to_owned());
    }
    scopes
}

/// Whether a rotation refuses the old secret at once: `spec.rotation.maxOverlap` is 0s.
pub fn has_no_overlap(client: &Value) -> bool {
    let written = text(client, "/spec/rotation/maxOverlap").to_owned();
    let parsed = clientele_api::DurationString(written).parse_from_zero();
    parsed.is_some_and(|overlap| overlap.is_zero())
}

/// Whether the client is Public.
pub fn is_public(client: &Value) -> bool {
    text(client, "/spec/type") == "Public"
}

/// The tenant.
pub fn tenant(client: &Value) -> &str {
    match text(client, "/spec/tenant") {
        "" => clientele_api::DEFAULT_TENANT,
        tenant => tenant,
    }
}

/// The name that people see.
pub fn display_name(client: &Value) -> &str {
    match text(client, "/spec/displayName") {
        "" => text(client, "/metadata/name"),
        name => name,
    }
}

/// How the client authenticates at the token endpoint, as sentences.
pub fn authentication(client: &Value) -> Vec<String> {
    if is_public(client) {
        return vec!["Public: it has no secret and protects each sign-in with PKCE.".to_owned()];
    }
    let method = text(client, "/spec/tokenEndpointAuthMethod");
    let mut ways = Vec::new();
    let allows = |asked: &str| method.is_empty() || method == asked;
    if allows("client_secret_basic") {
        ways.push("client_secret_basic: ID and secret in the Authorization header.".to_owned());
    }
    if allows("client_secret_post") {
        ways.push("client_secret_post: ID and secret in the body of the request.".to_owned());
    }
    let keys = client.pointer("/spec/jwks/keys").and_then(Value::as_array);
    if let (true, Some(keys)) = (allows("private_key_jwt"), keys) {
        let plural = if keys.len() == 1 { "" } else { "s" };
        ways.push(format!(
            "private_key_jwt: an assertion that the client signs; {} public key{plural} in spec.jwks.",
            keys.len()
        ));
    }
    let accounts = client
        .pointer("/spec/serviceAccounts")
        .and_then(Value::as_array);
    if let (true, Some(accounts)) = (allows("service_account"), accounts) {
        let names: Vec<&str> = accounts
            .iter()
            .map(|account| text(account, "/name"))
            .collect();
        ways.push(format!(
            "service_account: the projected token of ServiceAccount {}.",
            names.join(", ")
        ));
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_follow_from_the_redirect_uris() {
        let machine = json!({ "spec": {} });
        assert_eq!(grants(&machine), ["client_credentials"]);
        assert_eq!(scopes(&machine), ["openid", "profile", "email"]);
        let web = json!({ "spec": { "redirectUris": ["https://a.example/"] } });
        assert_eq!(grants(&web), ["authorization_code", "refresh_token"]);
        assert_eq!(scopes(&web).last().unwrap(), "offline_access");
        let named = json!({ "spec": { "grantTypes": [], "scopes": ["a"] } });
        assert!(grants(&named).is_empty());
        assert_eq!(scopes(&named), ["a"]);
    }

    #[test]
    fn no_overlap_is_zero_however_it_is_written() {
        let of = |overlap: Value| {
            has_no_overlap(&json!({ "spec": { "rotation": { "maxOverlap": overlap } } }))
        };
        assert!(of(json!("0s")) && of(json!("0h0m")));
        assert!(!of(json!("24h")) && !of(Value::Null) && !of(json!("")));
    }

    #[test]
    fn every_way_to_authenticate_is_listed() {
        for (spec, expected) in [
            (json!({ "type": "Public" }), vec!["Public"]),
            (json!({}), vec!["client_secret_basic", "client_secret_post"]),
            (
                json!({ "tokenEndpointAuthMethod": "client_secret_post" }),
                vec!["client_secret_post"],
            ),
            (
                json!({ "tokenEndpointAuthMethod": "private_key_jwt", "jwks": { "keys": [{}] } }),
                vec!["private_key_jwt"],
            ),
            (
                json!({ "serviceAccounts": [{ "name": "web" }] }),
                vec![
                    "client_secret_basic",
                    "client_secret_post",
                    "service_account",
                ],
            ),
        ] {
            let said = authentication(&json!({ "spec": spec }));
            assert_eq!(said.len(), expected.len(), "{said:?}");
            for (said, expected) in said.iter().zip(expected) {
                assert!(said.starts_with(expected), "{said}");
            }
        }
    }
}
