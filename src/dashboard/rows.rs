//! The rows of the list in memory: listed once, then kept by a watch, so that a search does not ask the API server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use futures::stream::{self, BoxStream, SelectAll};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::cluster::table::{Change, Row, RowList};
use crate::cluster::{Cluster, Kind};
use crate::problem::Problem;

/// Namespace and name.
pub type Key = (String, String);

/// Requests at once where each namespace is asked for.
const AT_ONCE: usize = 16;
/// The most namespaces whose access is reviewed: a cluster with more needs a right to list in all of them.
const MOST_NAMESPACES: usize = 2_000;
/// The most watches, of which each is a connection: more namespaces are listed again instead.
const MOST_WATCHES: usize = 50;
/// How long a list of some namespaces serves: rights may be added meanwhile. Reviewing many namespaces costs more.
const ALLOWED_SERVES: Duration = Duration::from_mins(1);
const TYPED_SERVES: Duration = Duration::from_secs(5);
/// How long a list serves if no watch could be opened, or if it was cut at once.
const WITHOUT_WATCH: Duration = Duration::from_secs(5);
/// The most choices of typed namespaces that are followed at the same time.
const MOST_CHOICES: usize = 4;

/// Which namespaces a person sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// Those in which the person may list clients.
    Allowed(Vec<String>),
    /// The person may not list namespaces either: those that the person typed, and that of the kubeconfig.
    Typed(Vec<String>),
}

/// The rows of one person, or none yet.
pub struct Rows {
    /// One list, or one for each choice of typed namespaces: two tabs may show different ones. The last is the youngest.
    kept: Mutex<Vec<Arc<Kept>>>,
    loading: tokio::sync::Mutex<()>,
    changes: watch::Sender<u64>,
    ended: AtomicBool,
    /// Every open stream of changes has a clone of it.
    streams: Arc<()>,
}

/// A stream of changes, until it is dropped.
pub struct StreamPlace {
    _counted: Arc<()>,
}

/// A list that a watch keeps current.
pub struct Kept {
    /// What it covers.
    pub scope: Scope,
    /// Namespaces that refuse to be listed, with the reason.
    pub refused: Vec<(String, Problem)>,
    /// How many namespaces were not looked at, because there are more than are asked for.
    pub left_out: usize,
    /// Whether the definitions of the cluster are older than this program.
    pub older: bool,
    rows: RwLock<BTreeMap<Key, Row>>,
    current: AtomicBool,
    /// `None`: for as long as the watch lasts.
    until: Option<Instant>,
    watching: Mutex<Option<AbortHandle>>,
}

impl Rows {
    /// Nothing is read before the first request.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            kept: Mutex::new(Vec::new()),
            loading: tokio::sync::Mutex::new(()),
            changes: watch::Sender::new(0),
            ended: AtomicBool::new(false),
            streams: Arc::new(()),
        })
    }

    /// A place for one more stream of changes; `None` if there are this many.
    pub fn stream(&self, most: usize) -> Option<StreamPlace> {
        let counted = self.streams.clone();
        // The first count is our own.
        let streams = Arc::strong_count(&counted) - 1;
        (streams <= most).then_some(StreamPlace { _counted: counted })
    }

    /// The rows. `typed` are namespaces to list where the person may list neither everywhere nor namespaces.
    pub async fn read(
        self: &Arc<Self>,
        cluster: &Cluster,
        typed: &[String],
    ) -> Result<Arc<Kept>, Problem> {
        let _one_at_a_time = self.loading.lock().await;
        if let Some(kept) = self.usable(typed) {
            return Ok(kept);
        }
        let Found {
            scope,
            lists,
            refused,
            left_out,
        } = discover(cluster, typed).await?;
        let mut rows = BTreeMap::new();
        for (_, listed) in &lists {
            rows.extend(listed.rows.iter().map(|row| (key(row), row.clone())));
        }
        let serves = match &scope {
            Scope::All => None,
            Scope::Allowed(_) if refused.is_empty() => Some(ALLOWED_SERVES),
            Scope::Allowed(_) | Scope::Typed(_) => Some(TYPED_SERVES),
        };
        let kept = Arc::new(Kept {
            scope,
            older: lists.iter().any(|(_, listed)| listed.layout.is_older()),
            until: serves.map(|serves| Instant::now() + serves),
            refused,
            left_out,
            rows: RwLock::new(rows),
            current: AtomicBool::new(true),
            watching: Mutex::new(None),
        });
        let followed = tokio::spawn(follow(
            self.clone(),
            cluster.clone(),
            kept.clone(),
            versions(lists),
        ));
        *lock(&kept.watching) = Some(followed.abort_handle());
        self.keep(kept.clone());
        if self.ended() {
            kept.end();
        }
        Ok(kept)
    }

    /// In the place of those that cover the same.
    fn keep(&self, young: Arc<Kept>) {
        let mut all = lock(&self.kept);
        let (same, mut others): (Vec<_>, Vec<_>) = all.drain(..).partition(|old| {
            let typed = matches!(
                (&old.scope, &young.scope),
                (Scope::Typed(_), Scope::Typed(_))
            );
            !typed || old.scope == young.scope
        });
        let surplus = others.len().saturating_sub(MOST_CHOICES - 1);
        for old in same.into_iter().chain(others.drain(..surplus)) {
            old.end();
        }
        others.push(young);
        *all = others;
    }

    /// The next request lists again, so that a person sees what this person wrote.
    pub fn forget(&self) {
        for kept in lock(&self.kept).iter() {
            kept.current.store(false, Ordering::Release);
        }
        self.changed();
    }

    /// Ends the watches, because the credentials that opened them have ended, and every stream of changes.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        for kept in lock(&self.kept).drain(..) {
            kept.end();
        }
        self.changed();
    }

    /// Whether [`Rows::end`] was called.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Counts changes of the rows, for live pages.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn usable(&self, typed: &[String]) -> Option<Arc<Kept>> {
        let all = lock(&self.kept);
        let usable = |kept: &&Arc<Kept>| {
            let covers = match &kept.scope {
                Scope::All | Scope::Allowed(_) => true,
                Scope::Typed(namespaces) => namespaces == typed,
            };
            let serves = kept.until.is_none_or(|until| Instant::now() < until);
            covers && serves && kept.current.load(Ordering::Acquire)
        };
        all.iter().find(usable).cloned()
    }
}

