//! PBKDF2 (RFC 8018 section 5.2) in the PHC string format: `$pbkdf2-sha256$i=27500,l=64$salt$hash`.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, Algorithm};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The longest salt and the longest hash, in bytes.
const MAX_BYTES: usize = 64;

/// A hash and how it was made.
pub struct Pbkdf2 {
    algorithm: Algorithm,
    /// How often the HMAC was applied.
    pub iterations: NonZeroU32,
    /// The salt.
    pub salt: Vec<u8>,
    /// The hash itself.
    pub output: Vec<u8>,
}

impl Pbkdf2 {
    /// Reads a hash; `None` if the text is not one of this very form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$pbkdf2-")?.split('$');
        let algorithm = match parts.next()? {
            "sha256" => pbkdf2::PBKDF2_HMAC_SHA256,
            "sha512" => pbkdf2::PBKDF2_HMAC_SHA512,
            _ => return None,
        };
        let (iterations, length) = parts.next()?.split_once(',')?;
        let length: usize = number(length.strip_prefix("l=")?)?.try_into().ok()?;
        let mut bytes = || {
            let bytes = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
            (bytes.len() <= MAX_BYTES).then_some(bytes)
        };
        let (salt, output) = (bytes()?, bytes()?);
        (output.len() == length && parts.next().is_none()).then_some(())?;
        Some(Self {
            algorithm,
            iterations: NonZeroU32::new(number(iterations.strip_prefix("i=")?)?)?,
            salt,
            output,
        })
    }

    /// How many HMACs it takes, and with which algorithm, as a place in [`super::work::Work`].
    pub fn hmacs(&self) -> (usize, u64) {
        let (place, block) = if self.algorithm == pbkdf2::PBKDF2_HMAC_SHA256 {
            (2, 32)
        } else {
            (3, 64)
        };
        let blocks = self.output.len().div_ceil(block) as u64;
        (place, u64::from(self.iterations.get()) * blocks)
    }

    /// Whether it is the hash of this password. Compares in constant time.
    pub fn verifies(&self, password: &str) -> bool {
        let password = password.as_bytes();
        let (algorithm, salt) = (self.algorithm, &self.salt);
        pbkdf2::verify(algorithm, self.iterations, salt, password, &self.output).is_ok()
    }
}

/// Decimal digits without a sign and without zeros before them.
fn number(text: &str) -> Option<u32> {
    let formed = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    formed.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_form_is_read() {
        let good = "$pbkdf2-sha256$i=27500,l=16$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw";
        assert!(Pbkdf2::parse(good).is_some());
        for (from, to) in [
            ("sha256", "sha1"),
            ("sha256", "SHA256"),
            ("$pbkdf2", "pbkdf2"),
            ("i=27500", "i=027500"),
            ("i=27500", "i=+27500"),
            ("i=27500", "i=0"),
            ("i=27500", "i=99999999999"),
            ("i=27500,l=16", "l=16,i=27500"),
            ("i=27500,l=16", "i=27500"),
            ("l=16", "l=17"),
            ("l=16", "l=16,x=1"),
            ("$AAEC", "$A=EC"),
            ("ODw$", "ODw==$"),
            ("ODw$", "ODw$$"),
            ("$AAEC", "$.AEC"),
        ] {
            let bad = good.replace(from, to);
            assert!(Pbkdf2::parse(&bad).is_none(), "{bad}");
        }
        assert!(Pbkdf2::parse(&format!("{good}$")).is_none());
    }
}
