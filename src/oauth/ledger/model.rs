//! An exhaustive model of the order of writes: every interleaving of two replicas, two crashes, one
//! deletion of the Secret and two rotations.
//!
//! A replica reads, plans a sequence of writes and makes them one by one; anything may happen between any
//! two steps. A crash forgets the plan, which covers a crash before a write, after it, and after it with the
//! response lost. The cluster is modeled as the API server behaves: POST fails when the Secret exists, PUT
//! when its version is not the one that was read, and the status only takes numbers that do not fall.

use std::collections::{HashSet, VecDeque};

use super::Ledger;

/// Which order of writes a replica follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Ask in the ledger, publish, record, retire.
    Ours,
    /// The same, but with time between the look at the ledger and the POST of a Secret that is missing:
    /// the API server cannot make the one depend on the other.
    OursWithGap,
    /// hydra-maester's first way: the server takes the new secret and drops the old, then it is published.
    ServerFirst,
    /// The Secret gets the next generation, then the status remembers that it did.
    SecretFirst,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Write {
    Ledger(Ledger),
    /// Look whether the ledger is still the one that was read.
    Look(Ledger),
    Create(u32),
    LookAndCreate(Ledger, u32),
    Replace(u32, u8),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Replica {
    todo: VecDeque<Write>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    ledger: Option<Ledger>,
    secret: Option<(u32, u8)>,
    versions: u8,
    /// The generation that the spec asks for: one more for each rotation.
    wanted: u32,
    /// What the application has read.
    consumer: Option<u32>,
    /// The highest generation that was ever in the Secret.
    highest: u32,
    replicas: [Replica; 2],
    crashes: u8,
    deletions: u8,
}

impl State {
    fn start() -> Self {
        Self {
            ledger: None,
            secret: None,
            versions: 0,
            wanted: 1,
            consumer: None,
            highest: 0,
            replicas: Default::default(),
            crashes: 2,
            deletions: 1,
        }
    }

    fn known(&self) -> Ledger {
        self.ledger.unwrap_or(Ledger::FIRST)
    }

    /// What a pass would write now.
    fn plan(&self, order: Order) -> VecDeque<Write> {
        // A verified value found in our Secret may raise the ledger, never lower it.
        let ledger = self.secret.map_or(self.known(), |(generation, _)| {
            self.known().found(generation)
        });
        let publish = |generation: u32| match self.secret {
            None if order == Order::OursWithGap => {
                vec![Write::Look(self.known()), Write::Create(generation)]
            }
            None => vec![Write::LookAndCreate(self.known(), generation)],
            Some((found, version)) if found != generation => {
                vec![Write::Replace(generation, version)]
            }
            Some(_) => vec![],
        };
        let (asks, retires) = (ledger.requested < self.wanted, self.may_retire(ledger));
        let mut writes = VecDeque::new();
        match order {
            Order::Ours | Order::OursWithGap if asks => {
                writes.push_back(Write::Ledger(ledger.request_next()));
            }
            Order::Ours | Order::OursWithGap if retires => {
                writes.push_back(Write::Ledger(ledger.retire_old()));
            }
            Order::Ours | Order::OursWithGap => {
                writes.extend(publish(ledger.requested));
                writes.push_back(Write::Ledger(ledger.found(ledger.requested)));
            }
            Order::ServerFirst => {
                let next = if asks { ledger.request_next() } else { ledger };
                let dropped = Ledger {
                    oldest_accepted: next.requested,
                    ..next
                };
                writes.push_back(Write::Ledger(dropped));
                writes.extend(publish(next.requested));
                writes.push_back(Write::Ledger(dropped.found(next.requested)));
            }
            Order::SecretFirst => {
                let known = self.known();
                let next = if asks { known.request_next() } else { known };
                writes.extend(publish(next.requested));
                writes.push_back(Write::Ledger(next.found(next.requested)));
            }
        }
        let changes =
            |write: &Write| !matches!(write, Write::Ledger(new) if Some(*new) == self.ledger);
        writes.retain(changes);
        writes
    }

    /// The old generation goes when the new one was used; the model's only application then has it.
    fn may_retire(&self, ledger: Ledger) -> bool {
        ledger.published == ledger.requested
            && ledger.oldest_accepted < ledger.published
            && self.consumer == Some(ledger.published)
    }

    /// The API server's answer to a write; a refused one changes nothing.
    fn write(&mut self, write: Write) -> bool {
        match write {
            Write::Ledger(new) => {
                let old = self.ledger.unwrap_or(new);
                let falls = new.requested < old.requested
                    || new.published < old.published
                    || new.oldest_accepted < old.oldest_accepted;
                if !falls {
                    self.ledger = Some(new);
                }
                !falls
            }
            Write::Look(seen) => self.known() == seen,
            Write::LookAndCreate(seen, generation) => {
                self.known() == seen && self.secret.is_none() && self.publish(generation)
            }
            Write::Create(generation) => self.secret.is_none() && self.publish(generation),
            Write::Replace(generation, version) => {
                let possible = self.secret.is_some_and(|(_, now)| now == version);
                possible && self.publish(generation)
            }
        }
    }

    fn publish(&mut self, generation: u32) -> bool {
        self.versions += 1;
        self.secret = Some((generation, self.versions));
        self.highest = self.highest.max(generation);
        true
    }

    /// Every state that can follow.
    fn successors(&self, order: Order) -> Vec<Self> {
        let mut next = Vec::new();
        for index in 0..self.replicas.len() {
            let mut state = self.clone();
            match state.replicas[index].todo.pop_front() {
                // A pass begins: read and plan.
                None => state.replicas[index].todo = self.plan(order),
                Some(write) => {
                    if !state.write(write) {
                        state.replicas[index].todo.clear();
                    }
                }
            }
            next.push(state);
            if self.crashes > 0 && !self.replicas[index].todo.is_empty() {
                let mut state = self.clone();
                state.replicas[index] = Replica::default();
                state.crashes -= 1;
                next.push(state);
            }
        }
        next.extend(self.environment());
        next
    }

    /// What applications and people do.
    fn environment(&self) -> Vec<Self> {
        let mut next = Vec::new();
        if let Some((generation, _)) = self.secret {
            next.push(Self {
                consumer: Some(generation),
                ..self.clone()
            });
            if self.deletions > 0 {
                next.push(Self {
                    secret: None,
                    deletions: self.deletions - 1,
                    ..self.clone()
                });
            }
        }
        if self.wanted < 3 && self.ledger.is_some() {
            next.push(Self {
                wanted: self.wanted + 1,
                ..self.clone()
            });
        }
        next.retain(|state| state != self);
        next
    }

    /// What must hold in every state.
    fn violation(&self) -> Option<&'static str> {
        let ledger = self.known();
        if self
            .secret
            .is_some_and(|(generation, _)| !ledger.accepts(generation))
        {
            return Some("the published secret does not authenticate");
        }
        if self
            .consumer
            .is_some_and(|generation| !ledger.accepts(generation))
        {
            return Some(
                "the secret that the application holds was retired although it never saw another",
            );
        }
        if self
            .secret
            .is_some_and(|(generation, _)| generation < self.highest)
        {
            return Some("an earlier secret came back");
        }
        (self.highest > self.wanted).then_some("a rotation that nobody asked for")
    }

    /// Left alone, the replicas reach what the spec asks for.
    fn converges(&self) -> bool {
        let mut state = self.clone();
        for _ in 0..40 {
            for index in 0..state.replicas.len() {
                match state.replicas[index].todo.pop_front() {
                    None => state.replicas[index].todo = state.plan(Order::Ours),
                    Some(write) if state.write(write) => {}
                    Some(_) => state.replicas[index].todo.clear(),
                }
            }
        }
        let ledger = state.known();
        state.secret.map(|(generation, _)| generation) == Some(state.wanted)
            && ledger.published == state.wanted
            && ledger.requested == state.wanted
    }
}

