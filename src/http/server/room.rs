//! Who is connected. When all places are taken, the connection that was idle longest makes room; no address has more than
//! its share, so that the idle connections of one do not keep others out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::activity::Activity;
use super::overload::{Overload, Reason};
use super::{Limits, Traffic};
use crate::network::{Prefix, PrefixCounts, network, prefixes};

/// No address has more than this part of the places, but for trusted proxies.
const PART: usize = 8;
/// How many connections at most make room at once: to find one costs a look at all.
const MOST_AT_ONCE: usize = 64;
/// How soon it is tried again when every connection is busy.
const AGAIN: Duration = Duration::from_millis(10);

/// The places of a listener.
#[derive(Debug)]
pub struct Room {
    most: usize,
    traffic: Traffic,
    places: Mutex<Places>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Places {
    next: u64,
    /// How many connections are open, with those that were told to leave.
    open: usize,
    by_id: HashMap<u64, Occupant>,
    by_prefix: PrefixCounts,
}

#[derive(Debug)]
struct Occupant {
    address: IpAddr,
    activity: Arc<Activity>,
    leave: CancellationToken,
}

/// The place of a connection; free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    room: Arc<Room>,
    id: u64,
    /// What happens on the connection.
    pub activity: Arc<Activity>,
    /// Cancelled when the connection has to make room.
    pub leave: CancellationToken,
}

impl Room {
    /// An empty one.
    pub fn new(limits: Limits, traffic: Traffic) -> Self {
        Self {
            most: limits.connections as usize,
            traffic,
            places: Mutex::default(),
            emptied: Notify::new(),
        }
    }

    /// A place for a connection. `None` if its address has its share already and uses all of it. While every
    /// connection is busy it waits, and others wait in the queue of the kernel.
    pub async fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        loop {
            match self.try_enter(address) {
                Ok(place) => return Some(place),
                Err(Reason::ConnectionsOfAddress) => {
                    self.count(Reason::ConnectionsOfAddress);
                    return None;
                }
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// A place, or why there is none now.
    pub fn try_enter(self: &Arc<Self>, address: IpAddr) -> Result<Place, Reason> {
        let mut places = self.places();
        self.make_room_in_share(&mut places, address)?;
        if places.by_id.len() >= self.most {
            self.make_room(&mut places)?;
        }
        let occupant = Occupant {
            address,
            activity: Arc::default(),
            leave: CancellationToken::new(),
        };
        let (activity, leave) = (occupant.activity.clone(), occupant.leave.clone());
        Ok(Place {
            room: self.clone(),
            id: places.add(occupant),
            activity,
            leave,
        })
    }

    /// Within the share of an address its own idle connections make room.
    fn make_room_in_share(&self, places: &mut Places, address: IpAddr) -> Result<(), Reason> {
        if self.traffic.trusted_proxies.contains(address) {
            return Ok(());
        }
        let share = (self.most / PART).max(1);
        for (prefix, times) in prefixes(address) {
            if !places.by_prefix.is_full((prefix, times), share) {
                continue;
            }
            let longest = places.idle_longest(1, |occupant| occupant.is_within(prefix));
            if longest.is_empty() {
                return Err(Reason::ConnectionsOfAddress);
            }
            self.send_away(places, longest, Reason::IdleConnection);
        }
        Ok(())
    }

    /// Those make room first whose address has more connections than there are for each.
    fn make_room(&self, places: &mut Places) -> Result<(), Reason> {
        let some = (self.most / 128).clamp(1, MOST_AT_ONCE);
        let fair = places.by_id.len() / places.by_prefix.len().max(1);
        let mut longest = places.idle_longest(some, |occupant| {
            places.by_prefix.of(network(occupant.address)) > fair
        });
        if longest.is_empty() {
            longest = places.idle_longest(some, |_| true);
        }
        if longest.is_empty() {
            return Err(Reason::Requests);
        }
        self.send_away(places, longest, Reason::IdleConnection);
        Ok(())
    }

    /// Closes the connections with the most unread bytes.
    pub fn collect_debts(&self) {
        let mut places = self.places();
        let mut debts: Vec<(u128, u64)> = places
            .by_id
            .iter()
            .map(|(id, occupant)| (occupant.activity.debt(), *id))
            .filter(|(debt, _)| *debt > 0)
            .collect();
        let some = (debts.len() / 8).clamp(1, MOST_AT_ONCE);
        debts.sort_unstable_by(|a, b| b.cmp(a));
        let most = debts.into_iter().take(some).map(|(_, id)| id).collect();
        self.send_away(&mut places, most, Reason::UnreadBytes);
    }

    fn send_away(&self, places: &mut Places, ids: Vec<u64>, reason: Reason) {
        for id in ids {
            if let Some(occupant) = places.remove(id) {
                occupant.leave.cancel();
                self.count(reason);
            }
        }
    }

    /// Something was refused or closed for lack of room.
    pub fn count(&self, reason: Reason) {
        self.overload().count(reason);
    }

    fn overload(&self) -> &Overload {
        &self.traffic.overload
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.places().open
    }

    /// Waits until no connection is open.
    pub async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.open() == 0 {
                return;
            }
            emptied.await;
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.room.places();
        places.remove(self.id);
        places.open -= 1;
        if places.open == 0 {
            self.room.emptied.notify_waiters();
        }
    }
}

impl Occupant {
    fn is_within(&self, prefix: Prefix) -> bool {
        prefixes(self.address).any(|(own, _)| own == prefix)
    }
}

impl Places {
    fn add(&mut self, occupant: Occupant) -> u64 {
        self.next += 1;
        self.open += 1;
        self.by_prefix.add(occupant.address);
        self.by_id.insert(self.next, occupant);
        self.next
    }

