//! People are users of the cluster by ID tokens of the client that was made for kubectl, and not by any other token.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use k8s_openapi::api::authentication::v1::{SelfSubjectReview, UserInfo};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::node::Node;
use super::people::Someone;
use super::secure::{Secure, secure};
use crate::support::machine;
use crate::support::person::{bearer, bearer_kubeconfig};
use crate::support::test_namespace::{TestNamespace, eventually};

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

/// The namespace of the platform team with the sample in it, a person of the tenant `default`, and her ID token for
/// kubectl, which the API server was seen to accept: so that a refusal says something about the token.
struct Platform {
    secure: &'static Secure,
    space: TestNamespace,
    ada: Someone,
    tokens: Value,
    user: UserInfo,
}

impl Platform {
    async fn new() -> Self {
        static ADA: OnceCell<String> = OnceCell::const_new();
        let secure: &'static Secure = tokio::task::spawn_blocking(secure).await.unwrap();
        let space = TestNamespace {
            kube: secure.cluster.kube().await,
            name: PLATFORM.to_owned(),
            issuer: secure.operator.issuer.clone(),
        };
        let password = ADA.get_or_init(|| prepare(secure, &space)).await.clone();
        let ada = Someone {
            username: "ada".to_owned(),
            password,
        };
        let tokens = tokens(secure, "platform.kubectl", REDIRECT_URI, &ada).await;
        // The API server looks for an issuer that it has not reached every ten seconds.
        let user = eventually("the API server knows the issuer", || {
            whoami(secure, text(&tokens, "id_token"))
        })
        .await;
        Self {
            secure,
            space,
            ada,
            tokens,
            user,
        }
    }

    async fn refuses(&self, what: &str, token: &str) {
        let answer = whoami(self.secure, token).await;
        let message = answer.expect_err(what);
        assert!(message.contains("Unauthorized"), "{what}: {message}");
    }

    /// A namespace of another team.
    async fn team(&self) -> TestNamespace {
        TestNamespace::within(&self.secure.cluster, &self.secure.operator.issuer, "team").await
    }
}

/// What the page tells the platform team to do; returns the password of the person.
async fn prepare(secure: &Secure, space: &TestNamespace) -> String {
    let kubectl = |arguments: &[&str]| secure.cluster.kubectl(arguments).unwrap();
    kubectl(&["create", "namespace", PLATFORM]);
    space.label_for_people().await;
    let sample = "deploy/samples/kubectl.yaml";
    kubectl(&["apply", "--namespace", PLATFORM, "--filename", sample]);
    space.wait_ready("kubectl").await;
    let groups = ["platform", "staff"];
    Someone::new(space, "default", "ada", &groups)
        .await
        .password
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_users_of_the_cluster_by_the_client_for_kubectl() {
    let platform = Platform::new().await;
    let user = &platform.user;
    assert_eq!(user.username.as_deref(), Some("clientele:ada"));
    let mut groups = user.groups.clone().unwrap();
    groups.sort();
    let expected = [
        "clientele:platform",
        "clientele:staff",
        "system:authenticated",
    ];
    assert_eq!(groups, expected);
    let shown = kubectl_whoami(platform.secure, text(&platform.tokens, "id_token"));
    assert!(shown.contains("clientele:ada"), "{shown}");
    let access_token = text(&platform.tokens, "access_token");
    platform.refuses("the access token", access_token).await;
}

/// `kubectl clientele token kubectl --sign-in`: the person is at another program, and the answer comes to a port of this machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_get_a_token_on_the_command_line() {
    let platform = Platform::new().await;
    let secure = platform.secure;
    let mut program = machine::program(env!("CARGO_BIN_EXE_kubectl-clientele"));
    program
        .args([
            "token",
            "kubectl",
            "--sign-in",
            "--id-token",
            "--scope",
            "openid profile groups",
        ])
        .args(["--namespace", PLATFORM, "--kubeconfig"])
        .arg(&secure.cluster.kubeconfig)
        .arg("--ca-file")
        .arg(secure.authority.ca())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert_eq!(first, "Open this address in the browser:");
    let address = lines.next().unwrap().unwrap().trim().to_owned();
    let mut person = platform
        .ada
        .at(Node::new("person.mjs"))
        .with("NODE_EXTRA_CA_CERTS", secure.authority.ca())
        .into_command();
    let mut person = person
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(person.stdin.take().unwrap(), "{address} http://127.0.0.1:").unwrap();
    let output = person.wait_with_output().unwrap();
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let back = text(&seen, "url");
    let shown = reqwest::get(back).await.unwrap().text().await.unwrap();
    assert!(shown.contains("You are signed in"), "{shown}");
    let output = child.wait_with_output().unwrap();
    let token = String::from_utf8(output.stdout).unwrap();
    let user = whoami(secure, token.trim()).await.unwrap();
    assert_eq!(user.username.as_deref(), Some("clientele:ada"));
}

/// `kubectl auth whoami` with this token.
fn kubectl_whoami(secure: &Secure, id_token: &str) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let kubeconfig = bearer_kubeconfig(&secure.cluster, id_token);
    std::fs::write(&file, serde_yaml::to_string(&kubeconfig).unwrap()).unwrap();
    let path = file.path().to_str().unwrap();
    let whoami = ["--kubeconfig", path, "auth", "whoami"];
    secure.cluster.kubectl(&whoami).unwrap()
}

/// The application that a person signs in to holds an ID token of hers, with the same claims: it is not the cluster's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f53_a_token_for_another_client_makes_nobody_a_user() {
    let platform = Platform::new().await;
    let spec = json!({
        "type": "Public", "redirectUris": [THEIRS], "scopes": ["openid", "profile", "groups"],
    });
    let team = platform.team().await;
    for (space, name) in [(&team, "kubectl"), (&team, "app"), (&platform.space, "app")] {
        space.ready(name, spec.clone()).await;
        let client_id = format!("{}.{name}", space.name);
        let theirs = tokens(platform.secure, &client_id, THEIRS, &platform.ada).await;
        for kind in ["id_token", "access_token"] {
            let what = format!("{kind} of {client_id}");
            platform.refuses(&what, text(&theirs, kind)).await;
        }
    }
}

/// A machine's `sub` is its client ID, and the audience of its tokens is never the client for kubectl.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f54_a_machine_is_no_user_whatever_its_name() {
    let platform = Platform::new().await;
    let team = platform.team().await;
    for name in ["ada", "admin", "kubectl", "masters"] {
        team.ready(name, json!({})).await;
        let entries = team.entries(&format!("{name}-oauth")).await;
        let token = machine_token(platform.secure, &entries, &[]).await;
        platform.refuses(name, text(&token, "access_token")).await;
        let for_kubectl = [("resource", "platform.kubectl")];
        let refusal = machine_token(platform.secure, &entries, &for_kubectl).await;
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
