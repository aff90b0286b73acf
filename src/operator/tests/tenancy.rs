//! Two namespaces: whatever B writes, A's clients, people and Secrets are what they are without it, and nothing of A's is
//! B's. What B can write is every field of both kinds (`fields`).

pub mod clients;
mod fields;
mod ground;
mod people;
pub mod proofs;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use crate::domain::client::identity::ClientObject;
use crate::domain::client::plan::SecretStep;
use crate::domain::reason::Refusal;
use clientele_api::{OAuthClient, OAuthUser};
use clientele_oauth::grant::validity;
use clientele_oauth::{Client, Tenant};
use ground::{BROUGHT_BY_A, BROUGHT_BY_B, Seen, TenancyModel};
use proofs::Keys;

type Judged = Result<(), TestCaseError>;

/// A client that B writes, and a person.
#[derive(Debug)]
struct Theirs {
    client: OAuthClient,
    user: OAuthUser,
}

fn of_b(keys: &Keys) -> impl Strategy<Value = Theirs> + use<> {
    let both = (clients::of_b(keys), people::of_b());
    both.prop_map(|(client, user)| Theirs { client, user })
}

#[test]
fn f37_f57_f61_whatever_b_writes_a_is_what_it_was_and_nothing_of_a_is_bs() {
    let ground = TenancyModel::new();
    let config = ProptestConfig::default();
    let holds = |theirs| holds(&ground, &theirs);
    let verdict = TestRunner::new(config).run(&of_b(&ground.keys), holds);
    verdict.unwrap_or_else(|failure| panic!("{failure}"));
}

fn holds(ground: &TenancyModel, theirs: &Theirs) -> Judged {
    let before = ground.seen(None);
    let after = ground.seen(Some((&theirs.client, &theirs.user)));
    a_is_what_it_was(ground, &before, &after)?;
    b_writes_over_nothing(ground, &before, &after, &theirs.client)?;
    what_was_allowed_to_a_still_stands(ground, &after)?;
    let tenant = after.tenant();
    nobody_of_b_is_taken_for_somebody_of_a(ground, &after, &tenant, theirs)?;
    let of_b = after.client(&theirs.client).as_ref().ok();
    let accounts = theirs.client.spec.service_accounts.iter();
    let accounts = accounts.map(|account| &*account.name);
    proofs::prove_only_their_own(&ground.keys, &tenant, of_b, accounts)?;
    let Some(client) = of_b else { return Ok(()) };
    b_has_no_privilege(ground, &tenant, client)?;
    let secret = ground.desired(&theirs.client, &after).unwrap();
    a_secret_of_b_is_ordinary(&secret)?;
    secrets_prove_only_their_own(ground, &before, &tenant, client, &secret)
}

fn a_is_what_it_was(ground: &TenancyModel, before: &Seen, after: &Seen) -> Judged {
    for object in &ground.clients {
        prop_assert_eq!(after.client(object), before.client(object));
        let secret = ground.desired(object, before);
        prop_assert!(secret.is_some());
        prop_assert_eq!(ground.desired(object, after), secret);
    }
    for user in &ground.users {
        prop_assert!(before.user(user).is_ok());
        prop_assert_eq!(after.user(user), before.user(user));
    }
    Ok(())
}

/// B writes in its own namespace, and over no Secret that is not its own: not one of A's that it copied, with every mark.
fn b_writes_over_nothing(
    ground: &TenancyModel,
    before: &Seen,
    after: &Seen,
    theirs: &OAuthClient,
) -> Judged {
    let verdict = after.client(theirs);
    for object in &ground.clients {
        let mut copied = ground.desired(object, before).unwrap();
        copied.metadata.namespace = Some("team-b".into());
        copied.metadata.uid = Some("uid-of-another-secret".into());
        let plan = ground.planned(theirs, verdict, Some(&copied));
        prop_assert!(matches!(plan.secret, SecretStep::Keep) && plan.remove.is_empty());
        prop_assert!(plan.verdict.is_err());
    }
    let plan = ground.planned(theirs, verdict, None);
    if let SecretStep::Create(wanted) | SecretStep::Repair(wanted) = &plan.secret {
        prop_assert_eq!(&wanted.namespace, "team-b");
    }
    Ok(())
}

/// A code, a refresh token or an access token of A's is what it was, and no client of B's may have it.
fn what_was_allowed_to_a_still_stands(ground: &TenancyModel, after: &Seen) -> Judged {
    let tenant = after.tenant();
    for user in &ground.users {
        let person = &after.user(user).as_ref().unwrap().person;
        for object in &ground.clients {
            let client = after.client(object).as_ref().unwrap();
            let given = ground::allowed(client, person);
            prop_assert!(validity::check(&tenant, &given).is_ok());
            let others = tenant
                .clients
                .values()
                .filter(|c| c.namespace != client.namespace);
            prop_assert!(others.into_iter().all(|other| !given.belongs_to(other)));
        }
    }
    Ok(())
}

