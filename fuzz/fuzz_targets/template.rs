//! Templates of Secret entries, and the values that stand in them: what a manifest writes, and what people are called.
#![no_main]

use std::borrow::Cow;
use std::sync::LazyLock;

use clientele_api::secret_template::pattern;
use clientele_operator::domain::client::secret::template::{Field, Template, Value};
use libfuzzer_sys::fuzz_target;
use regex::Regex;
use serde_json::Value as Json;

/// The most that is written.
const MOST: usize = 64 * 1024;
/// Stands in a text for a placeholder.
const MARK: char = '@';
/// A value that needs no escape, and that is not written by chance.
const PLAIN: &str = "q9x7";

static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(&pattern()).expect("a pattern"));

/// The text before the first NUL is a template, what follows are values.
fn parts(bytes: &[u8]) -> Option<(&str, Vec<&str>)> {
    let mut parts = std::str::from_utf8(bytes).ok()?.split('\0');
    Some((parts.next()?, parts.collect()))
}

/// What the fields of texts and of lists are here.
fn value<'v>(field: Field, text: &'v str, list: &[&'v str]) -> Value<'v> {
    match field {
        Field::Scopes | Field::Audiences => Value::List(list.to_vec()),
        _ => Value::Text(Cow::Borrowed(text)),
    }
}

fn rendered(template: &str, text: &str, list: &[&str]) -> Option<String> {
    let template = Template::parse(template)?;
    template.render(MOST, |field| value(field, text, list))
}

/// How many of the texts in it are this one.
fn count(json: &Json, text: &str) -> usize {
    match json {
        Json::String(found) => usize::from(found == text),
        Json::Array(items) => items.iter().map(|item| count(item, text)).sum(),
        Json::Object(members) => members.values().map(|member| count(member, text)).sum(),
        _ => 0,
    }
}

/// A document with marks, each of which stands where a whole text may stand, says the value there, and the rest as before.
fn says_the_same(document: &str, escape: &str, text: &str, read: impl Fn(&str) -> Option<Json>) {
    let marks = document.matches(MARK).count();
    if marks == 0 || document.contains("{{") || document.contains(PLAIN) {
        return;
    }
    let template = document.replace(MARK, &format!("{{{{ displayName | {escape} }}}}"));
    let Some(mut expected) = rendered(&template, PLAIN, &[]).and_then(|plain| read(&plain)) else {
        return;
    };
    if count(&expected, PLAIN) != marks {
        return;
    }
    let Some(document) = rendered(&template, text, &[]) else {
        return;
    };
    put(&mut expected, text);
    assert_eq!(read(&document), Some(expected), "{document}");
}

fn put(json: &mut Json, text: &str) {
    match json {
        Json::String(found) if found == PLAIN => text.clone_into(found),
        Json::Array(items) => items.iter_mut().for_each(|item| put(item, text)),
        Json::Object(members) => members.values_mut().for_each(|member| put(member, text)),
        _ => {}
    }
}

fn url_says_the_same(text: &str) {
    let url = "https://a.example/?a={{ displayName | url }}&b=1";
    let Some(url) = rendered(url, text, &[]) else {
        return;
    };
    let url = url::Url::parse(&url).expect("a URL");
    let said: Vec<_> = url.query_pairs().into_owned().collect();
    assert_eq!(
        said,
        [
            ("a".to_owned(), text.to_owned()),
            ("b".to_owned(), "1".to_owned())
        ]
    );
}

fuzz_target!(|bytes: &[u8]| {
    let Some((template, values)) = parts(bytes) else {
        return;
    };
    let text = values.first().copied().unwrap_or_default();
    // The API server takes what the operator can read, and nothing else.
    assert_eq!(
        Template::parse(template).is_some(),
        PATTERN.is_match(template)
    );
    let written = rendered(template, text, &values);
    assert!(written.is_none_or(|written| written.len() <= MOST));
    for (escape, read) in [("json", json as fn(&str) -> _), ("yaml", yaml)] {
        says_the_same(template, escape, text, read);
        let list = rendered(&format!("{{{{ scopes | {escape} }}}}"), text, &values);
        let list = list.map(|list| read(&list).expect("a list"));
        assert!(list.is_none_or(|list| list == serde_json::json!(values)));
    }
    url_says_the_same(text);
});

fn json(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

fn yaml(text: &str) -> Option<Json> {
    serde_yaml::from_str(text).ok()
}
