//! What the operator reads from Secrets: signing keys, root keys, passwords, credentials.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use clientele_oauth::Algorithm;
use clientele_oauth::keys::signing_key_schedule::{Change, KeyPolicy};
use clientele_operator::cache::passwords::PasswordIndex;
use clientele_operator::domain::client::secret::digest::{DigestKey, SecretDigest};
use clientele_operator::domain::secret_entry::SecretEntry;
use clientele_operator::domain::tenant::signing_secret::{self, Removal};
use clientele_operator::reconcile::signing_key::generate;
use clientele_operator::root_key::judge::judge;
use clientele_operator::root_key::rotate::Place;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use libfuzzer_sys::fuzz_target;

type Entries = BTreeMap<String, ByteString>;

/// A Secret with an ES256 and an EdDSA key, as the operator writes it.
static GOOD: LazyLock<Entries> = LazyLock::new(|| {
    let policy = KeyPolicy {
        rotate_every: Duration::from_hours(24),
        publish_ahead: Duration::from_mins(15),
        longest_lifetime: Duration::from_hours(1),
    };
    let changes = [Algorithm::Es256, Algorithm::EdDsa].map(|algorithm| Change::Generate {
        algorithm,
        activates_at: Timestamp::UNIX_EPOCH,
    });
    let removal = Removal {
        now: Timestamp::UNIX_EPOCH,
        session: Duration::from_hours(1),
    };
    signing_secret::changed(None, &[], &changes, &policy, removal, generate).expect("keys")
});

/// The first byte says which entry of a good Secret the rest replaces; otherwise the lines are `name=value`.
fn entries(bytes: &[u8]) -> Entries {
    let Some((&which, rest)) = bytes.split_first() else {
        return Entries::new();
    };
    let mut entries = GOOD.clone();
    if let Some(name) = GOOD.keys().nth(usize::from(which)) {
        entries.insert(name.clone(), ByteString(rest.to_vec()));
        return entries;
    }
    let lines = bytes.split(|&b| b == b'\n').filter_map(|line| {
        let at = line.iter().position(|&b| b == b'=')?;
        let name = std::str::from_utf8(&line[..at]).ok()?;
        Some((name.to_owned(), ByteString(line[at + 1..].to_vec())))
    });
    lines.collect()
}

fuzz_target!(|bytes: &[u8]| {
    let secret = Secret {
        data: Some(entries(bytes)),
        ..Secret::default()
    };
    if let Ok(read) = signing_secret::parse(&secret) {
        let mut keys = read.keys.iter();
        let known = |id: &str| read.records.iter().any(|record| record.key_id == id);
        assert!(keys.all(|key| known(key.key.key_id())));
        let _ = (
            read.keys.jwks(&Algorithm::PUBLISHED),
            read.keys.active(Algorithm::Es256, Timestamp::UNIX_EPOCH),
        );
    }
    let place = Place {
        namespace: "ns",
        name: "root",
    };
    let _ = judge(place, Some(&secret), &BTreeMap::new(), true);
    let index = PasswordIndex::default();
    for key in secret.data.iter().flatten().map(|(name, _)| name) {
        index.want(&SecretEntry {
            namespace: String::new(),
            secret: String::new(),
            key: key.clone(),
        });
    }
    let _ = index.put(&secret);
    let digests = DigestKey::default();
    assert_eq!(
        SecretDigest::new(&secret, &digests),
        SecretDigest::new(&secret, &digests)
    );
});
