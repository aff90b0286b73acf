use std::collections::BTreeSet;

use super::*;

/// Namespaces with the label of people, as the tenant `default` asks for it.
fn present(spec: Value, people: &[&str]) -> Present {
    let labels = |name: &str| {
        let mut labels = BTreeMap::from([(NAME.to_owned(), name.to_owned())]);
        if people.contains(&name) {
            labels.insert("clientele.dev/users".to_owned(), "default".to_owned());
        }
        (name.to_owned(), labels)
    };
    let names = ["apps", "clientele-system", "crew", "staff"];
    Present {
        spec,
        namespaces: names.map(labels).into(),
    }
}

/// As the operator makes the tenant `default`.
fn default_spec() -> Value {
    json!({
        "firstParty": { "namespaces": { "matchLabels": { NAME: "clientele-system" } } },
        "users": { "namespaces": { "matchLabels": { "clientele.dev/users": "default" } } },
    })
}

fn set(names: &[&str]) -> Namespaces {
    names.iter().map(ToString::to_string).collect()
}

fn spec_of(needs: &TenantNeeds, present: &Present) -> Value {
    let text = text(needs, "default", Some(present)).unwrap();
    let patch: Value = text.map_or(json!({}), |text| serde_yaml::from_str(&text).unwrap());
    patch["spec"].clone()
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let object = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            object.remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn admits(spec: &Value, pointer: &str, present: &Present) -> Namespaces {
    present.admitted(spec.pointer(pointer), &BTreeSet::new(), false)
}

#[test]
fn what_the_tenant_default_admits_stays_admitted() {
    let present = present(default_spec(), &["crew", "staff"]);
    let needs = TenantNeeds {
        users: set(&["apps"]),
        first_party: set(&["apps"]),
        ..TenantNeeds::default()
    };
    let mut spec = present.spec.clone();
    merge(&mut spec, &spec_of(&needs, &present));
    let users = admits(&spec, "/users/namespaces", &present);
    assert_eq!(users, set(&["apps", "crew", "staff"]));
    let first_party = admits(&spec, "/firstParty/namespaces", &present);
    assert_eq!(first_party, set(&["apps", "clientele-system"]));
    let text = text(&needs, "default", Some(&present)).unwrap().unwrap();
    let command = "users.namespaces: kubectl label namespace apps clientele.dev/users=default\n";
    assert!(text.contains(command), "{text}");
    assert!(!text.contains("firstParty.namespaces: kubectl"), "{text}");
}

#[test]
fn what_is_admitted_already_needs_no_patch() {
    let spec = json!({
        "namespaces": {},
        "users": { "namespaces": { "matchExpressions": [{ "key": NAME, "operator": "NotIn", "values": ["crew"] }] } },
        "scopes": [{ "name": "orders.read" }],
        "customClientIds": { "namespaces": {}, "reserved": [{ "id": "vault", "namespace": "apps" }], "uriCharacters": true },
        "redirectSchemes": [{ "schemes": ["vscode"], "namespaces": {} }],
    });
    let needs = TenantNeeds {
        clients: set(&["apps", "not-yet-made"]),
        users: set(&["apps"]),
        scopes: [("orders.read".to_owned(), set(&["apps"]))].into(),
        custom_client_ids: set(&["apps"]),
        reserved: [("vault".to_owned(), "apps".to_owned())].into(),
        uri_characters: true,
        redirect_schemes: [("vscode".to_owned(), set(&["apps"]))].into(),
        ..TenantNeeds::default()
    };
    assert_eq!(text(&needs, "t", Some(&present(spec, &[]))).unwrap(), None);
}

#[test]
fn lists_keep_their_entries_and_selectors_of_entries_are_widened() {
    let of_staff = json!({ "matchLabels": { NAME: "staff" } });
    let spec = json!({
        "namespaces": of_staff,
        "scopes": [{ "name": "a", "namespaces": of_staff, "description": "A" }, { "name": "b" }],
        "audiences": [{ "uri": "https://a.example" }],
        "customClientIds": { "reserved": [{ "id": "vault", "namespace": "staff" }] },
        "redirectSchemes": [{ "schemes": ["vscode"], "namespaces": of_staff }],
    });
    let apps = || set(&["apps"]);
    let needs = TenantNeeds {
        clients: apps(),
        scopes: [("a".to_owned(), apps()), ("c".to_owned(), apps())].into(),
        audiences: [("https://b.example".to_owned(), apps())].into(),
        reserved: [("api".to_owned(), "apps".to_owned())].into(),
        redirect_schemes: [("vscode".to_owned(), apps())].into(),
        ..TenantNeeds::default()
    };
    let patch = spec_of(&needs, &present(spec, &[]));
    let both = listing(&set(&["apps", "staff"]));
    let scopes = json!([{ "name": "a", "namespaces": both, "description": "A" }, { "name": "b" }, { "name": "c" }]);
    assert_eq!(patch["scopes"], scopes);
    let audiences = json!([{ "uri": "https://a.example" }, { "uri": "https://b.example" }]);
    assert_eq!(patch["audiences"], audiences);
    let reserved =
        json!([{ "id": "vault", "namespace": "staff" }, { "id": "api", "namespace": "apps" }]);
    assert_eq!(patch["customClientIds"]["reserved"], reserved);
    let schemes = json!([
        { "schemes": ["vscode"], "namespaces": of_staff },
        { "schemes": ["vscode"], "namespaces": listing(&apps()) },
    ]);
    assert_eq!(patch["redirectSchemes"], schemes);
    assert_eq!(
        patch["namespaces"]["matchExpressions"],
        both["matchExpressions"]
    );
    assert!(patch["namespaces"]["matchLabels"].is_null());
}

#[test]
fn a_selector_that_cannot_be_read_admits_nothing_and_names_that_do_not_exist_stay() {
    let odd =
        json!({ "matchExpressions": [{ "key": NAME, "operator": "Near", "values": ["crew"] }] });
    let gone = json!({ "matchLabels": { NAME: "deleted-for-now" } });
    let spec = json!({ "users": { "namespaces": odd }, "firstParty": { "namespaces": gone } });
    let needs = TenantNeeds {
        users: set(&["apps"]),
        first_party: set(&["apps"]),
        ..TenantNeeds::default()
    };
    let patch = spec_of(&needs, &present(spec, &[]));
    let values = |field: &str| &patch[field]["namespaces"]["matchExpressions"][0]["values"];
    assert_eq!(values("users"), &json!(["apps"]));
    assert_eq!(values("firstParty"), &json!(["apps", "deleted-for-now"]));
}
