//! People are users of the cluster by ID tokens of the client that was made for kubectl, and nobody by anything else.

use std::collections::BTreeMap;

use k8s_openapi::api::authentication::v1::{SelfSubjectReview, UserInfo};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use super::node::Node;
use super::people::Someone;
use super::secure::{Secure, secure};
use crate::support::person::{bearer, bearer_kubeconfig};
use crate::support::space::{Space, eventually};

/// `docs/authentication-config.yaml` trusts the client `kubectl` of this namespace.
const PLATFORM: &str = "platform";
/// As the sample has it, with a port of its own choice.
const REDIRECT_URI: &str = "http://127.0.0.1:8000";

/// Where another application is.
const THEIRS: &str = "https://app.example.com/callback";

/// Who the API server takes the bearer of a token for.
async fn whoami(secure: &Secure, token: &str) -> Result<UserInfo, String> {
    let kube = bearer(&secure.cluster, token).await;
    let reviews: Api<SelfSubjectReview> = Api::all(kube);
    let review = reviews
        .create(&PostParams::default(), &SelfSubjectReview::default())
        .await
        .map_err(|error| error.to_string())?;
    Ok(review.status.unwrap().user_info.unwrap())
}

/// The tokens that a person gets for a public client.
async fn tokens(secure: &Secure, client_id: &str, redirect_uri: &str, ada: &Someone) -> Value {
    ada.at(Node::new("tokens.mjs"))
        .with("ISSUER", &secure.operator.issuer)
        .with("CLIENT_ID", client_id)
        .with("REDIRECT_URI", redirect_uri)
        .with("SCOPE", "openid profile groups")
        .with("NODE_EXTRA_CA_CERTS", secure.authority.ca())
        .run()
        .await
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_users_by_the_client_for_kubectl_and_by_no_other() {
    let secure: &'static Secure = tokio::task::spawn_blocking(secure).await.unwrap();
    let platform = platform(secure).await;
    let groups = ["platform", "staff"];
    let ada = Someone::new(&platform, "default", "ada", &groups).await;

    let good = tokens(secure, "platform.kubectl", REDIRECT_URI, &ada).await;
    is_a_user(secure, text(&good, "id_token")).await;
    refused(secure, "its access token", text(&good, "access_token")).await;

    f53_a_token_for_another_client_is_nobody(secure, &platform, &ada).await;
    f54_a_machine_is_nobody_whatever_its_name(secure).await;
}

/// The namespace of the platform team, the sample in it, and the people of the tenant `default`.
async fn platform(secure: &Secure) -> Space {
    let cluster = &secure.cluster;
    let kubectl = |arguments: &[&str]| cluster.kubectl(arguments).unwrap();
    kubectl(&["create", "namespace", PLATFORM]);
    let space = Space {
        kube: cluster.kube().await,
        name: PLATFORM.to_owned(),
        issuer: secure.operator.issuer.clone(),
    };
    eventually("the tenant `default` is there", || async {
        cluster.kubectl(&["get", "oauthtenant", "default"])
    })
    .await;
    space.label_for_people().await;
    kubectl(&[
        "apply",
        "--namespace",
        PLATFORM,
        "--filename",
        "deploy/samples/kubectl.yaml",
    ]);
    space.wait_ready("kubectl").await;
    space
}

async fn is_a_user(secure: &Secure, id_token: &str) {
    // The API server looks for an issuer that it has not reached every ten seconds.
    let user = eventually("the API server knows the issuer", || {
        whoami(secure, id_token)
    })
    .await;
    assert_eq!(user.username.as_deref(), Some("clientele:ada"));
    let mut groups = user.groups.unwrap();
    groups.sort();
    let expected = [
        "clientele:platform",
        "clientele:staff",
        "system:authenticated",
    ];
    assert_eq!(groups, expected);
    let file = tempfile::NamedTempFile::new().unwrap();
    let kubeconfig = bearer_kubeconfig(&secure.cluster, id_token);
    std::fs::write(&file, serde_yaml::to_string(&kubeconfig).unwrap()).unwrap();
    let path = file.path().to_str().unwrap();
    let shown = secure
        .cluster
        .kubectl(&["--kubeconfig", path, "auth", "whoami"])
        .unwrap();
    assert!(shown.contains("clientele:ada"), "{shown}");
}

async fn refused(secure: &Secure, what: &str, token: &str) {
    let answer = whoami(secure, token).await;
    let message = answer.expect_err(what);
    assert!(message.contains("Unauthorized"), "{what}: {message}");
}

/// The application that a person signs in to holds an ID token of theirs, with the same claims.
async fn f53_a_token_for_another_client_is_nobody(
    secure: &Secure,
    platform: &Space,
    ada: &Someone,
) {
    let spec = json!({
        "type": "Public", "redirectUris": [THEIRS], "scopes": ["openid", "profile", "groups"],
    });
    let team = Space::within(&secure.cluster, &secure.operator.issuer, "team").await;
    for (space, name) in [(&team, "kubectl"), (&team, "app"), (platform, "app")] {
        space.ready(name, spec.clone()).await;
        let client_id = format!("{}.{name}", space.name);
        let theirs = tokens(secure, &client_id, THEIRS, ada).await;
        refused(secure, &client_id, text(&theirs, "id_token")).await;
        refused(secure, &client_id, text(&theirs, "access_token")).await;
    }
}

/// Its `sub` is its client ID; its audience is never the client for kubectl.
async fn f54_a_machine_is_nobody_whatever_its_name(secure: &Secure) {
    let team = Space::within(&secure.cluster, &secure.operator.issuer, "machines").await;
    for name in ["ada", "admin", "kubectl", "masters"] {
        team.ready(name, json!({})).await;
        let entries = team.entries(&format!("{name}-oauth")).await;
        let token = machine_token(secure, &entries, &[]).await;
        refused(secure, name, text(&token, "access_token")).await;
        let for_kubectl = [("resource", "platform.kubectl")];
        let refusal = machine_token(secure, &entries, &for_kubectl).await;
        assert_eq!(refusal["error"], "invalid_target");
    }
}

async fn machine_token(
    secure: &Secure,
    entries: &BTreeMap<String, String>,
    more: &[(&str, &str)],
) -> Value {
    let request = secure
        .authority
        .http()
        .post(&entries["TOKEN_ENDPOINT"])
        .basic_auth(&entries["CLIENT_ID"], Some(&entries["CLIENT_SECRET"]))
        .form(&[&[("grant_type", "client_credentials")], more].concat());
    request.send().await.unwrap().json().await.unwrap()
}
