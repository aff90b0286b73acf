//! Fresh keys.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use clientele_oauth::keys::root_keyring::RootKey;
use clientele_oauth::keys::signing_keys::ScheduledKey;
use clientele_oauth::{Algorithm, Keyring, SigningKey, SigningKeys};
use jiff::Timestamp;

/// PKCS#8 of a new private key.
pub fn pkcs8(algorithm: Algorithm) -> Vec<u8> {
    let random = SystemRandom::new();
    match algorithm {
        Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .unwrap()
            .as_ref()
            .to_vec(),
        Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random)
            .unwrap()
            .as_ref()
            .to_vec(),
        Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048)
            .unwrap()
            .as_der()
            .unwrap()
            .as_ref()
            .to_vec(),
    }
}

/// A key that signs from `activates_at` on.
pub fn scheduled(algorithm: Algorithm, activates_at: Timestamp) -> ScheduledKey {
    ScheduledKey {
        key: Arc::new(SigningKey::from_pkcs8(algorithm, &pkcs8(algorithm)).unwrap()),
        activates_at,
        longest_lifetime: Duration::from_hours(24),
    }
}

/// One set of signing keys per algorithm, made once: an RSA key takes a while.
pub fn signing_keys(algorithm: Algorithm) -> Arc<SigningKeys> {
    static ALL: LazyLock<[Arc<SigningKeys>; 3]> = LazyLock::new(|| {
        [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa].map(|algorithm| {
            let key = scheduled(algorithm, Timestamp::UNIX_EPOCH);
            Arc::new(SigningKeys::new(vec![key]).unwrap())
        })
    });
    ALL[algorithm as usize].clone()
}

fn one_of_each() -> Arc<SigningKeys> {
    let keys = [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa]
        .map(|algorithm| scheduled(algorithm, Timestamp::UNIX_EPOCH));
    Arc::new(SigningKeys::new(keys.into()).unwrap())
}

/// Signing keys of every algorithm in one set, which no other tenant has; ES256 comes first.
pub fn signing_keys_of_all() -> Arc<SigningKeys> {
    static ALL: LazyLock<Arc<SigningKeys>> = LazyLock::new(one_of_each);
    ALL.clone()
}

/// The same for the tenant `b`.
pub fn signing_keys_of_b() -> Arc<SigningKeys> {
    static ALL: LazyLock<Arc<SigningKeys>> = LazyLock::new(one_of_each);
    ALL.clone()
}

/// A keyring of one root key.
pub fn keyring() -> Arc<Keyring> {
    let root = RootKey::new("rootkey1", &[42; 32]).unwrap();
    Arc::new(Keyring::new("rootkey1", vec![root]).unwrap())
}
