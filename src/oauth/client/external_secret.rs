//! A client secret that an application team provides. It is kept as a digest under a key of this process, never as it was written.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{constant_time, hmac};

use super::secret::Claimed;
use crate::Keyring;
use crate::foreign_hash;
use crate::keys::root_keyring::update;

/// The least number of characters: 128 bits in base64url.
pub const MIN_LEN: usize = 22;
/// The greatest number of characters.
pub const MAX_LEN: usize = 256;
/// The least number of different characters: fewer is no chance, but a habit.
const MIN_DIFFERENT: usize = 8;

const PURPOSE: &str = "clientele brought client secret v1";

/// The key of the digests.
pub struct ExternalSecretKey(hmac::Key);

impl ExternalSecretKey {
    /// A key of random bytes.
    pub fn new(random: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, random))
    }

    /// The digest of a value.
    pub fn digest(&self, value: &str) -> Digest {
        let mut mac = hmac::Context::with_key(&self.0);
        update(&mut mac, PURPOSE.as_bytes());
        update(&mut mac, value.as_bytes());
        let tag = mac.sign();
        Digest(tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes"))
    }
}

impl fmt::Debug for ExternalSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalSecretKey([redacted])")
    }
}

/// The digest of a value that was brought.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest([redacted])")
    }
}

/// What a client authenticates with that brought its secret.
#[derive(Clone, Debug)]
pub struct ExternalSecret {
    /// The key of the digests.
    pub key: Arc<ExternalSecretKey>,
    /// The digest of the value.
    pub current: Digest,
    /// The digest of the value that is accepted as well.
    pub previous: Option<Digest>,
}

impl PartialEq for ExternalSecret {
    fn eq(&self, other: &Self) -> bool {
        (self.current, self.previous) == (other.current, other.previous)
    }
}

impl Eq for ExternalSecret {}

/// Whether the client, if there is one and it brought its secret, brought what is presented.
///
/// How much work that is depends on what is presented alone: one HMAC, also for a client that is unknown or brought
/// nothing; none for what has the form of a derived secret, which cannot be brought.
pub fn verify(brought: Option<&ExternalSecret>, keyring: &Keyring, presented: &str) -> bool {
    if Claimed::parse(presented.as_bytes()).is_some() {
        return false;
    }
    let digest = match brought {
        Some(brought) => brought.key.digest(presented).0,
        None => keyring
            .mac(None, PURPOSE, &[presented.as_bytes()])
            .unwrap_or_default(),
    };
    let current = brought.map_or([0; 32], |brought| brought.current.0);
    let previous = brought.and_then(|brought| brought.previous);
    let previous = previous.map_or(current, |previous| previous.0);
    let is_current = constant_time::verify_slices_are_equal(&digest, &current).is_ok();
    let is_previous = constant_time::verify_slices_are_equal(&digest, &previous).is_ok();
    brought.is_some() && (is_current | is_previous)
}

/// What of an entry is the client secret; the error completes the sentence "the client secret …".
pub fn read(value: &[u8]) -> Result<&str, &'static str> {
    let text = std::str::from_utf8(value).map_err(|_| "is not text")?;
    // A file that was made with an editor ends in line breaks, which are not part of the secret.
    let text = text.trim_end_matches(['\r', '\n']);
    // RFC 6749 appendix A.2.
    if !text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err("must consist of printable ASCII characters");
    }
    if text.is_empty() {
        return Err("is empty");
    }
    if foreign_hash::recognize(text).is_some() {
        return Err("has the form of a password hash, which is not a client secret");
    }
    if text.len() < MIN_LEN {
        return Err("is shorter than 22 characters");
    }
    if text.len() > MAX_LEN {
        return Err("is longer than 256 characters");
    }
    let mut seen: Vec<u8> = text.bytes().collect();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() < MIN_DIFFERENT {
        return Err("repeats a few characters and can be guessed");
    }
    if Claimed::parse(text.as_bytes()).is_some() {
        return Err("has the form of those that Clientele derives, which may be another client's");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::root_keyring::{Registration, RootKey};

    fn keyring() -> Keyring {
        let root = RootKey::new("keyid000", &[7; 32]).unwrap();
        Keyring::new("keyid000", vec![root]).unwrap()
    }

    const VALUE: &str = "correct horse battery staple 0123456789";
    const BEFORE: &str = "another horse battery staple 0123456789";

    #[test]
    fn the_value_and_the_previous_one_are_accepted_and_no_other() {
        let key = Arc::new(ExternalSecretKey::new(&[1; 32]));
        let mut brought = ExternalSecret {
            current: key.digest(VALUE),
            previous: Some(key.digest(BEFORE)),
            key,
        };
        let accepts = |brought: &ExternalSecret, presented: &str| {
            verify(Some(brought), &keyring(), presented)
        };
        assert!(accepts(&brought, VALUE) && accepts(&brought, BEFORE));
        for other in ["", " ", &VALUE[1..], &format!("{VALUE} "), "\0"] {
            assert!(!accepts(&brought, other), "{other:?}");
        }
        brought.previous = None;
        assert!(accepts(&brought, VALUE) && !accepts(&brought, BEFORE));
        assert!(!verify(None, &keyring(), VALUE) && !verify(None, &keyring(), ""));
    }

    #[test]
    fn k09_what_could_be_guessed_or_is_somebody_elses_cannot_be_brought() {
        let derived = keyring().derive(
            Registration {
                client_id: "a.b",
                client_uid: "uid",
            },
            1,
        );
        let long = VALUE.repeat(10);
        for (value, problem) in [
            ("", "is empty"),
            ("\n", "is empty"),
            ("\r\n", "is empty"),
            (&VALUE[..21], "shorter"),
            (&format!("{}\n", &VALUE[..21]), "shorter"),
            (
                "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
                "hash",
            ),
            ("alice:{SSHA}Jfkj0Kn9HQyFAI4vK8SqSg==", "hash"),
            (&long, "longer"),
            (&"ab".repeat(16), "guessed"),
            (&format!("{VALUE}\u{e4}"), "printable"),
            (&format!("{VALUE}\n{VALUE}"), "printable"),
            (&format!("{VALUE}\0"), "printable"),
            (derived.expose(), "form"),
        ] {
            let said = read(value.as_bytes()).unwrap_err();
            assert!(said.contains(problem), "{value:?}: {said}");
        }
        assert!(read(b"\xff\xfe").is_err());
        for end in ["", "\n", "\r\n", "\n\n"] {
            assert_eq!(read(format!("{VALUE}{end}").as_bytes()), Ok(VALUE));
        }
        assert_eq!(read(&VALUE.as_bytes()[..22]), Ok(&VALUE[..22]));
    }

    #[test]
    fn nobody_reads_a_brought_secret_in_a_debug_form() {
        let key = Arc::new(ExternalSecretKey::new(b"abcdefghijklmnopqrstuvwxyz012345"));
        let brought = ExternalSecret {
            current: key.digest(VALUE),
            previous: None,
            key,
        };
        assert_eq!(
            format!("{brought:?}"),
            "ExternalSecret { key: ExternalSecretKey([redacted]), current: Digest([redacted]), previous: None }"
        );
    }
}
