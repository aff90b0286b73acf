use clientele_api::OAuthClient;
use clientele_oauth::{Client, Keyring};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::domain::client::identity::ClientObject;
use crate::domain::client::plan::{Plan, SecretStep, Situation, plan};
use crate::domain::client::secret::digest::{DigestKey, SecretDigest};
use crate::domain::client::secret::{DesiredSecret, MANAGED_FIELDS_ANNOTATION, PROOF_ANNOTATION};
use crate::domain::reason::Refusal;
use crate::tests::{generous, judged, keyring, object};

struct Stage {
    object: OAuthClient,
    client: Result<Client, Refusal>,
    keyring: Keyring,
    digests: DigestKey,
}

impl Stage {
    fn new(spec: Value) -> Self {
        let object = object("web", spec);
        Self {
            client: judged(&object, &generous()),
            object,
            keyring: keyring(),
            digests: DigestKey::default(),
        }
    }

    fn desired(&self) -> DesiredSecret {
        DesiredSecret::new(
            &ClientObject::parse(&self.object),
            self.client.as_ref().unwrap(),
            "https://id.example",
            &self.keyring,
        )
    }

    fn written(&self) -> Secret {
        let mut secret = self.desired().to_create();
        secret.metadata.uid = Some("secret-uid".into());
        secret
    }

    fn plan(&self, found: Option<&Secret>) -> Plan {
        self.plan_with(found, |_| {})
    }

    fn plan_with(
        &self,
        found: Option<&Secret>,
        change: impl for<'a> FnOnce(&mut Situation<'a>),
    ) -> Plan {
        let facts = found.map(|secret| SecretDigest::new(secret, &self.digests));
        let mut situation = Situation {
            object: &ClientObject::parse(&self.object),
            client: self.client.as_ref(),
            issuer: "https://id.example",
            tenant_problem: None,
            keyring: Ok(&self.keyring),
            namespace_problem: None,
            secret: facts.as_ref(),
            secret_owner: None,
            former: &[],
            digests: &self.digests,
            observed: None,
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        change(&mut situation);
        plan(&situation)
    }
}

fn step(plan: &Plan) -> &'static str {
    match plan.secret {
        SecretStep::Keep => "keep",
        SecretStep::Create(_) => "create",
        SecretStep::Repair(_) => "repair",
    }
}

fn reason(plan: &Plan) -> String {
    plan.verdict.as_ref().map_or_else(
        |refusal| refusal.reason.to_string(),
        |()| "Registered".into(),
    )
}

#[test]
fn nothing_there_is_created() {
    assert_eq!(step(&Stage::new(json!({})).plan(None)), "create");
}

#[test]
fn what_is_right_is_kept() {
    let stage = Stage::new(json!({}));
    assert_eq!(step(&stage.plan(Some(&stage.written()))), "keep");
}

#[test]
fn what_others_add_is_left_alone() {
    let stage = Stage::new(json!({}));
    let mut secret = stage.written();
    secret
        .data
        .as_mut()
        .unwrap()
        .insert("OTHERS".into(), ByteString(b"x".to_vec()));
    secret
        .metadata
        .labels
        .as_mut()
        .unwrap()
        .insert("others".into(), "x".into());
    assert_eq!(step(&stage.plan(Some(&secret))), "keep");
    let put_right = stage.desired().to_replace(secret);
    assert!(put_right.data.unwrap().contains_key("OTHERS"));
    assert!(put_right.metadata.labels.unwrap().contains_key("others"));
}

type Tamper = fn(&mut Secret);

#[test]
fn f47_whatever_of_ours_is_changed_is_put_back() {
    let stage =
        Stage::new(json!({ "secret": { "labels": { "reloader.stakater.com/team": "a" } } }));
    let tampering: [(&str, Tamper); 7] = [
        ("entry changed", |s| {
            s.data
                .as_mut()
                .unwrap()
                .insert("CLIENT_SECRET".into(), ByteString(b"x".to_vec()));
        }),
        ("entry removed", |s| {
            s.data.as_mut().unwrap().remove("ISSUER");
        }),
        ("label changed", |s| {
            s.metadata
                .labels
                .as_mut()
                .unwrap()
                .insert("reloader.stakater.com/team".into(), "b".into());
        }),
        ("label removed", |s| {
            s.metadata
                .labels
                .as_mut()
                .unwrap()
                .remove("app.kubernetes.io/managed-by");
        }),
        ("list of ours changed", |s| {
            s.metadata
                .annotations
                .as_mut()
                .unwrap()
                .insert(MANAGED_FIELDS_ANNOTATION.into(), ";;".into());
        }),
        ("owner removed", |s| s.metadata.owner_references = None),
        ("owner replaced", |s| {
            s.metadata.owner_references.as_mut().unwrap()[0].uid = "another".into();
        }),
    ];
    for (what, tamper) in tampering {
        let mut secret = stage.written();
        tamper(&mut secret);
        assert_eq!(step(&stage.plan(Some(&secret))), "repair", "{what}");
        let whole = stage.desired().to_replace(secret);
        assert_eq!(
            step(&stage.plan(Some(&whole))),
            "keep",
            "{what}: the repair is not complete"
        );
        assert_eq!(whole.data, stage.written().data, "{what}: other bytes");
    }
}

#[test]
fn a_renamed_entry_leaves_no_old_one_behind() {
    let before = Stage::new(json!({})).written();
    let after = Stage::new(json!({ "secret": { "entries": { "clientSecret": "client-secret" } } }));
    assert_eq!(step(&after.plan(Some(&before))), "repair");
    let data = after.desired().to_replace(before).data.unwrap();
    assert!(data.contains_key("client-secret") && !data.contains_key("CLIENT_SECRET"));
}

