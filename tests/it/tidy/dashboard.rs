//! What the dashboard says of a client is what the operator does.

use clientele_api::tenant::TenantLifetimes;
use clientele_api::{Lifetimes, SecretFormat};
use clientele_dashboard::{FORMATS, lifetimes, spec};
use clientele_operator::domain::client::secret::formats::preset;
use clientele_operator::domain::tenant::lifetimes::LifetimePolicy;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::judge;

const FIELDS: [&str; 5] = [
    "authorizationCode",
    "accessToken",
    "idToken",
    "refreshToken",
    "refreshTokenIdle",
];

/// Some of the five, within and beyond every maximum.
fn some_lifetimes() -> impl Strategy<Value = Value> {
    let one = proptest::option::of(prop_oneof![
        1_u32..7_200,
        3_600_u32..200_000,
        80_000_u32..40_000_000
    ]);
    prop::collection::vec(one, FIELDS.len()).prop_map(|seconds| {
        let named = FIELDS.iter().zip(seconds);
        let set = named.filter_map(|(field, seconds)| Some((*field, seconds?)));
        let map: Map<String, Value> = set
            .map(|(field, seconds)| (field.to_owned(), json!(format!("{seconds}s"))))
            .collect();
        Value::Object(map)
    })
}

proptest! {
    #[test]
    fn the_dashboard_shows_the_lifetimes_of_the_operator(
        asked in some_lifetimes(),
        default in some_lifetimes(),
        maximum in some_lifetimes(),
        may_refresh in any::<bool>(),
    ) {
        let of_tenant = json!({ "default": default, "maximum": maximum });
        let policy: TenantLifetimes = serde_json::from_value(of_tenant.clone()).unwrap();
        let wanted: Lifetimes = serde_json::from_value(asked.clone()).unwrap();
        let granted = LifetimePolicy::new(Some(&policy)).grant(Some(&wanted), may_refresh);
        let grants = if may_refresh {
            json!(["authorization_code", "refresh_token"])
        } else {
            json!(["authorization_code"])
        };
        let client = json!({ "spec": { "grantTypes": grants, "lifetimes": asked } });
        let tenant = json!({ "spec": { "lifetimes": of_tenant } });
        let shown: Vec<_> = lifetimes::rows(&client, Some(&tenant))
            .into_iter()
            .map(|row| row.effective)
            .collect();
        prop_assert_eq!(shown, [
            Some(granted.authorization_code),
            Some(granted.access_token),
            Some(granted.id_token),
            Some(granted.refresh_token),
            Some(granted.refresh_token_idle),
        ]);
    }
}

#[test]
fn the_dashboard_shows_the_defaults_of_the_operator() {
    for given in [
        json!({}),
        json!({ "redirectUris": ["https://web.example.com/cb"] }),
        json!({ "redirectUris": ["https://web.example.com/cb"], "grantTypes": ["authorization_code"] }),
        json!({ "scopes": ["openid"] }),
    ] {
        let client = judge::registered(given.clone());
        let object = json!({ "spec": given });
        let grants: Vec<&str> = client.grant_types.iter().map(|one| one.as_str()).collect();
        assert_eq!(spec::grants(&object), grants, "{given}");
        let scopes: Vec<&str> = client.scopes.iter().map(|one| &**one).collect();
        assert_eq!(spec::scopes(&object), scopes, "{given}");
    }
}

#[test]
fn the_dashboard_knows_the_entries_of_every_format() {
    let formats = [
        None,
        Some(SecretFormat::ArgoCD),
        Some(SecretFormat::Bare),
        Some(SecretFormat::EnvoyGateway),
        Some(SecretFormat::Grafana),
        Some(SecretFormat::OAuth2Proxy),
        Some(SecretFormat::ServiceBinding),
        Some(SecretFormat::SpringBoot),
    ];
    for format in formats {
        let entries = preset(format).entries;
        let holding = |placeholder: &str| {
            let mut entries = entries.iter();
            let found = entries.find(|(_, template)| *template == placeholder);
            found.map(|(name, _)| *name)
        };
        let name = json!(format);
        let known = FORMATS
            .iter()
            .find(|(known, ..)| *known == name.as_str().unwrap_or_default());
        assert_eq!(
            known.map(|(_, id, _)| *id),
            holding("{{ clientId }}"),
            "{name}"
        );
        assert_eq!(
            known.map(|(.., secret)| *secret),
            holding("{{ clientSecret }}"),
            "{name}"
        );
    }
}
