//! The events of a client, the newest first.

use clientele_kubectl::shared::{age, text};
use serde_json::Value;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How long ago.
    pub age: String,
    /// When, as the API server writes it.
    pub time: String,
    /// Whether it is a warning.
    pub warning: bool,
    /// The reason.
    pub reason: String,
    /// What happened.
    pub message: String,
    /// How often.
    pub count: i64,
}

/// The part of a query that selects the events of a UID.
pub fn select(client: &Value) -> String {
    let selector = format!("involvedObject.uid={}", text(client, "/metadata/uid"));
    let encoded: String = url::form_urlencoded::byte_serialize(selector.as_bytes()).collect();
    format!("fieldSelector={encoded}&limit=200")
}

/// When it was seen last: the fields of both versions of events.
fn time(event: &Value) -> &str {
    let fields = [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/eventTime",
        "/firstTimestamp",
        "/metadata/creationTimestamp",
    ];
    let mut times = fields.iter().map(|field| text(event, field));
    times.find(|time| !time.is_empty()).unwrap_or_default()
}

/// The rows of the table.
pub fn rows(events: &[Value], now: jiff::Timestamp) -> Vec<Row> {
    let mut rows: Vec<Row> = events
        .iter()
        .map(|event| {
            let time = time(event);
            let count = |pointer: &str| event.pointer(pointer).and_then(Value::as_i64);
            Row {
                age: age(time, now),
                time: time.to_owned(),
                warning: text(event, "/type") == "Warning",
                reason: text(event, "/reason").to_owned(),
                message: text(event, "/message").to_owned(),
                count: count("/series/count")
                    .or_else(|| count("/count"))
                    .unwrap_or(1),
            }
        })
        .collect();
    rows.sort_by(|a, b| b.time.cmp(&a.time));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_event_is_first_whatever_its_version() {
        let events = [
            json!({ "type": "Normal", "reason": "Old", "lastTimestamp": "2026-11-29T00:00:00Z", "count": 3 }),
            json!({ "type": "Warning", "reason": "New", "eventTime": "2026-11-30T00:00:00.000000Z" }),
        ];
        let rows = rows(&events, "2026-11-30T01:00:00Z".parse().unwrap());
        assert_eq!(
            (rows[0].reason.as_str(), rows[0].age.as_str()),
            ("New", "60m")
        );
        assert!(rows[0].warning && rows[1].count == 3);
        let query = select(&json!({ "metadata": { "uid": "a&b" } }));
        assert_eq!(query, "fieldSelector=involvedObject.uid%3Da%26b&limit=200");
    }
}
