//! An OAuthClient as the rules read it: parsed once, then handed on.

use std::borrow::Cow;
use std::ops::Deref;

use clientele_api::OAuthClient;
use clientele_oauth::client::secret_generations::Ledger;

/// What the name of a credentials Secret has beside that of its OAuthClient.
const SECRET_SUFFIX: &str = "-oauth";

/// An OAuthClient with what nearly every rule needs of it.
///
/// It dereferences to the object, so that rules about a single field take `&OAuthClient`.
#[derive(Debug)]
pub struct ClientObject<'a> {
    /// `metadata.uid`; empty for an object that the API server has not stored.
    pub uid: &'a str,
    /// `metadata.namespace`.
    pub namespace: &'a str,
    /// `metadata.name`.
    pub name: &'a str,
    /// `spec.clientId`, or `<namespace>.<name>`.
    pub client_id: Cow<'a, str>,
    /// The name of the credentials Secret: `spec.secret.name`, or `<name>-oauth`.
    pub secret_name: Cow<'a, str>,
    /// The ledger of secret generations in the status; without one, generation 1 is requested.
    pub ledger: Ledger,
    /// The object itself.
    pub object: &'a OAuthClient,
}

impl Deref for ClientObject<'_> {
    type Target = OAuthClient;

    fn deref(&self) -> &OAuthClient {
        self.object
    }
}

impl<'a> ClientObject<'a> {
    /// Parses an object. Total: what the API server would refuse is refused by validation.
    pub fn parse(object: &'a OAuthClient) -> Self {
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let name = object.metadata.name.as_deref().unwrap_or_default();
        Self {
            uid: object.metadata.uid.as_deref().unwrap_or_default(),
            namespace,
            name,
            client_id: client_id(object, namespace, name),
            secret_name: name_of(object, name),
            ledger: ledger(object),
            object,
        }
    }
}

/// The ID of a client whose OAuthClient brings none.
pub fn usual_client_id(namespace: &str, name: &str) -> String {
    format!("{namespace}.{name}")
}

/// The name of the credentials Secret of an OAuthClient that names none.
pub fn usual_secret_name(name: &str) -> String {
    format!("{name}{SECRET_SUFFIX}")
}

/// The client whose Secret has this name, if it has the usual one.
pub fn usual_client(secret: &str) -> Option<&str> {
    secret.strip_suffix(SECRET_SUFFIX)
}

fn client_id<'a>(object: &'a OAuthClient, namespace: &str, name: &str) -> Cow<'a, str> {
    match object.spec.client_id.as_deref() {
        Some(id) => Cow::Borrowed(id),
        None => Cow::Owned(usual_client_id(namespace, name)),
    }
}

fn name_of<'a>(object: &'a OAuthClient, name: &str) -> Cow<'a, str> {
    let secret = object.spec.secret.as_ref();
    match secret.and_then(|secret| secret.name.as_deref()) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(usual_secret_name(name)),
    }
}

fn ledger(object: &OAuthClient) -> Ledger {
    let number = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
    let status = object.status.as_ref();
    let generation = status.and_then(|status| status.secret_generation.as_ref());
    generation.map_or(Ledger::FIRST, |generation| {
        Ledger::from_status(
            number(generation.requested),
            number(generation.published),
            number(generation.oldest_accepted),
        )
    })
}
