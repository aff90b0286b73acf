//! Our own Secret, made into something that cannot be put right.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::support::person::sentence;
use crate::support::test_namespace::{TestNamespace, eventually};

const REMEDY: &str = "the operator writes it again with the same credentials";

async fn delete(space: &TestNamespace, name: &str) {
    let params = DeleteParams::default();
    space.secrets().delete(name, &params).await.unwrap();
}

#[tokio::test]
async fn f46_a_wrong_immutable_secret_is_left_to_an_administrator() {
    let space = TestNamespace::new("spoiled").await;
    space.ready("hello", json!({})).await;
    let before = space.entries("hello-oauth").await;
    let wrong = json!({ "immutable": true, "stringData": { "CLIENT_SECRET": "mine" } });
    let params = PatchParams::default();
    let secrets = space.secrets();
    secrets
        .patch("hello-oauth", &params, &Patch::Merge(wrong))
        .await
        .unwrap();
    space.refused("hello", "SecretRefused", REMEDY).await;
    let (code, _) = space.token("hello-oauth").await;
    assert_eq!(code, 401, "an edited value never authenticates");

    delete(&space, "hello-oauth").await;
    space.accepted("hello").await;
    assert_eq!(space.entries("hello-oauth").await, before);
}

#[tokio::test]
async fn f46_a_copy_with_another_type_is_left_to_an_administrator() {
    let space = TestNamespace::new("spoiled").await;
    space.ready("hello", json!({})).await;
    let before = space.entries("hello-oauth").await;
    let mut copy: Secret = space.secrets().get("hello-oauth").await.unwrap();
    copy.metadata.uid = None;
    copy.metadata.resource_version = None;
    copy.type_ = Some("example.com/other".into());
    replace(&space, &copy).await;
    space.refused("hello", "SecretRefused", REMEDY).await;
    delete(&space, "hello-oauth").await;
    space.accepted("hello").await;
    assert_eq!(space.entries("hello-oauth").await, before);
}

/// Puts the copy in place of ours; the operator may be quicker and restore ours in between.
async fn replace(space: &TestNamespace, copy: &Secret) {
    let params = PostParams::default();
    eventually("the copy is in place", || async {
        delete(space, "hello-oauth").await;
        let created = sentence(space.secrets().create(&params, copy).await);
        created.map(|_| ())
    })
    .await;
}

#[tokio::test]
async fn f48_a_secret_filled_by_others_is_refused_until_there_is_room() {
    let space = TestNamespace::new("spoiled").await;
    space.ready("hello", json!({})).await;
    let before = space.entries("hello-oauth").await;
    // Others fill it to the last byte in the write in which they remove ours.
    let mut crammed = space.secrets().get("hello-oauth").await.unwrap();
    let fill = ByteString(vec![b'x'; (1 << 20) - "FILL".len()]);
    crammed.data = Some([("FILL".to_owned(), fill)].into());
    let params = PostParams::default();
    space
        .secrets()
        .replace("hello-oauth", &params, &crammed)
        .await
        .unwrap();
    space.refused("hello", "SecretRefused", "Too long").await;

    let room = json!({ "data": { "FILL": null } });
    let params = PatchParams::default();
    let secrets = space.secrets();
    secrets
        .patch("hello-oauth", &params, &Patch::Merge(room))
        .await
        .unwrap();
    space.accepted("hello").await;
    assert_eq!(space.entries("hello-oauth").await, before);
}
