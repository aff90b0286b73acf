//! Whom another policy of a tenant concerns: its clients, its people, or the tenant alone.
//!
//! Every field of a policy is named here, so that a new one is put on its side before it compiles. What is on none is in the
//! head of the tenant, which is made again with every change.

use std::collections::BTreeMap;

use super::policy::{AudiencePolicy, ScopePolicy, TenantPolicy};

/// Who is judged again because a tenant changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concern {
    /// Its clients.
    pub clients: bool,
    /// Its people.
    pub people: bool,
}

impl Concern {
    /// Clients and people.
    pub const ALL: Self = Self {
        clients: true,
        people: true,
    };

    /// Its clients.
    pub const CLIENTS: Self = Self {
        clients: true,
        people: false,
    };
    /// Neither.
    pub const NONE: Self = Self {
        clients: false,
        people: false,
    };

    /// Who may have another outcome under the second policy than under the first.
    pub fn of(before: &TenantPolicy, now: &TenantPolicy) -> Self {
        Self {
            clients: of_clients(before) != of_clients(now),
            people: of_people(before) != of_people(now),
        }
    }
}

/// What `validate_client` and the claim to a client ID read.
fn of_clients(policy: &TenantPolicy) -> impl PartialEq {
    let TenantPolicy {
        name,
        issuer,
        namespaces,
        first_party,
        custom_client_ids,
        reserved_client_ids,
        uri_characters,
        redirect_hosts,
        redirect_schemes,
        default_scopes,
        scopes,
        audiences,
        lifetimes,
        verification,
        requires_pkce,
        published_algorithms,
        secret_keys,
        // Of people.
        users: _,
        user_limits: _,
        signs_in_by_email: _,
        // Of the whole installation.
        installation: _,
        // Of the head.
        reassigned_subjects: _,
        session: _,
        branding: _,
        access_token_algorithm: _,
        access_token_type: _,
        keys: _,
        problems: _,
    } = policy;
    let names = (name, issuer, custom_client_ids, reserved_client_ids);
    let places = (namespaces, redirect_hosts, redirect_schemes);
    let flags = (first_party, uri_characters, requires_pkce, verification);
    let scopes: BTreeMap<_, _> = scopes
        .iter()
        .map(|(name, it)| (name, of_scope(it)))
        .collect();
    let audiences = audiences.known.iter();
    let audiences: BTreeMap<_, _> = audiences.map(|(uri, it)| (uri, of_audience(it))).collect();
    let tokens = (default_scopes, lifetimes, published_algorithms);
    (names, places, flags, scopes, audiences, tokens, secret_keys)
}

/// Description and claims of a scope are in the head.
fn of_scope(policy: &ScopePolicy) -> impl PartialEq {
    let ScopePolicy {
        namespaces,
        scope: _,
    } = policy;
    namespaces
}

/// Who may introspect is in the head.
fn of_audience(policy: &AudiencePolicy) -> impl PartialEq {
    let AudiencePolicy {
        namespaces,
        scopes,
        introspectors: _,
        access_token_type,
        claims,
    } = policy;
    (namespaces, scopes, access_token_type, claims)
}

/// What `validate_user` and the claims to names and addresses read.
fn of_people(policy: &TenantPolicy) -> impl PartialEq {
    let TenantPolicy {
        name,
        issuer,
        users,
        user_limits,
        signs_in_by_email,
        ..
    } = policy;
    (name, issuer, users, user_limits, signs_in_by_email)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::tests::tenant;

    /// Whom it concerns that a spec becomes another.
    fn concern(before: &Value, now: &Value) -> (bool, bool) {
        let concern = Concern::of(&tenant(before.clone()), &tenant(now.clone()));
        (concern.clients, concern.people)
    }

    #[test]
    fn what_lives_in_the_head_concerns_neither_clients_nor_people() {
        let (clients, people, neither) = ((true, false), (false, true), (false, false));
        let team = json!({ "matchLabels": { "team": "a" } });
        let scope = |of: Value| {
            let mut scope = json!({ "name": "orders.read" });
            scope
                .as_object_mut()
                .unwrap()
                .extend(of.as_object().unwrap().clone());
            json!({ "scopes": [scope] })
        };
        let none = json!({});
        for (before, now, expected) in [
            (&none, &none, neither),
            (&none, &json!({ "displayName": "Acme" }), neither),
            (
                &none,
                &json!({ "branding": { "color": "#1a73e8" } }),
                neither,
            ),
            (&none, &json!({ "session": { "idle": "1h" } }), neither),
            (
                &none,
                &json!({ "signing": { "rotateEvery": "24h", "algorithm": "EdDSA" } }),
                neither,
            ),
            (
                &none,
                &json!({ "accessTokens": { "type": "JWT" } }),
                neither,
            ),
            (
                &none,
                &json!({ "users": { "reassignedSubjects": ["s"] } }),
                neither,
            ),
            (
                &scope(json!({})),
                &scope(json!({ "description": "Orders", "claims": ["shop"] })),
                neither,
            ),
            (
                &scope(json!({})),
                &scope(json!({ "namespaces": team })),
                clients,
            ),
            (&none, &json!({ "users": { "namespaces": team } }), people),
            (
                &none,
                &json!({ "users": { "signInWith": "UsernameOrEmail" } }),
                people,
            ),
            (&none, &json!({ "namespaces": team }), clients),
            (
                &none,
                &json!({ "lifetimes": { "default": { "accessToken": "7m" } } }),
                clients,
            ),
            (&none, &json!({ "pkce": "Required" }), clients),
            (
                &none,
                &json!({ "signing": { "algorithms": ["ES256"] } }),
                clients,
            ),
            (&none, &json!({ "secrets": { "allowedKeys": [] } }), clients),
            (
                &none,
                &json!({ "serviceAccountTokens": { "verification": "Offline" } }),
                clients,
            ),
            (
                &none,
                &json!({ "customClientIds": { "uriCharacters": true } }),
                clients,
            ),
            (
                &none,
                &json!({ "audiences": [{ "uri": "urn:orders" }] }),
                clients,
            ),
            (
                &json!({ "audiences": [{ "uri": "urn:orders" }] }),
                &json!({ "audiences": [{ "uri": "urn:orders", "introspectors": ["ns.api"] }] }),
                neither,
            ),
        ] {
            assert_eq!(concern(before, now), expected, "{before} {now}");
            assert_eq!(concern(now, before), expected, "{now} {before}");
        }
    }
}