impl Kept {
    /// The rows by namespace and name. Do not hold them across an await.
    pub fn rows(&self) -> RwLockReadGuard<'_, BTreeMap<Key, Row>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there may be clients that the person does not see.
    pub fn is_partial(&self) -> bool {
        self.scope != Scope::All
    }

    fn apply(&self, change: Change) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        match change {
            Change::Put(row) => rows.insert(key(&row), *row),
            Change::Gone { namespace, name } => rows.remove(&(namespace, name)),
        };
    }

    fn end(&self) {
        if let Some(watching) = lock(&self.watching).take() {
            watching.abort();
        }
    }
}

fn key(row: &Row) -> Key {
    (row.namespace.clone(), row.name.clone())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Lists = Vec<(Option<String>, RowList)>;
type Versions = Vec<(Option<String>, String, crate::cluster::table::Layout)>;

fn versions(lists: Lists) -> Versions {
    lists
        .into_iter()
        .map(|(namespace, listed)| (namespace, listed.version, listed.layout))
        .collect()
}

/// What a person may list.
struct Found {
    scope: Scope,
    lists: Lists,
    refused: Vec<(String, Problem)>,
    left_out: usize,
}

/// Cluster, then namespaces with access reviews, then typed names.
async fn discover(cluster: &Cluster, typed: &[String]) -> Result<Found, Problem> {
    match cluster.table(None).await {
        Ok(listed) => {
            return Ok(Found {
                scope: Scope::All,
                lists: vec![(None, listed)],
                refused: Vec::new(),
                left_out: 0,
            });
        }
        Err(problem) if problem.status == StatusCode::FORBIDDEN => {}
        Err(problem) => return Err(problem),
    }
    let (scope, left_out) = match allowed_namespaces(cluster).await? {
        Some((allowed, left_out)) => (Scope::Allowed(allowed), left_out),
        None => (Scope::Typed(typed.to_vec()), 0),
    };
    let namespaces = match &scope {
        Scope::All => Vec::new(),
        Scope::Allowed(namespaces) | Scope::Typed(namespaces) => namespaces.clone(),
    };
    let answers: Vec<(String, Result<RowList, Problem>)> = stream::iter(namespaces)
        .map(|namespace| async move {
            let listed = cluster.table(Some(&namespace)).await;
            (namespace, listed)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let (mut lists, mut refused) = (Vec::new(), Vec::new());
    for (namespace, answer) in answers {
        match answer {
            Ok(listed) => lists.push((Some(namespace), listed)),
            Err(problem) => refused.push((namespace, problem)),
        }
    }
    Ok(Found {
        scope,
        lists,
        refused,
        left_out,
    })
}

/// The namespaces, and how many were not looked at. `None` if the person may not list namespaces, or may list clients in
/// none of them.
async fn allowed_namespaces(cluster: &Cluster) -> Result<Option<(Vec<String>, usize)>, Problem> {
    let namespaces = match cluster.list(Kind::Namespace, None, "").await {
        Ok(namespaces) => namespaces,
        Err(problem) if problem.status == StatusCode::FORBIDDEN => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let names = namespaces.iter().take(MOST_NAMESPACES);
    let names = names.map(|namespace| clientele_kubectl::shared::name(namespace).to_owned());
    let allowed: Vec<String> = stream::iter(names.collect::<Vec<_>>())
        .map(|namespace| async move {
            let may = cluster
                .may("list", Kind::Client, Some(&namespace), "")
                .await;
            may.then_some(namespace)
        })
        .buffered(AT_ONCE)
        .filter_map(futures::future::ready)
        .collect()
        .await;
    let left_out = namespaces.len().saturating_sub(MOST_NAMESPACES);
    Ok(Some((allowed, left_out)).filter(|(allowed, _)| !allowed.is_empty()))
}

/// Applies what the watches report. Afterwards the list is not current any more, and the next request lists again.
async fn follow(rows: Arc<Rows>, cluster: Cluster, kept: Arc<Kept>, mut versions: Versions) {
    let began = Instant::now();
    let mut at_least = WITHOUT_WATCH;
    if versions.len() > MOST_WATCHES {
        versions.clear();
        at_least = ALLOWED_SERVES;
    }
    let opened = stream::iter(versions)
        .map(|(namespace, version, layout)| {
            let cluster = cluster.clone();
            async move { cluster.follow(namespace, &version, layout).await }
        })
        .buffered(AT_ONCE)
        .map_ok(|changes| changes.map(Some).chain(stream::iter([None])).boxed())
        .try_collect::<Vec<BoxStream<'static, Option<Change>>>>()
        .await;
    if let Ok(streams) = opened {
        let mut changes: SelectAll<_> = streams.into_iter().collect();
        // `None`: one of the watches has ended.
        while let Some(Some(change)) = changes.next().await {
            kept.apply(change);
            rows.changed();
        }
    }
    // Otherwise a page that is open would list again and again without a pause.
    tokio::time::sleep(at_least.saturating_sub(began.elapsed())).await;
    kept.current.store(false, Ordering::Release);
    rows.changed();
}

#[cfg(test)]
mod tests;
