//! What status and credentials Secret show of a registered client. Everything else about it is for the server alone, so
//! another lifetime for every client of a tenant reconciles none of them.

use clientele_api::OAuthClient;
use clientele_oauth::Client;

use crate::domain::tenant::lifetimes::{Shortened, shortened};

/// What can be seen of a client beside its OAuthClient, the issuer and the root keys.
#[derive(PartialEq)]
struct Shown<'c> {
    /// Placeholders, and what names and proves the Secret.
    names: [&'c str; 4],
    scopes: Vec<&'c str>,
    audiences: Vec<&'c str>,
    /// Whether there is a secret that rotates.
    holds_secret: bool,
    /// What the message of the condition says, unless that is that the client is suspended.
    shortened: Vec<Shortened>,
}

impl<'c> Shown<'c> {
    /// Every field is named, so that a new one is either shown or not before it compiles.
    fn of(client: &'c Client, object: &OAuthClient) -> Self {
        let Client {
            id,
            uid,
            namespace,
            display_name,
            scopes,
            audiences,
            lifetimes,
            // Whether the client holds a secret follows from these.
            client_type: _,
            auth_method: _,
            external_secret: _,
            // What the ledger and the days of use say is in the object.
            oldest_accepted: _,
            uses: _,
            // What the server alone asks for.
            first_party: _,
            assertion_methods: _,
            grant_types: _,
            redirect_uris: _,
            redirect_hosts_listed: _,
            post_logout_redirect_uris: _,
            allowed_origins: _,
            pkce: _,
            id_token_algorithm: _,
            id_token_claims: _,
            allowed_groups: _,
            default_claims: _,
            default_scope: _,
        } = client;
        let cut = shortened(object.spec.lifetimes.as_deref(), lifetimes);
        Self {
            names: [id, uid, namespace, display_name],
            scopes: scopes.iter().map(|scope| &**scope).collect(),
            audiences: audiences.iter().map(|audience| &*audience.uri).collect(),
            holds_secret: client.holds_secret(),
            shortened: cut.filter(|_| !object.spec.suspended).collect(),
        }
    }
}

/// Whether status and Secret of an object show the same of either client.
pub fn show_the_same(one: &Client, other: &Client, object: &OAuthClient) -> bool {
    Shown::of(one, object) == Shown::of(other, object)
}
