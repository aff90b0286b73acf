//! An exhaustive model of the order of writes: every interleaving of two replicas, two crashes, one
//! deletion of the Secret, two requests for a rotation and a rotation of the root key.
//!
//! A replica reads, plans a sequence of writes and makes them one by one; anything may happen between any
//! two steps. A crash forgets the plan, which covers a crash before a write, after it, and after it with the
//! response lost. The cluster is modeled as the API server behaves: POST fails when the Secret exists, PUT
//! when its version is not the one that was read, and the status only takes numbers that do not fall.

mod visit;

use std::collections::VecDeque;

use super::Ledger;

/// Which order of writes a replica follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Ask in the ledger, publish, record, retire.
    Ours,
    /// The same with `maxOverlap: 0s`: what records the new generation retires the old one.
    OursAtOnce,
    /// The same, but the old root key goes as soon as it does not derive any more.
    OursWithHastyKey,
    /// The same, but with time between the look at the ledger and the POST of a Secret that is missing:
    /// the API server cannot make the one depend on the other.
    OursWithGap,
    /// hydra-maester's first way: the server takes the new secret and drops the old, then it is published.
    ServerFirst,
    /// The Secret gets the next generation, then the status remembers that it did.
    SecretFirst,
}

impl Order {
    fn is_ours(self) -> bool {
        !matches!(self, Self::ServerFirst | Self::SecretFirst)
    }
}

/// A client secret: its generation, and whether the second root key made it.
type Secret = (u32, bool);

/// What the status holds: the ledger, how many requests were answered, whether the requested generation is from the
/// second root key, and whether one from the first may still work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Status {
    ledger: Ledger,
    handled: u8,
    second_key: bool,
    older_first_key: bool,
}

impl Status {
    const NONE: Self = Self {
        ledger: Ledger::FIRST,
        handled: 0,
        second_key: false,
        older_first_key: false,
    };

    fn needs_first_key(self) -> bool {
        !self.second_key || self.older_first_key
    }

