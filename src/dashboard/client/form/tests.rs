//! What the form shows of a spec, and what it changes in one.

use super::*;
use proptest::prelude::*;

/// Any JSON that may stand in a field of the spec which the form does not have.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A group of durations of the spec.
fn durations(keys: Vec<&'static str>) -> impl Strategy<Value = Value> {
    let each = prop::collection::btree_map(prop::sample::select(keys), "[1-9][hms]", 1..3);
    each.prop_map(|map| json!(map))
}

fn spec() -> impl Strategy<Value = Value> {
    let known = (
        proptest::option::of("[A-Za-z ]{1,12}"),
        proptest::option::of(prop::sample::select(vec!["Public", "Confidential"])),
        proptest::option::of(any::<bool>()),
        proptest::option::of(prop::collection::vec("https://[a-z]{1,8}/[a-z]{0,4}", 0..4)),
        proptest::option::of("[a-z]{1,8}"),
        proptest::option::of(prop::collection::vec("https://[a-z]{1,8}/[a-z]{0,4}", 1..4)),
        proptest::option::of(durations(vec!["accessToken", "idToken"])),
        proptest::option::of(durations(vec!["every", "maxOverlap", "requestId"])),
    );
    let others = prop::collection::btree_map("x[a-zA-Z]{1,8}", anything(), 0..5);
    (known, others).prop_map(|(known, others)| {
        let (name, kind, first, uris, tenant, apis, lifetimes, rotation) = known;
        let mut spec: Map<String, Value> = others.into_iter().collect();
        for (key, value) in [
            ("displayName", name.map(Value::from)),
            ("type", kind.map(Value::from)),
            ("firstParty", first.map(Value::from)),
            ("redirectUris", uris.map(Value::from)),
            ("tenant", tenant.map(Value::from)),
            ("audiences", apis.map(Value::from)),
            ("lifetimes", lifetimes),
            ("rotation", rotation),
        ] {
            if let Some(value) = value {
                spec.insert(key.to_owned(), value);
            }
        }
        json!({ "metadata": { "name": "web", "namespace": "apps" }, "spec": spec })
    })
}

/// The body that a browser sends for the form as it is rendered: text areas have CRLF.
fn body(form: &ClientForm) -> Vec<u8> {
    let mut form = form.clone();
    form.redirect_uris = form.redirect_uris.replace('\n', "\r\n");
    form.audiences = form.audiences.map(|lines| lines.replace('\n', "\r\n"));
    form.encode().into_bytes()
}

proptest! {
    #[test]
    fn a_form_sent_as_it_is_changes_nothing(object in spec()) {
        // A name with white space at its ends is trimmed, so the API server's rule about it is ours too.
        let trimmed = text(&object, "/spec/displayName").trim() == text(&object, "/spec/displayName");
        prop_assume!(trimmed);
        let mut after = object.clone();
        ClientForm::sent(&Fields::parse(&body(&ClientForm::of(&object)))).apply(&mut after);
        prop_assert_eq!(object, after);
    }

    #[test]
    fn fields_the_form_does_not_have_are_kept(object in spec(), other in spec()) {
        let mut after = object.clone();
        let sent = ClientForm::of(&other);
        sent.apply(&mut after);
        let unknown = |object: &Value| {
            let spec = object["spec"].as_object().unwrap().clone();
            spec.into_iter().filter(|(key, _)| key.starts_with('x')).collect::<Vec<_>>()
        };
        prop_assert_eq!(unknown(&object), unknown(&after));
        let shown = ClientForm::of(&after);
        prop_assert_eq!(shown.changes(&sent), vec![]);
    }

    #[test]
    fn a_derived_name_is_a_name(shown in ".{0,80}") {
        let name = slug(&shown);
        prop_assert!(name.len() <= 63);
        prop_assert!(!name.starts_with('-') && !name.ends_with('-'));
        prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
    }
}

#[test]
fn what_is_typed_becomes_the_spec() {
    let fields = Fields::parse(
        b"display-name=+Order+desk+&type=Public&redirect-uris=https%3A%2F%2Fa.example%2F%0D%0A%0D%0A++https%3A%2F%2Fb.example%2F&first-party=on&tenant=",
    );
    let form = ClientForm::sent(&fields);
    assert_eq!(form.object_name(), "order-desk");
    let mut object = json!({});
    form.apply(&mut object);
    assert_eq!(
        object,
        json!({ "spec": {
            "displayName": "Order desk", "type": "Public", "firstParty": true,
            "redirectUris": ["https://a.example/", "https://b.example/"],
        } })
    );
}

#[test]
fn a_lifetime_is_set_and_taken_back() {
    let set = |value: &str| {
        let form =
            Fields::parse(format!("lifetime-access-token=+{value}&lifetime-id-token=").as_bytes());
        ClientForm::sent(&form)
    };
    let mut object = json!({ "spec": { "lifetimes": { "idToken": "5m", "refreshToken": "8h" } } });
    set("15m").apply(&mut object);
    let lifetimes = json!({ "accessToken": "15m", "refreshToken": "8h" });
    assert_eq!(
        object["spec"]["lifetimes"], lifetimes,
        "what was not sent is kept"
    );
    let mut object = json!({ "spec": { "lifetimes": { "accessToken": "15m" } } });
    set("").apply(&mut object);
    assert_eq!(object, json!({ "spec": {} }));
    let changes = set("15m").changes(&set("20m"));
    assert_eq!(changes[0].field.label(), "Access token");
    assert_eq!(
        (changes[0].from.as_str(), changes[0].to.as_str()),
        ("15m", "20m")
    );
}

#[test]
fn a_schedule_is_set_beside_the_last_request() {
    let set = |every: &str, most: &str| {
        let body = format!("rotation-every={every}&rotation-max-overlap={most}");
        ClientForm::sent(&Fields::parse(body.as_bytes()))
    };
    let kept = json!({ "requestId": "INC-1", "quietPeriod": "1h" });
    let mut object = json!({ "spec": { "rotation": kept.clone() } });
    set("720h", "0s").apply(&mut object);
    assert_eq!(
        object["spec"]["rotation"],
        json!({ "every": "720h", "maxOverlap": "0s", "quietPeriod": "1h", "requestId": "INC-1" })
    );
    set("", "").apply(&mut object);
    assert_eq!(object["spec"]["rotation"], kept);
    let mut object = json!({ "spec": { "rotation": { "every": "720h" } } });
    set("", "").apply(&mut object);
    assert_eq!(object, json!({ "spec": {} }));
    let changes = set("720h", "").changes(&set("1440h", ""));
    assert_eq!(changes[0].field.label(), "Rotates every");
}

#[test]
fn an_empty_field_of_the_schedule_shows_the_default() {
    let form = ClientForm::default();
    let shown = form.durations.rotation();
    let shown: Vec<_> = shown.iter().map(|one| one.placeholder.as_str()).collect();
    assert_eq!(shown, ["never", "24h", "168h"]);
}

#[test]
fn changes_are_named_in_words() {
    let before = ClientForm::default();
    let after = ClientForm {
        first_party: true,
        redirect_uris: "https://a.example/".to_owned(),
        ..ClientForm::default()
    };
    let changes = before.changes(&after);
    let said: Vec<_> = changes
        .iter()
        .map(|c| (c.field.label(), c.from.as_str(), c.to.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("Redirect URIs", "", "https://a.example/"),
            ("First-party", "no", "yes"),
        ]
    );
}
