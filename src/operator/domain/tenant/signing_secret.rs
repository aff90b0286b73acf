//! The Secret in the operator's namespace that holds the signing keys of a tenant.
//!
//! Entry `keys.json` is the schedule, entry `<kid>.der` the PKCS#8 private key, entry `former.json` the public keys that were
//! removed and still verify hints. Its owner is the tenant:
//! a recreated tenant inherits no keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clientele_api::OAuthTenant;
use clientele_oauth::keys::former_key::FormerKey;
use clientele_oauth::keys::signing_key_schedule::{Change, KeyPolicy, KeyRecord, Request};
use clientele_oauth::keys::signing_keys::ScheduledKey;
use clientele_oauth::{Algorithm, SigningKey, SigningKeys};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use crate::domain::structure::is_request_id;

const SCHEDULE: &str = "keys.json";
const FORMER: &str = "former.json";
/// The annotation with the request that the keys answer.
const REQUEST: &str = "clientele.dev/signing-request";

/// The keys of a tenant as read from its Secret.
#[derive(Clone, Debug)]
pub struct StoredKeys {
    /// What is remembered of each key.
    pub records: Vec<KeyRecord>,
    /// The keys themselves.
    pub keys: Arc<SigningKeys>,
    /// The public keys that were removed.
    pub former: Arc<[FormerKey]>,
    /// The `spec.signing.requestId` that was answered last. It is written with the keys, so a crash rotates nothing twice.
    pub answered: Option<String>,
}

/// The rotation that a tenant asks for and that these keys do not answer.
pub fn unanswered(tenant: &OAuthTenant, stored: &StoredKeys) -> Option<Request> {
    let signing = &tenant.spec.signing;
    let asked = signing
        .request_id
        .as_deref()
        .filter(|id| is_request_id(id))?;
    if stored.answered.as_deref() == Some(asked) {
        return None;
    }
    Some(if signing.emergency {
        Request::Emergency
    } else {
        Request::Ordinary
    })
}

/// Notes in the Secret that its keys answer what the tenant asks for.
pub fn answer(secret: &mut Secret, tenant: &OAuthTenant) {
    let asked = tenant.spec.signing.request_id.as_deref();
    if let Some(asked) = asked.filter(|id| is_request_id(id)) {
        secret
            .annotations_mut()
            .insert(REQUEST.to_owned(), asked.to_owned());
    }
}

/// A public key that was removed.
#[derive(Serialize, Deserialize)]
struct FormerRecord {
    jwk: serde_json::Value,
    /// No session lives longer in which one of its ID tokens was issued.
    until: Timestamp,
}

/// When and for how long a key is kept that goes.
#[derive(Clone, Copy, Debug)]
pub struct Removal {
    /// Now.
    pub now: Timestamp,
    /// The longest life of a session.
    pub session: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    kid: String,
    alg: String,
    activates_at: Timestamp,
    longest_lifetime_seconds: u64,
}

/// The name of the Secret of a tenant.
pub fn name_of(tenant: &str) -> String {
    format!("clientele-signing-{tenant}")
}

/// The tenant whose keys a Secret of this name holds.
pub fn tenant_of(secret: &str) -> Option<&str> {
    secret.strip_prefix("clientele-signing-")
}

/// Whether the tenant has had keys, as far as its status was heard of.
pub fn had_keys(tenant: &OAuthTenant) -> bool {
    let status = tenant.status.as_ref();
    status.is_some_and(|status| !status.key_ids.is_empty())
}

/// Reads the keys; the error completes "Secret … ".
pub fn parse(secret: &Secret) -> Result<StoredKeys, String> {
    let records = records(secret)?;
    let mut scheduled = Vec::with_capacity(records.len());
    for record in &records {
        scheduled.push(ScheduledKey {
            key: Arc::new(key(secret, record)?),
            activates_at: record.activates_at,
            longest_lifetime: record.longest_lifetime,
        });
    }
    let keys = SigningKeys::new(scheduled).ok_or("holds no key")?;
    Ok(StoredKeys {
        records,
        keys: Arc::new(keys),
        answered: secret.annotations().get(REQUEST).cloned(),
        former: former(secret)
            .into_iter()
            .filter_map(|record| FormerKey::new(serde_json::from_value(record.jwk).ok()?))
            .collect(),
    })
}

/// Without them hints are not verified, and nothing else depends on them.
fn former(secret: &Secret) -> Vec<FormerRecord> {
    let entry = entry(secret, FORMER).unwrap_or(b"[]");
    serde_json::from_slice(entry).unwrap_or_default()
}

fn records(secret: &Secret) -> Result<Vec<KeyRecord>, String> {
    let entry = entry(secret, SCHEDULE).ok_or("has no entry keys.json")?;
    let records: Vec<Record> =
        serde_json::from_slice(entry).map_err(|_| "has an entry keys.json that cannot be read")?;
    records
        .into_iter()
        .map(|record| {
            Ok(KeyRecord {
                algorithm: Algorithm::from_name(&record.alg)
                    .ok_or("names an unknown algorithm in keys.json")?,
                key_id: record.kid,
                activates_at: record.activates_at,
                longest_lifetime: Duration::from_secs(record.longest_lifetime_seconds),
            })
        })
        .collect()
}

