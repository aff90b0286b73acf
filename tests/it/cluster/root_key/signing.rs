//! Signing keys of tenants: lost or tampered keys stop the tenant and are never replaced; a change interrupts no client.

use std::time::Duration;

use clientele_oauth::Algorithm;
use jsonwebtoken::jwk::JwkSet;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::keys::pkcs8;
use crate::support::load::{Entries, ask};
use crate::support::test_namespace::{TestNamespace, eventually, http, when};
use crate::support::verifier::verify;

/// A tenant of the test's own with a client of it.
struct Own {
    space: TestNamespace,
    tenant: String,
    entries: Entries,
}

impl Own {
    async fn new() -> Self {
        let space = TestNamespace::new("signing").await;
        let tenant = space.name.clone();
        let created = space.try_create_tenant(&tenant, json!({})).await;
        created.unwrap();
        space.ready("web", json!({ "tenant": tenant })).await;
        let entries = space.entries("web-oauth").await;
        ask(&http(), &entries).await.unwrap();
        Self {
            space,
            tenant,
            entries,
        }
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.space.kube.clone(), "clientele-system")
    }

    fn secret_name(&self) -> String {
        format!("clientele-signing-{}", self.tenant)
    }

    async fn secret(&self) -> Secret {
        self.secrets().get(&self.secret_name()).await.unwrap()
    }

    async fn jwks(&self) -> Value {
        let answer = http().get(&self.entries["JWKS_URI"]).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// Waits for the condition Ready of the tenant; returns its message.
    async fn wait_tenant(&self, status: &str, reason: &str) -> String {
        eventually(reason, || async {
            let tenant = self.space.tenants().get(&self.tenant).await.unwrap();
            let conditions = tenant.status.unwrap_or_default().conditions;
            let ready = conditions.into_iter().find(|c| c.type_ == "Ready");
            let seen = format!("{ready:?}");
            let as_wanted = ready.filter(|c| c.status == status && c.reason == reason);
            as_wanted.map(|c| c.message.to_string()).ok_or(seen)
        })
        .await
    }

    /// The tenant is stopped and says why; what it published stays; restoring the Secret heals it.
    async fn stops_until_restored(&self, published: &Value, backup: Secret) {
        let message = self.wait_tenant("False", "SigningKeysUnavailable").await;
        assert!(message.contains("restore it from a backup"), "{message}");
        eventually("the token endpoint is unavailable", || async {
            let answer = ask(&http(), &self.entries).await;
            let stopped = answer
                .as_ref()
                .is_err_and(|refused| refused.starts_with("503 "));
            when(stopped, (), || format!("{answer:?}"))
        })
        .await;
        assert_eq!(
            self.jwks().await,
            *published,
            "living tokens can be verified"
        );
        self.space.wait_refused("web", "TenantNotReady").await;

        let damaged = self.secrets().get_opt(&self.secret_name()).await.unwrap();
        self.restore(damaged, backup).await;
        self.wait_tenant("True", "Available").await;
        self.space.wait_ready("web").await;
        ask(&http(), &self.entries).await.unwrap();
        assert_eq!(
            self.jwks().await,
            *published,
            "the same keys, and no others"
        );
    }

    async fn restore(&self, damaged: Option<Secret>, mut backup: Secret) {
        backup.metadata.uid = None;
        backup.metadata.resource_version = damaged.as_ref().and_then(ResourceExt::resource_version);
        let (api, params) = (self.secrets(), PostParams::default());
        match damaged {
            None => api.create(&params, &backup).await.unwrap(),
            Some(_) => api
                .replace(&self.secret_name(), &params, &backup)
                .await
                .unwrap(),
        };
    }

    /// Replaces the private key by these bytes.
    async fn tamper(&self, bytes: Vec<u8>) {
        let secret = self.secret().await;
        let data = secret.data.unwrap();
        let entry = data.keys().find(|name| *name != "keys.json").unwrap();
        let patch = Patch::Merge(json!({ "data": { entry: ByteString(bytes) } }));
        let params = PatchParams::default();
        self.secrets()
            .patch(&self.secret_name(), &params, &patch)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn j14_lost_signing_keys_stop_the_tenant_until_restored() {
    let own = Own::new().await;
    let (backup, published) = (own.secret().await, own.jwks().await);
    let now = DeleteParams::default();
    let _ = own
        .secrets()
        .delete(&own.secret_name(), &now)
        .await
        .unwrap();
    own.wait_tenant("False", "SigningKeysUnavailable").await;
    let made_again = own.secrets().get_opt(&own.secret_name()).await.unwrap();
    assert_eq!(
        made_again, None,
        "new keys would orphan the tokens of the old"
    );
    own.stops_until_restored(&published, backup).await;
}

#[tokio::test]
async fn j14_an_exchanged_private_key_stops_the_tenant() {
    let own = Own::new().await;
    let (backup, published) = (own.secret().await, own.jwks().await);
    own.tamper(pkcs8(Algorithm::Es256)).await;
    own.stops_until_restored(&published, backup).await;
}

#[tokio::test]
async fn j14_a_garbled_private_key_stops_the_tenant_until_restored() {
    let own = Own::new().await;
    let (backup, published) = (own.secret().await, own.jwks().await);
    own.tamper(b"garbage".to_vec()).await;
    own.stops_until_restored(&published, backup).await;
}

#[tokio::test]
async fn j14_an_emptied_schedule_stops_the_tenant_until_restored() {
    let own = Own::new().await;
    let (backup, published) = (own.secret().await, own.jwks().await);
    let empty = json!({ "data": { "keys.json": ByteString(b"[]".to_vec()) } });
    let params = PatchParams::default();
    let api = own.secrets();
    api.patch(&own.secret_name(), &params, &Patch::Merge(empty))
        .await
        .unwrap();
    own.stops_until_restored(&published, backup).await;
}

#[tokio::test]
async fn a_recreated_tenant_has_new_keys() {
    let own = Own::new().await;
    let (before, published) = (own.secret().await, own.jwks().await);
    let now = DeleteParams::default();
    let _ = own.space.tenants().delete(&own.tenant, &now).await.unwrap();
    own.space.wait_refused("web", "TenantNotFound").await;
    let answer = http().get(&own.entries["JWKS_URI"]).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    let created = own.space.try_create_tenant(&own.tenant, json!({})).await;
    created.unwrap();
    own.wait_tenant("True", "Available").await;
    own.space.wait_ready("web").await;
    assert_ne!(own.secret().await.uid(), before.uid());
    let old = published["keys"][0]["kid"].as_str().unwrap();
    assert!(!own.jwks().await.to_string().contains(old));
    ask(&http(), &own.entries).await.unwrap();
}

#[tokio::test]
async fn a_tenant_has_its_own_issuer_and_its_own_keys() {
    let own = Own::new().await;
    let issuer = format!("{}/t/{}", own.space.issuer, own.tenant);
    assert_eq!(own.entries["ISSUER"], issuer);
    let get = |url: String| async move { http().get(url).send().await.unwrap() };
    let own_document: Value = get(format!("{issuer}/.well-known/openid-configuration"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(own_document["issuer"], issuer);
    let host = &own.space.issuer;
    let rfc8414 = get(format!(
        "{host}/.well-known/oauth-authorization-server/t/{}",
        own.tenant
    ))
    .await;
    assert_eq!(rfc8414.json::<Value>().await.unwrap()["issuer"], issuer);
    let default: Value = get(format!("{host}/jwks")).await.json().await.unwrap();
    for key in own.jwks().await["keys"].as_array().unwrap() {
        assert!(
            !default["keys"].as_array().unwrap().contains(key),
            "shared between tenants"
        );
        assert!(key.get("d").is_none() && key["use"] == "sig", "{key}");
    }
    // The default tenant does not know the client.
    let (code, _) = own
        .space
        .token_from(
            host,
            &own.entries["CLIENT_ID"],
            &own.entries["CLIENT_SECRET"],
            &[],
        )
        .await;
    assert_eq!(code, 401);
}

#[tokio::test]
async fn j10_j11_an_unknown_tenant_or_spelling_is_not_found() {
    let own = Own::new().await;
    let (host, name) = (&own.space.issuer, &own.tenant);
    let spelled: Vec<String> = name.bytes().map(|b| format!("%{b:02x}")).collect();
    let spelled = spelled.concat();
    let paths = [
        "/t/unknown".to_owned(),
        "/t/default".to_owned(),
        format!("/t/{name}/"),
        format!("/t/{}", name.to_uppercase()),
        format!("/t/{spelled}"),
        format!("//t/{name}"),
        format!("/t//{name}"),
        format!("/T/{name}"),
    ];
    for path in paths {
        for document in ["/.well-known/openid-configuration", "/jwks"] {
            let answer = http()
                .get(format!("{host}{path}{document}"))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 404, "{path}{document}");
        }
    }
}

/// A resource server that keeps its copy of the JWK Set for a second.
struct Verifier {
    uri: String,
    copy: JwkSet,
    since: Instant,
}

impl Verifier {
    const CACHED_FOR: Duration = Duration::from_secs(1);

    async fn fetch(uri: &str) -> JwkSet {
        http().get(uri).send().await.unwrap().json().await.unwrap()
    }

    async fn new(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            copy: Self::fetch(uri).await,
            since: Instant::now(),
        }
    }

    async fn check(&mut self, audience: &str, token: &str) -> Result<String, String> {
        if self.since.elapsed() > Self::CACHED_FOR {
            (self.since, self.copy) = (Instant::now(), Self::fetch(&self.uri).await);
        }
        let header = jsonwebtoken::decode_header(token).unwrap();
        let name = format!("{:?}", header.alg);
        let algorithm = Algorithm::from_name(&name).unwrap();
        verify(&self.copy, algorithm, audience, token).map(|_| name)
    }
}

/// Asks and verifies without a pause until tokens are signed with this algorithm.
async fn until_signed_with(
    wanted: &str,
    entries: &Entries,
    verifier: &mut Verifier,
    tokens: &mut Vec<String>,
) {
    let (http, deadline) = (http(), Instant::now() + Duration::from_mins(1));
    loop {
        let token = ask(&http, entries).await.unwrap();
        let algorithm = verifier.check(&entries["ISSUER"], &token).await.unwrap();
        tokens.push(token);
        if algorithm == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "still signed with {algorithm}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j13_a_change_of_algorithm_under_load_fails_no_verification() {
    // A tenant of its own: the load and the changes concern no other test at the shared control plane.
    let Own { space, entries, .. } = Own::new().await;
    let mut verifier = Verifier::new(&entries["JWKS_URI"]).await;
    let published = verifier.copy.clone();
    assert_eq!(published.keys.len(), 3);
    let mut tokens = Vec::new();
    until_signed_with("ES256", &entries, &mut verifier, &mut tokens).await;
    for algorithm in ["EdDSA", "RS256", "ES256"] {
        space
            .patch_tenant(&json!({ "signing": { "algorithm": algorithm } }))
            .await;
        until_signed_with(algorithm, &entries, &mut verifier, &mut tokens).await;
    }
    let published_after = Verifier::fetch(&entries["JWKS_URI"]).await;
    assert_eq!(
        published_after, published,
        "the keys of every algorithm were there"
    );
    for token in &tokens {
        verifier.check(&entries["ISSUER"], token).await.unwrap();
    }
}

/// The key IDs of a JWK Set.
fn key_ids(jwks: &Value) -> Vec<String> {
    let keys = jwks["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

impl Own {
    /// Asks for a rotation of the signing keys and waits until it is answered.
    async fn rotate(&self, signing: Value) {
        let id = signing["requestId"].clone();
        let patch = Patch::Merge(json!({ "spec": { "signing": signing } }));
        let (tenants, params) = (self.space.tenants(), PatchParams::default());
        tenants.patch(&self.tenant, &params, &patch).await.unwrap();
        eventually("the request is answered", || async {
            let tenant = tenants.get(&self.tenant).await.unwrap();
            let answered = tenant.status.unwrap_or_default().last_handled_request_id;
            when(answered.as_deref() == id.as_str(), (), || {
                format!("{answered:?}")
            })
        })
        .await;
    }

    /// Waits until the published keys are as wanted.
    async fn published(&self, what: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        eventually(what, || async {
            let ids = key_ids(&self.jwks().await);
            when(wanted(&ids), ids.clone(), || format!("{ids:?}"))
        })
        .await
    }

    /// The key that signs an access token now.
    async fn signs(&self) -> String {
        let token = ask(&http(), &self.entries).await.unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        header.kid.unwrap()
    }
}

#[tokio::test]
async fn o19_signing_keys_rotate_when_asked_and_in_an_emergency() {
    let own = Own::new().await;
    let first = key_ids(&own.jwks().await);
    let signing = own.signs().await;
    // The ordinary way: the new keys are published, and the old one signs until every verifier can know them.
    own.rotate(json!({ "requestId": "2026-11-30" })).await;
    let both = own
        .published("old and new keys", |ids| ids.len() == 6)
        .await;
    assert!(first.iter().all(|id| both.contains(id)));
    assert_eq!(own.signs().await, signing);
    let leaked = own.secret().await;
    // They leaked: new keys sign at once, and all others are gone.
    own.rotate(json!({ "requestId": "INC-4711", "emergency": true }))
        .await;
    let fresh = |ids: &[String]| ids.len() == 3 && !ids.iter().any(|id| both.contains(id));
    let after = own.published("new keys only", fresh).await;
    assert!(after.contains(&own.signs().await));
    let secret = own.secret().await;
    let data = secret.data.as_ref().unwrap();
    assert!(
        !data.contains_key("former.json"),
        "no hint is verified by them"
    );
    // The same manifest again rotates nothing.
    own.rotate(json!({ "requestId": "INC-4711", "emergency": true }))
        .await;
    assert_eq!(
        own.secret().await.metadata.resource_version,
        secret.metadata.resource_version
    );
    // A Secret of a backup brings the leaked keys back, and the request acts again.
    own.restore(Some(secret), leaked).await;
    let again = |ids: &[String]| {
        let known = |id: &String| after.contains(id) || both.contains(id);
        ids.len() == 3 && !ids.iter().any(known)
    };
    own.published("newer keys", again).await;
}
