//! When signing keys are made, published, used and removed.
//!
//! A key is published before it signs and kept until the last token it signed has expired, so no
//! verifier ever meets a key that it cannot know. A tenant has keys of every algorithm at all times, each
//! algorithm with a schedule of its own: changing the algorithm of tokens needs no new key.

use std::time::Duration;

use jiff::Timestamp;

use crate::Algorithm;

/// Tolerance for clocks that differ between replicas and verifiers.
pub const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// What is remembered of a key beside its private part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// `kid`.
    pub key_id: String,
    /// The algorithm it signs with.
    pub algorithm: Algorithm,
    /// It signs from then on, until a later key's time has come.
    pub activates_at: Timestamp,
    /// No token it signs lives longer.
    pub longest_lifetime: Duration,
}

/// What a tenant wants of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// How long a key signs.
    pub rotate_every: Duration,
    /// How long a key is published before it signs: verifiers refresh their JWK Set within it.
    pub publish_ahead: Duration,
    /// The longest lifetime that a client of this tenant may have for its access and ID tokens.
    pub longest_lifetime: Duration,
}

/// What has to change now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Make a key.
    Generate {
        /// What it signs with.
        algorithm: Algorithm,
        /// When it begins to sign.
        activates_at: Timestamp,
    },
    /// A key that signs or will sign must allow longer tokens.
    Extend {
        /// Which.
        key_id: String,
    },
    /// Every token of this key has expired.
    Remove {
        /// Which.
        key_id: String,
    },
    /// This key has leaked: what it signed is refused from now on.
    Withdraw {
        /// Which.
        key_id: String,
    },
}

/// How keys are replaced on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// No verifier meets an unknown key, and every token stays valid until it expires.
    Ordinary,
    /// They have leaked.
    Emergency,
}

/// Decides what to change in the keys of a tenant. At rest the answer is empty.
pub fn plan(records: &[KeyRecord], policy: &KeyPolicy, now: Timestamp) -> Vec<Change> {
    let each = Algorithm::ALL.into_iter();
    each.flat_map(|algorithm| plan_one(&of(records, algorithm), algorithm, policy, now))
        .collect()
}

/// [`replace`] if a request is open, else [`plan`].
pub fn changes(
    records: &[KeyRecord],
    policy: &KeyPolicy,
    asked: Option<Request>,
    now: Timestamp,
) -> Vec<Change> {
    match asked {
        Some(request) => replace(records, policy, request, now),
        None => plan(records, policy, now),
    }
}

/// Decides what to change when the keys shall be replaced. A key that was published and does not sign yet is not made once more.
pub fn replace(
    records: &[KeyRecord],
    policy: &KeyPolicy,
    request: Request,
    now: Timestamp,
) -> Vec<Change> {
    if request == Request::Emergency {
        let each = Algorithm::ALL.into_iter();
        let fresh = each.map(|algorithm| Change::Generate {
            algorithm,
            activates_at: now,
        });
        let withdrawn = records.iter().map(|record| Change::Withdraw {
            key_id: record.key_id.clone(),
        });
        return fresh.chain(withdrawn).collect();
    }
    let mut changes = plan(records, policy, now);
    for algorithm in Algorithm::ALL {
        let is_made = changes.iter().any(|change| {
            matches!(change, Change::Generate { algorithm: made, .. } if *made == algorithm)
        });
        let waits = newest(&of(records, algorithm)).is_some_and(|key| key.activates_at > now);
        if !is_made && !waits {
            changes.push(Change::Generate {
                algorithm,
                activates_at: add(now, policy.publish_ahead),
            });
        }
    }
    changes
}

/// The next time at which [`plan`] may answer differently.
pub fn next_change(records: &[KeyRecord], policy: &KeyPolicy) -> Option<Timestamp> {
    let each = Algorithm::ALL.into_iter();
    each.filter_map(|algorithm| next_change_of_one(&of(records, algorithm), policy))
        .min()
}

fn of(records: &[KeyRecord], algorithm: Algorithm) -> Vec<&KeyRecord> {
    let of_algorithm = records.iter();
    of_algorithm
        .filter(|record| record.algorithm == algorithm)
        .collect()
}

/// The same for the keys of one algorithm.
fn plan_one(
    records: &[&KeyRecord],
    algorithm: Algorithm,
    policy: &KeyPolicy,
    now: Timestamp,
) -> Vec<Change> {
    let mut changes: Vec<Change> = removals(records, now).collect();
    changes.extend(records.iter().filter_map(|record| {
        let signs = superseded_at(records, record).is_none_or(|at| at > now);
        (signs && record.longest_lifetime < policy.longest_lifetime).then(|| Change::Extend {
            key_id: record.key_id.clone(),
        })
    }));
    changes.extend(
        next_key(records, policy, now).map(|activates_at| Change::Generate {
            algorithm,
            activates_at,
        }),
    );
    changes
}

