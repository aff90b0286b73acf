use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// What comes of a text that arrives in these parts: the items as text, and what the list says of itself.
fn cut_list<'a>(
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<Vec<u8>>, ListMeta), Malformed> {
    let mut cutter = ListCutter::default();
    let mut items = Vec::new();
    for mut part in parts {
        while cutter.advance(&mut part)? {
            items.push(cutter.item().to_owned());
        }
        assert!(part.is_empty());
    }
    Ok((items, cutter.finish()?))
}

/// The items, read.
fn read(text: &str, parts: &[usize]) -> (Vec<Value>, ListMeta) {
    let (items, meta) = cut_list(in_parts(text.as_bytes(), parts)).unwrap();
    let items = items
        .iter()
        .map(|item| serde_json::from_slice(item).unwrap());
    (items.collect(), meta)
}

/// The text in parts of these lengths, again and again.
fn in_parts<'a>(text: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let (mut parts, mut rest) = (Vec::new(), text);
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let length = lengths.next().copied().unwrap_or(rest.len());
        let (part, after) = rest.split_at(length.clamp(1, rest.len()));
        parts.push(part);
        rest = after;
    }
    parts
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("items".to_owned()),
        Just("metadata".to_owned()),
        Just("managedFields".to_owned()),
        "[\\[\\]{}:,\"\\\\a\u{e9}\u{1}]{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A list as an API server writes it: `items` before or behind `metadata`.
fn list_text(items: &[Value], other: &Value, items_first: bool, pretty: bool) -> String {
    let write = |value: &Value| {
        if pretty {
            serde_json::to_string_pretty(value).unwrap()
        } else {
            value.to_string()
        }
    };
    let meta = write(&json!({ "resourceVersion": "7", "continue": "next" }));
    let items = write(&Value::from(items.to_vec()));
    let (meta, items) = (
        format!("\"metadata\":{meta}"),
        format!("\"items\": {items}"),
    );
    let (first, last) = if items_first {
        (items, meta)
    } else {
        (meta, items)
    };
    format!(
        "{{\"other\" :{},{first},\"kind\":\"List\" , {last} }}\n",
        write(other)
    )
}

/// The same value, with nothing in the place that a lean cut leaves out.
fn without_managed_fields(mut value: Value) -> Value {
    if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut)
        && let Some(managed) = meta.get_mut("managedFields")
    {
        *managed = Value::Null;
    }
    value
}

proptest! {
    #[test]
    fn a_list_is_cut_as_serde_json_reads_it_whole(
        items in prop::collection::vec(any_json(), 0..6),
        other in any_json(),
        (items_first, pretty) in any::<(bool, bool)>(),
        parts in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let text = list_text(&items, &other, items_first, pretty);
        let whole: Value = serde_json::from_str(&text).unwrap();
        let (cut_items, meta) = read(&text, &parts);
        let items: Vec<Value> = items.into_iter().map(without_managed_fields).collect();
        prop_assert_eq!(cut_items, items);
        prop_assert!(whole["items"].is_array());
        prop_assert_eq!(meta.resource_version.as_deref(), Some("7"));
        prop_assert_eq!(meta.continue_.as_deref(), Some("next"));
    }

    #[test]
    fn an_event_is_lean_as_an_item_is(object in any_json(), kind in "[A-Z]{3,8}") {
        let event = json!({ "type": kind, "object": object }).to_string();
        let lean: Value = serde_json::from_slice(&lean_event(event.as_bytes())).unwrap();
        prop_assert_eq!(&lean["type"], &kind);
        prop_assert_eq!(lean["object"].clone(), without_managed_fields(object));
    }

    /// Whatever comes, what is cut does not depend on how it came, and nothing panics.
    #[test]
    fn parts_make_no_difference_to_any_text(
        text in "[\\[\\]{}:,\"\\\\ia1 \n]{0,60}",
        parts in prop::collection::vec(1_usize..9, 1..8),
    ) {
        let (text, head) = (text.as_bytes(), br#"{"metadata":{},"items":["#);
        for text in [text.to_owned(), [&head[..], text].concat()] {
            let whole = cut_list([&*text]);
            prop_assert_eq!(&cut_list(in_parts(&text, &parts)), &whole);
            let is_list = serde_json::from_slice::<Value>(&text).is_ok_and(|list| {
                list["metadata"].is_object() && list["items"].is_array()
            });
            prop_assert!(!is_list || whole.is_ok());
        }
    }
}

#[test]
fn every_cut_of_a_list_gives_the_same() {
    let text = r#"{"items":[{"a":"]},{\"","metadata":{"managedFields":[{"f:a":{}}],"name":"é"}},[],1],"metadata":{"resourceVersion":"9"}}"#;
    let whole = cut_list([text.as_bytes()]).unwrap();
    for at in 0..text.len() {
        let (first, second) = text.as_bytes().split_at(at);
        assert_eq!(cut_list([first, second]).unwrap(), whole, "{at}");
    }
    let single = cut_list(text.as_bytes().chunks(1)).unwrap();
    assert_eq!(single, whole);
    let first = r#"{"a":"]},{\"","metadata":{"managedFields":null,"name":"é"}}"#;
    assert_eq!(whole.0, [first.as_bytes(), b"[]", b"1"]);
}

#[test]
fn a_list_without_items_is_empty() {
    for items in [
        "",
        r#","items":null"#,
        r#","items":[]"#,
        r#","items":[ ]"#,
        r#","\u0069tems":[]"#,
    ] {
        let text = format!(r#"{{"metadata":{{"resourceVersion":"1"}}{items}}}"#);
        let (items, meta) = read(&text, &[3]);
        assert_eq!(items, [] as [Value; 0], "{text}");
        assert_eq!(meta.resource_version.as_deref(), Some("1"));
    }
}

#[test]
fn what_is_no_list_or_ends_early_is_refused() {
    for text in [
        "",
        "[]",
        "{}",
        "<html>",
        r#"{"metadata":{},"items":["#,
        r#"{"metadata":{},"items":[1"#,
        r#"{"metadata":{},"items":[1,]}"#,
        r#"{"metadata":{},"items":[,1]}"#,
        r#"{"metadata":{},"items":[1}}"#,
        r#"{"metadata":{},"items":[1]"#,
        r#"{"metadata":{},"items":[1]}<html>"#,
        r#"{"metadata":{},"items":[1],"items":[2]}"#,
        r#"{"metadata":{},"items":{}}"#,
        r#"{"metadata":"secret","items":[]}"#,
        "}}}}",
    ] {
        let error = cut_list([text.as_bytes()]).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_in_memory() {
    let head = br#"{"metadata":{},"items":["#;
    for (head, most) in [(&head[..], LONGEST_ITEM), (&b"{\"a"[..], LONGEST_ENVELOPE)] {
        let mut cutter = ListCutter::default();
        let mut head = head;
        assert_eq!(cutter.advance(&mut head), Ok(false));
        let chunk = [&b"\""[..], &b"x".repeat(60_000), b"\""].concat();
        let refused = (0..=most / 60_000).any(|_| cutter.advance(&mut &*chunk).is_err());
        assert!(refused);
    }
}
