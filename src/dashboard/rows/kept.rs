//! One list of rows, as far as a person may see them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use super::discover::{Found, Scope};
use crate::cluster::table::{Change, Layout, Row};
use crate::problem::Problem;

/// Namespace and name.
pub type Key = (String, String);

/// How long a list of some namespaces serves: rights may be added meanwhile. Reviewing many namespaces costs more.
pub const ALLOWED_SERVES: Duration = Duration::from_mins(1);
/// The same of typed namespaces, and of a list with refusals.
pub const TYPED_SERVES: Duration = Duration::from_secs(5);

/// From which version of which namespace to watch, and how its rows are read.
pub type Versions = Vec<(Option<String>, String, Layout)>;

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
    pub until: Option<Instant>,
    watching: Mutex<Option<AbortHandle>>,
}

impl Kept {
    /// The list, and the versions from which to follow it.
    pub fn new(found: Found) -> (Self, Versions) {
        let (mut rows, mut versions, mut older) = (BTreeMap::new(), Versions::new(), false);
        for (namespace, list) in found.lists {
            rows.extend(list.rows.into_iter().map(|row| (key(&row), row)));
            older |= list.layout.is_older();
            versions.push((namespace, list.version, list.layout));
        }
        let serves = match &found.scope {
            Scope::All => None,
            Scope::Allowed(_) if found.refused.is_empty() => Some(ALLOWED_SERVES),
            Scope::Allowed(_) | Scope::Typed(_) => Some(TYPED_SERVES),
        };
        let kept = Self {
            scope: found.scope,
            older,
            until: serves.map(|serves| Instant::now() + serves),
            refused: found.refused,
            left_out: found.left_out,
            rows: RwLock::new(rows),
            current: AtomicBool::new(true),
            watching: Mutex::new(None),
        };
        (kept, versions)
    }

    /// The rows by namespace and name. Do not hold them across an await.
    pub fn rows(&self) -> RwLockReadGuard<'_, BTreeMap<Key, Row>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there may be clients that the person does not see.
    pub fn is_partial(&self) -> bool {
        self.scope != Scope::All
    }

    /// Whether it serves who typed these namespaces.
    pub fn serves(&self, typed: &[String]) -> bool {
        let covers = match &self.scope {
            Scope::All | Scope::Allowed(_) => true,
            Scope::Typed(namespaces) => namespaces == typed,
        };
        let lasts = self.until.is_none_or(|until| Instant::now() < until);
        covers && lasts && self.is_current()
    }

    /// Whether nothing has happened that it does not know.
    pub fn is_current(&self) -> bool {
        self.current.load(Ordering::Acquire)
    }

    /// The next request lists again.
    pub fn outdate(&self) {
        self.current.store(false, Ordering::Release);
    }

    /// The task that keeps it current.
    pub fn followed_by(&self, task: AbortHandle) {
        *self.watching.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    /// What a watch has reported.
    pub fn apply(&self, change: Change) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        match change {
            Change::Put(row) => rows.insert(key(&row), *row),
            Change::Gone { namespace, name } => rows.remove(&(namespace, name)),
        };
    }

    /// Ends the task.
    pub fn end(&self) {
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watching) = watching.take() {
            watching.abort();
        }
    }
}

/// Where a row stands in the list.
pub fn key(row: &Row) -> Key {
    (row.namespace.clone(), row.name.clone())
}
