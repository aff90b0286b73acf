//! The people that B writes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::clients::{mostly, text};
use super::ground::{SUBJECT, user};
use clientele_api::OAuthUser;

pub fn of_b() -> impl Strategy<Value = OAuthUser> {
    let names = prop::sample::select(vec!["alice", "carol", "bob"]);
    (names, spec()).prop_map(|(name, spec)| user("team-b", name, 100, spec))
}

fn spec() -> impl Strategy<Value = Value> {
    const USERNAMES: &[&str] = &["bob", "alice", "carol", "alice@a.example"];
    const SUBJECTS: &[&str] = &[
        "of-b",
        SUBJECT,
        "legacy",
        "team-a.web",
        "uid-of-user-team-a-alice",
    ];
    const EMAILS: &[&str] = &["bob@b.example", "alice@a.example"];
    const CLAIMS: &[&str] = &["locale", "email", "sub", "preferred_username", "groups"];
    let maybe = || prop::option::weighted(0.3, mostly(EMAILS, text().boxed()));
    let claims = prop::collection::btree_map(mostly(CLAIMS, text().boxed()), text(), 0..2);
    (
        mostly(&["default"], text().boxed()),
        mostly(USERNAMES, text().boxed()),
        (maybe(), maybe(), any::<bool>(), prop::bool::weighted(0.1)),
        prop::collection::vec(mostly(&["staff", "of-b"], text().boxed()), 0..3),
        prop::option::weighted(0.3, claims),
        prop::option::weighted(0.3, mostly(SUBJECTS, text().boxed())),
        prop::option::of(password()),
    )
        .prop_map(|(tenant, username, (email, name, verified, disabled), groups, claims, subject, password)| {
            json!({
                "tenant": tenant, "username": username, "email": email, "emailVerified": verified, "name": name,
                "groups": groups, "claims": claims.unwrap_or_default(), "subject": subject,
                "passwordSecretRef": password, "disabled": disabled,
            })
        })
}

fn password() -> impl Strategy<Value = Value> {
    let name = mostly(&["alice"], text().boxed());
    let key = mostly(&["password"], text().boxed());
    (name, key).prop_map(|(name, key)| json!({ "name": name, "key": key }))
}
