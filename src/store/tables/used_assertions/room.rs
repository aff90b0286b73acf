//! How much room clients have for more assertions, so that those that are remembered are counted rarely: a count takes time
//! for each of them, and the one writer of SQLite waits for it.

use std::collections::HashMap;
use std::sync::Mutex;

use jiff::Timestamp;

/// The UIDs of a tenant and of its client.
type Client = (String, String);

/// After a count, a store takes this part of the room that was left before it counts again. One store so never remembers
/// more than it may, and of several that share a database each adds at most this part of the bound to it.
const PART: u32 = 16;

/// How many clients are remembered here. Above it all are forgotten, and counted at their next use.
const MAX_CLIENTS: usize = 4096;

/// What is known of the room of a client without a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// There is room for one more, which is taken.
    Taken,
    /// There is none before this time.
    FullUntil(Timestamp),
    /// It has to be counted.
    Unknown,
}

#[derive(Clone, Copy, Debug)]
enum Known {
    Uses(u32),
    FullUntil(Timestamp),
}

/// The room of each client that was counted.
#[derive(Debug, Default)]
pub(crate) struct Rooms(Mutex<HashMap<Client, Known>>);

impl Rooms {
    /// Takes room for one assertion, if it is known that there is some.
    pub(super) fn take(&self, tenant: &str, client: &str, now: Timestamp) -> Room {
        let mut rooms = self.0.lock().expect("no holder of this lock panics");
        match rooms.get_mut(&(tenant.to_owned(), client.to_owned())) {
            Some(Known::Uses(uses)) if *uses > 0 => {
                *uses -= 1;
                Room::Taken
            }
            Some(Known::FullUntil(until)) if now < *until => Room::FullUntil(*until),
            _ => Room::Unknown,
        }
    }

    /// Remembers how many more there may be after one that was counted.
    pub(super) fn counted(&self, tenant: &str, client: &str, left: u32) {
        self.remember(tenant, client, Known::Uses(left / PART));
    }

    /// Remembers that there is no room before a time.
    pub(super) fn full(&self, tenant: &str, client: &str, until: Timestamp) {
        self.remember(tenant, client, Known::FullUntil(until));
    }

    fn remember(&self, tenant: &str, client: &str, known: Known) {
        let mut rooms = self.0.lock().expect("no holder of this lock panics");
        if rooms.len() >= MAX_CLIENTS {
            rooms.clear();
        }
        rooms.insert((tenant.to_owned(), client.to_owned()), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MOST: u32 = 10_000;

    /// One use by a store whose database remembers a number of assertions: whether it is remembered, and whether it counted.
    fn use_one(rooms: &Rooms, remembered: &mut u32) -> (bool, bool) {
        match rooms.take("tenant", "client", Timestamp::UNIX_EPOCH) {
            Room::Taken => {
                *remembered += 1;
                (true, false)
            }
            Room::FullUntil(_) => (false, false),
            Room::Unknown if *remembered >= MOST => {
                rooms.full("tenant", "client", Timestamp::MAX);
                (false, true)
            }
            Room::Unknown => {
                *remembered += 1;
                rooms.counted("tenant", "client", MOST - *remembered);
                (true, true)
            }
        }
    }

    #[test]
    fn d23_those_that_are_remembered_are_counted_rarely() {
        let (rooms, mut remembered) = (Rooms::default(), 0);
        let uses: Vec<_> = (0..2 * MOST)
            .map(|_| use_one(&rooms, &mut remembered))
            .collect();
        let counts = uses.iter().filter(|(_, counted)| *counted).count();
        assert_eq!(remembered, MOST);
        assert!(counts < 200, "{counts} counts");
    }

    #[test]
    fn a_full_client_is_counted_again_when_one_is_forgotten() {
        let rooms = Rooms::default();
        let until = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(60);
        rooms.full("tenant", "client", until);
        let now = |seconds| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(seconds);
        assert_eq!(
            rooms.take("tenant", "client", now(59)),
            Room::FullUntil(until)
        );
        assert_eq!(rooms.take("tenant", "client", now(60)), Room::Unknown);
        assert_eq!(rooms.take("tenant", "other", now(0)), Room::Unknown);
    }

    proptest! {
        // Each has tens of thousands of uses.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn stores_that_share_a_database_add_little_to_the_bound(runs in prop::collection::vec((0..3_usize, 1..2_000_u32), 1..40)) {
            let stores: Vec<_> = (0..3).map(|_| Rooms::default()).collect();
            let (mut remembered, mut alone) = (0, 0);
            let one = Rooms::default();
            for (store, uses) in runs {
                for _ in 0..uses {
                    use_one(&stores[store], &mut remembered);
                    use_one(&one, &mut alone);
                }
            }
            prop_assert!(remembered <= MOST + 2 * MOST / PART);
            prop_assert!(alone <= MOST);
        }
    }
}