    /// The same with another ledger; without older generations there are no older keys.
    fn with(self, ledger: Ledger) -> Self {
        let older_first_key = self.older_first_key && ledger.oldest_accepted < ledger.requested;
        Self {
            ledger,
            older_first_key,
            ..self
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Write {
    Status(Status),
    /// Look whether the status is still the one that was read.
    Look(Status),
    Create(Secret),
    LookAndCreate(Status, Secret),
    Replace(Secret, u8),
    /// The first root key leaves the keyring.
    DropFirstKey,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Replica {
    todo: VecDeque<Write>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    status: Option<Status>,
    secret: Option<(Secret, u8)>,
    versions: u8,
    /// How many rotations were requested: `requestId` counts.
    requests: u8,
    /// Whether the second root key derives, and whether the first one still verifies.
    second_derives: bool,
    first_verifies: bool,
    /// What the application has read.
    consumer: Option<Secret>,
    /// The highest generation that was ever in the Secret.
    highest: u32,
    replicas: [Replica; 2],
    crashes: u8,
    deletions: u8,
    wishes: u8,
    key_rotations: u8,
}

/// What may happen on the way: crashes, requests for a rotation, rotations of the root key.
type Budget = (u8, u8, u8);

/// Small enough to visit everything. The root key takes the place of one request and one crash.
const BUDGETS: [Budget; 2] = [(2, 2, 0), (1, 1, 1)];

impl State {
    fn start((crashes, wishes, key_rotations): Budget) -> Self {
        Self {
            status: None,
            secret: None,
            versions: 0,
            requests: 0,
            second_derives: false,
            first_verifies: true,
            consumer: None,
            highest: 0,
            replicas: Default::default(),
            crashes,
            deletions: 1,
            wishes,
            key_rotations,
        }
    }

    /// Without a status the first generation comes from the key that the Secret was written with, or that derives, and
    /// answers every earlier request.
    fn known(&self) -> Status {
        self.status.unwrap_or(Status {
            second_key: self
                .secret
                .map_or(self.second_derives, |((_, second), _)| second),
            handled: self.requests,
            ..Status::NONE
        })
    }

    /// What a reconcile would write now.
    fn plan(&self, order: Order) -> VecDeque<Write> {
        let known = self.known();
        // A verified value found in our Secret may raise the ledger, never lower it.
        let found = |((generation, _), _): (Secret, u8)| known.ledger.found(generation);
        let ledger = self.secret.map_or(known.ledger, found);
        let moves = known.second_key != self.second_derives && ledger.published > 0;
        let asks =
            known.handled != self.requests || moves && ledger.oldest_accepted == ledger.requested;
        let mut writes = VecDeque::new();
        match order {
            _ if order.is_ours() && asks => {
                writes.push_back(Write::Status(self.asked(known.with(ledger))));
            }
            _ if order.is_ours() && self.may_retire(ledger) => {
                writes.push_back(Write::Status(known.with(ledger.retire_old())));
            }
            _ if order.is_ours() => {
                writes.extend(self.publish_first(order, (ledger.requested, known.second_key)));
                let recorded = ledger.found(ledger.requested);
                let recorded = match order {
                    Order::OursAtOnce => recorded.retire_old(),
                    _ => recorded,
                };
                writes.push_back(Write::Status(known.with(recorded)));
                let hasty = order == Order::OursWithHastyKey;
                if self.second_derives && (hasty || self.nobody_needs_the_first_key()) {
                    writes.push_back(Write::DropFirstKey);
                }
            }
            Order::ServerFirst => {
                let next = if asks {
                    self.asked(known.with(ledger))
                } else {
                    known
                };
                let dropped = Ledger {
                    oldest_accepted: next.ledger.requested,
                    ..next.ledger
                };
                writes.push_back(Write::Status(next.with(dropped)));
                let secret = (dropped.requested, next.second_key);
                writes.extend(self.publish_first(order, secret));
                let recorded = dropped.found(dropped.requested);
                writes.push_back(Write::Status(next.with(recorded)));
            }
            _ => {
                let next = if asks { self.asked(known) } else { known };
                let secret = (next.ledger.requested, next.second_key);
                writes.extend(self.publish_first(order, secret));
                let recorded = next.ledger.found(next.ledger.requested);
                writes.push_back(Write::Status(next.with(recorded)));
            }
        }
        let changes = |write: &Write| {
            let done = match write {
                Write::Status(new) => Some(*new) == self.status,
                Write::DropFirstKey => !self.first_verifies,
                _ => false,
            };
            !done
        };
        writes.retain(changes);
        writes
    }

    /// Everything asked for until now is answered by one generation more, from the key that derives now.
    fn asked(&self, known: Status) -> Status {
        Status {
            ledger: known.ledger.request_next(),
            handled: self.requests,
            second_key: self.second_derives,
            older_first_key: self.second_derives && known.needs_first_key(),
        }
    }

    fn publish_first(&self, order: Order, wanted: Secret) -> Vec<Write> {
        let known = self.known();
        match self.secret {
            None if order == Order::OursWithGap => {
                vec![Write::Look(known), Write::Create(wanted)]
            }
            None => vec![Write::LookAndCreate(known, wanted)],
            Some((found, version)) if found != wanted => vec![Write::Replace(wanted, version)],
            Some(_) => vec![],
        }
    }

    /// The old generation goes when the new one was used; the model's only application then has it.
    fn may_retire(&self, ledger: Ledger) -> bool {
        ledger.published == ledger.requested
            && ledger.oldest_accepted < ledger.published
            && self.consumer.map(|(generation, _)| generation) == Some(ledger.published)
    }

    fn nobody_needs_the_first_key(&self) -> bool {
        self.status.is_some_and(|status| !status.needs_first_key())
    }

    /// The API server's answer to a write; a refused one changes nothing.
    fn write(&mut self, write: Write) -> bool {
        match write {
            Write::Status(new) => {
                let before = self.status.unwrap_or(new);
                let old = before.ledger;
                // A generation does not change its root key either.
                let falls = new.ledger.requested < old.requested
                    || new.ledger.published < old.published
                    || new.ledger.oldest_accepted < old.oldest_accepted
                    || new.ledger.requested == old.requested && new.second_key != before.second_key;
                if !falls {
                    self.status = Some(new);
                }
                !falls
            }
            Write::Look(seen) => self.known() == seen,
            Write::LookAndCreate(seen, secret) => {
                self.known() == seen && self.secret.is_none() && self.publish(secret)
            }
            Write::Create(secret) => self.secret.is_none() && self.publish(secret),
            Write::Replace(secret, version) => {
                let possible = self.secret.is_some_and(|(_, now)| now == version);
                possible && self.publish(secret)
            }
            Write::DropFirstKey => {
                self.first_verifies = false;
                true
            }
        }
    }

    fn publish(&mut self, secret: Secret) -> bool {
        self.versions += 1;
        self.secret = Some((secret, self.versions));
        self.highest = self.highest.max(secret.0);
        true
    }

    /// Every state that can follow.
    fn successors(&self, order: Order) -> Vec<Self> {
        let mut next = Vec::new();
        for index in 0..self.replicas.len() {
            let mut state = self.clone();
            match state.replicas[index].todo.pop_front() {
                // A reconcile begins: read and plan.
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
        if let Some((secret, _)) = self.secret {
            next.push(Self {
                consumer: Some(secret),
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
        if self.requests < self.wishes && self.status.is_some() {
            next.push(Self {
                requests: self.requests + 1,
                ..self.clone()
            });
        }
        if self.key_rotations > 0 && self.status.is_some() {
            next.push(Self {
                second_derives: true,
                ..self.clone()
            });
        }
        next.retain(|state| state != self);
        next
    }

    fn authenticates(&self, (generation, second): Secret) -> bool {
        self.known().ledger.accepts(generation) && (second || self.first_verifies)
    }

    /// What must hold in every state.
    fn violation(&self, order: Order) -> Option<&'static str> {
        let refused = |secret: Option<Secret>| secret.is_some_and(|s| !self.authenticates(s));
        if refused(self.secret.map(|(secret, _)| secret)) {
            return Some("the published secret does not authenticate");
        }
        // Without an overlap that is what was asked for.
        if order != Order::OursAtOnce && refused(self.consumer) {
            return Some(
                "the secret that the application holds was retired although it never saw another",
            );
        }
        if self
            .secret
            .is_some_and(|((generation, _), _)| generation < self.highest)
        {
            return Some("an earlier secret came back");
        }
        let reasons = 1 + u32::from(self.requests) + u32::from(self.second_derives);
        (self.highest > reasons).then_some("a rotation that was not requested")
    }

    /// The replicas one after the other, until both plan and nothing changes. If that never comes, some state on the way.
    fn settle(&mut self, order: Order, application_reads: bool) {
        for _ in 0..30 {
            let before = self.clone();
            if application_reads {
                self.consumer = self.secret.map(|(secret, _)| secret);
            }
            for index in 0..self.replicas.len() {
                match self.replicas[index].todo.pop_front() {
                    None => self.replicas[index].todo = self.plan(order),
                    Some(write) if self.write(write) => {}
                    Some(_) => self.replicas[index].todo.clear(),
                }
            }
            if *self == before {
                return;
            }
        }
    }

    /// Which of two replicas is the first makes no difference, so one of the two states stands for both.
    fn either_way(mut self) -> Self {
        self.replicas.sort();
        self
    }

    /// Left alone, the replicas reach what was asked for; once the application has read the Secret, nothing old is left.
    fn converges(&self, order: Order) -> bool {
        let mut state = self.clone();
        state.settle(order, false);
        state.settle(order, true);
        let known = state.known();
        let secret = state.secret.map(|(secret, _)| secret);
        secret == Some((known.ledger.requested, state.second_derives))
            && known.ledger.published == known.ledger.requested
            && known.ledger.oldest_accepted == known.ledger.requested
            && known.handled == state.requests
            && state.first_verifies != state.second_derives
    }
}
