//! The mark of a browser in which a person has signed in before (OWASP, Device Cookies): failures of such a browser are counted for it alone,
//! so that a stranger who fails under the name of a person does not keep the person out.
//!
//! The mark proves nothing but that: who has it still needs the password, and has no more tries than anybody.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::Keyring;
use crate::keys::seal::Seal;

/// How long a browser is known after a sign-in.
pub const LIFETIME: Duration = Duration::from_hours(24 * 180);
/// A mark that is older is replaced at the next sign-in.
const FRESH: Duration = Duration::from_hours(24 * 30);
const PURPOSE: &str = "clientele known browser v1";
/// Half of the MAC: what is guessed is worth ten tries.
const MAC: usize = 16;

/// A browser that a person has signed in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBrowser {
    /// Tells it from other browsers of the person.
    pub id: String,
    /// Whether the mark is to be replaced.
    pub is_old: bool,
}

/// Marks a browser for a person of a tenant. `None` only if the keyring fails.
pub fn mark(
    keyring: &Keyring,
    whose: [&str; 2],
    random: [u8; 12],
    now: Timestamp,
) -> Option<String> {
    let mut id = [0; 16];
    let seconds = u32::try_from(now.as_second()).ok()?;
    id[..4].copy_from_slice(&seconds.to_be_bytes());
    id[4..].copy_from_slice(&random);
    sealed_for(&whose).seal(keyring, &id)
}

/// Reads what [`mark`] made for the same person of the same tenant.
pub fn read(
    keyring: &Keyring,
    whose: [&str; 2],
    mark: &str,
    now: Timestamp,
) -> Option<KnownBrowser> {
    let bytes: [u8; 16] = sealed_for(&whose).open(keyring, mark)?.try_into().ok()?;
    let seconds: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    let since = Timestamp::from_second(u32::from_be_bytes(seconds).into()).ok()?;
    let age = now.duration_since(since).unsigned_abs();
    (age < LIFETIME).then(|| KnownBrowser {
        id: URL_SAFE_NO_PAD.encode(bytes),
        is_old: age > FRESH,
    })
}

fn sealed_for<'a>(whose: &'a [&'a str; 2]) -> Seal<'a> {
    Seal {
        purpose: PURPOSE,
        whose,
        length: MAC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::root_keyring::RootKey;
    use proptest::prelude::*;

    const WHOSE: [&str; 2] = ["tenant", "alice"];

    fn keyring(current: &str) -> Keyring {
        let key = |id, byte| RootKey::new(id, &[byte; 32]).unwrap();
        Keyring::new(current, vec![key("aaaaaaaa", 1), key("bbbbbbbb", 2)]).unwrap()
    }

    fn at(days: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + days * 86_400).unwrap()
    }

    fn marked() -> String {
        mark(&keyring("aaaaaaaa"), WHOSE, [7; 12], at(0)).unwrap()
    }

    #[test]
    fn q05_a_browser_is_known_for_half_a_year_and_to_one_person() {
        let read = |whose, days| read(&keyring("bbbbbbbb"), whose, &marked(), at(days));
        let known = read(WHOSE, 1).unwrap();
        assert!(!known.is_old);
        assert!(read(WHOSE, 100).is_some_and(|later| later.is_old && later.id == known.id));
        assert_eq!(read(WHOSE, 180), None);
        assert_eq!(read(["tenant", "bob"], 1), None);
        assert_eq!(read(["other", "alice"], 1), None);
        assert!(marked().len() <= 64, "{}", marked().len());
    }

    proptest! {
        #[test]
        fn q05_no_change_of_a_mark_is_accepted(at_byte in 0usize..100, byte in "[A-Za-z0-9_.-]") {
            let original = marked();
            let place = at_byte % original.len();
            let changed = format!("{}{byte}{}", &original[..place], &original[place + 1..]);
            // The last character of Base64 has bits that say nothing.
            if changed != original && !changed.starts_with(&original[..original.len() - 1]) {
                prop_assert_eq!(read(&keyring("aaaaaaaa"), WHOSE, &changed, at(1)), None);
            }
        }
    }
}
