//! The clients that B writes: mostly what would be taken, and whatever looks like A's.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::ground::{BROUGHT_BY_A, SUBJECT, client};
use super::proofs::{ACCOUNT_OF_A, Keys, Owner, UIDS};
use clientele_api::OAuthClient;
use clientele_api::secret_template::PLACEHOLDERS;

/// A text that B writes somewhere: its own, A's, and what looks like A's.
pub fn text() -> impl Strategy<Value = String> {
    let known = [
        "web",
        "legacy",
        "team-a",
        "team-a.web",
        "team-b.web",
        "web-oauth",
        "mine",
        "alice",
        "team-a/mine",
        "../team-a/mine",
        "Legacy",
        "legacy ",
        "CLIENT_SECRET",
        "uid-of-team-a-web",
        "of.a",
        "a,b;c",
        "{{ clientSecret }}",
        "kubernetes.io/service-account-token",
        "kubernetes.io/service-account.name",
        "system:serviceaccount:team-a:pods",
        SUBJECT,
        BROUGHT_BY_A,
    ];
    prop_oneof![
        8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,20}",
    ]
}

/// Mostly one of these, otherwise anything.
pub fn mostly(good: &'static [&'static str], wild: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop_oneof![8 => prop::sample::select(good).prop_map(str::to_owned), 1 => wild].boxed()
}

/// Sometimes one of these, rarely anything.
fn maybe(good: &'static [&'static str]) -> BoxedStrategy<Option<String>> {
    prop::option::weighted(0.3, mostly(good, text().boxed())).boxed()
}

/// Sometimes one of these, and nothing else.
fn one_of(good: &'static [&'static str]) -> BoxedStrategy<Option<&'static str>> {
    prop::option::weighted(0.3, prop::sample::select(good)).boxed()
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.1)
}

fn uris(good: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let known = [
        "https://web.a.example/cb",
        "https://a.example",
        "https://A.example/cb",
        "https://a.example.b.example/cb",
        "https://a.example@b.example/cb",
        "https://b.example/a.example",
        "http://web.a.example/cb",
        "https://api.a.example",
        "https://a.example:8443",
        "javascript:a.example",
    ];
    let wild = prop_oneof![
        8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "https://[a-z.@:/]{0,16}",
    ];
    prop::collection::vec(mostly(good, wild.boxed()), 0..3)
}

/// Members of a spec, to be put together with others.
fn together(parts: impl IntoIterator<Item = Value>) -> Value {
    let members = parts.into_iter().flat_map(|part| match part {
        Value::Object(members) => members,
        _ => panic!("members of a spec"),
    });
    Value::Object(members.filter(|(_, value)| !value.is_null()).collect())
}

fn secret() -> impl Strategy<Value = Value> {
    const NAMES: &[&str] = &["web-oauth", "other-oauth", "mine"];
    const ENTRIES: &[&str] = &["a.json", "client-id", "CLIENT_ID", "CLIENT_SECRET"];
    const FORMATS: &[&str] = &[
        "ArgoCD",
        "Bare",
        "EnvoyGateway",
        "Grafana",
        "OAuth2Proxy",
        "ServiceBinding",
        "SpringBoot",
    ];
    const TYPES: &[&str] = &["Opaque", "servicebinding.io/oauth2", "nginx.org/oidc"];
    const KEYS: &[&str] = &[
        "reloader.stakater.com/team",
        "app.kubernetes.io/part-of",
        "reloader.stakater.com/match",
    ];
    let map = || {
        let value = mostly(&["argocd", "true"], text().boxed());
        prop::collection::btree_map(mostly(KEYS, text().boxed()), value, 0..2)
    };
    let entry = || mostly(ENTRIES, text().boxed());
    let entries = prop::collection::vec(prop::option::weighted(0.2, entry()), 6);
    let place = prop::sample::select(PLACEHOLDERS.to_vec());
    let template = prop_oneof![
        8 => place.prop_map(|name| format!("{{{{ {name} | json }}}}")),
        1 => text(),
    ];
    (
        (maybe(NAMES), one_of(FORMATS), maybe(TYPES)),
        (map(), map(), entries),
        prop::collection::btree_map(entry(), template, 0..3),
    )
        .prop_map(|((name, format, type_), (labels, annotations, entries), template)| {
            json!({
                "name": name, "format": format, "type": type_, "labels": labels, "annotations": annotations,
                "template": template,
                "entries": {
                    "clientId": entries[0], "clientSecret": entries[1], "issuer": entries[2],
                    "tokenEndpoint": entries[3], "authorizationEndpoint": entries[4], "jwksUri": entries[5],
                },
            })
        })
}

