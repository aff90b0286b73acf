//! Rows of a `Table` as OAuthClients: columns are found by their names, so that definitions of other versions do no harm.

use std::collections::HashMap;

use jiff::{Span, Timestamp};
use kube::core::WatchEvent;
use serde_json::Value;

use super::wire::{RawRow, Table};

/// What the list shows of one OAuthClient. Texts are empty where the object has nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// `spec.displayName`
    pub display_name: String,
    /// `spec.firstParty`
    pub first_party: bool,
    /// `status.clientId`
    pub client_id: String,
    /// `spec.type`
    pub kind: String,
    /// `spec.tenant`
    pub tenant: String,
    /// The status of the condition Ready.
    pub ready: String,
    /// The reason of the condition Ready.
    pub reason: String,
    /// The message of the condition Ready.
    pub message: String,
    /// `status.rotation.nextAt`
    pub next_rotation: String,
    /// `status.secretGeneration.overlap.retiresAt`: an old client secret is accepted until then at the latest.
    pub old_secret_until: String,
    /// `metadata.creationTimestamp`, in seconds since 1970, as exact as the age in the cell.
    pub created: i64,
    /// `status.lastUsedAt`, the same way, to the day; 0 if never.
    pub last_used: i64,
    /// When the published generation of the secret was written, the same way; 0 if never.
    pub secret_published: i64,
}

/// How rows are read: the position of each column, and whether they come with the metadata of their objects.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    columns: HashMap<String, usize>,
    metadata: bool,
}

/// The printer columns of the CustomResourceDefinition.
const NAMESPACE: &str = "Client namespace";
const DISPLAY_NAME: &str = "Display name";
const FIRST_PARTY: &str = "First-party";
/// The newest column: definitions without it are older than this program.
const OLD_SECRET: &str = "Old secret until";

