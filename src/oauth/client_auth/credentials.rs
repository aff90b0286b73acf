//! Client authentication at the token endpoint (RFC 6749 §2.3).

use std::borrow::Cow;
use std::sync::Arc;

use base64::engine::general_purpose::STANDARD;
use base64::{Engine, decoded_len_estimate};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::assertion::Asserted;
use crate::client::external_secret;
use crate::keys::root_keyring::Registration;
use crate::{AuthMethod, Client, ClientType, Keyring, OAuthError, Tenant};

/// The longest `Authorization` value that is decoded, in bytes after decoding.
pub const MAX_BASIC: usize = 1024;

/// What a client presented.
pub enum Credentials<'a> {
    /// ID and secret in the `Authorization` header.
    Basic {
        /// Client ID.
        id: Zeroizing<String>,
        /// Client secret.
        secret: Zeroizing<String>,
    },
    /// ID and secret in the form.
    Post {
        /// Client ID.
        id: &'a str,
        /// Client secret.
        secret: &'a str,
    },
    /// The ID alone.
    IdOnly {
        /// Client ID.
        id: &'a str,
    },
}

/// The parts of a request that may carry credentials.
#[derive(Clone, Copy, Default)]
pub struct Presented<'a> {
    /// The value of the `Authorization` header.
    pub authorization: Option<&'a [u8]>,
    /// `client_id` of the form.
    pub client_id: Option<&'a str>,
    /// `client_secret` of the form.
    pub client_secret: Option<&'a str>,
    /// `client_assertion` and `client_assertion_type` of the form, if either was sent, be it empty or not.
    pub asserted: Option<Asserted<'a>>,
}

impl<'a> Presented<'a> {
    /// An assertion that was sent and nothing else with it. Beside another method, [`Self::credentials`] refuses it.
    pub fn asserted(&self) -> Option<Asserted<'a>> {
        self.asserted
            .filter(|_| self.authorization.is_none() && self.client_secret.is_none())
    }

    /// One method per request (RFC 6749 §2.3), and one client (OAuth 2.1 §2.4).
    pub fn credentials(&self) -> Result<Credentials<'a>, OAuthError> {
        if let Some(header) = self.authorization {
            if self.client_secret.is_some() || self.asserted.is_some() {
                return Err(OAuthError::invalid_request(
                    "more than one method of client authentication in one request",
                ));
            }
            let (id, secret) = decode_basic(header).ok_or(INVALID.because(NOT_BASIC))?;
            if self.client_id.is_some_and(|form| *form != **id) {
                return Err(OAuthError::invalid_request(
                    "client_id of the form differs from the client of the Authorization header",
                ));
            }
            return Ok(Credentials::Basic { id, secret });
        }
        match (self.client_id, self.client_secret, self.asserted.is_some()) {
            (_, Some(_), true) => Err(OAuthError::invalid_request(
                "more than one method of client authentication in one request",
            )),
            (Some(id), Some(secret), false) => Ok(Credentials::Post { id, secret }),
            (Some(id), None, false) => Ok(Credentials::IdOnly { id }),
            _ => Err(INVALID.because(NO_ID)),
        }
    }
}

const INVALID: OAuthError = OAuthError::invalid_client();
const NOT_BASIC: &str = "the Authorization header is not Basic with the client ID and secret, each form-encoded, in base64";
const NO_ID: &str = "no client ID was sent";
const NOT_SERVED: &str =
    "no client of this ID is served here: kubectl get oauthclients says which are, and why not";
const OTHER_METHOD: &str = "the client does not authenticate in this way: compare what was sent with its type and tokenEndpointAuthMethod";
const WRONG: &str = "the client secret is wrong";
const RETIRED: &str =
    "the client secret was retired by a rotation: the application has to read its Secret again";
const DERIVED: &str = "the client secret is the derived one, and secretRef brings another";

