//! Values that a manifest's Secret holds: hashes that are verified, plaintexts, and what is neither.

use argon2::Params;
use argon2::password_hash::phc;

use super::super::password_hash::PasswordHash;
use super::MAX_LEN;
use super::memory::MAX_MEMORY_KIB;
use super::pbkdf2::Pbkdf2;
use crate::foreign_hash::{self, Form};

/// What a brought hash may cost at most, so that one account cannot take the memory or the time of all.
const MAX_PASSES: u32 = 8;
const MAX_BCRYPT_COST: u32 = 13;
const MAX_PBKDF2: u32 = 1_500_000;
/// What a brought hash must cost at least, so that a guess costs more than a moment.
const MIN_MEMORY_PASSES_KIB: u32 = 8 * 1024;
const MIN_BCRYPT_COST: u32 = 8;
const MIN_PBKDF2: u32 = 10_000;
/// The least length of salts and hashes, in bytes.
const MIN_SALT: usize = 8;
const MIN_HASH: usize = 16;
/// The least length of a plaintext, in characters (NIST SP 800-63B section 5.1.1).
const MIN_CHARACTERS: usize = 8;
/// The least number of different characters of a plaintext: fewer is a habit, and guessed first.
const MIN_DIFFERENT: usize = 4;

/// Why a value cannot be used as a password; the sentence completes "the password …".
pub type Problem = &'static str;

/// What the value of a Secret is.
#[derive(Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// A hash that can be verified.
    Hash(PasswordHash),
    /// The password itself, to be hashed.
    Plaintext(&'v str),
}

/// Reads the value of a Secret. Line ends after it are no part of it: files that are made with an editor have them.
pub fn read(value: &[u8]) -> Result<Value<'_>, Problem> {
    let text = std::str::from_utf8(value).map_err(|_| "is not text in UTF-8")?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err("is empty");
    }
    if let Some(hash) = parse_hash(text) {
        return hash.map(Value::Hash);
    }
    match foreign_hash::recognize(text) {
        Some(Form::Hash) => return Err(UNKNOWN_HASH),
        Some(Form::Line) => return Err(LINE),
        None => check_plaintext(text)?,
    }
    Ok(Value::Plaintext(text))
}

const UNKNOWN_HASH: Problem = "has the form of a hash that cannot be verified, and is not taken as plaintext; verified \
are argon2id ($argon2id$v=19$m=…,t=…,p=…$salt$hash), bcrypt ($2b$12$…) and PBKDF2 \
($pbkdf2-sha256$i=…,l=…$salt$hash, $pbkdf2-sha512$…)";
const LINE: Problem = "is a whole line of an htpasswd or shadow file, and is not taken as plaintext; keep only what \
follows the first colon, up to the next one";

fn check_plaintext(text: &str) -> Result<(), Problem> {
    if text.len() > MAX_LEN {
        return Err("is longer than 1024 bytes");
    }
    if text.chars().any(char::is_control) {
        return Err(
            "contains a line break or another control character, which a person cannot type",
        );
    }
    let mut characters: Vec<char> = text.chars().collect();
    if characters.len() < MIN_CHARACTERS {
        return Err("is shorter than 8 characters");
    }
    characters.sort_unstable();
    characters.dedup();
    (characters.len() >= MIN_DIFFERENT)
        .then_some(())
        .ok_or("repeats fewer than 4 different characters, and can be guessed")
}

/// A hash that is brought: argon2id or PBKDF2 in the PHC string format, or bcrypt. `None` if it is none of them.
pub fn parse_hash(value: &str) -> Option<Result<PasswordHash, Problem>> {
    let is_bcrypt = ["$2a$", "$2b$", "$2y$"];
    let checked = if value.starts_with("$argon2") {
        check_argon2(value)
    } else if is_bcrypt.iter().any(|p| value.starts_with(p)) {
        check_bcrypt(value)
    } else {
        check_pbkdf2(&Pbkdf2::parse(value)?)
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
    if params.m_cost() * params.t_cost() < MIN_MEMORY_PASSES_KIB {
        return Err("is an argon2id hash of less than 8 MiB in one pass; raise m or t");
    }
    let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
        return Err("is an argon2id hash without the hash itself");
    };
    check_lengths(salt.len(), output.len())
}

fn check_bcrypt(value: &str) -> Result<(), Problem> {
    let parts: bcrypt::HashParts = value
        .parse()
        .map_err(|_| "is a bcrypt hash that cannot be read")?;
    match parts.get_cost() {
        cost if cost > MAX_BCRYPT_COST => Err("is a bcrypt hash of a cost above 13; lower it"),
        cost if cost < MIN_BCRYPT_COST => Err("is a bcrypt hash of a cost below 8; raise it"),
        _ => Ok(()),
    }
}

fn check_pbkdf2(hash: &Pbkdf2) -> Result<(), Problem> {
    match hash.iterations.get() {
        more if more > MAX_PBKDF2 => {
            Err("is a PBKDF2 hash of more than 1500000 iterations; lower i")
        }
        less if less < MIN_PBKDF2 => {
            Err("is a PBKDF2 hash of fewer than 10000 iterations; raise i")
        }
        _ => check_lengths(hash.salt.len(), hash.output.len()),
    }
}

fn check_lengths(salt: usize, hash: usize) -> Result<(), Problem> {
    (salt >= MIN_SALT && hash >= MIN_HASH)
        .then_some(())
        .ok_or("is a hash with a salt below 8 bytes or an output below 16 bytes; make it longer")
}

