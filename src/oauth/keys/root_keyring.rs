//! The root keys, and what is derived from them.
//!
//! A client secret is a message authentication code, not a stored random value, so every replica can
//! verify it the moment the object exists, and a lost Secret comes back with the same bytes.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest, hmac};
use zeroize::Zeroizing;

use crate::client::secret::{Claimed, ClientSecret, KEY_ID_LEN};

/// The length of a root key in bytes.
pub const ROOT_KEY_LEN: usize = 32;

const SECRET_CONTEXT: &[u8] = b"clientele client secret v1";
const PROOF_CONTEXT: &[u8] = b"clientele secret proof v1";
const FINGERPRINT_CONTEXT: &[u8] = b"clientele root key fingerprint v1";

/// One root key. Access to it is access to every client secret.
pub struct RootKey {
    id: String,
    key: hmac::Key,
    fingerprint: String,
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({}, [redacted])", self.id)
    }
}

/// Why a root key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootKeyError {
    /// The ID is not eight characters of `[a-z0-9]`.
    #[error("root key ID {0:?} must be {KEY_ID_LEN} characters of a-z and 0-9")]
    Id(String),
    /// The value has the wrong length.
    #[error("root key {0} must be exactly {ROOT_KEY_LEN} bytes")]
    Length(String),
    /// There is no key at all, or the current one is not among them.
    #[error("the keyring has no key named {0:?}, which `current` names")]
    NoCurrent(String),
}

impl RootKey {
    /// Reads a root key.
    pub fn new(id: &str, bytes: &[u8]) -> Result<Self, RootKeyError> {
        let well_formed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if id.len() != KEY_ID_LEN || !id.bytes().all(well_formed) {
            return Err(RootKeyError::Id(id.to_owned()));
        }
        if bytes.len() != ROOT_KEY_LEN {
            return Err(RootKeyError::Length(id.to_owned()));
        }
        Ok(Self {
            id: id.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, bytes),
            fingerprint: fingerprint(id, bytes),
        })
    }

    /// The ID that stands in every secret derived from this key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A digest that tells keys apart and reveals nothing.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether it is the same key.
    pub fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

/// Who a secret belongs to: the client ID and the registration (the UID of the object).
#[derive(Clone, Copy, Debug)]
pub struct Registration<'a> {
    /// `client_id`.
    pub client_id: &'a str,
    /// The UID of the `OAuthClient`.
    pub client_uid: &'a str,
}

/// All live root keys; one of them derives, all of them verify.
#[derive(Clone, Debug)]
pub struct Keyring {
    current: usize,
    keys: Vec<Arc<RootKey>>,
}

impl Keyring {
    /// A keyring in which the key named `current` derives.
    pub fn new(current: &str, keys: Vec<RootKey>) -> Result<Self, RootKeyError> {
        let current = keys
            .iter()
            .position(|key| key.id == current)
            .ok_or_else(|| RootKeyError::NoCurrent(current.to_owned()))?;
        let keys = keys.into_iter().map(Arc::new).collect();
        Ok(Self { current, keys })
    }

    /// The same keys, with the one of this ID to derive: a generation stays with the key that made it. `None` if there
    /// is no such key any more.
    pub fn under(&self, key_id: &str) -> Option<Self> {
        let current = self.keys.iter().position(|key| key.id == key_id)?;
        let keys = self.keys.clone();
        Some(Self { current, keys })
    }

    /// Those of the keys that stay. `None` if the one that derives is not among them.
    pub fn only(&self, stays: impl Fn(&RootKey) -> bool) -> Option<Self> {
        let staying = self.keys.iter().filter(|key| stays(key));
        let keys: Vec<_> = staying.cloned().collect();
        let current = keys.iter().position(|key| key.id == self.current_id())?;
        Some(Self { current, keys })
    }

    /// Whether it has the same keys in the same order, and the same one derives.
    pub fn is_same(&self, other: &Self) -> bool {
        let mut pairs = self.keys.iter().zip(&other.keys);
        let same_keys = pairs.all(|(one, another)| one.is_same(another));
        same_keys && self.keys.len() == other.keys.len() && self.current == other.current
    }

    /// The keys, for their IDs and fingerprints.
    pub fn keys(&self) -> &[Arc<RootKey>] {
        &self.keys
    }

