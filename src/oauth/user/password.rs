//! Passwords: hashed and verified. Slow on purpose, so callers do it off the request threads.

pub mod memory;
mod pbkdf2;
pub mod secret_value;
pub mod work;

use argon2::password_hash::phc::{self, Output, Salt};
use argon2::{Algorithm, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;

use self::memory::HashingMemory;
use self::pbkdf2::Pbkdf2;
use super::password_hash::PasswordHash;

/// The longest password that is hashed, in bytes. People do not type more; hashing more would be work for a stranger.
pub const MAX_LEN: usize = 1024;

/// [`hash_with`] memory that is taken for this hash.
pub fn hash(password: &str, salt: &[u8; 16]) -> Option<PasswordHash> {
    hash_with(&mut HashingMemory::default(), password, salt)
}

/// [`verify_with`] memory that is taken for this hash.
pub fn verify(hash: Option<&PasswordHash>, password: &str) -> bool {
    verify_with(&mut HashingMemory::default(), hash, password)
}

/// Hashes a plaintext with argon2id: 19 MiB, two passes, one lane, the first choice of OWASP's recommendations.
/// `None` for a password longer than [`MAX_LEN`].
pub fn hash_with(
    memory: &mut HashingMemory,
    password: &str,
    salt: &[u8; 16],
) -> Option<PasswordHash> {
    if password.len() > MAX_LEN {
        return None;
    }
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let params = own_params();
    memory.argon2id(&params, Version::V0x13, password, salt, &mut output)?;
    let hash = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: (&params).try_into().ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(Output::new(&output).ok()?),
    };
    Some(PasswordHash(hash.to_string().into()))
}

/// Whether the password is right. Without a hash (no person of that name, or one without a password) the same work
/// is done and the answer is no.
pub fn verify_with(
    memory: &mut HashingMemory,
    hash: Option<&PasswordHash>,
    password: &str,
) -> bool {
    let Some(PasswordHash(hash)) = hash.filter(|_| password.len() <= MAX_LEN) else {
        let bounded = password.get(..MAX_LEN).unwrap_or(password);
        let _: Option<PasswordHash> = hash_with(memory, bounded, &[0; 16]);
        return false;
    };
    if hash.starts_with("$2") {
        // bcrypt looks at 72 bytes only; a longer password is wrong rather than shortened.
        return bcrypt::non_truncating_verify(password, hash).unwrap_or(false);
    }
    if hash.starts_with("$pbkdf2") {
        return Pbkdf2::parse(hash).is_some_and(|hash| hash.verifies(password));
    }
    is_argon2id_of(hash, password, memory).unwrap_or(false)
}

fn is_argon2id_of(hash: &str, password: &str, memory: &mut HashingMemory) -> Option<bool> {
    let hash = phc::PasswordHash::new(hash).ok()?;
    let (params, salt, expected) = (Params::try_from(&hash).ok()?, hash.salt?, hash.hash?);
    if hash.algorithm != Algorithm::Argon2id.ident() {
        return None;
    }
    let version = Version::try_from(hash.version.unwrap_or(Version::V0x13.into())).ok()?;
    let mut output = vec![0; expected.len()];
    memory.argon2id(&params, version, password, &salt, &mut output)?;
    Some(verify_slices_are_equal(&output, expected.as_ref()).is_ok())
}

/// How every hash of ours begins.
const OWN: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// Whether a hash has the parameters of ours. Any other is upgraded at the first success.
pub fn is_own(PasswordHash(hash): &PasswordHash) -> bool {
    hash.starts_with(OWN)
}

/// The memory of our own hashes, in KiB.
const OWN_MEMORY_KIB: u32 = 19 * 1024;

/// # Panics
/// Never: the parameters are constants within bounds.
fn own_params() -> Params {
    Params::new(OWN_MEMORY_KIB, 2, 1, None).expect("the constants are within bounds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_password_and_no_other_is_accepted() {
        let hash = hash("correct horse", &[7; 16]).unwrap();
        assert!(is_own(&hash), "{}", hash.0);
        assert!(verify(Some(&hash), "correct horse"));
        for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
            assert!(!verify(Some(&hash), wrong), "{wrong:?}");
        }
        assert!(!verify(None, "correct horse"));
    }

    #[test]
    fn c21_long_passwords_are_neither_hashed_nor_shortened() {
        assert!(hash(&"a".repeat(MAX_LEN + 1), &[1; 16]).is_none());
        let hash = hash(&"a".repeat(MAX_LEN), &[1; 16]).unwrap();
        assert!(!verify(Some(&hash), &"a".repeat(MAX_LEN + 1)));
        let long = "b".repeat(72);
        let bcrypt = bcrypt::non_truncating_hash_with_salt(&long[..71], 4, [3; 16]).unwrap();
        let bcrypt = PasswordHash(bcrypt.to_string().into());
        assert!(!verify(Some(&bcrypt), &format!("{long}x")));
    }

    #[test]
    fn q01_a_hash_that_was_made_elsewhere_is_verified() {
        // Made by the reference implementation for the password "password" and the salt "somesalt".
        let hash =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let hash = PasswordHash(hash.into());
        assert!(verify(Some(&hash), "password"));
        assert!(!verify(Some(&hash), "passwore"));
    }
}
