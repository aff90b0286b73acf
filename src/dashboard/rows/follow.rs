//! What keeps a list current: a watch for each list that it consists of, until the first of them ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, BoxStream, SelectAll};
use futures::{StreamExt, TryStreamExt};

use tokio::sync::watch;

use super::discover::AT_ONCE;
use super::kept::{ALLOWED_SERVES, Kept, Versions};
use crate::cluster::Cluster;
use crate::cluster::table::Change;

/// The most watches, of which each is a connection: more namespaces are listed again instead.
const MOST_WATCHES: usize = 50;
/// How long a list serves if no watch could be opened, or if it was cut at once.
const WITHOUT_WATCH: Duration = Duration::from_secs(5);

/// What a watch reports; `None` once it has ended.
type Reports = BoxStream<'static, Option<Change>>;

/// Watches from these versions on, and counts what changes. Afterwards the list is not current any more, and the next request lists again.
pub async fn follow(
    changes: watch::Sender<u64>,
    cluster: Cluster,
    kept: Arc<Kept>,
    versions: Versions,
) {
    let began = Instant::now();
    let (versions, at_least) = watched(versions);
    let opened = stream::iter(versions)
        .map(|(namespace, version, layout)| {
            let cluster = cluster.clone();
            async move { cluster.follow(namespace, &version, layout).await }
        })
        .buffered(AT_ONCE)
        .map_ok(|changes| changes.map(Some).chain(stream::iter([None])).boxed())
        .try_collect::<Vec<Reports>>()
        .await;
    until_outdated(
        &changes,
        &kept,
        opened.unwrap_or_default(),
        began + at_least,
    )
    .await;
}

/// The versions that are watched, and how long the list serves even if no watch lasts so long.
fn watched(versions: Versions) -> (Versions, Duration) {
    if versions.len() > MOST_WATCHES {
        (Versions::new(), ALLOWED_SERVES)
    } else {
        (versions, WITHOUT_WATCH)
    }
}

/// Applies what is reported, until the first watch ends.
async fn until_outdated(
    changes: &watch::Sender<u64>,
    kept: &Kept,
    watches: Vec<Reports>,
    not_before: Instant,
) {
    let mut reports: SelectAll<_> = watches.into_iter().collect();
    while let Some(Some(change)) = reports.next().await {
        kept.apply(change);
        changes.send_modify(|count| *count += 1);
    }
    // Otherwise a page that is open would list again and again without a pause.
    tokio::time::sleep_until(not_before.into()).await;
    kept.outdate();
    changes.send_modify(|count| *count += 1);
}

#[cfg(test)]
mod tests {
    use super::super::discover::{Found, Scope};
    use super::*;
    use crate::cluster::table::{Layout, Row};

    fn empty() -> Kept {
        let found = Found {
            scope: Scope::All,
            lists: Vec::new(),
            refused: Vec::new(),
            left_out: 0,
        };
        Kept::new(found).0
    }

    #[test]
    fn more_namespaces_than_watches_are_listed_only() {
        let many = |count: usize| -> Versions {
            let names = (0..count).map(|number| Some(format!("n{number}")));
            names
                .map(|name| (name, "7".to_owned(), Layout::default()))
                .collect()
        };
        let (versions, serves) = watched(many(MOST_WATCHES + 1));
        assert_eq!((versions.len(), serves), (0, ALLOWED_SERVES));
        let (versions, serves) = watched(many(MOST_WATCHES));
        assert_eq!((versions.len(), serves), (MOST_WATCHES, WITHOUT_WATCH));
    }

    #[tokio::test]
    async fn a_list_without_a_watch_serves_for_its_pause() {
        let (counted, kept) = (watch::Sender::new(0), empty());
        let changes = counted.subscribe();
        let pause = Instant::now() + Duration::from_millis(50);
        let mut following = Box::pin(until_outdated(&counted, &kept, Vec::new(), pause));
        assert!(futures::poll!(&mut following).is_pending());
        assert!(kept.is_current() && !changes.has_changed().unwrap());
        following.await;
        assert!(Instant::now() >= pause);
        assert!(!kept.is_current() && changes.has_changed().unwrap());
    }

    #[tokio::test]
    async fn reports_are_applied_until_the_first_watch_ends() {
        let (counted, kept) = (watch::Sender::new(0), empty());
        let row = |name: &str| {
            let (namespace, name) = ("apps".to_owned(), name.to_owned());
            Change::Put(Box::new(Row {
                namespace,
                name,
                ..Row::default()
            }))
        };
        let gone = Change::Gone {
            namespace: "apps".to_owned(),
            name: "one".to_owned(),
        };
        let reports = [Some(row("one")), Some(row("two")), Some(gone), None];
        let watches = vec![stream::iter(reports).boxed(), stream::pending().boxed()];
        until_outdated(&counted, &kept, watches, Instant::now()).await;
        let left: Vec<String> = kept.rows().values().map(|row| row.name.clone()).collect();
        assert_eq!(left, ["two"]);
        assert!(!kept.is_current());
        assert_eq!(*counted.borrow(), 4, "each, and the end");
    }
}
