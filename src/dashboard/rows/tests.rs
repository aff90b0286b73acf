//! Which list serves a request, and for how long.

use std::time::Instant;

use super::discover::Found;
use super::kept::{ALLOWED_SERVES, TYPED_SERVES, key};
use super::*;
use crate::cluster::table::Row;

/// A list of one typed namespace without a client.
fn typed(namespace: &str) -> Arc<Kept> {
    let found = Found {
        scope: Scope::Typed(vec![namespace.to_owned()]),
        lists: Vec::new(),
        refused: Vec::new(),
        left_out: 0,
    };
    Arc::new(Kept::new(found).0)
}

/// The list that serves who typed this namespace.
fn serving(rows: &Rows, namespace: &str) -> Option<Arc<Kept>> {
    rows.usable(&[namespace.to_owned()])
}

#[test]
fn two_tabs_with_other_namespaces_keep_their_lists() {
    let rows = Rows::new();
    let (one, other) = (typed("one"), typed("other"));
    rows.keep(&one);
    rows.keep(&other);
    let serves = |kept: &Arc<Kept>, namespace: &str| {
        serving(&rows, namespace).is_some_and(|serving| Arc::ptr_eq(&serving, kept))
    };
    assert!(serves(&one, "one") && serves(&other, "other"));
    for more in ["a", "b", "c"] {
        rows.keep(&typed(more));
    }
    let oldest = serving(&rows, "one");
    assert!(oldest.is_none(), "the oldest choice is given up");
    assert!(serves(&other, "other"));
    assert_eq!(rows.kept().len(), MOST_CHOICES);
    let again = typed("other");
    rows.keep(&again);
    assert!(serves(&again, "other"));
    assert_eq!(rows.kept().len(), MOST_CHOICES);
}

#[test]
fn a_list_of_all_takes_the_place_of_every_other() {
    let rows = Rows::new();
    rows.keep(&typed("one"));
    let (all, _) = Kept::new(Found {
        scope: Scope::All,
        lists: Vec::new(),
        refused: Vec::new(),
        left_out: 0,
    });
    assert!(all.until.is_none(), "as long as the watch lasts");
    rows.keep(&Arc::new(all));
    assert!(serving(&rows, "any").is_some_and(|kept| !kept.is_partial()));
    rows.forget();
    assert!(serving(&rows, "any").is_none(), "after a write");
}

#[test]
fn a_list_with_refusals_serves_for_a_moment_only() {
    let of = |scope: Scope, refused: &[&str]| {
        let no = Problem::not_found("No.");
        let refused = refused.iter().map(|name| ((*name).to_owned(), no.clone()));
        let before = Instant::now();
        let (kept, _) = Kept::new(Found {
            scope,
            lists: Vec::new(),
            refused: refused.collect(),
            left_out: 0,
        });
        let lasts = kept.until.unwrap() - before;
        assert!(kept.is_current());
        lasts.as_secs()
    };
    let names = vec!["a".to_owned()];
    assert_eq!(
        of(Scope::Allowed(names.clone()), &[]),
        ALLOWED_SERVES.as_secs()
    );
    assert_eq!(
        of(Scope::Allowed(names.clone()), &["a"]),
        TYPED_SERVES.as_secs()
    );
    assert_eq!(of(Scope::Typed(names), &["a"]), TYPED_SERVES.as_secs());
}

#[tokio::test]
async fn o16_rows_whose_credentials_ended_are_followed_no_more() {
    let rows = Rows::new();
    let followed = |kept: &Arc<Kept>| {
        let task = tokio::spawn(std::future::pending::<()>());
        kept.followed_by(task.abort_handle());
        task
    };
    let kept = typed("one");
    let watching = followed(&kept);
    rows.keep(&kept);
    let changes = rows.changes();
    rows.end();
    assert!(watching.await.unwrap_err().is_cancelled());
    assert!(changes.has_changed().unwrap() && rows.ended());
    // A list that was on its way when the credentials ended.
    let late = typed("one");
    let watching = followed(&late);
    rows.keep(&late);
    assert!(watching.await.unwrap_err().is_cancelled());
}

#[test]
fn a_person_has_so_many_streams_and_no_more() {
    let rows = Rows::new();
    let open: Vec<_> = (0..4).filter_map(|_| rows.stream()).collect();
    assert_eq!(open.len(), 4);
    assert!(rows.stream().is_none());
    drop(open);
    assert!(rows.stream().is_some());
}

/// The goal: each person more costs the process of the dashboard at most 15 MiB.
#[test]
fn ten_thousand_rows_are_below_15_mib() {
    let texts = |row: &Row| -> usize {
        let texts = [
            &row.namespace,
            &row.name,
            &row.display_name,
            &row.client_id,
            &row.kind,
            &row.tenant,
            &row.ready,
            &row.reason,
            &row.message,
            &row.next_rotation,
            &row.old_secret_until,
        ];
        // An allocation costs 16 bytes more than it holds.
        let kept = texts.into_iter().filter(|text| text.capacity() > 0);
        kept.map(|text| text.capacity() + 16).sum()
    };
    let name = "a-client-with-a-name-of-usual-length";
    let row = Row {
        namespace: "team-of-some-people".to_owned(),
        name: name.to_owned(),
        display_name: "An application of the team".to_owned(),
        client_id: format!("team-of-some-people.{name}"),
        kind: "Confidential".to_owned(),
        tenant: "default".to_owned(),
        ready: "True".to_owned(),
        reason: "Registered".to_owned(),
        message: format!(
            "client team-of-some-people.{name} is registered; its credentials are in Secret team-of-some-people/{name}-oauth"
        ),
        next_rotation: "2026-12-24T00:00:00Z".to_owned(),
        ..Row::default()
    };
    let key = key(&row);
    // Nodes of the map are at least half full.
    let of_map = 2 * (size_of::<Key>() + size_of::<Row>());
    let each = of_map + texts(&row) + key.0.capacity() + key.1.capacity() + 32;
    assert!(each * 10_000 < 15 * 1024 * 1024, "{each} bytes a row");
}
