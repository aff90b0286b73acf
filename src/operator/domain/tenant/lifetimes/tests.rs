use std::time::Duration;

use clientele_oauth::client::Lifetimes;
use serde_json::{Value, json};

use crate::domain::tenant::lifetimes::{LifetimePolicy, shortened};

const MINUTE: Duration = Duration::from_mins(1);

fn granted(tenant: Value, asked: Value, may_refresh: bool) -> Lifetimes {
    let tenant = serde_json::from_value(tenant).unwrap();
    let asked = serde_json::from_value(asked).unwrap();
    *LifetimePolicy::new(Some(&tenant)).grant(Some(&asked), may_refresh)
}

#[test]
fn who_says_nothing_has_the_defaults() {
    assert_eq!(
        *LifetimePolicy::new(None).grant(None, true),
        Lifetimes::DEFAULT
    );
    assert_eq!(granted(json!({}), json!({}), true), Lifetimes::DEFAULT);
}

#[test]
fn each_lifetime_is_the_clients_own_within_the_tenants_maximum() {
    let tenant = json!({
        "default": { "idToken": "2m" },
        "maximum": { "authorizationCode": "30s", "accessToken": "1h", "refreshToken": "24h", "refreshTokenIdle": "1h" },
    });
    let asked = json!({ "accessToken": "2h", "refreshToken": "12h" });
    let granted = granted(tenant, asked, true);
    assert_eq!(
        granted,
        Lifetimes {
            authorization_code: Duration::from_secs(30),
            access_token: 60 * MINUTE,
            id_token: 2 * MINUTE,
            refresh_token: Duration::from_hours(12),
            refresh_token_idle: 60 * MINUTE,
        }
    );
}

#[test]
fn a_token_that_renews_another_is_not_outlived_by_it() {
    let asked = json!({ "refreshToken": "5m" });
    let renewing = granted(json!({}), asked.clone(), true);
    assert_eq!(renewing.access_token, 5 * MINUTE);
    assert_eq!(renewing.refresh_token_idle, 5 * MINUTE);
    assert_eq!(granted(json!({}), asked, false).access_token, 10 * MINUTE);
}

#[test]
fn no_tenant_goes_beyond_what_the_api_server_would_let_it() {
    let maximum = json!({ "maximum": { "authorizationCode": "999h", "accessToken": "999999h" } });
    let asked = json!({ "authorizationCode": "999h", "accessToken": "999999h" });
    let granted = granted(maximum, asked, false);
    assert_eq!(granted.authorization_code, 10 * MINUTE);
    assert_eq!(granted.access_token, Duration::from_hours(24));
}

#[test]
fn whoever_gets_less_is_told_of_what() {
    let asked = serde_json::from_value(json!({ "accessToken": "2h", "idToken": "1m" })).unwrap();
    let granted = Lifetimes::DEFAULT;
    let told: Vec<_> = shortened(Some(&asked), &granted).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].what, told[0].asked),
        ("access tokens", 120 * MINUTE)
    );
}

#[test]
fn keys_outlive_the_longest_of_what_they_sign() {
    let tenant = json!({ "maximum": { "accessToken": "1h", "idToken": "3h" } });
    let tenant = serde_json::from_value(tenant).unwrap();
    let longest = LifetimePolicy::new(Some(&tenant)).longest_signed();
    assert_eq!(longest, Duration::from_hours(3));
}