/// The client that the credentials prove.
///
/// An unknown client costs the same work and gives the same answer as a wrong secret.
pub fn authenticate<'t>(
    tenant: &'t Tenant,
    keyring: &Keyring,
    credentials: &Credentials<'_>,
    now: Timestamp,
) -> Result<&'t Arc<Client>, OAuthError> {
    let (id, method, secret) = match credentials {
        Credentials::Basic { id, secret } => {
            (id.as_str(), AuthMethod::ClientSecretBasic, secret.as_str())
        }
        Credentials::Post { id, secret } => (*id, AuthMethod::ClientSecretPost, *secret),
        Credentials::IdOnly { id } => (*id, AuthMethod::None, ""),
    };
    let client = tenant.clients.get(id);
    let registration = Registration {
        client_id: id,
        registration_id: client.map_or("", |client| &client.registration_id),
    };
    let generation = keyring.verify(registration, secret.as_bytes());
    let brought = client.and_then(|client| client.brought.as_deref());
    // What a root key made is nothing that can be brought.
    let is_brought = generation.is_none() && external_secret::verify(brought, keyring, secret);
    let client = client.ok_or(INVALID.because(NOT_SERVED))?;
    if !client.allows_method(method) {
        return Err(INVALID.because(OTHER_METHOD));
    }
    let proven = match client.client_type {
        ClientType::Public => method == AuthMethod::None,
        // Who brings a secret has no other.
        ClientType::Confidential if client.brought.is_some() => is_brought,
        ClientType::Confidential => generation.is_some_and(|g| g >= client.oldest_accepted),
    };
    if !proven {
        return Err(INVALID.because(match generation {
            None => WRONG,
            Some(_) if client.brought.is_some() => DERIVED,
            Some(_) => RETIRED,
        }));
    }
    if let Some(generation) = generation {
        client.uses.note(generation, now);
    }
    Ok(client)
}

/// The client that a request names, rightly or not, if it is registered.
pub fn named<'t>(
    tenant: &'t Tenant,
    authorization: Option<&[u8]>,
    client_id: Option<&str>,
) -> Option<&'t Arc<Client>> {
    let basic = authorization.and_then(decode_basic);
    let id = basic.as_ref().map(|(id, _)| id.as_str()).or(client_id)?;
    tenant.clients.get(id)
}

/// Takes `Basic base64(form(id):form(secret))` apart (RFC 6749 §2.3.1, RFC 7617 §2).
pub fn decode_basic(header: &[u8]) -> Option<(Zeroizing<String>, Zeroizing<String>)> {
    let (scheme, encoded) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let encoded = encoded.trim_ascii();
    // No longer than it must be: every byte is wiped by itself.
    let length = decoded_len_estimate(encoded.len()).min(MAX_BASIC);
    let mut buffer = Zeroizing::new(vec![0; length]);
    let written = STANDARD.decode_slice(encoded, &mut buffer).ok()?;
    let decoded = &buffer[..written];
    let colon = decoded.iter().position(|&b| b == b':')?;
    Some((
        form_decode(&decoded[..colon])?,
        form_decode(&decoded[colon + 1..])?,
    ))
}

