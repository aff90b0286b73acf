use std::borrow::Cow;
use std::collections::BTreeMap;

use clientele_api::secret_template::{ESCAPES, PLACEHOLDERS};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::domain::client::secret::template::{Field, Template, Value};

fn render(template: &str, value: &str) -> Option<String> {
    let template = Template::parse(template)?;
    template.render(1 << 20, |_| Value::Text(Cow::Borrowed(value)))
}

fn render_list(template: &str, values: &[&str]) -> String {
    let template = Template::parse(template).unwrap();
    template
        .render(1 << 20, |_| Value::List(values.to_vec()))
        .unwrap()
}

#[test]
fn every_placeholder_and_escape_of_the_definition_is_known() {
    for name in PLACEHOLDERS {
        assert_eq!(Field::parse(name).map(Field::name), Some(name));
        for escape in ESCAPES {
            let text = format!("a {{{{ {name} | {escape} }}}} b {{{{{name}|{escape}}}}}");
            assert!(Template::parse(&text).is_some(), "{text}");
        }
    }
}

/// The API server judges the same texts, in tests/it/cluster/admission.
#[test]
fn what_is_no_placeholder_is_refused_and_what_is_none_stands() {
    let examples = include_str!("../../../../../api/template-examples.json");
    let examples: BTreeMap<String, Vec<String>> = serde_json::from_str(examples).unwrap();
    for bad in &examples["refused"] {
        assert!(Template::parse(bad).is_none(), "{bad}");
    }
    for good in &examples["taken"] {
        let written = render(good, "v");
        assert!(written.is_some(), "{good}");
        assert!(good.contains("{{") || written.as_ref() == Some(good));
    }
    assert_eq!(
        render(r#"{{ "{{" }} x }}"#, "v").as_deref(),
        Some("{{ x }}")
    );
    assert_eq!(
        render(r#"{"a":{{issuer|json}}}"#, "v").as_deref(),
        Some(r#"{"a":"v"}"#)
    );
}

#[test]
fn what_a_value_says_is_not_read_as_a_template() {
    let value = "{{ clientSecret }}";
    assert_eq!(render("{{ displayName }}", value).as_deref(), Some(value));
}

#[test]
fn lists_are_lists_where_there_are_lists() {
    let scopes = ["openid", "a\"b"];
    assert_eq!(render_list("{{ scopes }}", &scopes), "openid a\"b");
    assert_eq!(render_list("{{ scopes | csv }}", &scopes), "openid,a\"b");
    assert_eq!(render_list("{{ scopes | url }}", &scopes), "openid%20a%22b");
    let json: Json = serde_json::from_str(&render_list("{{ scopes | json }}", &scopes)).unwrap();
    assert_eq!(json, json!(scopes));
    let yaml = render_list("scopes: {{ scopes | yaml }}", &scopes);
    let yaml: Json = serde_yaml::from_str(&yaml).unwrap();
    assert_eq!(yaml, json!({ "scopes": scopes }));
    assert_eq!(render_list("{{ scopes | json }}", &[]), "[]");
}

#[test]
fn a_text_does_not_grow_without_end() {
    let template = Template::parse("{{ issuer }}{{ issuer }}{{ issuer }}").unwrap();
    let value = "x".repeat(1000);
    let render = |most| template.render(most, |_| Value::Text(Cow::Borrowed(&value)));
    assert!(render(2999).is_none());
    assert_eq!(render(3000).map(|text| text.len()), Some(3000));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r#"([{}| "a-z]|clientId|\PC|\n){0,60}"#) {
        let _ = render(&text, "v");
    }

    #[test]
    fn a_json_string_says_the_same_bytes(value in any::<String>()) {
        let text = render(r#"{"secret": {{ clientSecret | json }}}"#, &value).unwrap();
        let parsed: Json = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(parsed, json!({ "secret": value }));
    }

    #[test]
    fn a_yaml_scalar_says_the_same_bytes_also_in_a_block(value in any::<String>()) {
        let template = "oidc:\n  secret: {{ clientSecret | yaml }} # as it is\n  after: 1\n";
        let text = render(template, &value).unwrap();
        let parsed: Json = serde_yaml::from_str(&text).unwrap();
        prop_assert_eq!(parsed, json!({ "oidc": { "secret": value, "after": 1 } }));
    }

    #[test]
    fn a_component_of_a_url_says_the_same_bytes(value in any::<String>()) {
        let text = render("https://a.example/?first=1&secret={{ clientSecret | url }}&last=2", &value).unwrap();
        let url = url::Url::parse(&text).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(&pairs[1], &("secret".to_owned(), value));
        prop_assert_eq!(pairs.len(), 3);
    }
}