/// What a watch reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The object exists and has this row now.
    Put(Box<Row>),
    /// The object is deleted.
    Gone {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl Layout {
    /// That of the first answer to a list.
    pub fn of(table: &Table, metadata: bool) -> Self {
        let columns = table.column_definitions.iter().flatten();
        let columns = columns.enumerate();
        Self {
            columns: columns
                .map(|(at, column)| (column.name.clone(), at))
                .collect(),
            metadata,
        }
    }

    /// Whether rows say their namespace by a column of their own.
    pub fn says_namespace(&self) -> bool {
        self.columns.contains_key(NAMESPACE)
    }

    /// Whether rows come with the metadata of their objects.
    pub fn has_metadata(&self) -> bool {
        self.metadata
    }

    /// Whether the definitions of the cluster are older than this program, so that some cells are empty.
    pub fn is_older(&self) -> bool {
        !self.columns.contains_key(OLD_SECRET)
    }

    /// What an event says; `namespace` is the one that is watched, if it is one.
    pub fn changes(&self, event: WatchEvent<Table>, namespace: Option<&str>) -> Vec<Change> {
        let (table, gone) = match event {
            WatchEvent::Added(table) | WatchEvent::Modified(table) => (table, false),
            WatchEvent::Deleted(table) => (table, true),
            WatchEvent::Bookmark(_) | WatchEvent::Error(_) => return Vec::new(),
        };
        let now = Timestamp::now();
        let rows = table.rows.iter().flatten();
        let rows = rows.map(|row| self.row(row, namespace, now));
        rows.map(|row| {
            if gone {
                Change::Gone {
                    namespace: row.namespace,
                    name: row.name,
                }
            } else {
                Change::Put(Box::new(row))
            }
        })
        .collect()
    }

    /// A row; `namespace` is the one that was listed, if it is one.
    pub fn row(&self, raw: &RawRow, namespace: Option<&str>, now: Timestamp) -> Row {
        let text = |column: &str| self.text(raw, column);
        let meta = raw.object.as_ref().map(|object| &object.metadata);
        let listed = namespace.map(str::to_owned);
        let created = meta.and_then(|meta| meta.creation_timestamp.parse::<Timestamp>().ok());
        Row {
            namespace: listed
                .or_else(|| meta.map(|meta| meta.namespace.clone()))
                .unwrap_or_else(|| text(NAMESPACE)),
            name: text("Name"),
            display_name: text(DISPLAY_NAME),
            first_party: text(FIRST_PARTY) == "true",
            client_id: text("Client ID"),
            kind: text("Type"),
            tenant: text("Tenant"),
            ready: text("Ready"),
            reason: text("Reason"),
            message: text("Message"),
            next_rotation: text("Next rotation"),
            old_secret_until: text(OLD_SECRET),
            created: created.map_or_else(|| since(&text("Age"), now), Timestamp::as_second),
            last_used: since(&text("Last use"), now),
            secret_published: since(&text("Secret age"), now),
        }
    }

    fn text(&self, raw: &RawRow, column: &str) -> String {
        let cell = self.columns.get(column).and_then(|at| raw.cells.get(*at));
        match cell {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        }
    }
}

/// When something of this age began, such as `5d12h`; 0 if it is no age, such as `<unknown>`.
fn since(age: &str, now: Timestamp) -> i64 {
    let mut span = Span::new();
    let (mut number, mut any) = (0_i64, false);
    for character in age.chars() {
        if let Some(digit) = character.to_digit(10) {
            number = number.saturating_mul(10).saturating_add(i64::from(digit));
            continue;
        }
        // Years of 365 days, as the API server counts them.
        let hours = match character {
            'y' => 24 * 365,
            'd' => 24,
            'h' => 1,
            _ => 0,
        };
        let next = match character {
            'y' | 'd' | 'h' => {
                let more = number.saturating_mul(hours);
                span.try_hours(i64::from(span.get_hours()).saturating_add(more))
            }
            'm' => span.try_minutes(number),
            's' => span.try_seconds(number),
            _ => return 0,
        };
        let Ok(next) = next else { return 0 };
        (span, number, any) = (next, 0, true);
    }
    let began = now.checked_sub(span);
    began.ok().filter(|_| any).map_or(0, Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-29T12:00:00Z".parse().unwrap()
    }

    fn table(columns: &[&str], cells: &Value, object: &Value) -> Table {
        let columns: Vec<Value> = columns.iter().map(|name| json!({ "name": name })).collect();
        serde_json::from_value(json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1",
            "metadata": { "resourceVersion": "7", "continue": "" },
            "columnDefinitions": columns,
            "rows": [{ "cells": cells, "object": object }],
        }))
        .unwrap()
    }

    #[test]
    fn a_row_is_read_by_the_names_of_its_columns() {
        let columns = [
            "Name",
            "Client ID",
            "Ready",
            "Age",
            "First-party",
            "Client namespace",
            "Unheard",
        ];
        let cells = json!(["web", "team.web", "True", "2d", true, "team", "x"]);
        let table = table(&columns, &cells, &Value::Null);
        let layout = Layout::of(&table, false);
        let row = layout.row(&table.rows.as_ref().unwrap()[0], None, now());
        assert_eq!((row.namespace.as_str(), row.name.as_str()), ("team", "web"));
        assert_eq!(row.client_id, "team.web");
        assert!(row.first_party);
        assert_eq!(now().as_second() - row.created, 2 * 86_400);
        assert_eq!((row.message.as_str(), row.secret_published), ("", 0));
    }

    #[test]
    fn older_definitions_are_read_with_metadata() {
        let meta = json!({ "metadata": { "namespace": "team", "creationTimestamp": "2026-11-29T11:00:00Z" } });
        let table = table(&["Name"], &json!(["web"]), &meta);
        let layout = Layout::of(&table, true);
        assert!(layout.is_older());
        let row = layout.row(&table.rows.as_ref().unwrap()[0], None, now());
        assert_eq!(row.namespace, "team");
        assert_eq!(now().as_second() - row.created, 3_600);
    }

    #[test]
    fn events_are_read_with_the_columns_of_the_list() {
        let layout = Layout::of(&table(&["Name"], &json!(["x"]), &Value::Null), false);
        let event = |kind: &str| -> WatchEvent<Table> {
            let object = json!({ "kind": "Table", "metadata": {}, "columnDefinitions": null, "rows": [{ "cells": ["web"], "object": null }] });
            serde_json::from_value(json!({ "type": kind, "object": object })).unwrap()
        };
        let put = layout.changes(event("MODIFIED"), Some("team"));
        assert!(
            matches!(&put[..], [Change::Put(row)] if row.name == "web" && row.namespace == "team")
        );
        let gone = layout.changes(event("DELETED"), Some("team"));
        assert!(matches!(&gone[..], [Change::Gone { name, .. }] if name == "web"));
    }

    #[test]
    fn ages_are_those_of_kubernetes() {
        for (age, seconds) in [
            ("5s", 5),
            ("2m3s", 123),
            ("3h20m", 12_000),
            ("5d12h", 475_200),
            ("2y10d", 63_936_000),
        ] {
            assert_eq!(now().as_second() - since(age, now()), seconds, "{age}");
        }
        for none in [
            "",
            "<unknown>",
            "<invalid>",
            "12",
            "1h99999999999999999999y",
        ] {
            assert_eq!(since(none, now()), 0, "{none}");
        }
    }

    proptest! {
        #[test]
        fn p3_no_cells_or_columns_make_it_panic(
            columns in prop::collection::vec("\\PC{0,16}", 0..6),
            cells in prop::collection::vec("\\PC{0,16}", 0..6),
        ) {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let cells: Vec<&str> = cells.iter().map(String::as_str).chain(["99999999999999999999y"]).collect();
            let table = table(&columns, &json!(cells), &Value::Null);
            let layout = Layout::of(&table, false);
            layout.row(&table.rows.as_ref().unwrap()[0], None, now());
        }
    }
}
