//! Passwords: hashed and verified. Slow on purpose, so callers do it off the request threads.

mod pbkdf2;
pub mod secret_value;
pub mod work;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use self::pbkdf2::Pbkdf2;
use super::password_hash::PasswordHash;

/// The longest password that is hashed, in bytes. People do not type more; hashing more would be work for a stranger.
pub const MAX_LEN: usize = 1024;

/// Hashes a plaintext with argon2id: 19 MiB, two passes, one lane, the first choice of OWASP's recommendations.
/// `None` for a password longer than [`MAX_LEN`].
///
/// # Panics
/// Never: the parameters are constants within bounds.
pub fn hash(password: &str, salt: &[u8; 16]) -> Option<PasswordHash> {
    if password.len() > MAX_LEN {
        return None;
    }
    let hash: phc::PasswordHash = argon2id()
        .hash_password_with_salt(password.as_bytes(), salt)
        .ok()?;
    Some(PasswordHash(hash.to_string().into()))
}

/// Whether the password is right. Without a hash (no person of that name, or one without a password) the same work
/// is done and the answer is no.
pub fn verify(hash: Option<&PasswordHash>, password: &str) -> bool {
    let Some(PasswordHash(hash)) = hash.filter(|_| password.len() <= MAX_LEN) else {
        let bounded = password.get(..MAX_LEN).unwrap_or(password);
        let _: Result<phc::PasswordHash, _> =
            argon2id().hash_password_with_salt(bounded.as_bytes(), &[0; 16]);
        return false;
    };
    if hash.starts_with("$2") {
        // bcrypt looks at 72 bytes only; a longer password is wrong rather than shortened.
        return bcrypt::non_truncating_verify(password, hash).unwrap_or(false);
    }
    if hash.starts_with("$pbkdf2") {
        return Pbkdf2::parse(hash).is_some_and(|hash| hash.verifies(password));
    }
    phc::PasswordHash::new(hash).is_ok_and(|hash| {
        argon2id()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

/// How every hash of ours begins.
const OWN: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// Whether a hash has the parameters of ours. Any other is upgraded at the first success.
pub fn is_own(PasswordHash(hash): &PasswordHash) -> bool {
    hash.starts_with(OWN)
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("the constants are within bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
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
}
