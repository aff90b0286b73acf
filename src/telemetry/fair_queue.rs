//! A bounded queue in which groups take turns by the time that their work takes, and members take turns within a group.
//!
//! Weighted fair queueing with equal weights: virtual time goes on by the work that is done, divided by those who have some. A
//! piece of work begins when its sender is served up to there, at the earliest at the present, and the one that would end first
//! has the next turn. So a member who sends one piece of work is served before the second piece of those who send many, costly
//! work counts for what it costs and lets cheap work go first, and what waits is never overtaken for ever.

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

/// A piece of work that has its turn.
#[derive(Clone, Debug)]
pub struct Granted {
    /// Whose.
    pub of: Member,
    /// What it was expected to take.
    expected: Duration,
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

/// Where someone who has work stands. The least has the next turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The virtual time at which the first piece of work begins.
    start: Duration,
    /// It follows another piece of the same sender, so among equals it comes last.
    follows: bool,
    /// The order of arrival among equals.
    number: u64,
}

impl Place {
    /// With the virtual time at which work of this cost ends instead.
    fn end(self, cost: Duration) -> Self {
        let start = self.start + cost;
        Self { start, ..self }
    }
}

/// Who was served how much.
#[derive(Debug, Default)]
struct Shares {
    /// The virtual time.
    now: Duration,
    served_until: HashMap<String, Duration>,
    /// How many places were given.
    places: u64,
}

impl Shares {
    fn place(&mut self, name: &str, follows: bool) -> Place {
        let served = self.served_until.get(name).copied();
        self.places += 1;
        Place {
            start: served.unwrap_or_default().max(self.now),
            follows,
            number: self.places,
        }
    }

    /// Charges what a turn is expected to cost.
    fn turn(&mut self, name: &str, place: Place, cost: Duration) {
        self.served_until
            .insert(name.to_owned(), place.start + cost);
    }

    /// Charges what a turn took instead of what was expected, and lets virtual time go on. `next` is the place of the next piece
    /// of work, if there is one; `active` have work.
    fn correct(&mut self, name: &str, turn: Took, next: Option<&mut Place>, active: usize) {
        let Took { expected, took } = turn;
        let before = self.served_until.get(name).copied();
        let before = before.unwrap_or(self.now);
        let until = (before + took).saturating_sub(expected);
        self.served_until.insert(name.to_owned(), until);
        if let Some(next) = next {
            let follows_it = next.start == before;
            next.start = if follows_it {
                until
            } else {
                next.start.max(until)
            };
        }
        self.now += took / u32::try_from(active.max(1)).unwrap_or(u32::MAX);
        // Who is not ahead of the virtual time is as good as new.
        let now = self.now;
        self.served_until.retain(|_, until| *until > now);
    }

    /// Nothing that waits begins earlier.
    fn skip_to(&mut self, earliest: Option<Duration>) {
        self.now = self.now.max(earliest.unwrap_or_default());
    }
}

/// What a turn was expected to take, and what it took.
#[derive(Clone, Copy)]
struct Took {
    expected: Duration,
    took: Duration,
}

/// What one member has waiting, with what each is expected to take: never empty.
#[derive(Debug)]
struct Backlog<T> {
    place: Place,
    items: VecDeque<(Duration, T)>,
}

impl<T> Backlog<T> {
    fn end(&self) -> Place {
        let first = self.items.front();
        self.place
            .end(first.map_or(Duration::ZERO, |(cost, _)| *cost))
    }
}

#[derive(Debug)]
struct Group<T> {
    place: Place,
    shares: Shares,
    members: HashMap<String, Backlog<T>>,
    waiting: usize,
    running: usize,
}

impl<T> Default for Group<T> {
    fn default() -> Self {
        Self {
            place: Place::default(),
            shares: Shares::default(),
            members: HashMap::new(),
            waiting: 0,
            running: 0,
        }
    }
}

/// The piece of work that a group serves next.
struct Served<T> {
    member: String,
    cost: Duration,
    item: T,
}

impl<T> Group<T> {
    fn of(&self, member: &str) -> usize {
        self.members
            .get(member)
            .map_or(0, |backlog| backlog.items.len())
    }