/// Visits every reachable state. Returns how many there are and in how many a promise is broken, with the
/// first such promise. In our orders each of them converges.
fn explore(order: Order) -> (usize, usize, Option<&'static str>) {
    let mut seen = HashSet::from([State::start()]);
    let mut todo = VecDeque::from([State::start()]);
    let (mut broken, mut first) = (0, None);
    while let Some(state) = todo.pop_front() {
        if let Some(violation) = state.violation() {
            broken += 1;
            first.get_or_insert(violation);
        }
        if matches!(order, Order::Ours | Order::OursWithGap) {
            assert!(state.converges(), "{state:?} does not converge");
        }
        for next in state.successors(order) {
            if seen.insert(next.clone()) {
                todo.push_back(next);
            }
        }
    }
    (seen.len(), broken, first)
}

#[test]
fn in_our_order_no_interleaving_breaks_a_promise() {
    let (states, broken, first) = explore(Order::Ours);
    assert_eq!((broken, first), (0, None));
    assert!(
        states > 10_000,
        "only {states}: the model has lost its faults"
    );
}

/// The honest limit: a replica that was held up between its look and its POST can put an earlier secret
/// back, if meanwhile another replica rotated and somebody deleted the new Secret. The next pass puts it
/// right: every state converges.
#[test]
fn a_create_that_was_held_up_is_put_right_by_the_next_pass() {
    let (_, _, first) = explore(Order::OursWithGap);
    assert!(
        first.is_some(),
        "the gap has closed; say so in ARCHITECTURE.md"
    );
}

#[test]
fn the_server_first_order_publishes_a_secret_that_does_not_authenticate() {
    let (_, _, first) = explore(Order::ServerFirst);
    assert_eq!(first, Some("the published secret does not authenticate"));
}

#[test]
fn the_secret_first_order_breaks_a_promise_too() {
    assert!(explore(Order::SecretFirst).1 > 0);
}
