//! Which scopes a request names where the person named none: the server grants those of OpenID Connect only by name.

use clientele_oauth::tenant::OPENID_SCOPES;
use clientele_oauth::uri::same_resource;
use serde_json::Value;

use crate::connect::Session;
use crate::objects::{Kind, text};

/// The scopes that the client may ask for.
pub fn of_client(object: &Value) -> Vec<&str> {
    let listed = object.pointer("/spec/scopes").and_then(Value::as_array);
    listed.map_or_else(
        || vec!["openid", "profile", "email", "offline_access"],
        |listed| listed.iter().filter_map(Value::as_str).collect(),
    )
}

/// The scopes of a sign-in: those that the client may have for the resource, without `offline_access`, because this
/// program keeps no refresh token.
pub async fn of_sign_in(session: &Session, object: &Value, resource: Option<&str>) -> String {
    let tenant = match text(object, "/spec/tenant") {
        "" => clientele_api::DEFAULT_TENANT,
        named => named,
    };
    // A team may not be allowed to read tenants.
    let tenant = session.get(Kind::Tenant, tenant).await.ok();
    reached(object, tenant.as_ref(), resource).join(" ")
}

/// A scope that an audience of the client lists is granted only for that audience.
fn reached<'a>(object: &'a Value, tenant: Option<&Value>, resource: Option<&str>) -> Vec<&'a str> {
    let own = object.pointer("/spec/audiences").and_then(Value::as_array);
    let own: Vec<&str> = own
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let known = tenant.and_then(|tenant| tenant.pointer("/spec/audiences")?.as_array());
    let known = known.map_or(&[][..], Vec::as_slice);
    let lists = |uri: &str, scope: &str| {
        let mut of_uri = known
            .iter()
            .filter(|entry| same_resource(text(entry, "/uri"), uri));
        of_uri.any(|entry| {
            let scopes = entry.get("scopes").and_then(Value::as_array);
            scopes.is_some_and(|scopes| scopes.iter().any(|known| known == scope))
        })
    };
    let reaches = |scope: &str| {
        if OPENID_SCOPES.contains(&scope) {
            return scope != "offline_access";
        }
        match tenant {
            None => own.is_empty(),
            Some(_) => {
                resource.is_some_and(|uri| lists(uri, scope))
                    || !own.iter().any(|uri| lists(uri, scope))
            }
        }
    };
    let scopes = of_client(object);
    scopes.into_iter().filter(|scope| reaches(scope)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sign_in_asks_for_what_the_client_may_have() {
        let client = |spec: Value| json!({ "spec": spec });
        let api = "https://api.example";
        let tenant =
            json!({ "spec": { "audiences": [{ "uri": api, "scopes": ["orders.read"] }] } });
        let plain = client(json!({}));
        let standard = ["openid", "profile", "email"];
        assert_eq!(reached(&plain, None, None), standard);
        let spec =
            json!({ "scopes": ["openid", "groups", "orders.read", "any"], "audiences": [api] });
        let of_api = client(spec);
        for (tenant, resource, expected) in [
            (Some(&tenant), None, &["openid", "groups", "any"][..]),
            (
                Some(&tenant),
                Some(api),
                &["openid", "groups", "orders.read", "any"][..],
            ),
            (None, Some(api), &["openid", "groups"][..]),
        ] {
            assert_eq!(reached(&of_api, tenant, resource), expected);
        }
        let no_api = client(json!({ "scopes": ["openid", "orders.read"] }));
        assert_eq!(reached(&no_api, None, None), ["openid", "orders.read"]);
    }
}