/// `application/x-www-form-urlencoded` of one value; `None` where an escape or the UTF-8 is broken.
pub(crate) fn form_decode(value: &[u8]) -> Option<Zeroizing<String>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(value.len()));
    // Mostly nothing is escaped, and the value is copied at once.
    let escape = value.iter().position(|byte| matches!(byte, b'+' | b'%'));
    let (plain, rest) = value.split_at(escape.unwrap_or(value.len()));
    decoded.extend_from_slice(plain);
    let mut rest = rest.iter();
    while let Some(&byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex_digit(*rest.next()?)? << 4 | hex_digit(*rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(std::mem::take(&mut *decoded))
        .ok()
        .map(Zeroizing::new)
}

fn hex_digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// The borrowed text of an optional form value; an empty one counts as not sent (RFC 6749 §3.2).
pub fn sent<'a>(value: Option<&'a Cow<'_, str>>) -> Option<&'a str> {
    value
        .map(|value| &**value)
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(text: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(text)).into_bytes()
    }

    fn decoded(text: &str) -> Option<(String, String)> {
        let (id, secret) = decode_basic(&header(text))?;
        Some((id.to_string(), secret.to_string()))
    }

    #[test]
    fn d10_special_characters_come_back_when_form_encoded() {
        let expected = Some(("a:b".to_owned(), "s:%+ x".to_owned()));
        assert_eq!(decoded("a%3Ab:s%3A%25%2B+x"), expected);
    }

    #[test]
    fn d10_broken_headers_are_no_credentials() {
        assert_eq!(decoded("no colon"), None);
        assert_eq!(decoded("a:%zz"), None);
        assert_eq!(decoded("a:%2"), None);
        assert_eq!(decoded("a:%ff"), None);
        for bad in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Bearer abc",
            "Basic\u{a0}YTpi",
        ] {
            assert!(decode_basic(bad.as_bytes()).is_none(), "{bad:?}");
        }
        assert!(decode_basic(&header(&"a".repeat(MAX_BASIC * 2))).is_none());
    }

    #[test]
    fn the_scheme_is_case_insensitive_and_the_first_colon_divides() {
        assert!(decode_basic(b"bAsIc YTpi").is_some());
        assert_eq!(decoded("a:b:c"), Some(("a".into(), "b:c".into())));
    }

    fn accepts(floor: u32, generation: u32) -> bool {
        let mut client = crate::client::testing::client();
        client.oldest_accepted = floor;
        let root = crate::keys::root_keyring::RootKey::new("keyid000", &[7; 32]).unwrap();
        let keyring = Keyring::new("keyid000", vec![root]).unwrap();
        let registration = Registration {
            client_id: &client.id,
            registration_id: &client.registration_id,
        };
        let secret = keyring.derive(registration, generation);
        let id = client.id.clone();
        let clients = [(id.clone(), Arc::new(client))].into();
        let tenant = Tenant {
            clients,
            ..Tenant::new("t".into(), "uid-of-t".into(), "https://t".into())
        };
        let credentials = Credentials::Post {
            id: &id,
            secret: secret.expose(),
        };
        authenticate(&tenant, &keyring, &credentials, Timestamp::UNIX_EPOCH).is_ok()
    }

    #[test]
    fn k09_who_brings_a_secret_authenticates_with_it_and_with_no_other() {
        let root = crate::keys::root_keyring::RootKey::new("keyid000", &[7; 32]).unwrap();
        let keyring = Keyring::new("keyid000", vec![root]).unwrap();
        let mut client = crate::client::testing::client();
        let registration = Registration {
            client_id: &client.id,
            registration_id: &client.registration_id,
        };
        let derived = keyring.derive(registration, 1);
        let value = "0123456789abcdef0123456789abcdef";
        let key = Arc::new(external_secret::BroughtKey::new(&[3; 32]));
        client.brought = Some(Box::new(external_secret::Brought {
            current: key.digest(value),
            previous: None,
            key,
        }));
        let id = client.id.clone();
        let tenant = Tenant {
            clients: [(id.clone(), Arc::new(client))].into(),
            ..Tenant::new("t".into(), "uid-of-t".into(), "https://t".into())
        };
        let accepts = |id: &str, secret: &str| {
            let credentials = Credentials::Post { id, secret };
            authenticate(&tenant, &keyring, &credentials, Timestamp::UNIX_EPOCH).is_ok()
        };
        assert!(accepts(&id, value));
        assert!(!accepts(&id, derived.expose()), "the derived one stopped");
        assert!(!accepts("team-a.other", value) && !accepts(&id, ""));
        let alone = Credentials::IdOnly { id: &id };
        assert!(authenticate(&tenant, &keyring, &alone, Timestamp::UNIX_EPOCH).is_err());
    }

    proptest! {
        #[test]
        fn d15_a_generation_below_the_floor_is_refused_and_every_other_accepted(floor in 1u32..50, generation in 0u32..100) {
            prop_assert_eq!(accepts(floor, generation), generation >= floor);
        }

        #[test]
        fn any_pair_survives_form_encoding(id in ".{1,60}", secret in ".{0,60}") {
            let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            prop_assert_eq!(decoded(&format!("{}:{}", encode(&id), encode(&secret))), Some((id, secret)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = decode_basic(&bytes);
            let _ = decode_basic(&[b"Basic ".as_slice(), STANDARD.encode(&bytes).as_bytes()].concat());
        }
    }
}