fn key(secret: &Secret, record: &KeyRecord) -> Result<SigningKey, String> {
    let name = format!("{}.der", record.key_id);
    let der = entry(secret, &name).ok_or_else(|| format!("has no entry {name}"))?;
    let key = SigningKey::from_pkcs8(record.algorithm, der)
        .map_err(|error| format!("has an entry {name} that {error}"))?;
    if key.key_id() != record.key_id {
        return Err(format!(
            "has an entry {name} whose key does not match its name"
        ));
    }
    Ok(key)
}

fn entry<'a>(secret: &'a Secret, name: &str) -> Option<&'a [u8]> {
    secret.data.as_ref()?.get(name).map(|value| &*value.0)
}

/// The entries of the Secret after the changes. `generate` returns a new PKCS#8 private key, or `None` if it fails.
pub fn changed(
    secret: Option<&Secret>,
    records: &[KeyRecord],
    changes: &[Change],
    policy: &KeyPolicy,
    removal: Removal,
    generate: fn(Algorithm) -> Option<Vec<u8>>,
) -> Result<BTreeMap<String, ByteString>, &'static str> {
    let mut gone = secret.map(former).unwrap_or_default();
    let mut data = secret
        .and_then(|secret| secret.data.clone())
        .unwrap_or_default();
    let mut records = records.to_vec();
    for change in changes {
        match change {
            Change::Generate {
                algorithm,
                activates_at,
            } => {
                let der = generate(*algorithm).ok_or("could not create a signing key")?;
                let key = SigningKey::from_pkcs8(*algorithm, &der)
                    .map_err(|_| "a new signing key cannot be read")?;
                records.push(KeyRecord {
                    key_id: key.key_id().to_owned(),
                    algorithm: *algorithm,
                    activates_at: *activates_at,
                    longest_lifetime: policy.longest_lifetime,
                });
                data.insert(format!("{}.der", key.key_id()), ByteString(der));
            }
            Change::Extend { key_id } => {
                for record in records.iter_mut().filter(|record| record.key_id == *key_id) {
                    record.longest_lifetime = policy.longest_lifetime;
                }
            }
            Change::Remove { key_id } => {
                let record = records.iter().find(|record| record.key_id == *key_id);
                gone.extend(secret.zip(record).and_then(|(s, r)| removed(s, r, removal)));
                records.retain(|record| record.key_id != *key_id);
                data.remove(&format!("{key_id}.der"));
            }
            Change::Withdraw { key_id } => {
                records.retain(|record| record.key_id != *key_id);
                data.remove(&format!("{key_id}.der"));
            }
        }
    }
    data.insert(SCHEDULE.to_owned(), ByteString(schedule(&records)));
    gone.retain(|record| record.until > removal.now);
    if gone.is_empty() {
        data.remove(FORMER);
    } else {
        let gone = serde_json::to_vec_pretty(&gone).expect("records are representable in JSON");
        data.insert(FORMER.to_owned(), ByteString(gone));
    }
    Ok(data)
}

/// What remains of a key that is removed.
fn removed(secret: &Secret, record: &KeyRecord, removal: Removal) -> Option<FormerRecord> {
    let key = key(secret, record).ok()?;
    Some(FormerRecord {
        jwk: serde_json::to_value(key.jwk()).ok()?,
        until: removal.now.saturating_add(removal.session).ok()?,
    })
}

fn schedule(records: &[KeyRecord]) -> Vec<u8> {
    let records: Vec<Record> = records
        .iter()
        .map(|record| Record {
            kid: record.key_id.clone(),
            alg: record.algorithm.as_str().to_owned(),
            activates_at: record.activates_at,
            longest_lifetime_seconds: record.longest_lifetime.as_secs(),
        })
        .collect();
    serde_json::to_vec_pretty(&records).expect("records are representable in JSON")
}

/// Whether the Secret belongs to this registration of the tenant.
pub fn belongs_to(secret: &Secret, tenant_uid: &str) -> bool {
    secret
        .owner_references()
        .iter()
        .any(|owner| owner.uid == tenant_uid)
}

