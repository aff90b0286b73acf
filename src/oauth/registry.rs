//! All tenants and clients in one snapshot, replaced whole and never changed.

use std::sync::Arc;

use super::shared_map::SharedMap;
use super::{Keyring, Tenant};

/// What a path means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Authorization server metadata (RFC 8414) and OpenID provider configuration: the same document.
    Metadata,
    /// The JWK Set.
    Jwks,
    /// The token endpoint (RFC 6749 §3.2).
    Token,
    /// The authorization endpoint (RFC 6749 §3.1).
    Authorize,
    /// The page to sign in.
    Login,
    /// The page to consent.
    Consent,
    /// What is known about a person (OIDC Core §5.3).
    Userinfo,
    /// Revocation (RFC 7009).
    Revoke,
    /// Introspection (RFC 7662).
    Introspect,
    /// The page to sign out (OIDC RP-Initiated Logout §2).
    Logout,
    /// The page on which a person sees and withdraws what was granted.
    Account,
    /// The stylesheet of the pages.
    Stylesheet,
    /// The picture of the pages, if the tenant has one.
    Logo,
}

impl Endpoint {
    /// Every endpoint, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Metadata,
        Self::Jwks,
        Self::Token,
        Self::Authorize,
        Self::Login,
        Self::Consent,
        Self::Userinfo,
        Self::Revoke,
        Self::Introspect,
        Self::Logout,
        Self::Account,
        Self::Stylesheet,
        Self::Logo,
    ];

    /// Those whose path is the issuer's path and a word.
    pub const UNDER_ISSUER: [(Self, &str); 12] = [
        (Self::Jwks, "/jwks"),
        (Self::Token, "/token"),
        (Self::Authorize, "/authorize"),
        (Self::Login, "/login"),
        (Self::Consent, "/consent"),
        (Self::Userinfo, "/userinfo"),
        (Self::Revoke, "/revoke"),
        (Self::Introspect, "/introspect"),
        (Self::Logout, "/logout"),
        (Self::Account, "/account"),
        (Self::Stylesheet, "/style.css"),
        (Self::Logo, "/logo"),
    ];
}

/// A snapshot of everything the server accepts. What two of them have in common they share.
#[derive(Debug, Default)]
pub struct Registry {
    /// Rises with every change; shown as a metric.
    pub revision: u64,
    /// The root keys that verify client secrets; none until they are loaded.
    pub keyring: Option<Arc<Keyring>>,
    /// The tenants by name.
    pub tenants: SharedMap<Arc<str>, Arc<Tenant>>,
    /// What each path means, by the name of the tenant.
    routes: SharedMap<Box<str>, (Arc<str>, Endpoint)>,
}

impl Registry {
    /// Builds the snapshot and its table of paths.
    pub fn new(revision: u64, keyring: Option<Arc<Keyring>>, tenants: Vec<Arc<Tenant>>) -> Self {
        let tenants = tenants.into_iter();
        let tenants = tenants.map(|tenant| (tenant.name.clone(), Some(tenant)));
        Self::default().with(revision, keyring, tenants)
    }

    /// The snapshot that follows: some tenants are others, or are gone. What is not named stays the same and is not copied.
    #[must_use]
    pub fn with(
        &self,
        revision: u64,
        keyring: Option<Arc<Keyring>>,
        changes: impl IntoIterator<Item = (Arc<str>, Option<Arc<Tenant>>)>,
    ) -> Self {
        let mut next = Self {
            revision,
            keyring,
            tenants: self.tenants.clone(),
            routes: self.routes.clone(),
        };
        for (name, tenant) in changes {
            next.replace(&name, tenant);
        }
        next
    }

    fn replace(&mut self, name: &Arc<str>, tenant: Option<Arc<Tenant>>) {
        let issuer = tenant.as_ref().map(|tenant| tenant.issuer.clone());
        let before = match tenant {
            Some(tenant) => self.tenants.insert(name.clone(), tenant),
            None => self.tenants.remove(name),
        };
        let before = before.map(|tenant| tenant.issuer.clone());
        if before == issuer {
            return;
        }
        for (path, _) in before.iter().flat_map(|issuer| paths(issuer)) {
            let is_ours = |(of, _): &(Arc<str>, Endpoint)| of == name;
            if self.routes.get(&*path).is_some_and(is_ours) {
                self.routes.remove(&*path);
            }
        }
        for (path, endpoint) in issuer.iter().flat_map(|issuer| paths(issuer)) {
            let path = path.into_boxed_str();
            self.routes.insert(path, (name.clone(), endpoint));
        }
    }

