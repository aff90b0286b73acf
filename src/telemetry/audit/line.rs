//! A record as one line of JSON.

use std::io::Write;

use jiff::Timestamp;

use super::{AuditEvent, AuditRecord};

/// Room for a usual line.
const USUAL: usize = 320;

/// The line, with its end. The fields are those that `tracing-subscriber` writes as JSON.
pub fn line(now: Timestamp, event: AuditEvent, record: &AuditRecord<'_>) -> Vec<u8> {
    let mut line = Vec::with_capacity(USUAL);
    let level = if event.is_alarming() { "WARN" } else { "INFO" };
    // Neither the time, the level, the event nor its sentence has a character that JSON escapes. Writing to memory
    // cannot fail.
    let _ = write!(
        line,
        r#"{{"timestamp":"{now:.6}","level":"{level}","message":"{}""#,
        event.sentence()
    );
    for (name, value) in texts(record) {
        if let Some(value) = value {
            text(&mut line, name, value);
        }
    }
    if let Some(from) = record.from {
        let _ = write!(line, r#","from":"{from}""#);
    }
    if let Some(count) = record.count {
        let _ = write!(line, r#","count":{count}"#);
    }
    text(&mut line, "event", event.as_str());
    line.extend_from_slice(b"}\n");
    line
}

fn texts<'a>(record: &AuditRecord<'a>) -> [(&'static str, Option<&'a str>); 13] {
    [
        ("tenant", record.tenant),
        ("client_id", record.client_id),
        ("username", record.username),
        ("subject", record.subject),
        ("grant", record.grant),
        ("error", record.error),
        ("kind", record.kind),
        ("namespace", record.namespace),
        ("name", record.name),
        ("uid", record.uid),
        ("request_id", record.request_id),
        ("trace_id", record.trace_id),
        ("reason", record.reason),
    ]
}

fn text(line: &mut Vec<u8>, name: &str, value: &str) {
    line.extend_from_slice(b",\"");
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b"\":");
    // A string always has a form in JSON.
    let _ = serde_json::to_writer(line, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(event: AuditEvent, record: &AuditRecord<'_>) -> Value {
        let line = line(Timestamp::UNIX_EPOCH, event, record);
        assert!(line.ends_with(b"}\n"));
        assert_eq!(line.split(|byte| *byte == b'\n').count(), 2);
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn a_line_has_the_fields_that_are_known() {
        let record = AuditRecord {
            tenant: Some("default"),
            client_id: Some("team-a.web"),
            from: Some("2001:db8::1".parse().unwrap()),
            count: Some(3),
            ..AuditRecord::default()
        };
        let line = read(AuditEvent::TokenIssued, &record);
        let expected = json!({
            "timestamp": "1970-01-01T00:00:00.000000Z", "level": "INFO", "message": "token issued",
            "tenant": "default", "client_id": "team-a.web", "from": "2001:db8::1", "count": 3,
            "event": "token_issued",
        });
        assert_eq!(line, expected);
        assert_eq!(read(AuditEvent::CodeReuse, &record)["level"], "WARN");
    }

    #[test]
    fn every_field_is_escaped() {
        let odd = "a \"b\" \\ \n \u{1} é \u{2028}";
        let record = AuditRecord {
            tenant: Some(odd),
            client_id: Some(odd),
            username: Some(odd),
            subject: Some(odd),
            grant: Some(odd),
            error: Some(odd),
            reason: Some(odd),
            kind: Some(odd),
            namespace: Some(odd),
            name: Some(odd),
            uid: Some(odd),
            request_id: Some(odd),
            trace_id: Some(odd),
            from: None,
            count: None,
        };
        let line = read(AuditEvent::SignIn, &record);
        let found = line.as_object().unwrap().values();
        assert_eq!(found.filter(|value| **value == odd).count(), 13);
    }

    #[test]
    fn no_event_needs_to_be_escaped() {
        for event in AuditEvent::ALL {
            let line = read(event, &AuditRecord::default());
            assert_eq!(line["event"], event.as_str());
            assert_eq!(line["message"], event.sentence());
        }
    }
}
