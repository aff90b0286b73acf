//! What ends when a person is disabled, deleted or recreated.

use kube::api::DeleteParams;
use serde_json::json;

use crate::support::replica::Replica;
use crate::support::test_namespace::TestNamespace;
use crate::support::users::ready;

#[tokio::test]
async fn c03_c17_a_disabled_user_is_out_at_once_without_a_session() {
    let space = TestNamespace::new("ending").await;
    let tenant = space.tenant_with_people(json!({})).await;
    space.person(&tenant, "anna", "horse and cart").await;
    let replica = Replica::start().await;
    let before = replica.person(&tenant, "anna").unwrap();
    let began = jiff::Timestamp::now();
    assert!(before.stands_by(&before.credential, began));

    space.patch_user("anna", json!({ "disabled": true })).await;
    let disabled = space
        .wait_user("anna", "Disabled", |user| {
            ready(user) == Some(("False".into(), "Disabled".into()))
        })
        .await;
    let since = disabled.status.unwrap().sessions_valid_from.unwrap().0;
    assert!(since >= began, "{since} {began}");
    replica
        .wait_person(&tenant, "anna", "it is disabled", |person| {
            person.is_some_and(|person| !person.stands_by(&before.credential, jiff::Timestamp::MAX))
        })
        .await;

    space.patch_user("anna", json!({ "disabled": false })).await;
    let again = space.enrolled("anna").await.status.unwrap();
    assert!(again.sessions_valid_from.unwrap().0 >= since);
    let person = replica
        .wait_person(&tenant, "anna", "it is let in again", |person| {
            person.is_some_and(|person| !person.disabled)
        })
        .await
        .unwrap();
    assert_eq!(person.credential, before.credential, "the same password");
    assert!(
        !person.stands_by(&person.credential, began),
        "no session came back"
    );
    assert!(person.stands_by(&person.credential, person.valid_from));
    replica.stop().await;

    let restarted = Replica::start().await;
    let person = restarted.person(&tenant, "anna").unwrap();
    assert!(
        !person.stands_by(&person.credential, began),
        "nor after a restart"
    );
    restarted.stop().await;
}

#[tokio::test]
async fn f15_k16_a_recreated_person_is_somebody_else() {
    let space = TestNamespace::new("ending").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let before = space
        .person(&tenant, "anna", "horse and cart")
        .await
        .status
        .unwrap();
    let delete = DeleteParams::default();
    let _ = space.users().delete("anna", &delete).await.unwrap();
    let replica = Replica::start().await;
    replica
        .wait_person(&tenant, "anna", "no person of that name", |person| {
            person.is_none()
        })
        .await;
    let after = space
        .person(&tenant, "anna", "horse and cart")
        .await
        .status
        .unwrap();
    assert_ne!(before.subject, after.subject);
    replica.stop().await;
}

#[tokio::test]
async fn a_recreated_tenant_has_other_people_of_the_same_names() {
    let space = TestNamespace::new("ending").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let before = space
        .person(&tenant, "anna", "horse and cart")
        .await
        .status
        .unwrap();
    let delete = DeleteParams::default();
    let _ = space.tenants().delete(&tenant, &delete).await.unwrap();
    space.not_enrolled("anna", "TenantNotFound").await;
    space.tenant_with_people(json!({})).await;
    let after = space.enrolled("anna").await.status.unwrap();
    assert_ne!(before.subject, after.subject);
}

#[tokio::test]
async fn the_time_before_which_sessions_are_over_is_a_ledger() {
    use crate::support::cluster::shared;
    use crate::support::person::{operator, sentence};
    use clientele_api::OAuthUser;
    use kube::Api;
    use kube::api::{Patch, PatchParams};

    let space = TestNamespace::new("ending").await;
    let tenant = space.tenant_with_people(json!({})).await;
    space.person(&tenant, "anna", "horse and cart").await;
    space.patch_user("anna", json!({ "disabled": true })).await;
    space.not_enrolled("anna", "Disabled").await;
    let kube = operator(&shared().cluster).await;
    let api: Api<OAuthUser> = Api::namespaced(kube, &space.name);
    for (value, sentence_of_it) in [
        (
            json!("2020-01-01T00:00:00Z"),
            "sessionsValidFrom only rises",
        ),
        (
            json!(null),
            "status.sessionsValidFrom is a ledger and must not be removed",
        ),
    ] {
        let patch = json!({ "status": { "sessionsValidFrom": value } });
        let params = PatchParams::default();
        let answer = sentence(
            api.patch_status("anna", &params, &Patch::Merge(&patch))
                .await,
        );
        let answer = answer.expect_err("the ledger was changed");
        assert!(answer.contains(sentence_of_it), "{answer}");
    }
}
