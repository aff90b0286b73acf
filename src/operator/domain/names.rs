//! The one name space of an installation: a client ID, the `sub` of a person, an audience and an issuer never have the
//! same value, so that no token about one can be taken for a token about another (RFC 9700 §4.15).
//!
//! Every function takes the [key](clientele_oauth::uri::name_key) of a value. Who has a value that two want is decided in
//! [`super::unique_names`].

use std::sync::Arc;

use clientele_oauth::uri::name_key;

/// What the issuers of an installation have in common.
#[derive(Clone, Debug)]
pub struct Installation {
    public_url: Arc<str>,
}

impl Installation {
    /// The installation with this public URL.
    pub fn new(public_url: &str) -> Self {
        let key = name_key(public_url);
        Self {
            public_url: key.trim_end_matches('/').into(),
        }
    }

    /// Whether this is the issuer of a tenant, whether or not that tenant exists: it may be created tomorrow.
    pub fn is_issuer(&self, key: &str) -> bool {
        let Some(rest) = key.strip_prefix(&*self.public_url) else {
            return false;
        };
        match rest.strip_prefix("/t/") {
            Some(tenant) => !tenant.trim_end_matches('/').contains(['/', '?']),
            None => matches!(rest, "" | "/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenant_has_its_issuer_before_it_exists() {
        for url in ["https://id.example", "https://id.example/auth"] {
            let installation = Installation::new(url);
            for (rest, is_issuer) in [
                ("", true),
                ("/", true),
                ("/t/a", true),
                ("/t/a/", true),
                ("/T/a", false),
                ("/t", false),
                ("/t/a/b", false),
                ("/t/a?b", false),
                ("?", false),
                ("x", false),
                (".evil", false),
            ] {
                let key = name_key(&format!("{url}{rest}"));
                assert_eq!(installation.is_issuer(&key), is_issuer, "{key}");
            }
        }
    }
}