    /// The tenant and endpoint of a raw request path.
    ///
    /// The path is compared byte for byte, undecoded: an issuer has one spelling only (RFC 8414 §3.3).
    pub fn route(&self, path: &str) -> Option<(&Arc<Tenant>, Endpoint)> {
        let (tenant, endpoint) = self.routes.get(path)?;
        Some((self.tenants.get(tenant)?, *endpoint))
    }

    /// How many clients are registered.
    pub fn client_count(&self) -> usize {
        self.tenants.values().map(|t| t.clients.len()).sum()
    }
}

/// The endpoints under an issuer, by path.
///
/// RFC 8414 §3.1 inserts the well-known segment between host and path of the issuer, OIDC Discovery §4
/// appends it; for an issuer without a path the two rules agree on where the host ends.
fn paths(issuer: &str) -> Vec<(String, Endpoint)> {
    let base = issuer_path(issuer);
    let mut paths = vec![
        (
            format!("{base}/.well-known/openid-configuration"),
            Endpoint::Metadata,
        ),
        (
            format!("/.well-known/oauth-authorization-server{base}"),
            Endpoint::Metadata,
        ),
    ];
    let under_issuer = Endpoint::UNDER_ISSUER.iter();
    paths.extend(under_issuer.map(|(endpoint, path)| (format!("{base}{path}"), *endpoint)));
    paths
}

/// The path of an issuer identifier, without a trailing slash.
pub fn issuer_path(issuer: &str) -> &str {
    let after_scheme = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    after_scheme
        .find('/')
        .map_or("", |slash| after_scheme[slash..].trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_with_a_path_has_its_rfc8414_document_at_the_root_of_the_host() {
        let paths: Vec<String> = paths("https://id.example/t/a")
            .into_iter()
            .map(|(p, _)| p)
            .collect();
        assert_eq!(
            paths[..4],
            [
                "/t/a/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/t/a",
                "/t/a/jwks",
                "/t/a/token",
            ]
        );
    }

    fn tenant(name: &str, issuer: &str) -> (Arc<str>, Option<Arc<Tenant>>) {
        let tenant = Tenant::new(name.into(), "uid".into(), issuer.into());
        (name.into(), Some(Arc::new(tenant)))
    }

    #[test]
    fn a_tenant_that_goes_takes_its_paths_with_it_and_no_others() {
        let both = [
            tenant("a", "https://id.example/t/a"),
            tenant("b", "https://id.example/t/b"),
        ];
        let first = Registry::default().with(1, None, both);
        let found = |registry: &Registry, path| {
            let route = registry.route(path);
            route.map(|(tenant, _)| tenant.issuer.to_string())
        };
        let moved = first.with(2, None, [tenant("a", "https://id.example/elsewhere")]);
        assert_eq!(found(&moved, "/t/a/token"), None);
        let elsewhere = Some("https://id.example/elsewhere".to_owned());
        assert_eq!(found(&moved, "/elsewhere/token"), elsewhere);
        let gone = moved.with(3, None, [("a".into(), None)]);
        assert_eq!(found(&gone, "/elsewhere/token"), None);
        for registry in [&first, &moved, &gone] {
            let of_b = Some("https://id.example/t/b".to_owned());
            assert_eq!(found(registry, "/t/b/jwks"), of_b);
            let shared = Arc::ptr_eq(&registry.tenants["b"], &first.tenants["b"]);
            assert!(shared, "what does not change is not copied");
        }
        assert!(found(&first, "/t/a/token").is_some(), "it is what it was");
    }

    #[test]
    fn an_issuer_without_a_path_lies_at_the_root() {
        let paths: Vec<String> = paths("http://127.0.0.1:8080")
            .into_iter()
            .map(|(p, _)| p)
            .collect();
        assert_eq!(paths[0], "/.well-known/openid-configuration");
        assert_eq!(paths[1], "/.well-known/oauth-authorization-server");
        assert_eq!(paths[3], "/token");
    }
}