#[test]
fn a_public_client_has_no_secret_entry_and_gets_it_when_it_becomes_confidential() {
    let confidential = Stage::new(json!({ "redirectUris": ["https://a.example/cb"] }));
    let public = Stage::new(json!({ "type": "Public", "redirectUris": ["https://a.example/cb"] }));
    let data = public
        .desired()
        .to_replace(confidential.written())
        .data
        .unwrap();
    assert!(!data.contains_key("CLIENT_SECRET") && data.contains_key("CLIENT_ID"));
    let back = confidential
        .desired()
        .to_replace(public.written())
        .data
        .unwrap();
    assert_eq!(Some(&back), confidential.written().data.as_ref());
}

#[test]
fn f39_somebody_elses_secret_is_never_touched() {
    let stage = Stage::new(json!({}));
    let mut foreign = stage.written();
    // Labels, owner and content as ours, but not our proof for this place: F36, F45, F49.
    foreign.metadata.annotations = Some(
        [(
            PROOF_ANNOTATION.to_owned(),
            stage.keyring.prove("team-a", "other-oauth", "uid-of-web"),
        )]
        .into(),
    );
    let plan = stage.plan(Some(&foreign));
    assert_eq!(
        (step(&plan), reason(&plan).as_str()),
        ("keep", "SecretNotOwned")
    );
    assert!(plan.remove.is_empty());
}

#[test]
fn f40_the_secret_of_another_client_is_not_to_be_deleted() {
    let stage = Stage::new(json!({}));
    let mut theirs = stage.written();
    theirs.metadata.annotations = None;
    let plan = stage.plan_with(Some(&theirs), |now| now.secret_owner = Some("first"));
    assert_eq!(reason(&plan), "SecretNotOwned");
    let said = plan.verdict.unwrap_err().message;
    assert!(said.contains("OAuthClient \"first\""), "{said}");
    assert!(!said.contains("kubectl"), "{said}");
}

#[test]
fn a_proof_for_another_registration_is_no_proof() {
    let stage = Stage::new(json!({}));
    let mut old = stage.written();
    let proof = stage
        .keyring
        .prove("team-a", "web-oauth", "uid-of-an-earlier-web");
    old.metadata
        .annotations
        .as_mut()
        .unwrap()
        .insert(PROOF_ANNOTATION.into(), proof);
    let plan = stage.plan(Some(&old));
    assert_eq!(reason(&plan), "SecretNotOwned");
    // F92: a reader who finds it there learns where it can have come from.
    let said = plan.verdict.unwrap_err().message;
    assert!(said.contains("copied from another cluster"), "{said}");
}

#[test]
fn a_secret_whose_uid_was_recorded_is_ours_also_without_proof() {
    let mut stage = Stage::new(json!({}));
    stage.object.status = Some(
        serde_json::from_value(json!({ "secretUid": "secret-uid", "secretName": "web-oauth" }))
            .unwrap(),
    );
    let mut stripped = stage.written();
    stripped.metadata.annotations = None;
    stripped.metadata.labels = None;
    assert_eq!(step(&stage.plan(Some(&stripped))), "repair");
}

#[test]
fn retain_has_no_owner_and_delete_has_one() {
    let retain = Stage::new(json!({ "deletionPolicy": "Retain" }));
    assert!(retain.written().metadata.owner_references.is_none());
    let delete = Stage::new(json!({}));
    let owners = delete
        .desired()
        .to_replace(retain.written())
        .metadata
        .owner_references
        .unwrap();
    assert_eq!(owners[0].uid, "uid-of-web");
    assert_eq!(owners[0].controller, Some(true));
    // F38: no right on finalizers is needed.
    assert_eq!(owners[0].block_owner_deletion, Some(false));
    let back = retain
        .desired()
        .to_replace(delete.written())
        .metadata
        .owner_references
        .unwrap();
    assert!(back.is_empty());
}

#[test]
fn without_root_key_or_rights_nothing_is_written() {
    let stage = Stage::new(json!({}));
    let plan = stage.plan_with(None, |now| now.keyring = Err("lost"));
    assert_eq!(
        (step(&plan), reason(&plan).as_str()),
        ("keep", "RootKeyUnavailable")
    );
    let plan = stage.plan_with(None, |now| now.namespace_problem = Some("denied"));
    assert_eq!(
        (step(&plan), reason(&plan).as_str()),
        ("keep", "NamespaceNotEnabled")
    );
}

#[test]
fn a_refused_object_keeps_its_secret_as_it_is() {
    let stage = Stage::new(json!({ "scopes": ["unheard.of"] }));
    let good = Stage::new(json!({}));
    let plan = stage.plan(Some(&good.written()));
    assert_eq!(
        (step(&plan), reason(&plan).as_str()),
        ("keep", "ScopeNotFound")
    );
}

#[test]
fn a_suspended_client_is_cared_for_and_not_ready() {
    let stage = Stage::new(json!({ "suspended": true }));
    let plan = stage.plan(None);
    assert_eq!(
        (step(&plan), reason(&plan).as_str()),
        ("create", "Suspended")
    );
}

#[test]
fn another_type_cannot_be_repaired_and_says_so() {
    let stage = Stage::new(json!({ "secret": { "type": "nginx.org/oidc" } }));
    let mut secret = stage.written();
    secret.type_ = Some("Opaque".into());
    let plan = stage.plan(Some(&secret));
    assert_eq!(
        (step(&plan), reason(&plan).as_str()),
        ("keep", "SecretRefused")
    );
}