fn rotation() -> impl Strategy<Value = Value> {
    let id = mostly(&["2026-11-26", "uid-of-team-a-web"], text().boxed());
    (maybe(&["720h"]), maybe(&["1h", "24h"]), maybe(&["0s", "168h"]), id).prop_map(
        |(every, quiet, overlap, id)| {
            json!({ "rotation": { "every": every, "quietPeriod": quiet, "maxOverlap": overlap, "requestId": id } })
        },
    )
}

/// A client secret that B brings.
fn reference() -> impl Strategy<Value = Value> {
    let name = mostly(&["mine"], text().boxed());
    let key = mostly(&["client-secret"], text().boxed());
    (name, key, maybe(&["previous"])).prop_map(|(name, key, previous)| {
        json!({ "secretRef": { "name": name, "key": key, "previousKey": previous } })
    })
}

/// B's keys, and A's public ones, which everybody may know.
fn keys(keys: &Keys) -> impl Strategy<Value = Value> + use<> {
    // The modulus of an RSA key; what it is a product of does not matter here.
    let rsa =
        json!({ "kty": "RSA", "use": "sig", "n": format!("{}Q", "u".repeat(341)), "e": "AQAB" });
    let keys = [
        keys.jwk(Owner::A, 0),
        keys.jwk(Owner::A, 1),
        keys.jwk(Owner::B, 0),
        keys.jwk(Owner::B, 1),
        rsa,
    ];
    let keys = prop::collection::vec(prop::sample::select(keys.to_vec()), 1..4);
    let wild = json!([{ "kty": "oct", "k": BROUGHT_BY_A }]);
    let keys = prop_oneof![8 => keys.prop_map(Value::Array), 1 => Just(wild)];
    let audience = prop::sample::select(vec![Value::Null, json!("Issuer"), json!("TokenEndpoint")]);
    (keys, audience).prop_map(
        |(keys, audience)| json!({ "jwks": { "keys": keys }, "assertionAudience": audience }),
    )
}

fn accounts() -> impl Strategy<Value = Value> {
    let name = mostly(&[ACCOUNT_OF_A, "default", "web"], text().boxed());
    let uid = prop::option::weighted(0.3, prop::sample::select(UIDS.to_vec()));
    let account = (name, uid).prop_map(|(name, uid)| json!({ "name": name, "uid": uid }));
    let accounts = prop::collection::vec(account, 1..3);
    accounts.prop_map(|accounts| json!({ "serviceAccounts": accounts }))
}

/// How it authenticates, mostly so that it fits together.
fn proof(keys_of_both: &Keys) -> impl Strategy<Value = Value> + use<> {
    fn method(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
        let method = prop::option::of(prop::sample::select(names));
        method.prop_map(|method| json!({ "tokenEndpointAuthMethod": method }))
    }
    let none = || Just(json!({}));
    let by_secret = || method(&["client_secret_basic", "client_secret_post"]);
    let keys = || keys(keys_of_both);
    let wild = (rotation(), reference(), keys(), accounts());
    prop_oneof![
        3 => (by_secret(), prop_oneof![none().boxed(), rotation().boxed()]).prop_map(|(a, b)| together([a, b])),
        1 => Just(json!({ "type": "Public" })),
        2 => (by_secret(), reference()).prop_map(|(a, b)| together([a, b])),
        2 => (method(&["private_key_jwt"]), keys()).prop_map(|(a, b)| together([a, b])),
        2 => (method(&["service_account"]), accounts()).prop_map(|(a, b)| together([a, b])),
        1 => (rarely(), wild).prop_map(|(public, (a, b, c, d))| {
            together([a, b, c, d, json!({ "type": if public { "Public" } else { "Confidential" } })])
        }),
    ]
}

