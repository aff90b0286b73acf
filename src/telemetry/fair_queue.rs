//! A bounded queue in which groups take turns by the time that their work takes, and members take turns within a group.
//!
//! Start-time fair queueing: each group has a virtual time up to which it has been served; the one that was served least has
//! the next turn, and a new member begins at the present. So a member who sends one piece of work is served before the second
//! piece of those who send many, and costly work counts for what it costs.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Whose turn a piece of work takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Groups have equal shares of the time.
    pub group: String,
    /// Members have equal shares of the time of their group.
    pub member: String,
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// In all.
    pub all: usize,
    /// Of one group.
    pub group: usize,
    /// Of one member.
    pub member: usize,
}

/// Why a piece of work does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Its group or member has as much waiting as it may.
    One,
    /// The queue is full, and no member has more waiting than its sender.
    All,
}

/// Who was served how much.
#[derive(Debug, Default)]
struct Shares {
    /// The virtual time at which the last turn began.
    now: Duration,
    served_until: HashMap<String, Duration>,
}

impl Shares {
    fn start(&self, name: &str) -> Duration {
        let served = self.served_until.get(name).copied();
        served.unwrap_or_default().max(self.now)
    }

    fn charge(&mut self, name: &str, cost: Duration) {
        let until = self.start(name) + cost;
        self.served_until.insert(name.to_owned(), until);
    }

    /// Gives back what was charged too much, or charges the rest.
    fn correct(&mut self, name: &str, charged: Duration, cost: Duration) {
        if let Some(until) = self.served_until.get_mut(name) {
            *until = (*until + cost).saturating_sub(charged);
        } else if cost > charged {
            self.charge(name, cost.saturating_sub(charged));
        }
    }

    /// Virtual time goes on to the start of this turn; who is not ahead of it is as good as new.
    fn turn(&mut self, name: &str) {
        self.now = self.start(name);
        let now = self.now;
        self.served_until.retain(|_, until| *until > now);
    }
}

#[derive(Debug)]
struct Group<T> {
    shares: Shares,
    members: HashMap<String, VecDeque<T>>,
    waiting: usize,
    running: usize,
}

impl<T> Default for Group<T> {
    fn default() -> Self {
        Self {
            shares: Shares::default(),
            members: HashMap::new(),
            waiting: 0,
            running: 0,
        }
    }
}

impl<T> Group<T> {
    fn of(&self, member: &str) -> usize {
        self.members.get(member).map_or(0, VecDeque::len)
    }

    fn longest(&self) -> (String, usize) {
        let longest = self.members.iter().max_by_key(|(_, items)| items.len());
        longest.map_or_else(Default::default, |(name, items)| {
            (name.clone(), items.len())
        })
    }

    /// Removes what the member sent last.
    fn displace(&mut self, member: &str) -> Option<T> {
        let items = self.members.get_mut(member)?;
        let displaced = items.pop_back()?;
        if items.is_empty() {
            self.members.remove(member);
        }
        self.waiting -= 1;
        Some(displaced)
    }

    fn next(&mut self, charge: Duration) -> Option<(String, T)> {
        let shares = &self.shares;
        let names = self.members.keys();
        let next = names.min_by_key(|name| (shares.start(name), (*name).clone()))?;
        let next = next.clone();
        let items = self.members.get_mut(&next)?;
        let item = items.pop_front()?;
        if items.is_empty() {
            self.members.remove(&next);
        }
        self.shares.turn(&next);
        self.shares.charge(&next, charge);
        self.waiting -= 1;
        self.running += 1;
        Some((next, item))
    }
}

/// The queue.
#[derive(Debug)]
pub struct FairQueue<T> {
    bounds: Bounds,
    waiting: usize,
    shares: Shares,
    groups: HashMap<String, Group<T>>,
}

/// What a turn is expected to take.
const EXPECTED: Duration = Duration::from_millis(50);

impl<T> FairQueue<T> {
    /// An empty one.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            waiting: 0,
            shares: Shares::default(),
            groups: HashMap::new(),
        }
    }

    /// Lets a piece of work wait. When there is no room, the last piece of the member with most waiting makes room, and is
    /// returned.
    ///
    /// # Errors
    /// If it cannot wait.
    pub fn push(&mut self, turn: &Member, item: T) -> Result<Option<T>, Full> {
        let in_group = self
            .groups
            .get(&turn.group)
            .map_or(0, |group| group.waiting);
        let own = self.groups.get(&turn.group);
        let own = own.map_or(0, |group| group.of(&turn.member));
        if own >= self.bounds.member {
            return Err(Full::One);
        }
        let displaced = self.make_room(turn, in_group, own)?;
        let group = self.groups.entry(turn.group.clone()).or_default();
        let items = group.members.entry(turn.member.clone()).or_default();
        items.push_back(item);
        group.waiting += 1;
        self.waiting += 1;
        Ok(displaced)
    }

    fn make_room(&mut self, turn: &Member, in_group: usize, own: usize) -> Result<Option<T>, Full> {
        if in_group >= self.bounds.group {
            let displaced = self.displace(&turn.group, own + 1);
            return displaced.map(Some).ok_or(Full::One);
        }
        if self.waiting < self.bounds.all {
            return Ok(None);
        }
        let largest = self.groups.iter().max_by_key(|(_, group)| group.waiting);
        let larger = largest.filter(|(_, group)| group.waiting > in_group + 1);
        let larger = larger.map(|(name, _)| name.clone());
        let displaced = match larger {
            Some(larger) => self.displace(&larger, 0),
            None => self.displace(&turn.group, own + 1),
        };
        displaced.map(Some).ok_or(Full::All)
    }

    /// What the member of the group with most waiting sent last, if that is more than this.
    fn displace(&mut self, group: &str, more_than: usize) -> Option<T> {
        let found = self.groups.get_mut(group)?;
        let (member, _) = Some(found.longest()).filter(|(_, waiting)| *waiting > more_than)?;
        let displaced = found.displace(&member)?;
        self.waiting -= 1;
        self.forget(group);
        Some(displaced)
    }

    /// The piece of work whose turn it is. Tell [`Self::done`] what it took.
    pub fn pop(&mut self) -> Option<(Member, T)> {
        let shares = &self.shares;
        let waiting = self.groups.iter().filter(|(_, group)| group.waiting > 0);
        let next = waiting.min_by_key(|(name, _)| (shares.start(name), (*name).clone()));
        let name = next.map(|(name, _)| name.clone())?;
        let (member, item) = self.groups.get_mut(&name)?.next(EXPECTED)?;
        self.shares.turn(&name);
        self.shares.charge(&name, EXPECTED);
        self.waiting -= 1;
        let turn = Member {
            group: name,
            member,
        };
        Some((turn, item))
    }

    /// A piece of work took this long.
    pub fn done(&mut self, turn: &Member, took: Duration) {
        self.shares.correct(&turn.group, EXPECTED, took);
        if let Some(group) = self.groups.get_mut(&turn.group) {
            group.running = group.running.saturating_sub(1);
            group.shares.correct(&turn.member, EXPECTED, took);
        }
        self.forget(&turn.group);
    }

    /// A group of which nothing waits and nothing runs takes no room.
    fn forget(&mut self, name: &str) {
        if let Some(group) = self.groups.get(name)
            && group.waiting == 0
            && group.running == 0
        {
            self.groups.remove(name);
        }
    }
}

#[cfg(test)]
mod tests;
