//! The authorization request, and the cookie that ties its answer to the browser that began it. Nothing is kept here between the two: state,
//! nonce and PKCE verifier are MACs over the value of the cookie, so visitors who never return cost no memory.

use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clientele_kubectl::shared::AuthorizationRequest;
use url::Url;

use crate::session::{NoRandom, random, same};

/// A sign-in takes no longer.
pub const PATIENCE: Duration = Duration::from_mins(10);
/// The longest address to which a sign-in leads back.
const LONGEST_PATH: usize = 1_500;
/// What is asked for: who the person is, by the name and the groups that the API server knows.
const SCOPE: &str = "openid profile groups";

/// A sign-in that has begun.
pub struct Challenge {
    value: String,
    state: String,
    nonce: String,
    verifier: String,
    path: String,
}

/// Why an answer belongs to no sign-in.
#[derive(Debug, PartialEq, Eq)]
pub enum Unknown {
    /// This browser did not begin it.
    NotOurs,
    /// It took longer than [`PATIENCE`].
    Late,
}

/// Makes challenges, and recognizes them. The key lives as long as the process.
pub struct Challenger(Key);

impl Challenger {
    /// With a fresh key.
    pub fn new() -> Result<Self, NoRandom> {
        Ok(Self(Key::new(HMAC_SHA256, random()?.as_bytes())))
    }

    /// A new one that leads back to `path`. `now` is in seconds since 1970.
    pub fn begin(&self, path: &str, now: u64) -> Result<Challenge, NoRandom> {
        let path = URL_SAFE_NO_PAD.encode(local(path));
        Ok(self.of(format!("{}.{now}.{path}", random()?)))
    }

    /// The one whose cookie has this value, for the state of an answer.
    pub fn resume(&self, value: &str, state: &str, now: u64) -> Result<Challenge, Unknown> {
        let challenge = self.of(value.to_owned());
        if !same(&challenge.state, state) {
            return Err(Unknown::NotOurs);
        }
        let began = value.split('.').nth(1).and_then(|began| began.parse().ok());
        let age = now.saturating_sub(began.unwrap_or(0));
        if age > PATIENCE.as_secs() {
            return Err(Unknown::Late);
        }
        Ok(challenge)
    }

    fn of(&self, value: String) -> Challenge {
        let path = value.split('.').nth(2).unwrap_or_default();
        let path = URL_SAFE_NO_PAD.decode(path).unwrap_or_default();
        let path = String::from_utf8(path).unwrap_or_default();
        let mac = |purpose: &str| {
            let tag = sign(&self.0, format!("{purpose}:{value}").as_bytes());
            URL_SAFE_NO_PAD.encode(tag)
        };
        Challenge {
            state: mac("state"),
            nonce: mac("nonce"),
            verifier: mac("verifier"),
            path: local(&path).to_owned(),
            value,
        }
    }
}

impl Challenge {
    /// The value of the cookie.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The state, by whose beginning the cookie is named: several tabs may sign in at the same time.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// What the ID token must have as `nonce`.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The PKCE verifier.
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// Where the person wanted to go: a path of this dashboard.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The address of the authorization request. `None` if the endpoint is not a URL.
    pub fn address(&self, endpoint: &str, client_id: &str, redirect_uri: &str) -> Option<Url> {
        let request = AuthorizationRequest {
            client_id,
            redirect_uri,
            scope: SCOPE,
            state: &self.state,
            nonce: &self.nonce,
            verifier: &self.verifier,
        };
        request.address(endpoint)
    }
}

/// The end of the name of the cookie for a state; `None` if it is no state of ours.
pub fn cookie_suffix(state: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    state.get(..12).filter(|start| start.bytes().all(plain))
}

/// A path of this dashboard: anything else would make a sign-in lead to another site.
fn local(path: &str) -> &str {
    let one = path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\");
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
    if one && plain && path.len() <= LONGEST_PATH {
        path
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn o10_an_answer_belongs_to_the_browser_that_asked() {
        let (ours, other) = (Challenger::new().unwrap(), Challenger::new().unwrap());
        let begun = ours.begin("/clients?q=a", 1_000).unwrap();
        let again = ours.resume(begun.value(), begun.state(), 1_600).unwrap();
        assert_eq!(again.path(), "/clients?q=a");
        assert_eq!(
            (again.nonce(), again.verifier()),
            (begun.nonce(), begun.verifier())
        );
        let second = ours.begin("/clients?q=a", 1_000).unwrap();
        let late = begun.value().replace(".1000.", ".1500.");
        for (value, state, now, expected) in [
            (begun.value(), begun.state(), 1_601, Unknown::Late),
            (begun.value(), second.state(), 1_000, Unknown::NotOurs),
            (second.value(), begun.state(), 1_000, Unknown::NotOurs),
            (&late, begun.state(), 1_601, Unknown::NotOurs),
            ("", "", 1_000, Unknown::NotOurs),
        ] {
            assert_eq!(ours.resume(value, state, now).err(), Some(expected));
        }
        let elsewhere = other.resume(begun.value(), begun.state(), 1_000);
        assert_eq!(elsewhere.err(), Some(Unknown::NotOurs));
    }

    #[test]
    fn o10_state_nonce_and_verifier_tell_nothing_of_each_other() {
        let challenger = Challenger::new().unwrap();
        let begun = challenger.begin("/", 1).unwrap();
        let parts = BTreeSet::from([
            begun.value(),
            begun.state(),
            begun.nonce(),
            begun.verifier(),
        ]);
        assert_eq!(parts.len(), 4);
        let url = begun.address(
            "https://id.example/authorize",
            "a.b",
            "https://d.example/callback",
        );
        let url = url.unwrap().to_string();
        assert!(
            !url.contains(begun.verifier()) && url.contains(begun.nonce()),
            "{url}"
        );
        assert!(url.contains("code_challenge_method=S256"), "{url}");
        // RFC 7636 section 4.1: 43 to 128 characters.
        assert_eq!(begun.verifier().len(), 43);
        assert!(begun.address("not a url", "a", "b").is_none());
        assert_eq!(cookie_suffix(begun.state()).unwrap().len(), 12);
        assert_eq!(cookie_suffix("a;b=c; Path=/"), None);
        assert_eq!(cookie_suffix("short"), None);
    }

    #[test]
    fn o11_a_sign_in_leads_back_to_this_dashboard_only() {
        for path in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "",
            "a",
            "/a b",
            "/é",
        ] {
            assert_eq!(local(path), "/", "{path}");
        }
        assert_eq!(local("/clients/a/b?x=//y"), "/clients/a/b?x=//y");
        assert_eq!(local(&format!("/{}", "a".repeat(LONGEST_PATH))), "/");
    }

    proptest! {
        #[test]
        fn o11_any_cookie_leads_to_a_path(value in "\\PC{0,60}") {
            let challenger = Challenger::new().unwrap();
            let of = challenger.of(value);
            prop_assert!(of.path().starts_with('/') && !of.path().starts_with("//"));
        }
    }
}
