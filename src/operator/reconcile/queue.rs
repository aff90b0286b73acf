//! Whose turn it is: passes go round the namespaces, so that no namespace waits for the thousands of another.
//!
//! One object is passed over once at a time. One namespace never has every worker: if its writes are slow, those of
//! others are not.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cache::place::Place;

/// How many passes there may be at a time.
#[derive(Clone, Copy, Debug)]
pub struct WorkerShare {
    /// Over the objects of one namespace.
    pub one: usize,
    /// Over all.
    pub all: usize,
}

impl WorkerShare {
    /// How many workers a namespace has that is alone; the others have a quarter more.
    pub fn of(workers: u16) -> Self {
        let one = usize::from(workers);
        Self {
            one,
            all: one + one.div_ceil(4),
        }
    }
}

/// What is known about an object that was enqueued.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Since when.
    Waiting(Instant),
    Running,
    /// Requested once more while a reconcile ran, which may have begun too early.
    Again,
}

/// The objects of one namespace that wait, and how many passes run there.
#[derive(Default)]
struct Namespace {
    waiting: VecDeque<Place>,
    running: usize,
}

/// An object whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The object.
    pub place: Place,
    /// How long it waited.
    pub waited: Duration,
}

/// Who waits and who runs.
pub struct FairQueue {
    share: WorkerShare,
    running: usize,
    waiting: usize,
    states: HashMap<Place, State>,
    namespaces: HashMap<Arc<str>, Namespace>,
    /// The namespaces with an object that waits, each once; the first has the next turn.
    order: VecDeque<Arc<str>>,
}

impl FairQueue {
    /// None yet.
    pub fn new(share: WorkerShare) -> Self {
        Self {
            share,
            running: 0,
            waiting: 0,
            states: HashMap::new(),
            namespaces: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Requests a reconcile of an object.
    pub fn ask(&mut self, place: Place) {
        match self.states.get_mut(&place) {
            Some(state @ State::Running) => *state = State::Again,
            Some(_) => {}
            None => self.wait(place),
        }
    }

    fn wait(&mut self, place: Place) {
        self.states
            .insert(place.clone(), State::Waiting(Instant::now()));
        self.waiting += 1;
        let namespace = self.namespaces.entry(place.namespace.clone()).or_default();
        if namespace.waiting.is_empty() {
            self.order.push_back(place.namespace.clone());
        }
        namespace.waiting.push_back(place);
    }

    /// The object whose turn it is, if there is a worker for it. Its pass runs from now on.
    pub fn give(&mut self) -> Option<Given> {
        if self.running == self.share.all {
            return None;
        }
        for _ in 0..self.order.len() {
            let name = self.order.pop_front()?;
            let namespace = self.namespaces.get_mut(&name)?;
            if namespace.running == self.share.one {
                self.order.push_back(name);
                continue;
            }
            let place = namespace.waiting.pop_front()?;
            namespace.running += 1;
            if !namespace.waiting.is_empty() {
                self.order.push_back(name);
            }
            self.running += 1;
            self.waiting -= 1;
            let before = self.states.insert(place.clone(), State::Running);
            let waited = match before {
                Some(State::Waiting(since)) => since.elapsed(),
                _ => Duration::ZERO,
            };
            return Some(Given { place, waited });
        }
        None
    }

    /// A reconcile has ended. Returns whether another one was requested meanwhile.
    pub fn ended(&mut self, place: Place) -> bool {
        let again = match self.states.get(&place) {
            Some(State::Running) => false,
            Some(State::Again) => true,
            Some(State::Waiting(_)) | None => return false,
        };
        self.states.remove(&place);
        if self.states.is_empty() {
            // After thousands it keeps no room for thousands.
            self.states.shrink_to_fit();
        }
        self.running -= 1;
        if let Some(namespace) = self.namespaces.get_mut(&place.namespace) {
            namespace.running -= 1;
            if namespace.running == 0 && namespace.waiting.is_empty() {
                self.namespaces.remove(&place.namespace);
            }
        }
        if again {
            self.wait(place);
        }
        again
    }

    /// How many objects wait.
    pub fn depth(&self) -> usize {
        self.waiting
    }

    /// Whether no object waits.
    pub fn is_idle(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests;
