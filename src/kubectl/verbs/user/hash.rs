//! Passwords are hashed where they are typed: argon2id with the parameters of the server.

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::failure::Failure;
use crate::random::random;

/// The longest password that the server looks at, in bytes.
const MAX_LEN: usize = 1024;

/// The shortest password (NIST SP 800-63B section 5.1.1).
const MIN_CHARACTERS: usize = 8;

/// A password of 144 random bits.
pub fn generated() -> Result<String, Failure> {
    Ok(URL_SAFE_NO_PAD.encode(random::<18>()?))
}

/// The hash of a password in the PHC string format.
pub fn phc(password: &str) -> Result<String, Failure> {
    if password.len() > MAX_LEN {
        return Err(Failure::new(format!(
            "the password is longer than {MAX_LEN} bytes; choose a shorter one"
        )));
    }
    if password.chars().count() < MIN_CHARACTERS {
        return Err(Failure::new(format!(
            "the password is shorter than {MIN_CHARACTERS} characters; choose a longer one, or take --generate"
        )));
    }
    let failed = || Failure::new("the password could not be hashed");
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|_| failed())?;
    let hash: phc::PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.as_bytes(), &random::<16>()?)
        .map_err(|_| failed())?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_with_a_salt_of_its_own() {
        let hashes = [phc("correct horse").unwrap(), phc("correct horse").unwrap()];
        assert_ne!(hashes[0], hashes[1]);
        assert!(
            hashes[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hashes[0]
        );
        assert!(phc(&"a".repeat(MAX_LEN + 1)).is_err() && phc("short").is_err());
        assert_ne!(generated().unwrap(), generated().unwrap());
    }
}
