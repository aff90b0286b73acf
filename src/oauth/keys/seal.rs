//! A value that travels with a browser: `<key ID>.<payload>.<MAC>`, the last two in base64url. A browser can read it and
//! change nothing of it, and we keep nothing for it.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Keyring;

/// How payloads of one purpose are sealed.
#[derive(Clone, Copy, Debug)]
pub struct Seal<'a> {
    /// No MAC of one purpose serves another.
    pub purpose: &'static str,
    /// For whom: it opens for no other.
    pub whose: &'a [&'a str],
    /// How many bytes of the MAC are kept, at most 32.
    pub length: usize,
}

impl Seal<'_> {
    /// Seals a payload under the current root key. `None` only if the keyring fails.
    pub fn seal(&self, keyring: &Keyring, payload: &[u8]) -> Option<String> {
        let key_id = keyring.current_id();
        let mac = self.mac(keyring, key_id, payload)?;
        let (payload, mac) = (URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(mac));
        Some(format!("{key_id}.{payload}.{mac}"))
    }

    /// The payload of what [`Self::seal`] made under one of the root keys.
    pub fn open(&self, keyring: &Keyring, sealed: &str) -> Option<Vec<u8>> {
        let mut parts = sealed.split('.');
        let (key_id, payload, presented) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let presented = URL_SAFE_NO_PAD.decode(presented).ok()?;
        let expected = self.mac(keyring, key_id, &payload)?;
        verify_slices_are_equal(&expected, &presented).ok()?;
        Some(payload)
    }

    fn mac(&self, keyring: &Keyring, key_id: &str, payload: &[u8]) -> Option<Vec<u8>> {
        let whose = self.whose.iter().map(|part| part.as_bytes());
        let parts: Vec<&[u8]> = whose.chain([payload]).collect();
        let mac = keyring.mac(Some(key_id), self.purpose, &parts)?;
        mac.get(..self.length).map(<[u8]>::to_vec)
    }
}