    fn longest(&self) -> (String, usize) {
        let backlogs = self.members.iter();
        let longest = backlogs.max_by_key(|(_, backlog)| backlog.items.len());
        longest.map_or_else(Default::default, |(name, backlog)| {
            (name.clone(), backlog.items.len())
        })
    }

    fn push(&mut self, member: &str, cost: Duration, item: T) {
        let shares = &mut self.shares;
        let backlog = self.members.entry(member.to_owned());
        let backlog = backlog.or_insert_with(|| Backlog {
            place: shares.place(member, false),
            items: VecDeque::new(),
        });
        backlog.items.push_back((cost, item));
        self.waiting += 1;
    }

    /// Removes what the member sent last.
    fn displace(&mut self, member: &str) -> Option<T> {
        let backlog = self.members.get_mut(member)?;
        let (_, displaced) = backlog.items.pop_back()?;
        if backlog.items.is_empty() {
            self.members.remove(member);
        }
        self.waiting -= 1;
        Some(displaced)
    }

    /// Whose turn it is, and when that would end.
    fn next(&self) -> Option<(&String, Place)> {
        let ends = self
            .members
            .iter()
            .map(|(name, backlog)| (name, backlog.end()));
        ends.min_by_key(|(_, end)| *end)
    }

    /// When its next turn would end among the groups.
    fn end(&self) -> Option<Place> {
        let (member, _) = self.next()?;
        let (cost, _) = self.members.get(member)?.items.front()?;
        Some(self.place.end(*cost))
    }

    fn serve(&mut self) -> Option<Served<T>> {
        let member = self.next()?.0.clone();
        let earliest = self
            .members
            .values()
            .map(|backlog| backlog.place.start)
            .min();
        let backlog = self.members.get_mut(&member)?;
        let (cost, item) = backlog.items.pop_front()?;
        self.shares.skip_to(earliest);
        self.shares.turn(&member, backlog.place, cost);
        if backlog.items.is_empty() {
            self.members.remove(&member);
        } else {
            backlog.place = self.shares.place(&member, true);
        }
        self.waiting -= 1;
        self.running += 1;
        Some(Served { member, cost, item })
    }

    fn done(&mut self, member: &str, turn: Took) {
        self.running = self.running.saturating_sub(1);
        let waits = self.members.contains_key(member);
        let active = self.members.len() + usize::from(!waits);
        let next = self
            .members
            .get_mut(member)
            .map(|backlog| &mut backlog.place);
        self.shares.correct(member, turn, next, active);
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

    /// Lets a piece of work wait that is expected to take this long. When there is no room, the last piece of the member with
    /// most waiting makes room, and is returned.
    ///
    /// # Errors
    /// If it cannot wait.
    pub fn push(&mut self, turn: &Member, expected: Duration, item: T) -> Result<Option<T>, Full> {
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
        if group.waiting == 0 {
            group.place = self.shares.place(&turn.group, false);
        }
        group.push(&turn.member, expected, item);
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
    pub fn pop(&mut self) -> Option<(Granted, T)> {
        let waiting = || self.groups.iter().filter(|(_, group)| group.waiting > 0);
        let earliest = waiting().map(|(_, group)| group.place.start).min();
        let ends = waiting().filter_map(|(name, group)| Some((name, group.end()?)));
        let name = ends.min_by_key(|(_, end)| *end)?.0.clone();
        let group = self.groups.get_mut(&name)?;
        let Served { member, cost, item } = group.serve()?;
        self.shares.skip_to(earliest);
        self.shares.turn(&name, group.place, cost);
        group.place = self.shares.place(&name, true);
        self.waiting -= 1;
        let turn = Granted {
            of: Member {
                group: name,
                member,
            },
            expected: cost,
        };
        Some((turn, item))
    }

    /// A piece of work took this long.
    pub fn done(&mut self, turn: &Granted, took: Duration) {
        let Granted { of, expected } = turn;
        let took = Took {
            expected: *expected,
            took,
        };
        let others = self
            .groups
            .iter()
            .filter(|(name, group)| group.waiting > 0 && **name != of.group);
        let active = others.count() + 1;
        let group = self.groups.get_mut(&of.group);
        let place = group.map(|group| {
            group.done(&of.member, took);
            &mut group.place
        });
        self.shares.correct(&of.group, took, place, active);
        self.forget(&of.group);
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
