//! How much work a hash is, so that a sign-in that fails takes as long whichever hash was verified.

use std::time::Duration;

use argon2::Params;
use argon2::password_hash::phc;

use super::super::password_hash::PasswordHash;
use super::memory::HashingMemory;
use super::pbkdf2::Pbkdf2;
use super::{hash_with, own_params, verify_with};

/// No failure waits for longer than this.
pub const LONGEST_FLOOR: Duration = Duration::from_secs(2);

/// No hash is expected to take longer.
const LONGEST_HASH: Duration = Duration::from_mins(1);

/// Work in units of each algorithm: kibibytes times passes of argon2id, rounds of bcrypt, HMACs of PBKDF2 with SHA-256
/// and with SHA-512.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Work([u64; 4]);

impl Default for Work {
    /// The work of our own hashes, which is done also for an unknown name.
    fn default() -> Self {
        let own = own_params();
        let own = u64::from(own.m_cost()) * u64::from(own.t_cost());
        Self([own, 0, 0, 0])
    }
}

impl Work {
    /// The work of a hash; none of one that cannot be read.
    pub fn of(PasswordHash(hash): &PasswordHash) -> Self {
        let mut work = [0; 4];
        if let Some(pbkdf2) = Pbkdf2::parse(hash) {
            let (place, hmacs) = pbkdf2.hmacs();
            work[place] = hmacs;
        } else if let Ok(parts) = hash.parse::<bcrypt::HashParts>() {
            work[1] = 1 << parts.get_cost().min(31);
        } else if let Ok(hash) = phc::PasswordHash::new(hash)
            && let Ok(params) = Params::try_from(&hash)
        {
            work[0] = u64::from(params.m_cost()) * u64::from(params.t_cost());
        }
        Self(work)
    }

    /// The greater of each algorithm.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        let mut each = self.0;
        for (mine, others) in each.iter_mut().zip(other.0) {
            *mine = others.max(*mine);
        }
        Self(each)
    }
}

/// How long a unit of work of each algorithm takes on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Speed([Duration; 4], [u64; 4]);

impl Speed {
    /// Verifies a hash of each algorithm; `time` runs it and says how long it took. Takes some 50 milliseconds.
    pub fn measure(
        memory: &mut HashingMemory,
        mut time: impl FnMut(&mut dyn FnMut()) -> Duration,
    ) -> Self {
        let (mut took, mut units) = ([Duration::ZERO; 4], [1; 4]);
        for (place, sample) in samples(memory).into_iter().enumerate() {
            took[place] = time(&mut || {
                verify_with(memory, Some(&sample), "sample");
            });
            units[place] = Work::of(&sample).0[place].max(1);
        }
        Self(took, units)
    }

    /// How long a failure takes: a quarter longer than the costliest of these hashes is expected to take, and at most [`LONGEST_FLOOR`].
    pub fn floor(&self, costliest: Work) -> Duration {
        (self.expected(costliest) * 5 / 4).min(LONGEST_FLOOR)
    }

    /// How long this work takes: if it is of several algorithms, that of the slowest.
    pub fn expected(&self, work: Work) -> Duration {
        let Self(took, units) = self;
        let nanos = |place: usize| {
            took[place].as_nanos() * u128::from(work.0[place]) / u128::from(units[place])
        };
        let longest = (0..4).map(nanos).max().unwrap_or_default();
        // No hash that a manifest may bring takes minutes; the bound keeps what is added to it from an overflow.
        let longest = u64::try_from(longest).map_or(LONGEST_HASH, Duration::from_nanos);
        longest.min(LONGEST_HASH)
    }
}

/// A cheap hash of each algorithm, in the order of [`Work`]; that of argon2id is our own.
fn samples(memory: &mut HashingMemory) -> [PasswordHash; 4] {
    const BYTES: &str = "AAECAwQFBgcICQoLDA0ODw";
    let own = hash_with(memory, "another", &[0; 16]);
    let bcrypt = bcrypt::non_truncating_hash_with_salt("another", 5, [0; 16]);
    [
        own.unwrap_or_else(|| PasswordHash("".into())),
        PasswordHash(
            bcrypt
                .map(|hash| hash.to_string())
                .unwrap_or_default()
                .into(),
        ),
        PasswordHash(format!("$pbkdf2-sha256$i=10000,l=16${BYTES}${BYTES}").into()),
        PasswordHash(format!("$pbkdf2-sha512$i=10000,l=16${BYTES}${BYTES}").into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(hash: &str) -> [u64; 4] {
        Work::of(&PasswordHash(hash.into())).0
    }

    #[test]
    fn n07_the_floor_lies_above_the_costliest_hash_and_has_a_cap() {
        let bytes = "AAECAwQFBgcICQoLDA0ODw";
        let bcrypt = |cost: &str| {
            let hash = bcrypt::non_truncating_hash_with_salt("x", 4, [3; 16]).unwrap();
            hash.to_string().replace("$04$", &format!("${cost}$"))
        };
        let long = "A".repeat(86);
        for (hash, expected) in [
            (
                format!("$argon2id$v=19$m=65536,t=3,p=4${bytes}${bytes}"),
                [196_608, 0, 0, 0],
            ),
            (bcrypt("12"), [0, 4096, 0, 0]),
            (
                format!("$pbkdf2-sha256$i=27500,l=16${bytes}${bytes}"),
                [0, 0, 27_500, 0],
            ),
            (
                format!("$pbkdf2-sha256$i=27500,l=64${bytes}${long}"),
                [0, 0, 55_000, 0],
            ),
            (
                format!("$pbkdf2-sha512$i=210000,l=64${bytes}${long}"),
                [0, 0, 0, 210_000],
            ),
            ("nothing".to_owned(), [0; 4]),
        ] {
            assert_eq!(work(&hash), expected, "{hash}");
        }
        let mut times = [30, 2, 4, 6].map(Duration::from_millis).into_iter();
        let speed = Speed::measure(&mut HashingMemory::default(), |_| times.next().unwrap());
        let floor = |hashes: &[&str]| {
            let each = hashes.iter().map(|hash| Work(work(hash)));
            speed.floor(each.fold(Work::default(), Work::max))
        };
        let about =
            |floor: Duration, millis: f64| (floor.as_secs_f64() * 1000.0 - millis).abs() < 1.0;
        assert!(about(floor(&[]), 37.5), "the work for an unknown name");
        assert!(about(floor(&[&bcrypt("10"), &bcrypt("08")]), 80.0));
        let pbkdf2 = format!("$pbkdf2-sha256$i=1000000,l=16${bytes}${bytes}");
        assert!(about(floor(&[&bcrypt("10"), &pbkdf2]), 500.0));
        assert_eq!(floor(&[&bcrypt("16")]), LONGEST_FLOOR);
    }
}
