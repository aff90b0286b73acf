//! Passwords are hashed where they are typed: argon2id with the parameters of the server.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clientele_oauth::user::password::hash;
use clientele_oauth::user::password::secret_value::{Value, read};

use crate::failure::Failure;
use crate::random::random;

/// A password of 144 random bits.
pub fn generated() -> Result<String, Failure> {
    Ok(URL_SAFE_NO_PAD.encode(random::<18>()?))
}

/// The hash of a password in the PHC string format. What the server would refuse or not take as a password is refused.
pub fn phc(password: &str) -> Result<String, Failure> {
    match read(password.as_bytes()) {
        Ok(Value::Plaintext(whole)) if whole == password => {}
        Ok(_) => {
            return Err(Failure::new(
                "the password is a hash, or ends in a line break; give the password itself",
            ));
        }
        Err(problem) => {
            return Err(Failure::new(format!(
                "the password {problem}; choose another one, or take --generate"
            )));
        }
    }
    let hash = hash(password, &random::<16>()?);
    let hash = hash.ok_or_else(|| Failure::new("the password could not be hashed"))?;
    Ok(hash.0.to_string())
}

#[cfg(test)]
mod tests {
    use clientele_oauth::user::password::MAX_LEN;

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
        assert!(phc(&"abcd".repeat(MAX_LEN / 4 + 1)).is_err());
        for bad in [
            "short",
            "aaaaaaaaaa",
            "a line\nbreak",
            "ends so long\n",
            hashes[0].as_str(),
        ] {
            assert!(phc(bad).is_err(), "{bad}");
        }
        assert_ne!(generated().unwrap(), generated().unwrap());
    }
}