fn nobody_of_b_is_taken_for_somebody_of_a(
    ground: &TenancyModel,
    after: &Seen,
    tenant: &Tenant,
    theirs: &Theirs,
) -> Judged {
    let named = after
        .user(&theirs.user)
        .as_ref()
        .ok()
        .map(|enrolled| &enrolled.person);
    for user in &ground.users {
        let of_a = &after.user(user).as_ref().unwrap().person;
        let found = [
            tenant.users.by_username(&of_a.username),
            tenant.users.by_subject(&of_a.subject, &of_a.uid),
        ];
        for found in found {
            prop_assert_eq!(found.map(|found| &**found), Some(of_a));
        }
        if let Some(of_b) = named {
            prop_assert!(of_b.subject != of_a.subject && of_b.credential != of_a.credential);
            prop_assert!(of_b.password.is_none() || of_b.password != of_a.password);
            prop_assert!(
                of_b.claims.get("preferred_username") != of_a.claims.get("preferred_username")
            );
        }
    }
    // No person is taken for a client either, nor a client for a person.
    let ids = tenant.clients.keys();
    prop_assert!(named.is_none_or(|of_b| ids.into_iter().all(|id| *id != of_b.subject)));
    prop_assert_eq!(
        tenant.users.len(),
        ground.users.len() + usize::from(named.is_some())
    );
    Ok(())
}

/// B has no ID, scope, audience, privilege or way back of A's.
fn b_has_no_privilege(ground: &TenancyModel, tenant: &Tenant, client: &Client) -> Judged {
    for object in &ground.clients {
        let id = ClientObject::parse(object).client_id.into_owned();
        prop_assert_ne!(&*client.id, &*id);
        prop_assert_eq!(&*tenant.clients[&*id].namespace, "team-a");
    }
    prop_assert_eq!(&*client.namespace, "team-b");
    prop_assert!(!client.first_party && !client.scopes.iter().any(|scope| &**scope == "of.a"));
    let mut audiences = client.audiences.iter();
    prop_assert!(!audiences.any(|audience| &*audience.uri == "https://api.a.example"));
    let ways = client
        .redirect_uris
        .iter()
        .chain(&*client.post_logout_redirect_uris);
    for way in ways.chain(&*client.allowed_origins) {
        let url = url::Url::parse(way).unwrap();
        let host = url.host_str().unwrap_or_default();
        let of_a = host == "a.example" || host.ends_with(".a.example");
        prop_assert!(!of_a, "{}", way);
    }
    Ok(())
}

/// Written with rights that B lacks, so it may mean nothing to the cluster.
fn a_secret_of_b_is_ordinary(secret: &Secret) -> Judged {
    let types = ["Opaque", "servicebinding.io/oauth2", "nginx.org/oidc"];
    prop_assert!(types.contains(&secret.type_.as_deref().unwrap()));
    let name = secret.name_any();
    prop_assert!(
        !name.starts_with("bootstrap-token-") && name != "clientele-root-key",
        "{}",
        name
    );
    let ours = ["app.kubernetes.io/managed-by", "app.kubernetes.io/part-of"];
    let (labels, annotations): (&BTreeMap<_, _>, _) = (secret.labels(), secret.annotations());
    for key in labels.keys().chain(annotations.keys()) {
        let reserved = key.contains("kubernetes.io/") && !ours.contains(&&**key);
        prop_assert!(!reserved, "{}", key);
    }
    Ok(())
}

/// B's Secret holds nothing of A's, and nothing that authenticates as A; what A has is nothing to B.
fn secrets_prove_only_their_own(
    ground: &TenancyModel,
    before: &Seen,
    tenant: &Tenant,
    client: &Client,
    secret: &Secret,
) -> Judged {
    let own = secrets_in(secret);
    let accepts = |id: &str, secret: &str| ground.accepts(tenant, id, secret);
    for object in &ground.clients {
        let id = ClientObject::parse(object).client_id.into_owned();
        for value in secrets_in(&ground.desired(object, before).unwrap()) {
            prop_assert!(!own.iter().any(|own| own.contains(&value)));
            prop_assert!(accepts(&id, &value));
            prop_assert!(!accepts(&client.id, &value));
        }
        for value in own.iter().map(String::as_str).chain([BROUGHT_BY_B, ""]) {
            prop_assert!(!accepts(&id, value));
        }
    }
    prop_assert!(accepts("team-a.brought", BROUGHT_BY_A));
    prop_assert!(!accepts(&client.id, BROUGHT_BY_A));
    Ok(())
}

/// Every value of a Secret that can be an authenticator.
fn secrets_in(secret: &Secret) -> Vec<String> {
    let values = secret.data.iter().flatten();
    let texts = values.map(|(_, value)| String::from_utf8(value.0.clone()).unwrap());
    texts.filter(|text| text.contains("clt_")).collect()
}

/// The property can fail: without A's earlier claims the same names are B's.
#[test]
fn a_stolen_name_would_be_seen() {
    let mut ground = TenancyModel::new();
    let spec = serde_json::json!({ "clientId": "legacy" });
    let client = ground::client("team-b", "other", 100, spec);
    let spec = serde_json::json!({ "username": "alice", "subject": ground::SUBJECT });
    let user = ground::user("team-b", "alice", 100, spec);
    let beside = |ground: &TenancyModel| {
        let seen = ground.seen(Some((&client, &user)));
        let reason = |refusal: &Refusal| refusal.reason.to_string();
        let client = seen
            .client(&client)
            .as_ref()
            .map(|client| client.id.to_string());
        let user = seen
            .user(&user)
            .as_ref()
            .map(|user| user.person.username.to_string());
        (client.map_err(reason), user.map_err(reason))
    };
    let refused = (
        Err("ClientIdConflict".into()),
        Err("UsernameConflict".into()),
    );
    assert_eq!(beside(&ground), refused);
    (ground.clients, ground.users) = (Vec::new(), Vec::new());
    assert_eq!(beside(&ground), (Ok("legacy".into()), Ok("alice".into())));
}
