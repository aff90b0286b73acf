//! Objects that are not kept whole, because they are large and the memory for large objects is used up.
//!
//! Each limit of a field is generous, and all limits together are not: ten thousand OAuthClients at all of them would take
//! up more memory than the program has.

use clientele_api::condition::{Condition, READY};
use clientele_api::{OAuthClient, OAuthUser};
use kube::{Resource, ResourceExt};
use serde::Serialize;

use super::reason::{Reason, Refusal};

/// Marks an object that was shortened. Annotations are not kept of any object, so it is in none that the API server has.
const SHORTENED: &str = "shortened";

/// What can be large in the objects of a kind.
pub struct LargeParts<K> {
    /// How long it is, in bytes of JSON.
    pub length: fn(&K) -> usize,
    /// The object without it.
    pub shorten: fn(K) -> K,
    /// Whether the object was refused when it was judged last, perhaps for lack of room.
    pub was_refused: fn(&K) -> bool,
}

/// What can be large in an OAuthClient.
pub const LARGE_CLIENTS: LargeParts<OAuthClient> = LargeParts {
    length: |client| length(&client.spec),
    shorten: shorten_client,
    was_refused: |client| {
        let status = client.status.as_ref();
        status.is_some_and(|status| names_quota(&status.conditions))
    },
};

/// What can be large in an OAuthUser.
pub const LARGE_USERS: LargeParts<OAuthUser> = LargeParts {
    length: |user| length(&user.spec),
    shorten: shorten_user,
    was_refused: |user| {
        let status = user.status.as_ref();
        status.is_some_and(|status| names_quota(&status.conditions))
    },
};

fn names_quota(conditions: &[Condition]) -> bool {
    let reason = Reason::QuotaExceeded.as_str();
    let mut ready = conditions.iter().filter(|it| it.type_ == READY);
    ready.any(|condition| condition.reason == reason)
}

/// How long something is as JSON, in bytes.
fn length<T: Serialize>(value: &T) -> usize {
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).map_or(usize::MAX, |()| counter.0)
}

/// Counts what is written to it.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The same client without what can be long. It is refused.
fn shorten_client(mut client: OAuthClient) -> OAuthClient {
    let spec = &mut client.spec;
    spec.redirect_uris = Vec::new();
    spec.post_logout_redirect_uris = Vec::new();
    spec.allowed_origins = Vec::new();
    spec.audiences = Vec::new();
    spec.service_accounts = Vec::new();
    (spec.allowed_groups, spec.scopes, spec.jwks) = (None, None, None);
    if let Some(secret) = &mut spec.secret {
        (secret.template, secret.labels, secret.annotations) = Default::default();
    }
    mark_shortened(client)
}

/// The same person without what can be long. It is refused.
fn shorten_user(mut user: OAuthUser) -> OAuthUser {
    user.spec.claims.clear();
    user.spec.groups = Vec::new();
    mark_shortened(user)
}

/// The same object, marked as one that is not kept whole.
pub fn mark_shortened<K: Resource>(mut object: K) -> K {
    let annotations = object.annotations_mut();
    annotations.insert(SHORTENED.to_owned(), String::new());
    object
}

/// Whether an object is not kept whole.
pub fn is_shortened<K: Resource>(object: &K) -> bool {
    object.annotations().contains_key(SHORTENED)
}

/// Refuses an object that is not kept whole.
pub fn refuse_shortened<K: Resource<DynamicType = ()>>(object: &K) -> Result<(), Refusal> {
    if !is_shortened(object) {
        return Ok(());
    }
    let (kind, plural) = (K::kind(&()), K::plural(&()));
    let namespace = object.meta().namespace.as_deref().unwrap_or_default();
    Err(Refusal::new(
        Reason::QuotaExceeded,
        format!(
            "the large {plural} of namespace {namespace:?} take up as much memory as they may; make the spec of this {kind} shorter than 4 KiB of JSON, or delete others of the namespace that are large"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn client(spec: &Value) -> OAuthClient {
        let metadata = json!({ "name": "web", "namespace": "team-a" });
        serde_json::from_value(json!({ "metadata": metadata, "spec": spec })).unwrap()
    }

    #[test]
    fn what_is_shortened_is_short_and_refused_and_nothing_else_is() {
        let many = |each: &str| vec![each.repeat(250); 64];
        let map = json!({ "a": "x".repeat(4096) });
        let whole = client(&json!({
            "tenant": "default", "redirectUris": many("a"), "postLogoutRedirectUris": many("b"),
            "allowedOrigins": many("c"), "allowedGroups": many("d"), "scopes": many("e"), "audiences": many("f"),
            "serviceAccounts": [{ "name": "g".repeat(250) }],
            "secret": { "name": "web-login", "template": map, "labels": map, "annotations": map },
        }));
        assert!(refuse_shortened(&whole).is_ok());
        let short = shorten_client(whole);
        assert!(length(&short.spec) < 200, "{}", length(&short.spec));
        assert_eq!(short.spec.tenant, "default");
        assert_eq!(
            short.spec.secret.as_ref().unwrap().name.as_deref(),
            Some("web-login")
        );
        let refusal = refuse_shortened(&short).unwrap_err();
        assert_eq!(refusal.reason, Reason::QuotaExceeded);
    }
}
