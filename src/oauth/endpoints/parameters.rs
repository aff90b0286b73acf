//! The parameters of a request (RFC 6749 §3.1, appendix B), from a query or from a form.
//!
//! Read strictly: what cannot be decoded is told apart from what was not sent, and nothing is replaced or shortened.

use zeroize::Zeroizing;

use crate::OAuthError;
use crate::form_encoding;

/// More parameters than this are not read.
pub const MAX_COUNT: usize = 200;

/// What was sent, in its order. A value that cannot be decoded is `None`. Wiped after use: a password may be in it.
pub struct Parameters(Vec<(Zeroizing<String>, Option<Zeroizing<String>>)>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded`. A parameter whose name cannot be decoded is ignored.
    pub fn read(encoded: &[u8]) -> Result<Self, OAuthError> {
        let mut read = Vec::new();
        for pair in encoded
            .split(|&b| b == b'&')
            .filter(|pair| !pair.is_empty())
        {
            if read.len() == MAX_COUNT {
                return Err(OAuthError::invalid_request("more than 200 parameters"));
            }
            let (name, value) = match pair.iter().position(|&b| b == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, [].as_slice()),
            };
            if let Some(name) = form_encoding::decode(name) {
                read.push((name, form_encoding::decode(value)));
            }
        }
        Ok(Self(read))
    }

    /// The value of a parameter that may stand once. An empty one counts as not sent (RFC 6749 §3.1).
    pub fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.0.iter().filter(|(known, _)| **known == name);
        let first = values.next();
        if values.next().is_some() {
            return Err(OAuthError::invalid_request("a parameter is repeated"));
        }
        first.map_or(Ok(None), |(_, value)| sent(value.as_ref()))
    }

    /// The same, and an error if it is longer than `max` bytes.
    pub fn at_most(&self, name: &str, max: usize) -> Result<Option<&str>, OAuthError> {
        let value = self.one(name)?;
        if value.is_some_and(|value| value.len() > max) {
            return Err(OAuthError::invalid_request("a parameter is too long"));
        }
        Ok(value)
    }

    /// The values of a parameter that may stand more than once.
    pub fn all(&self, name: &str) -> Result<Vec<&str>, OAuthError> {
        let values = self.0.iter().filter(|(known, _)| **known == name);
        let values = values.map(|(_, value)| sent(value.as_ref()));
        values.filter_map(Result::transpose).collect()
    }

    /// Every name with its value, in their order; `None` if a value cannot be decoded.
    pub fn pairs(&self) -> Option<Vec<(&str, &str)>> {
        let pairs = self.0.iter();
        pairs
            .map(|(name, value)| Some((name.as_str(), value.as_ref()?.as_str())))
            .collect()
    }

    /// Whether a parameter was sent, be it empty or not.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| **known == name)
    }
}

fn sent(value: Option<&Zeroizing<String>>) -> Result<Option<&str>, OAuthError> {
    let value = value.ok_or(OAuthError::invalid_request(
        "a parameter is not UTF-8 in application/x-www-form-urlencoded",
    ))?;
    Ok(Some(value.as_str()).filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn b04_an_empty_parameter_counts_as_not_sent() {
        let sent = Parameters::read(b"a=&b&&c=+x%2B&=1").unwrap();
        assert_eq!(sent.one("a"), Ok(None));
        assert_eq!(sent.one("b"), Ok(None));
        assert_eq!(sent.one("c"), Ok(Some(" x+")));
        assert_eq!(sent.one("d"), Ok(None));
    }

    #[test]
    fn b03_a_repeated_parameter_is_an_error_even_if_one_is_empty() {
        let sent = Parameters::read(b"a=1&a=1&b=&b=1&r=1&r=2&r=").unwrap();
        assert!(sent.one("a").is_err() && sent.one("b").is_err());
        assert_eq!(sent.all("r"), Ok(vec!["1", "2"]));
    }

    #[test]
    fn what_cannot_be_decoded_is_not_taken_for_absent() {
        let sent = Parameters::read(b"a=%ff&b=%zz&c=%2&%ff=1&d=%00%0d").unwrap();
        for name in ["a", "b", "c"] {
            assert!(sent.one(name).is_err() && sent.all(name).is_err(), "{name}");
        }
        assert_eq!(sent.one("d"), Ok(Some("\0\r")));
    }

    #[test]
    fn a30_thousands_of_parameters_are_not_read() {
        assert!(Parameters::read("a=1&".repeat(MAX_COUNT).as_bytes()).is_ok());
        assert!(Parameters::read("a=1&".repeat(5000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn p3_no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(sent) = Parameters::read(&bytes) {
                let _ = (sent.one("a"), sent.all("a"));
            }
        }

        #[test]
        fn p3_what_was_encoded_comes_back(name in ".{1,20}", value in ".{1,200}") {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            let encoded = form.append_pair(&name, &value).finish();
            let sent = Parameters::read(encoded.as_bytes()).unwrap();
            prop_assert_eq!(sent.one(&name), Ok(Some(value.as_str())));
        }
    }
}