fn next_change_of_one(records: &[&KeyRecord], policy: &KeyPolicy) -> Option<Timestamp> {
    let removal = records
        .iter()
        .filter_map(|record| expires_at(records, record))
        .min();
    let rotation = newest(records).map(|key| {
        add(
            key.activates_at,
            policy.rotate_every.saturating_sub(policy.publish_ahead),
        )
    });
    [removal, rotation].into_iter().flatten().min()
}

fn removals(records: &[&KeyRecord], now: Timestamp) -> impl Iterator<Item = Change> {
    records.iter().filter_map(move |record| {
        let expired = expires_at(records, record).is_some_and(|at| at < now);
        expired.then(|| Change::Remove {
            key_id: record.key_id.clone(),
        })
    })
}

/// When a new key has to begin to sign, if one has to be made now.
fn next_key(records: &[&KeyRecord], policy: &KeyPolicy, now: Timestamp) -> Option<Timestamp> {
    let Some(newest) = newest(records) else {
        // Nothing was ever signed with this algorithm, so verifiers need not be prepared.
        return Some(now);
    };
    let earliest = add(now, policy.publish_ahead);
    let due = add(newest.activates_at, policy.rotate_every);
    (due <= earliest).then(|| due.max(earliest))
}

fn newest<'a>(records: &[&'a KeyRecord]) -> Option<&'a KeyRecord> {
    records
        .iter()
        .copied()
        .max_by_key(|record| record.activates_at)
}

/// When a later key takes over.
fn superseded_at(records: &[&KeyRecord], record: &KeyRecord) -> Option<Timestamp> {
    records
        .iter()
        .filter(|other| other.activates_at > record.activates_at)
        .map(|other| other.activates_at)
        .min()
}

/// When the last token that a superseded key signed has expired everywhere.
fn expires_at(records: &[&KeyRecord], record: &KeyRecord) -> Option<Timestamp> {
    superseded_at(records, record).map(|at| add(at, record.longest_lifetime + CLOCK_SKEW))
}