/// The sentence for lost keys.
pub fn missing_keys(secret: &str, tenant: &str) -> String {
    format!(
        "{secret} with the signing keys is missing, and new keys would invalidate every issued token: restore it from a backup. If there is no backup, delete and recreate OAuthTenant {tenant:?}; that makes new keys"
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::reconcile::signing_key::generate;

    const POLICY: KeyPolicy = KeyPolicy {
        rotate_every: Duration::from_hours(24),
        publish_ahead: Duration::from_mins(15),
        longest_lifetime: Duration::from_hours(1),
    };

    fn secret(algorithm: Algorithm) -> Secret {
        let changes = [Change::Generate {
            algorithm,
            activates_at: Timestamp::UNIX_EPOCH,
        }];
        let data = changed(None, &[], &changes, &POLICY, removal(0), generate).unwrap();
        Secret {
            data: Some(data),
            ..Secret::default()
        }
    }

    fn removal(second: i64) -> Removal {
        Removal {
            now: Timestamp::from_second(second).unwrap(),
            session: Duration::from_hours(1),
        }
    }

    #[test]
    fn j04_a_removed_key_verifies_hints_as_long_as_a_session_lives() {
        for algorithm in Algorithm::ALL {
            let secret = secret(algorithm);
            let records = parse(&secret).unwrap().records;
            let changes = [
                Change::Generate {
                    algorithm,
                    activates_at: Timestamp::UNIX_EPOCH,
                },
                Change::Remove {
                    key_id: records[0].key_id.clone(),
                },
            ];
            let change = |secret: &Secret, changes: &[Change], second| {
                let records = parse(secret).unwrap().records;
                let data = changed(
                    Some(secret),
                    &records,
                    changes,
                    &POLICY,
                    removal(second),
                    generate,
                );
                Secret {
                    data: Some(data.unwrap()),
                    ..Secret::default()
                }
            };
            let after = change(&secret, &changes, 0);
            assert_eq!(parse(&after).unwrap().former.len(), 1);
            assert!(
                !after
                    .data
                    .as_ref()
                    .unwrap()
                    .contains_key(&format!("{}.der", records[0].key_id))
            );
            let later = change(&after, &[], 3599);
            assert_eq!(parse(&later).unwrap().former.len(), 1);
            let over = change(&after, &[], 3600);
            assert_eq!(parse(&over).unwrap().former.len(), 0);
        }
    }

    #[test]
    fn o19_a_withdrawn_key_verifies_nothing_any_more() {
        let mut before = secret(Algorithm::Es256);
        let stored = parse(&before).unwrap();
        let old = stored.records[0].key_id.clone();
        let mut tenant = OAuthTenant::default();
        assert_eq!(unanswered(&tenant, &stored), None);
        tenant.spec.signing.request_id = Some("INC-1".to_owned());
        assert_eq!(unanswered(&tenant, &stored), Some(Request::Ordinary));
        tenant.spec.signing.emergency = true;
        assert_eq!(unanswered(&tenant, &stored), Some(Request::Emergency));
        let changes = [
            Change::Generate {
                algorithm: Algorithm::Es256,
                activates_at: Timestamp::UNIX_EPOCH,
            },
            Change::Withdraw {
                key_id: old.clone(),
            },
        ];
        let data = changed(
            Some(&before),
            &stored.records,
            &changes,
            &POLICY,
            removal(0),
            generate,
        );
        before.data = Some(data.unwrap());
        answer(&mut before, &tenant);
        let after = parse(&before).unwrap();
        assert_eq!((after.records.len(), after.former.len()), (1, 0));
        assert_ne!(after.records[0].key_id, old);
        assert_eq!(unanswered(&tenant, &after), None, "answered once");
        // A Secret that is restored from a backup has the leaked key again, and so the request.
        assert!(unanswered(&tenant, &stored).is_some());
        tenant.spec.signing.request_id = Some("not an ID".to_owned());
        assert_eq!(unanswered(&tenant, &after), None);
    }

    #[test]
    fn a_generated_key_of_each_algorithm_is_read_back() {
        for algorithm in Algorithm::ALL {
            let stored = parse(&secret(algorithm)).unwrap();
            assert_eq!(stored.records[0].algorithm, algorithm);
            assert_eq!(
                stored
                    .keys
                    .active(algorithm, Timestamp::UNIX_EPOCH)
                    .unwrap()
                    .key
                    .key_id(),
                stored.records[0].key_id
            );
        }
    }

    #[test]
    fn j14_a_damaged_or_exchanged_key_is_noticed() {
        let good = secret(Algorithm::Es256);
        let name = format!("{}.der", parse(&good).unwrap().records[0].key_id);
        let with = |bytes: Option<Vec<u8>>| {
            let mut bad = good.clone();
            let data = bad.data.as_mut().unwrap();
            match bytes {
                Some(bytes) => data.insert(name.clone(), ByteString(bytes)),
                None => data.remove(&name),
            };
            parse(&bad).map(|_| ())
        };
        assert!(with(None).is_err());
        assert!(with(Some(b"garbage".to_vec())).is_err());
        let other = secret(Algorithm::Es256).data.unwrap();
        let other = other
            .iter()
            .find(|(name, _)| Path::new(name).extension().is_some_and(|end| end == "der"))
            .unwrap()
            .1
            .0
            .clone();
        assert!(
            with(Some(other)).is_err(),
            "another key under the same name"
        );
        let rsa = secret(Algorithm::Rs256).data.unwrap();
        let rsa = rsa
            .iter()
            .find(|(name, _)| Path::new(name).extension().is_some_and(|end| end == "der"))
            .unwrap()
            .1
            .0
            .clone();
        assert!(with(Some(rsa)).is_err(), "a key of another algorithm");
        assert!(parse(&Secret::default()).is_err());
    }
}