#[cfg(test)]
mod tests {
    use super::super::{hash, verify};
    use super::*;

    fn bcrypt(password: &str, cost: u32) -> String {
        let hash = bcrypt::non_truncating_hash_with_salt(password, cost, [3; 16]);
        hash.unwrap().to_string()
    }

    #[test]
    fn brought_hashes_of_three_kinds_are_verified() {
        let own = hash("pw", &[1; 16]).unwrap();
        // Made with Python's hashlib.pbkdf2_hmac, as Keycloak makes them: 64 bytes of SHA-256.
        let sha256 = "$pbkdf2-sha256$i=27500,l=64$AAECAwQFBgcICQoLDA0ODw$/Bd5A/20gcE0UiakP8s1iWPRf4lLpK5BD5/7SPQFHAriK25JrTEjt6NNa5f3xwu1RiviDaH2shd9SVwzw+GIOQ";
        let sha512 = "$pbkdf2-sha512$i=30000,l=64$AAECAwQFBgcICQoLDA0ODw$/duxwkPQaGpz/s3DDO3HI29kT3kejaXInC3FG/nOa/PPv4nAp2K5qZKGZOqM/GfZ+qrh1j53uU0c/w5DDbVJog";
        for text in [&*own.0, &bcrypt("pw", 8), sha256, sha512] {
            let hash = parse_hash(text).unwrap().unwrap();
            assert_eq!(read(text.as_bytes()), Ok(Value::Hash(hash.clone())));
            assert_eq!(
                read(format!("{text}\r\n\n").as_bytes()),
                Ok(Value::Hash(hash.clone()))
            );
            assert!(verify(Some(&hash), "pw"), "{text}");
            assert!(!verify(Some(&hash), "pw2"), "{text}");
            assert!(!verify(Some(&hash), ""), "{text}");
        }
    }

    #[test]
    fn n01_hashes_that_are_broken_weak_or_costly_are_refused() {
        let sixteen = "AAECAwQFBgcICQoLDA0ODw";
        for (bad, problem) in [
            ("$argon2id$".to_owned(), "argon2"),
            (
                format!("$argon2i$v=19$m=19456,t=2,p=1${sixteen}${sixteen}"),
                "make it argon2id",
            ),
            (
                format!("$argon2id$v=19$m=4194304,t=2,p=1${sixteen}${sixteen}"),
                "lower m",
            ),
            (
                format!("$argon2id$v=19$m=19456,t=99,p=1${sixteen}${sixteen}"),
                "lower m",
            ),
            (
                format!("$argon2id$v=19$m=4096,t=1,p=1${sixteen}${sixteen}"),
                "raise m",
            ),
            (
                format!("$argon2id$v=19$m=19456,t=2,p=1${sixteen}"),
                "without the hash",
            ),
            (
                "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAECAwQFBgcICQ".to_owned(),
                "longer",
            ),
            (bcrypt("pw", 4), "below 8"),
            (bcrypt("pw", 4).replace("$04$", "$14$"), "above 13"),
            ("$2b$x".to_owned(), "cannot be read"),
            (
                format!("$pbkdf2-sha256$i=9999,l=16${sixteen}${sixteen}"),
                "raise i",
            ),
            (
                format!("$pbkdf2-sha512$i=1500001,l=16${sixteen}${sixteen}"),
                "lower i",
            ),
            (
                format!("$pbkdf2-sha256$i=27500,l=16$c2FsdA${sixteen}"),
                "longer",
            ),
            (
                format!("$pbkdf2-sha512$25000${sixteen}${sixteen}"),
                "cannot be verified",
            ),
            (
                format!("$pbkdf2-sha1$i=27500,l=16${sixteen}${sixteen}"),
                "cannot be verified",
            ),
            (
                format!("$pbkdf2-sha256$i=27500,l=32${sixteen}${sixteen}"),
                "cannot be verified",
            ),
            (
                "pbkdf2_sha256$260000$salt$aGFzaA==".to_owned(),
                "cannot be verified",
            ),
            (
                "{SSHA}Jfkj0Kn9HQyFAI4vK8SqSg==".to_owned(),
                "cannot be verified",
            ),
            (format!("alice:{}", bcrypt("pw", 8)), "whole line"),
        ] {
            let said = read(bad.as_bytes()).unwrap_err();
            assert!(said.contains(problem), "{bad}: {said}");
            assert!(read(format!("{bad}\n").as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn plaintexts_are_long_enough_and_typed_by_people() {
        for (bad, problem) in [
            ("", "empty"),
            ("\r\n", "empty"),
            ("seven77", "shorter than 8"),
            ("äöüäöüä", "shorter than 8"),
            ("aaaaaaaaaaaa", "guessed"),
            ("abcabcabcabc", "guessed"),
            ("alice\tpassword", "control"),
            ("first line\nsecond line", "control"),
            (&"abcdefgh".repeat(129), "longer than 1024"),
        ] {
            let said = read(bad.as_bytes()).unwrap_err();
            assert!(said.contains(problem), "{bad:?}: {said}");
        }
        assert!(read(b"\xff\xfe").is_err());
        for good in [
            "hunter22",
            "correct horse",
            " spaces ",
            "$ecret words",
            "äöüßäöüß",
        ] {
            assert_eq!(read(good.as_bytes()), Ok(Value::Plaintext(good)));
            let file = format!("{good}\r\n\n");
            assert_eq!(read(file.as_bytes()), Ok(Value::Plaintext(good)));
        }
    }
}
