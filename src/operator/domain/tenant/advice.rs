//! What an OAuthTenant says that is accepted and has no effect, or not the one that was probably meant: see
//! [`crate::domain::advice`]. The admission policy `…-tenants` of the chart warns of the same.

use std::collections::BTreeMap;

use clientele_api::tenant::OAuthTenantSpec;
use clientele_api::{DurationString, Lifetimes, OAuthTenant};

use crate::domain::advice::Advice;
use crate::domain::reason::Reason;
use crate::domain::tenant::audience_scopes;

/// All of it.
pub fn advice(tenant: &OAuthTenant) -> Vec<Advice> {
    let unknown = audience_scopes::warning(tenant);
    let unknown = unknown.map(|message| Advice::new(Reason::ScopeNotFound, message));
    unknown
        .into_iter()
        .chain(defaults_above_maximum(&tenant.spec))
        .chain(reserved_twice(&tenant.spec))
        .collect()
}

/// Lifetimes that the tenant gives to clients that say nothing, and that no client may have.
fn defaults_above_maximum(spec: &OAuthTenantSpec) -> Vec<Advice> {
    let lifetimes = spec.lifetimes.as_ref();
    let default = lifetimes.and_then(|lifetimes| lifetimes.default.as_ref());
    let maximum = lifetimes.and_then(|lifetimes| lifetimes.maximum.as_ref());
    let Some((default, maximum)) = default.zip(maximum) else {
        return Vec::new();
    };
    let rows = fields(default).into_iter().zip(fields(maximum));
    let advised = rows.filter_map(|((name, default), (_, maximum))| {
        let (default, maximum) = default.zip(maximum)?;
        (default.parse()? > maximum.parse()?).then(|| {
            Advice::new(
                Reason::LifetimeAboveMaximum,
                format!(
                    "spec.lifetimes.default.{name}: {} is above spec.lifetimes.maximum.{name}, so clients that say nothing get {}; lower the default, or raise the maximum",
                    default.0, maximum.0
                ),
            )
        })
    });
    advised.collect()
}

fn fields(lifetimes: &Lifetimes) -> [(&'static str, Option<&DurationString>); 5] {
    [
        ("authorizationCode", lifetimes.authorization_code.as_ref()),
        ("accessToken", lifetimes.access_token.as_ref()),
        ("idToken", lifetimes.id_token.as_ref()),
        ("refreshToken", lifetimes.refresh_token.as_ref()),
        ("refreshTokenIdle", lifetimes.refresh_token_idle.as_ref()),
    ]
}

/// Client IDs that are kept for several namespaces. One namespace twice is refused by the API server.
fn reserved_twice(spec: &OAuthTenantSpec) -> Vec<Advice> {
    let pairs = spec.custom_client_ids.iter().flat_map(|ids| &ids.reserved);
    let mut namespaces: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for pair in pairs {
        let known = namespaces.entry(&pair.id).or_default();
        if !known.contains(&&*pair.namespace) {
            known.push(&pair.namespace);
        }
    }
    let several = namespaces.into_iter().filter(|(_, of)| of.len() > 1);
    let advised = several.map(|(id, of)| {
        Advice::new(
            Reason::ClientIdReservedTwice,
            format!(
                "spec.customClientIds.reserved: keeps client ID {id:?} for the namespaces {}, and the first OAuthClient there that claims it has it; keep it for one namespace",
                of.join(", ")
            ),
        )
    });
    advised.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn advised(spec: Value) -> Vec<(Reason, String)> {
        let spec = serde_json::from_value(spec).unwrap();
        let found = advice(&OAuthTenant::new("t", spec)).into_iter();
        found
            .map(|advice| (advice.reason, advice.message))
            .collect()
    }

    #[test]
    fn a_default_above_the_maximum_is_named() {
        let lifetimes = |default: Value, maximum: Value| {
            advised(json!({ "lifetimes": { "default": default, "maximum": maximum } }))
        };
        let said = lifetimes(
            json!({ "accessToken": "2h", "idToken": "1h" }),
            json!({ "accessToken": "90m", "idToken": "60m" }),
        );
        let [(Reason::LifetimeAboveMaximum, message)] = &said[..] else {
            panic!("{said:?}");
        };
        for part in ["spec.lifetimes.default.accessToken: 2h", "get 90m"] {
            assert!(message.contains(part), "{message}");
        }
        // The default and the maximum of the program are not the tenant's.
        for (default, maximum) in [("accessToken", "idToken"), ("idToken", "accessToken")] {
            let said = lifetimes(json!({ default: "2h" }), json!({ maximum: "1m" }));
            assert!(said.is_empty(), "{said:?}");
        }
        assert!(advised(json!({})).is_empty());
    }

    #[test]
    fn a_client_id_that_is_kept_for_two_namespaces_is_named() {
        let reserved = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(id, namespace)| json!({ "id": id, "namespace": namespace }));
            let pairs: Vec<Value> = pairs.collect();
            advised(json!({ "customClientIds": { "reserved": pairs } }))
        };
        let said = reserved(&[("legacy", "a"), ("other", "a"), ("legacy", "b")]);
        let [(Reason::ClientIdReservedTwice, message)] = &said[..] else {
            panic!("{said:?}");
        };
        assert!(
            message.contains("\"legacy\" for the namespaces a, b"),
            "{message}"
        );
        for pairs in [[("legacy", "a"), ("other", "a")], [("legacy", "a"); 2]] {
            assert!(reserved(&pairs).is_empty(), "{pairs:?}");
        }
    }
}