    fn remove(&mut self, id: u64) -> Option<Occupant> {
        let occupant = self.by_id.remove(&id)?;
        self.by_prefix.remove(occupant.address);
        Some(occupant)
    }

    /// Up to `some` connections that have been idle longest.
    fn idle_longest(&self, some: usize, which: impl Fn(&Occupant) -> bool) -> Vec<u64> {
        let now = Instant::now();
        let mut idle: Vec<(Duration, u64)> = self
            .by_id
            .iter()
            .filter(|(_, occupant)| which(occupant))
            .filter_map(|(id, occupant)| Some((occupant.activity.idle(now)?, *id)))
            .collect();
        // Of two that began at once, the one that came first.
        idle.sort_unstable_by(|(a, first), (b, second)| b.cmp(a).then(first.cmp(second)));
        idle.into_iter().take(some).map(|(_, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::trusted_proxies::TrustedProxies;
    use hyper::Version;

    fn room(connections: u32, trusted: &str) -> Arc<Room> {
        let networks: Vec<_> = trusted.split(',').flat_map(str::parse).collect();
        let traffic = Traffic {
            trusted_proxies: TrustedProxies::new(&networks),
            ..Traffic::default()
        };
        let limits = Limits {
            connections,
            ..Limits::default()
        };
        Arc::new(Room::new(limits, traffic))
    }

    fn enter(room: &Arc<Room>, address: &str) -> Result<Place, Reason> {
        room.try_enter(address.parse().unwrap())
    }

    #[test]
    fn q03_when_it_is_full_the_one_that_was_idle_longest_leaves() {
        let room = room(4, "");
        let places: Vec<Place> = (1..=4)
            .map(|number| enter(&room, &format!("192.0.2.{number}")).unwrap())
            .collect();
        let busy = places[0].activity.begin(Version::HTTP_11);
        let fifth = enter(&room, "192.0.2.5").unwrap();
        let left = |place: &Place| place.leave.is_cancelled();
        assert!(!left(&places[0]), "it has a request in flight");
        assert!(left(&places[1]) && !left(&places[2]) && !left(&places[3]));
        assert_eq!(room.open(), 5, "one of them has been told to leave");
        drop((busy, places, fifth));
        assert_eq!(room.open(), 0);
        assert_eq!(room.places().by_prefix.len(), 0);
        assert_eq!(room.overload().counted(Reason::IdleConnection), 1);
    }

    #[test]
    fn q03_an_address_has_a_share_and_its_own_idle_connections_make_room() {
        let room = room(32, "10.0.0.0/8");
        let mut places: Vec<Place> = (0..4).map(|_| enter(&room, "192.0.2.1").unwrap()).collect();
        let others = enter(&room, "192.0.2.2").unwrap();
        places.push(enter(&room, "192.0.2.1").unwrap());
        assert!(places[0].leave.is_cancelled());
        assert!(!others.leave.is_cancelled());
        let busy: Vec<_> = places[1..]
            .iter()
            .map(|place| place.activity.begin(Version::HTTP_2))
            .collect();
        let refused = enter(&room, "192.0.2.1").unwrap_err();
        assert_eq!(refused, Reason::ConnectionsOfAddress);
        let proxies: Vec<_> = (0..20).map(|_| enter(&room, "10.1.1.1")).collect();
        assert!(proxies.iter().all(Result::is_ok), "proxies are exempt");
        drop(busy);
    }

    #[test]
    fn q03_whoever_has_the_most_makes_room_first() {
        let room = room(12, "10.0.0.0/8");
        let lonely = enter(&room, "192.0.2.1").unwrap();
        let crowd: Vec<_> = (0..11).map(|_| enter(&room, "10.1.1.1").unwrap()).collect();
        let next = enter(&room, "192.0.2.2").unwrap();
        assert!(!lonely.leave.is_cancelled() && !next.leave.is_cancelled());
        assert!(crowd[0].leave.is_cancelled());
    }

    #[test]
    fn q02_whoever_owes_most_is_closed_first() {
        let room = room(12, "");
        let (small, large) = (
            enter(&room, "192.0.2.1").unwrap(),
            enter(&room, "192.0.2.2").unwrap(),
        );
        let unread = |place: &Place, bytes| place.activity.begin(Version::HTTP_2).answered(bytes);
        let held = (unread(&small, 10), unread(&large, 1_000_000));
        room.collect_debts();
        assert!(large.leave.is_cancelled() && !small.leave.is_cancelled());
        drop(held);
        room.collect_debts();
        assert!(!small.leave.is_cancelled(), "no connection owes anything");
    }
}