fn lifetimes() -> impl Strategy<Value = Value> {
    let each = (
        one_of(&["1m"]),
        one_of(&["5m", "24h"]),
        one_of(&["5m"]),
        one_of(&["720h"]),
        one_of(&["24h"]),
    );
    each.prop_map(|(code, access, id, refresh, idle)| {
        json!({ "lifetimes": {
            "authorizationCode": code, "accessToken": access, "idToken": id, "refreshToken": refresh,
            "refreshTokenIdle": idle,
        } })
    })
}

/// What concerns people: where they are sent, who they are, what is signed for them.
fn signing_in() -> impl Strategy<Value = Value> {
    const WAYS: &[&str] = &[
        "https://b.example/cb",
        "http://127.0.0.1/cb",
        "com.example.app:/cb",
    ];
    const ORIGINS: &[&str] = &["https://b.example", "http://localhost:3000"];
    let groups = prop::collection::vec(mostly(&["staff", "of-b"], text().boxed()), 0..2);
    (
        (uris(WAYS), uris(WAYS), uris(ORIGINS)),
        prop::option::weighted(0.2, groups),
        one_of(&["RS256", "ES256", "EdDSA"]),
        prop::option::weighted(0.2, any::<bool>()),
        one_of(&["All", "Requested"]),
    )
        .prop_map(|((back, after, origins), groups, algorithm, pkce, claims)| {
            json!({
                "redirectUris": back, "postLogoutRedirectUris": after, "allowedOrigins": origins,
                "allowedGroups": groups, "idTokenSignedResponseAlg": algorithm, "requirePkce": pkce,
                "idTokenClaims": claims,
            })
        })
}

/// Who it is and what it may ask for.
fn privileges() -> impl Strategy<Value = Value> {
    const IDS: &[&str] = &["of-b", "legacy", SUBJECT, "team-a.web"];
    let id = prop::option::weighted(0.2, mostly(IDS, text().boxed()));
    let grants = [
        json!(["client_credentials"]),
        json!(["authorization_code", "refresh_token"]),
        json!(["authorization_code", "client_credentials"]),
    ];
    let scopes = prop::collection::vec(mostly(&["of.both", "openid"], text().boxed()), 0..3);
    (
        (id, maybe(&["Web of B", "legacy"]), mostly(&["default"], text().boxed())),
        prop::option::weighted(0.4, prop::sample::select(grants.to_vec())),
        prop::option::weighted(0.3, scopes),
        uris(&["https://api.both.example"]),
        (rarely(), rarely(), rarely()),
    )
        .prop_map(|((id, display, tenant), grants, scopes, audiences, (first, retain, suspended))| {
            json!({
                "tenant": tenant, "clientId": id, "displayName": display, "firstParty": first,
                "grantTypes": grants, "scopes": scopes, "audiences": audiences, "suspended": suspended,
                "deletionPolicy": if retain { "Retain" } else { "Delete" },
            })
        })
}

/// Any spec that the API server's schema would let through, and many that its rules would not.
fn spec(keys: &Keys) -> impl Strategy<Value = Value> + use<> {
    let optional = |part: BoxedStrategy<Value>| {
        prop::option::weighted(0.4, part).prop_map(|part| part.unwrap_or_else(|| json!({})))
    };
    let secret = secret()
        .prop_map(|secret| json!({ "secret": secret }))
        .boxed();
    let parts = (
        proof(keys),
        privileges(),
        signing_in(),
        optional(secret),
        optional(lifetimes().boxed()),
    );
    parts.prop_map(|(a, b, c, d, e)| together([a, b, c, d, e]))
}

pub fn of_b(keys: &Keys) -> impl Strategy<Value = OAuthClient> + use<> {
    let names = prop::sample::select(vec![
        "web",
        "legacy",
        "brought",
        "signer",
        "pod",
        "web.team-a",
    ]);
    (names, spec(keys), any::<bool>(), text(), text()).prop_map(|(name, spec, status, a, b)| {
        let mut object = client("team-b", name, 100, spec);
        if status {
            // As if the guard of the status were gone.
            let claimed = json!({
                "secretName": a, "secretUid": "uid-of-secret", "issuer": b,
                "secretGeneration": { "requested": 7, "published": 7, "oldestAccepted": 1 },
            });
            object.status = serde_json::from_value(claimed).unwrap();
        }
        object
    })
}
