//! Passwords: hashed and verified. Slow on purpose, so whoever calls this does it off the request threads.

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use super::PasswordHash;

/// The longest password that is looked at, in bytes. Nobody types more; hashing more would be work for a stranger.
pub const MAX_LEN: usize = 1024;
/// What a brought hash may cost at most, so that one account cannot take the memory or the time of all.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
const MAX_PASSES: u32 = 8;
const MAX_BCRYPT_COST: u32 = 13;

/// Why a value cannot be used as a password; the sentence completes "the password …".
pub type Problem = &'static str;

/// A hash that is brought: argon2id in the PHC string format, or bcrypt. `None` if it is neither, hence a plaintext.
pub fn parse_hash(value: &str) -> Option<Result<PasswordHash, Problem>> {
    let checked = if value.starts_with("$argon2") {
        check_argon2(value)
    } else if ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|p| value.starts_with(p))
    {
        check_bcrypt(value)
    } else {
        return None;
    };
    Some(checked.map(|()| PasswordHash(value.into())))
}

fn check_argon2(value: &str) -> Result<(), Problem> {
    let hash = phc::PasswordHash::new(value)
        .map_err(|_| "is an argon2 hash that cannot be read (PHC string format)")?;
    if hash.algorithm.as_str() != "argon2id" {
        return Err("is a hash of argon2d or argon2i; make it argon2id");
    }
    let params = Params::try_from(&hash).map_err(|_| "is an argon2id hash with bad parameters")?;
    if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_PASSES {
        return Err("is an argon2id hash that costs more than 64 MiB or 8 passes; lower m or t");
    }
    hash.hash
        .map(drop)
        .ok_or("is an argon2id hash without the hash itself")
}

fn check_bcrypt(value: &str) -> Result<(), Problem> {
    let parts: bcrypt::HashParts = value
        .parse()
        .map_err(|_| "is a bcrypt hash that cannot be read")?;
    (parts.get_cost() <= MAX_BCRYPT_COST)
        .then_some(())
        .ok_or("is a bcrypt hash of a cost above 13; lower it")
}

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

/// Whether the password is right. Without a hash (nobody of that name, or nobody with a password) the same work
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
    phc::PasswordHash::new(hash).is_ok_and(|hash| {
        argon2id()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
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
        assert!(verify(Some(&hash), "correct horse"));
        for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
            assert!(!verify(Some(&hash), wrong), "{wrong:?}");
        }
        assert!(!verify(None, "correct horse"));
    }

    #[test]
    fn brought_hashes_of_argon2id_and_bcrypt_are_accepted() {
        let own = hash("pw", &[1; 16]).unwrap();
        assert_eq!(parse_hash(&own.0), Some(Ok(own.clone())));
        let bcrypt = bcrypt::non_truncating_hash_with_salt("pw", 4, [3; 16]).unwrap();
        let bcrypt = parse_hash(&bcrypt.to_string()).unwrap().unwrap();
        assert!(verify(Some(&bcrypt), "pw"));
        assert!(!verify(Some(&bcrypt), "pw2"));
        assert_eq!(parse_hash("hunter2"), None);
    }

    #[test]
    fn hashes_that_are_broken_weak_or_too_costly_are_refused() {
        for bad in [
            "$argon2id$",
            "$argon2i$v=19$m=19456,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ$xh3cNsHfQ0RQ0zPWkjPHrPvxz0Ypo4NL3KWhKcPcaSE",
            "$argon2id$v=19$m=4194304,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ$xh3cNsHfQ0RQ0zPWkjPHrPvxz0Ypo4NL3KWhKcPcaSE",
            "$argon2id$v=19$m=19456,t=99,p=1$AQEBAQEBAQEBAQEBAQEBAQ$xh3cNsHfQ0RQ0zPWkjPHrPvxz0Ypo4NL3KWhKcPcaSE",
            "$2b$31$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
            "$2b$x",
        ] {
            assert!(parse_hash(bad).unwrap().is_err(), "{bad}");
        }
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