fn add(time: Timestamp, duration: Duration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: u64 = 3600;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_second(i64::try_from(second).unwrap()).unwrap()
    }

    fn policy() -> KeyPolicy {
        KeyPolicy {
            rotate_every: Duration::from_hours(24),
            publish_ahead: Duration::from_mins(15),
            longest_lifetime: Duration::from_hours(1),
        }
    }

    fn apply(records: &mut Vec<KeyRecord>, policy: &KeyPolicy, now: Timestamp, made: &mut u32) {
        let changes = plan(records, policy, now);
        apply_all(records, changes, policy, made);
    }

    fn apply_all(
        records: &mut Vec<KeyRecord>,
        changes: Vec<Change>,
        policy: &KeyPolicy,
        made: &mut u32,
    ) {
        for change in changes {
            match change {
                Change::Generate {
                    algorithm,
                    activates_at,
                } => {
                    *made += 1;
                    records.push(KeyRecord {
                        key_id: made.to_string(),
                        algorithm,
                        activates_at,
                        longest_lifetime: policy.longest_lifetime,
                    });
                }
                Change::Extend { key_id } => {
                    for record in records.iter_mut().filter(|r| r.key_id == key_id) {
                        record.longest_lifetime = policy.longest_lifetime;
                    }
                }
                Change::Remove { key_id } | Change::Withdraw { key_id } => {
                    records.retain(|r| r.key_id != key_id);
                }
            }
        }
    }

    fn active(records: &[KeyRecord], algorithm: Algorithm, now: Timestamp) -> Option<&KeyRecord> {
        records
            .iter()
            .filter(|r| r.algorithm == algorithm && r.activates_at <= now)
            .max_by_key(|r| r.activates_at)
    }

    #[test]
    fn the_first_key_of_every_algorithm_signs_at_once() {
        let first = Algorithm::ALL.map(|algorithm| Change::Generate {
            algorithm,
            activates_at: at(1000),
        });
        assert_eq!(plan(&[], &policy(), at(1000)), first);
    }

    #[test]
    fn at_rest_nothing_changes() {
        let (mut records, policy) = (vec![], policy());
        apply(&mut records, &policy, at(0), &mut 0);
        for hour in 0..23 {
            assert_eq!(plan(&records, &policy, at(hour * HOUR)), [], "hour {hour}");
        }
    }

    #[test]
    fn an_installation_that_had_one_algorithm_gets_the_others_and_keeps_its_key() {
        let before = KeyRecord {
            key_id: "before".into(),
            algorithm: Algorithm::Es256,
            activates_at: at(0),
            longest_lifetime: policy().longest_lifetime,
        };
        let made = [Algorithm::Rs256, Algorithm::EdDsa].map(|algorithm| Change::Generate {
            algorithm,
            activates_at: at(60),
        });
        assert_eq!(plan(&[before], &policy(), at(60)), made);
    }

    #[test]
    fn o19_a_request_replaces_every_key_and_misses_no_verifier() {
        let (mut records, policy, mut made) = (vec![], policy(), 0);
        apply(&mut records, &policy, at(0), &mut made);
        let first = records.clone();
        let changes = replace(&records, &policy, Request::Ordinary, at(HOUR));
        apply_all(&mut records, changes, &policy, &mut made);
        assert_eq!(records.len(), 6);
        for algorithm in Algorithm::ALL {
            let before = active(&records, algorithm, at(HOUR + 899)).unwrap();
            assert!(
                first.contains(before),
                "signs until the new key was published"
            );
            let after = active(&records, algorithm, at(HOUR + 900)).unwrap();
            assert!(!first.contains(after));
        }
        // Asked again while the new keys wait: they are the answer.
        let again = replace(&records, &policy, Request::Ordinary, at(HOUR + 60));
        assert_eq!(again, []);
        // The former keys go when their last token has expired.
        apply(&mut records, &policy, at(2 * HOUR + 900 + 60), &mut made);
        assert_eq!(records.len(), 6);
        apply(&mut records, &policy, at(2 * HOUR + 900 + 61), &mut made);
        assert!(records.len() == 3 && !records.iter().any(|key| first.contains(key)));
    }

    #[test]
    fn o19_in_an_emergency_no_former_key_is_left() {
        let (mut records, policy, mut made) = (vec![], policy(), 0);
        apply(&mut records, &policy, at(0), &mut made);
        // One waits already: it lay in the same Secret.
        apply(&mut records, &policy, at(24 * HOUR - 900), &mut made);
        assert_eq!(records.len(), 6);
        let first = records.clone();
        let changes = replace(&records, &policy, Request::Emergency, at(24 * HOUR - 800));
        apply_all(&mut records, changes, &policy, &mut made);
        assert_eq!(records.len(), 3);
        for algorithm in Algorithm::ALL {
            let key = active(&records, algorithm, at(24 * HOUR - 800)).unwrap();
            assert!(!first.contains(key), "signs at once");
        }
        assert_eq!(plan(&records, &policy, at(24 * HOUR - 800)), []);
    }

    proptest! {
        /// Whatever the policy becomes and whichever algorithm signs, a token verifies as long as it lives, with
        /// a JWK Set that is up to `publish_ahead` old.
        #[test]
        fn j13_no_verifier_ever_misses_a_key(
            steps in proptest::collection::vec((1u64..7200, 0u8..3, 1u64..48, 1u64..24), 1..120),
        ) {
            let (mut records, mut made, mut now) = (vec![], 0, 0);
            let mut tokens: Vec<(String, u64)> = vec![];
            let ahead = Duration::from_mins(15);
            let mut published: Vec<(u64, Vec<String>)> = vec![];
            for (wait, algorithm, rotate, longest) in steps {
                now += wait;
                let algorithm = Algorithm::ALL[usize::from(algorithm)];
                let policy = KeyPolicy {
                    rotate_every: Duration::from_hours(rotate),
                    publish_ahead: ahead,
                    longest_lifetime: Duration::from_hours(longest),
                };
                apply(&mut records, &policy, at(now), &mut made);
                published.push((now, records.iter().map(|r| r.key_id.clone()).collect()));
                let key = active(&records, algorithm, at(now)).expect("a key of every algorithm is active");
                let lifetime = key.longest_lifetime.min(policy.longest_lifetime).as_secs();
                tokens.push((key.key_id.clone(), now + lifetime));
                tokens.retain(|(_, expires)| *expires > now);
                let cached = published.iter().rev().find(|(time, _)| *time + ahead.as_secs() <= now);
                for (key_id, _) in &tokens {
                    prop_assert!(records.iter().any(|r| r.key_id == *key_id), "{} was removed", key_id);
                }
                if let Some((_, jwks)) = cached {
                    prop_assert!(jwks.contains(&key.key_id), "{} signs before it was published", key.key_id);
                }
            }
        }
    }
}