    /// The ID of the key that derives.
    pub fn current_id(&self) -> &str {
        &self.keys[self.current].id
    }

    /// The client secret of a registration in a generation, under the current root key.
    pub fn derive(&self, registration: Registration<'_>, generation: u32) -> ClientSecret {
        let key = &self.keys[self.current];
        let mac = secret_mac(&key.key, registration, generation);
        ClientSecret::format(&key.id, generation, mac.as_ref())
    }

    /// The generation of a presented secret, if a live root key made it for this registration.
    ///
    /// One HMAC and one constant-time comparison, also for a secret that is malformed or names a key
    /// that does not exist, so that time tells nothing.
    pub fn verify(&self, registration: Registration<'_>, presented: &[u8]) -> Option<u32> {
        let claimed = Claimed::parse(presented);
        let key = claimed.and_then(|c| self.keys.iter().find(|key| key.id == c.key_id));
        let generation = claimed.map_or(0, |c| c.generation);
        let expected = secret_mac(
            &key.unwrap_or(&self.keys[self.current]).key,
            registration,
            generation,
        );
        let mac = claimed.map_or([0; 32], |c| c.mac);
        let equal = constant_time::verify_slices_are_equal(expected.as_ref(), &mac).is_ok();
        (equal && claimed.is_some() && key.is_some()).then_some(generation)
    }

    /// A MAC over these parts for one purpose, under the key of this ID, or under the current one. `None` if there is
    /// no key of the ID. Purposes are constants that differ, so that no MAC of one serves another.
    pub fn mac(&self, key_id: Option<&str>, purpose: &str, parts: &[&[u8]]) -> Option<[u8; 32]> {
        let key = match key_id {
            None => &self.keys[self.current],
            Some(id) => self.keys.iter().find(|key| key.id == id)?,
        };
        let mut mac = hmac::Context::with_key(&key.key);
        update(&mut mac, purpose.as_bytes());
        for part in parts {
            update(&mut mac, part);
        }
        mac.sign().as_ref().try_into().ok()
    }

    /// A MAC over a credentials Secret's place and owner: proof that we wrote it.
    pub fn prove(&self, namespace: &str, name: &str, client_uid: &str) -> String {
        let key = &self.keys[self.current];
        let mac = proof_mac(&key.key, namespace, name, client_uid);
        format!("{}.{}", key.id, hex(mac.as_ref()))
    }

    /// Whether `proof` was made by [`Keyring::prove`] for the same place and owner.
    pub fn verify_proof(&self, proof: &str, namespace: &str, name: &str, client_uid: &str) -> bool {
        let Some((id, mac)) = proof.split_once('.') else {
            return false;
        };
        self.keys.iter().filter(|key| key.id == id).any(|key| {
            let expected = hex(proof_mac(&key.key, namespace, name, client_uid).as_ref());
            constant_time::verify_slices_are_equal(expected.as_bytes(), mac.as_bytes()).is_ok()
        })
    }
}

fn secret_mac(key: &hmac::Key, registration: Registration<'_>, generation: u32) -> hmac::Tag {
    let mut mac = hmac::Context::with_key(key);
    update(&mut mac, SECRET_CONTEXT);
    update(&mut mac, registration.client_id.as_bytes());
    update(&mut mac, registration.client_uid.as_bytes());
    mac.update(&generation.to_be_bytes());
    mac.sign()
}

fn proof_mac(key: &hmac::Key, namespace: &str, name: &str, client_uid: &str) -> hmac::Tag {
    let mut mac = hmac::Context::with_key(key);
    for part in [
        PROOF_CONTEXT,
        namespace.as_bytes(),
        name.as_bytes(),
        client_uid.as_bytes(),
    ] {
        update(&mut mac, part);
    }
    mac.sign()
}

/// Each part is preceded by its length, so that no two inputs run together.
pub(crate) fn update(mac: &mut hmac::Context, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("no name is longer than 4 GiB");
    mac.update(&length.to_be_bytes());
    mac.update(part);
}

fn fingerprint(id: &str, bytes: &[u8]) -> String {
    let mut input = Zeroizing::new(Vec::with_capacity(128));
    input.extend_from_slice(FINGERPRINT_CONTEXT);
    input.extend_from_slice(id.as_bytes());
    input.extend_from_slice(bytes);
    hex(digest::digest(&digest::SHA256, &input).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests;
