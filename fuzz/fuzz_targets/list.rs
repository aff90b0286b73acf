//! A list of the API server, cut into its objects while it arrives in parts.
#![no_main]

use clientele_operator::list::cutter::ListCutter;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The objects of a list that comes in parts of this length, with their managedFields as null; none of what is no list.
fn cut_list(text: &[u8], part: usize) -> Option<Vec<Value>> {
    let (mut cutter, mut items) = (ListCutter::default(), Vec::new());
    for mut part in text.chunks(part) {
        while cutter.advance(&mut part).ok()? {
            items.push(serde_json::from_slice(cutter.item()).ok()?);
        }
    }
    cutter.finish().ok()?;
    Some(items)
}

/// The objects of a list that is there as a whole.
fn read(text: &[u8]) -> Option<Vec<Value>> {
    let list: Value = serde_json::from_slice(text).ok()?;
    list.get("metadata")?.as_object()?;
    Some(list.get("items")?.as_array()?.iter().map(lean).collect())
}

fn lean(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(managed) = item.pointer_mut("/metadata/managedFields") {
        *managed = Value::Null;
    }
    item
}

// The first byte says how long the parts are.
fuzz_target!(|bytes: &[u8]| {
    let Some((&part, text)) = bytes.split_first() else {
        return;
    };
    let whole = cut_list(text, text.len().max(1));
    assert_eq!(cut_list(text, usize::from(part).max(1)), whole);
    if let (Some(cut), Some(read)) = (whole, read(text)) {
        let cut: Vec<Value> = cut.iter().map(lean).collect();
        assert_eq!(cut, read);
    }
});
