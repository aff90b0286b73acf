use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::client::testing::client;
use crate::user::testing::user;

fn constant(name: &str, text: &str) -> ClaimMapping {
    ClaimMapping {
        name: name.into(),
        source: ClaimSource::Constant(text.into()),
    }
}

fn attribute(
    name: &str,
    from: &str,
    prefix: Option<&str>,
    rename: &[(&str, &str)],
) -> ClaimMapping {
    let rename = rename
        .iter()
        .map(|(from, to)| (Arc::from(*from), Arc::from(*to)));
    ClaimMapping {
        name: name.into(),
        source: ClaimSource::Attribute {
            name: from.into(),
            prefix: prefix.map(Arc::from),
            rename: rename.collect(),
        },
    }
}

fn audience(claims: Vec<ClaimMapping>) -> Audience {
    Audience {
        claims: claims.into(),
        ..client().audiences[0].clone()
    }
}

fn person(groups: &[&str]) -> User {
    let mut user = user();
    user.groups = groups.iter().map(|&group| group.into()).collect();
    user.claims.insert("floors".into(), json!([1, "two", 3]));
    user
}

fn of_one(mapping: ClaimMapping, user: Option<&User>) -> Value {
    of(&[&audience(vec![mapping])], user).unwrap().into()
}

#[test]
fn a_mapping_copies_filters_renames_and_sets() {
    let user = person(&["staff", "orders-admin", "orders-reader", "system:masters"]);
    let user = Some(&user);
    for (mapping, expected) in [
        (
            attribute("dept", "department", None, &[]),
            json!({ "dept": "bees" }),
        ),
        (attribute("x", "unknown", None, &[]), json!({})),
        (
            attribute("dept", "department", Some("be"), &[("bees", "b")]),
            json!({ "dept": "b" }),
        ),
        (attribute("dept", "department", Some("wa"), &[]), json!({})),
        (
            attribute("roles", "groups", None, &[]),
            json!({ "roles": ["staff", "orders-admin", "orders-reader"] }),
        ),
        (
            attribute(
                "roles",
                "groups",
                Some("orders-"),
                &[("orders-admin", "admin"), ("staff", "admin")],
            ),
            json!({ "roles": ["admin", "orders-reader"] }),
        ),
        (
            attribute(
                "roles",
                "groups",
                None,
                &[("orders-admin", "x"), ("staff", "x")],
            ),
            json!({ "roles": ["x", "orders-reader"] }),
        ),
        (
            attribute("roles", "groups", Some("none-"), &[]),
            json!({ "roles": [] }),
        ),
        (
            attribute("ok", "email_verified", None, &[]),
            json!({ "ok": true }),
        ),
        (attribute("ok", "email_verified", Some("t"), &[]), json!({})),
        (
            attribute("f", "floors", None, &[("two", "2")]),
            json!({ "f": [1, "2", 3] }),
        ),
        (
            attribute("f", "floors", Some("t"), &[]),
            json!({ "f": ["two"] }),
        ),
        (constant("env", "prod"), json!({ "env": "prod" })),
    ] {
        assert_eq!(of_one(mapping.clone(), user), expected, "{mapping:?}");
    }
}

#[test]
fn without_a_person_only_constants_remain() {
    assert_eq!(
        of_one(constant("env", "prod"), None),
        json!({ "env": "prod" })
    );
    assert_eq!(
        of_one(attribute("roles", "groups", None, &[]), None),
        json!({})
    );
    assert_eq!(of(&[], Some(&user())).unwrap(), Map::new());
}

#[test]
fn a_claim_of_the_protocol_is_never_mapped() {
    let user = user();
    for name in claims::OF_THE_PROTOCOL {
        assert_eq!(
            of_one(constant(name, "forged"), Some(&user)),
            json!({}),
            "{name}"
        );
    }
}

#[test]
fn a_token_for_several_audiences_gets_what_they_share() {
    let user = user();
    let [env, dept] = [
        constant("env", "prod"),
        attribute("dept", "department", None, &[]),
    ];
    let orders = audience(vec![env.clone(), dept.clone()]);
    let bills = audience(vec![dept.clone(), constant("env", "test")]);
    let none = audience(Vec::new());
    let mapped = |audiences: &[&Audience]| Value::from(of(audiences, Some(&user)).unwrap());
    let dept = json!({ "dept": "bees" });
    assert_eq!(mapped(&[&orders]), json!({ "env": "prod", "dept": "bees" }));
    assert_eq!(mapped(&[&orders, &bills]), dept);
    assert_eq!(mapped(&[&bills, &orders]), dept);
    assert_eq!(mapped(&[&orders, &bills, &none]), json!({}));
}

#[test]
fn claims_take_up_at_most_4_kib() {
    let groups = |n: usize| {
        let groups: Vec<String> = (0..n).map(|n| format!("group-{n:0>10}")).collect();
        let mut user = user();
        user.groups = groups.iter().map(|group| group.as_str().into()).collect();
        of(
            &[&audience(vec![attribute("roles", "groups", None, &[])])],
            Some(&user),
        )
        .map(|mapped| Value::from(mapped).to_string().len())
        .map_err(|error| error.code.as_str())
    };
    assert!(groups(200).is_ok_and(|len| (3000..=MAX_LEN).contains(&len)));
    assert_eq!(groups(220), Err("invalid_target"));
}

proptest! {
    /// So the claims of a client without a person can be rendered beforehand.
    #[test]
    fn constants_always_fit(texts in prop::collection::vec(("[!#-\\[\\]-~]{1,64}", "[ !#-\\[\\]-~]{1,128}"), 0..=16)) {
        use crate::client::claim_mapping::{MAX_CLAIMS, is_constant, is_name};
        prop_assert!(texts.len() <= MAX_CLAIMS);
        prop_assert!(texts.iter().all(|(name, text)| is_name(name) && is_constant(text)));
        let claims = texts.iter().map(|(name, text)| constant(name, text)).collect();
        prop_assert!(of(&[&audience(claims)], None).is_ok());
    }
}
