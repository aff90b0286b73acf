//! Lists and watches, at an API server that is a function.

use std::convert::Infallible;
use std::sync::atomic::AtomicUsize;

use axum::http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use super::*;

/// An API server that is a function of the address. `None` is a refusal.
fn server(answer: impl Fn(&str) -> Option<Value> + Send + Sync + 'static) -> Cluster {
    let service = service_fn(move |request: Request<Body>| {
        let answer = answer(&request.uri().to_string());
        async move {
            let status = if answer.is_some() { 200 } else { 403 };
            let value = answer.unwrap_or_else(|| {
                json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                    "reason": "Forbidden", "code": 403, "message": "no",
                })
            });
            let body = Body::from(value.to_string().into_bytes());
            let response = Response::builder().status(status);
            Ok::<_, Infallible>(response.body(body).unwrap())
        }
    });
    Cluster::new(kube::Client::new(service, "apps"), "https://k8s")
}

/// What an API server with `count` namespaces answers to a person who may list clients in each, but not in all at once.
fn namespaces(uri: &str, count: usize) -> Option<Value> {
    let name = |number: usize| json!({ "metadata": { "name": format!("n{number}") } });
    if uri.contains("accessreviews") {
        Some(json!({ "status": { "allowed": true } }))
    } else if uri.contains("/namespaces/") {
        Some(json!({ "metadata": { "resourceVersion": "7" } }))
    } else if uri.contains("/namespaces") {
        let names: Vec<Value> = (0..count).map(name).collect();
        Some(json!({ "items": names }))
    } else {
        None
    }
}

#[tokio::test]
async fn more_namespaces_than_watches_are_listed_only() {
    let watched = Arc::new(AtomicUsize::new(0));
    let counted = watched.clone();
    let cluster = server(move |uri| {
        if uri.contains("watch=1") {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        namespaces(uri, MOST_WATCHES + 1)
    });
    let rows = Rows::new();
    let first = rows.read(&cluster, &[]).await.unwrap();
    assert!(matches!(&first.scope, Scope::Allowed(names) if names.len() == MOST_WATCHES + 1));
    assert!(first.refused.is_empty());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(watched.load(Ordering::Relaxed), 0);
    let second = rows.read(&cluster, &[]).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn namespaces_that_are_left_out_are_counted() {
    let cluster = server(|uri| namespaces(uri, MOST_NAMESPACES + 3));
    let kept = Rows::new().read(&cluster, &[]).await.unwrap();
    assert_eq!(kept.left_out, 3);
    assert!(kept.refused.is_empty());
}

#[tokio::test]
async fn who_may_list_nothing_is_not_listed_for_without_a_pause() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let cluster = server(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        None
    });
    let (rows, typed) = (Rows::new(), ["apps".to_owned()]);
    let changes = rows.changes();
    let first = rows.read(&cluster, &typed).await.unwrap();
    assert_eq!(first.refused.len(), 1);
    let before = asked.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!changes.has_changed().unwrap());
    let second = rows.read(&cluster, &typed).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(asked.load(Ordering::Relaxed), before);
}

/// Lists of whatever is typed; everything else is refused.
fn typed_only(uri: &str) -> Option<Value> {
    let typed = uri.contains("/namespaces/") && !uri.contains("watch=1");
    typed.then(|| json!({ "metadata": { "resourceVersion": "7" } }))
}

#[tokio::test]
async fn two_tabs_with_other_namespaces_keep_their_lists() {
    let cluster = server(typed_only);
    let rows = Rows::new();
    let of = async |namespace: &str| {
        let typed = [namespace.to_owned()];
        rows.read(&cluster, &typed).await.unwrap()
    };
    let (one, other) = (of("one").await, of("other").await);
    assert!(Arc::ptr_eq(&one, &of("one").await) && Arc::ptr_eq(&other, &of("other").await));
    for more in ["a", "b", "c"] {
        of(more).await;
    }
    assert!(
        !Arc::ptr_eq(&one, &of("one").await),
        "the oldest choice is given up"
    );
    assert_eq!(lock(&rows.kept).len(), MOST_CHOICES);
}

#[tokio::test]
async fn o16_rows_whose_credentials_ended_are_followed_no_more() {
    let cluster = server(typed_only);
    let rows = Rows::new();
    rows.read(&cluster, &["one".to_owned()]).await.unwrap();
    let changes = rows.changes();
    rows.end();
    assert!(changes.has_changed().unwrap() && rows.ended());
    let late = rows.read(&cluster, &["one".to_owned()]).await.unwrap();
    assert!(lock(&late.watching).is_none(), "no watch");
}

#[test]
fn a_person_has_so_many_streams_and_no_more() {
    let rows = Rows::new();
    let open: Vec<_> = (0..4).filter_map(|_| rows.stream(4)).collect();
    assert_eq!(open.len(), 4);
    assert!(rows.stream(4).is_none());
    drop(open);
    assert!(rows.stream(4).is_some());
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
