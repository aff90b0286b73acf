//! J13: signing keys rotate under load, and no verifier notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use clientele_oauth::keys::signing_key_schedule::{Change, KeyPolicy, KeyRecord, plan};
use clientele_oauth::keys::signing_keys::ScheduledKey;
use clientele_oauth::{Algorithm, Registry, SigningKeys, Tenant};
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;

use crate::support::keys;
use crate::support::test_server::{ISSUER, TestServer, client, tenant};
use crate::support::verifier::verify;

static NOW: AtomicI64 = AtomicI64::new(1_800_000_000);

fn clock() -> Timestamp {
    Timestamp::from_second(NOW.load(SeqCst)).unwrap()
}

const POLICY: KeyPolicy = KeyPolicy {
    rotate_every: Duration::from_mins(20),
    publish_ahead: Duration::from_mins(5),
    longest_lifetime: Duration::from_mins(10),
};

/// What the operator does with the keys, in small.
#[derive(Default)]
struct Keys(Vec<ScheduledKey>);

impl Keys {
    fn follow_the_plan(&mut self) -> bool {
        let records: Vec<KeyRecord> = self.0.iter().map(record).collect();
        let changes = plan(&records, &POLICY, clock());
        for change in &changes {
            match change {
                Change::Generate {
                    algorithm,
                    activates_at,
                } => {
                    let key = keys::scheduled(*algorithm, *activates_at);
                    let longest_lifetime = POLICY.longest_lifetime;
                    self.0.push(ScheduledKey {
                        longest_lifetime,
                        ..key
                    });
                }
                Change::Remove { key_id } | Change::Withdraw { key_id } => {
                    self.0.retain(|key| key.key.key_id() != key_id);
                }
                Change::Extend { .. } => panic!("the lifetime never changes here"),
            }
        }
        !changes.is_empty()
    }

    fn tenant(&self) -> Arc<Tenant> {
        let keys = SigningKeys::new(self.0.clone()).map(Arc::new);
        tenant("default", ISSUER, keys, vec![client("team-a.web")])
    }
}

fn record(key: &ScheduledKey) -> KeyRecord {
    KeyRecord {
        key_id: key.key.key_id().to_owned(),
        algorithm: key.key.algorithm(),
        activates_at: key.activates_at,
        longest_lifetime: key.longest_lifetime,
    }
}

/// A verifier that keeps the JWK Set as long as it may, and never asks early.
struct Verifier {
    jwks: JwkSet,
    stale_at: i64,
}

impl Verifier {
    async fn fetch(world: &TestServer) -> Self {
        let reply = world.get("/jwks").await;
        let age = reply
            .header("cache-control")
            .rsplit_once('=')
            .unwrap()
            .1
            .to_owned();
        Self {
            jwks: serde_json::from_str(&reply.body).unwrap(),
            stale_at: NOW.load(SeqCst) + age.parse::<i64>().unwrap(),
        }
    }

    fn accepts(&self, token: &str) {
        let verified = verify(
            &self.jwks,
            Algorithm::Es256,
            "https://orders.example",
            token,
        );
        let exp = verified.expect("verifies").1["exp"].as_i64().unwrap();
        assert!(NOW.load(SeqCst) <= exp);
    }
}

#[tokio::test]
async fn j13_rotation_causes_no_verification_failure() {
    let mut keys = Keys::default();
    keys.follow_the_plan();
    let world = TestServer::of(vec![keys.tenant()], clock).await;
    let (mut verifier, mut revision, mut seen) = (Verifier::fetch(&world).await, 1, 1);
    let mut living: Vec<(i64, String)> = vec![];
    for _ in 0..1200 {
        let now = NOW.fetch_add(10, SeqCst) + 10;
        if keys.follow_the_plan() {
            revision += 1;
            seen = seen.max(keys.0.len());
            let keyring = Some(world.keyring.clone());
            world
                .app
                .registry
                .store(Registry::new(revision, keyring, vec![keys.tenant()]).into());
        }
        if now >= verifier.stale_at {
            verifier = Verifier::fetch(&world).await;
        }
        let token = world.web("").await.access_token();
        verifier.accepts(&token);
        living.push((now + 600, token));
        living.retain(|(exp, _)| *exp >= now);
        // The oldest token is the one whose key goes first.
        verifier.accepts(&living[0].1);
    }
    assert!(
        revision > 10 && seen > 3,
        "12,000 seconds hold ten rotations, with overlaps"
    );
}
