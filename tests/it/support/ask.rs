//! An authorization request, to be changed in one place at a time.

use url::form_urlencoded::Serializer;

use super::people::APP;

/// The code verifier of RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Its S256 challenge.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The `state` of every request.
pub const STATE: &str = "st4te+/ =&%";

/// An authorization request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The parameters, in their order.
    pub fields: Vec<(String, String)>,
}

/// A valid request of a client that is sent back to [`APP`].
pub fn ask(client_id: &str) -> Ask {
    let fields = [
        ("client_id", client_id),
        ("redirect_uri", APP),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", STATE),
        ("nonce", "n0nce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    Ask {
        fields: fields.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
    }
}

impl Ask {
    /// With another value of a parameter, or with one more.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => return self.and(name, value),
        }
        self
    }

    /// With one more, be it there or not.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a parameter.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// Encoded.
    pub fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(&self.fields).finish()
    }

    /// The address at the tenant `default`.
    pub fn url(&self) -> String {
        format!("/authorize?{}", self.query())
    }
}
