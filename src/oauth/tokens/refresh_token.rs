//! The value of a refresh token: derived from its family and its number, and never stored.
//!
//! ```text
//! clr_ <root key ID: 8> <family: 22> <sequence: 8 hex> . <base64url HMAC-SHA256: 43> <CRC-32: 6 base62>
//! ```
//!
//! As with client secrets, every field has a fixed length, and prefix and checksum let a scanner recognise a leak. The
//! successor of a token is known before it is used, so a retry gets the same one again and a family never forks.

use std::fmt::Write;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Keyring;
use crate::client::secret::{CHECKSUM_LEN, KEY_ID_LEN, MAC_TEXT_LEN, checksum, is_lower_hex};
use crate::grant::FAMILY_PREFIX;

/// What a refresh token of ours begins with.
pub const PREFIX: &str = "clr_";
/// The length of a refresh token in characters.
pub const LEN: usize = DOT_AT + 1 + MAC_TEXT_LEN + CHECKSUM_LEN;

const FAMILY_LEN: usize = 22;
const FAMILY_AT: usize = PREFIX.len() + KEY_ID_LEN;
const SEQUENCE_AT: usize = FAMILY_AT + FAMILY_LEN;
const DOT_AT: usize = SEQUENCE_AT + 8;
const PURPOSE: &str = "clientele refresh token v1";

/// Which token of which family one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The ID of the family.
    pub family: String,
    /// Its number in the family.
    pub sequence: u32,
}

/// Writes a token of a family in a tenant, under the current root key.
///
/// `None` if the family has no ID of ours.
pub fn mint(keyring: &Keyring, tenant: &str, place: &Place) -> Option<String> {
    derive(keyring, keyring.current_id(), tenant, place)
}

/// Which token this is, if a root key that lives made it for the tenant.
///
/// It is derived again and compared as a whole, in constant time: so a token has one spelling.
pub fn verify(keyring: &Keyring, tenant: &str, presented: &str) -> Option<Place> {
    if presented.len() != LEN || !presented.is_ascii() || !presented.starts_with(PREFIX) {
        return None;
    }
    let sequence = &presented[SEQUENCE_AT..DOT_AT];
    if !is_lower_hex(sequence) {
        return None;
    }
    let place = Place {
        family: format!("{FAMILY_PREFIX}{}", &presented[FAMILY_AT..SEQUENCE_AT]),
        sequence: u32::from_str_radix(sequence, 16).ok()?,
    };
    let expected = derive(keyring, &presented[PREFIX.len()..FAMILY_AT], tenant, &place)?;
    verify_slices_are_equal(expected.as_bytes(), presented.as_bytes()).ok()?;
    Some(place)
}

fn derive(keyring: &Keyring, key_id: &str, tenant: &str, place: &Place) -> Option<String> {
    let family = place.family.strip_prefix(FAMILY_PREFIX)?;
    if family.len() != FAMILY_LEN || !family.is_ascii() {
        return None;
    }
    let parts = [
        tenant.as_bytes(),
        place.family.as_bytes(),
        &place.sequence.to_be_bytes(),
    ];
    let mac = keyring.mac(Some(key_id), PURPOSE, &parts)?;
    let mut text = String::with_capacity(LEN);
    let sequence = place.sequence;
    let _ = write!(text, "{PREFIX}{key_id}{family}{sequence:08x}.");
    URL_SAFE_NO_PAD.encode_string(mac, &mut text);
    let checksum = checksum(text.as_bytes());
    text.extend(checksum.iter().map(|&b| char::from(b)));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::root_keyring::RootKey;
    use proptest::prelude::*;

    fn keyring() -> Keyring {
        let root = RootKey::new("keyid000", &[7; 32]).unwrap();
        Keyring::new("keyid000", vec![root]).unwrap()
    }

    fn place(sequence: u32) -> Place {
        Place {
            family: format!("{FAMILY_PREFIX}AAAAAAAAAAAAAAAAAAAAAA"),
            sequence,
        }
    }

    #[test]
    fn a_token_says_which_it_is_and_is_the_same_again() {
        let keyring = keyring();
        let token = mint(&keyring, "tenant", &place(7)).unwrap();
        assert_eq!(token.len(), LEN);
        assert_eq!(mint(&keyring, "tenant", &place(7)), Some(token.clone()));
        assert_eq!(verify(&keyring, "tenant", &token), Some(place(7)));
        assert_eq!(verify(&keyring, "another tenant", &token), None);
    }

    #[test]
    fn a_root_key_that_is_gone_takes_its_tokens_along() {
        let token = mint(&keyring(), "tenant", &place(1)).unwrap();
        let root = RootKey::new("keyid001", &[7; 32]).unwrap();
        let later = Keyring::new("keyid001", vec![root]).unwrap();
        assert_eq!(verify(&later, "tenant", &token), None);
    }

    #[test]
    fn no_other_value_of_ours_passes_for_a_refresh_token() {
        let keyring = keyring();
        let registration = crate::keys::root_keyring::Registration {
            client_id: "a",
            client_uid: "b",
        };
        let secret = keyring.derive(registration, 1);
        assert_eq!(verify(&keyring, "tenant", secret.expose()), None);
    }

    proptest! {
        #[test]
        fn f01_a_token_with_any_character_changed_added_or_removed_is_refused(
            sequence in any::<u32>(),
            at in 0..LEN,
            with in any::<char>(),
            how in 0..3,
        ) {
            let keyring = keyring();
            let token = mint(&keyring, "tenant", &place(sequence)).unwrap();
            let mut changed: Vec<char> = token.chars().collect();
            match how {
                0 => changed[at] = with,
                1 => changed.insert(at, with),
                _ => { changed.remove(at); }
            }
            let changed: String = changed.into_iter().collect();
            prop_assume!(changed != token);
            prop_assert_eq!(verify(&keyring, "tenant", &changed), None);
        }

        #[test]
        fn p3_no_text_makes_it_panic(text in ".{0,120}", tail in "[a-z0-9_.]{88}") {
            let keyring = keyring();
            prop_assert_eq!(verify(&keyring, "tenant", &text), None);
            prop_assert_eq!(verify(&keyring, "tenant", &format!("{PREFIX}{tail}")), None);
        }
    }
}
