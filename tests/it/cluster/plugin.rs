//! `kubectl clientele` as people run it, at a real API server.

use clientele_api::OAuthClient;
use serde_json::{Value, json};

use crate::support::cluster::shared;
use crate::support::machine;
use crate::support::test_namespace::{TestNamespace, eventually};

/// What the plugin said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }
}

/// Runs it in the namespace, as administrator.
async fn plugin(space: &TestNamespace, arguments: &[&str]) -> Said {
    let mut program = machine::program(env!("CARGO_BIN_EXE_kubectl-clientele"));
    program
        .args(arguments)
        .arg("--kubeconfig")
        .arg(&shared().cluster.kubeconfig)
        .args(["--namespace", &space.name])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = tokio::task::spawn_blocking(move || program.output().unwrap())
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The same, and it succeeds.
async fn done(space: &TestNamespace, arguments: &[&str]) -> Said {
    let said = plugin(space, arguments).await;
    assert_eq!(said.code, 0, "{arguments:?}: {} {}", said.out, said.err);
    said
}

#[tokio::test]
async fn a_client_is_created_used_rotated_and_suspended() {
    let space = TestNamespace::new("plugin").await;
    done(&space, &["create", "job", "--preset", "machine", "--wait"]).await;
    // Tenants of other tests are Pending for a moment.
    eventually("status finds no fault", || async {
        let said = plugin(&space, &["status"]).await;
        let fine = said.code == 0 && said.out.contains("Registered");
        fine.then_some(()).ok_or(said.out + &said.err)
    })
    .await;
    let before = done(&space, &["secret", "job", "--key", "CLIENT_SECRET"])
        .await
        .out;
    assert!(
        before.starts_with("clt_") && !before.ends_with('\n'),
        "{before}"
    );
    let claims = done(&space, &["token", "job", "--decode", "-o", "json"])
        .await
        .json();
    assert_eq!(claims["sub"], format!("{}.job", space.name));
    let steps = done(&space, &["test", "job"]).await.out;
    assert!(steps.contains("machine token"), "{steps}");

    done(&space, &["rotate", "job", "--leaked"]).await;
    let after = done(&space, &["secret", "job", "--key", "CLIENT_SECRET"])
        .await
        .out;
    assert_ne!(before, after);
    let object = space.clients().get("job").await.unwrap();
    assert_eq!(object.spec.rotation.unwrap().max_overlap, None);
    let client_id = format!("{}.job", space.name);
    eventually("the leaked secret is refused", || async {
        let (status, _) = space
            .token_from(&space.issuer, &client_id, &before, &[])
            .await;
        if status == 401 {
            Ok(())
        } else {
            Err(status.to_string())
        }
    })
    .await;

    done(&space, &["suspend", "job"]).await;
    let suspended = |object: &OAuthClient| object.spec.suspended;
    space.wait_client("job", "suspended", suspended).await;
    done(&space, &["resume", "job"]).await;
    space.wait_ready("job").await;
    assert_eq!(plugin(&space, &["who", "job"]).await.code, 2);
}

#[tokio::test]
async fn what_does_not_work_is_explained_and_answered_with_2() {
    let space = TestNamespace::new("plugin").await;
    space.create("web", json!({ "scopes": ["unheard"] })).await;
    space.wait_refused("web", "ScopeNotFound").await;
    for arguments in [&["status"][..], &["why", "web"], &["test", "web"]] {
        let said = plugin(&space, arguments).await;
        assert_eq!(said.code, 2, "{arguments:?}: {}", said.err);
        assert!(
            said.out.contains("ScopeNotFound") || said.out.contains("no issuer"),
            "{}",
            said.out
        );
    }
    let missing = plugin(&space, &["why", "unknown"]).await;
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.contains("there is no OAuthClient \"unknown\""),
        "{}",
        missing.err
    );
    let mistake = plugin(&space, &["stauts"]).await;
    assert_eq!(mistake.code, 1, "a mistake is no answer");
}

#[tokio::test]
async fn a_person_has_a_hashed_password_and_a_report_no_secret() {
    let space = TestNamespace::new("plugin").await;
    space.label_for_people().await;
    let email = format!("ada@{}.example", space.name);
    let username = format!("ada.{}", space.name);
    let arguments = [
        "user",
        "create",
        "ada",
        "--username",
        &username,
        "--email",
        &email,
        "--generate",
    ];
    let said = done(&space, &arguments).await;
    let password = said.err.lines().last().unwrap().to_owned();
    let hash = space.entries("ada-password").await["password"].clone();
    assert!(hash.starts_with("$argon2id$") && !hash.contains(&password));
    space.enrolled("ada").await;
    let known = clientele_oauth::user::PasswordHash(hash.as_str().into());
    assert!(clientele_oauth::user::password::verify(
        Some(&known),
        &password
    ));

    space.ready("job", json!({})).await;
    let secret = space.entries("job-oauth").await["CLIENT_SECRET"].clone();
    let report = done(&space, &["report"]).await.out;
    for held in [&secret, &hash, &password, &email, &username] {
        assert!(!report.contains(held.as_str()), "{report}");
    }
    assert!(report.contains("job-oauth"), "{report}");
}

/// Clients of maester in the namespace, as kubectl lists them.
fn maester(namespace: &str, count: usize) -> Value {
    let items: Vec<Value> = (0..count)
        .flat_map(|number| {
            let name = format!("job-{number}");
            [
                json!({
                    "apiVersion": "hydra.ory.sh/v1alpha1", "kind": "OAuth2Client",
                    "metadata": { "name": name, "namespace": namespace },
                    "spec": { "grantTypes": ["client_credentials"], "secretName": name, "responseTypes": ["code"] },
                }),
                json!({
                    "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": namespace },
                    "stringData": {
                        "CLIENT_ID": format!("{namespace}-hydra-{number}"),
                        "CLIENT_SECRET": format!("AbCdEfGhIjKlMnOpQrStUvWxYz-{namespace}-{number}"),
                    },
                }),
            ]
        })
        .collect();
    json!({ "apiVersion": "v1", "kind": "List", "items": items })
}

#[tokio::test]
async fn imported_clients_get_tokens_with_their_old_secrets() {
    let space = TestNamespace::new("plugin").await;
    let tenant = format!("imported-{}", space.name);
    let own =
        json!({ "namespaces": { "matchLabels": { "kubernetes.io/metadata.name": space.name } } });
    space
        .try_create_tenant(&tenant, json!({ "customClientIds": own }))
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (input, out) = (path("clients.json"), path("out"));
    std::fs::write(&input, maester(&space.name, 12).to_string()).unwrap();
    let import = [
        "import", "maester", "-f", &input, "--out", &out, "--tenant", &tenant,
    ];
    let said = plugin(&space, &[&import[..], &["--apply", "--prove"]].concat()).await;
    assert_eq!(said.code, 0, "{} {}", said.out, said.err);
    assert!(
        said.out.contains("12 machine clients got a token"),
        "{}",
        said.out
    );

    // Two of them have another secret now, and exactly these are told.
    for altered in ["job-3", "job-7"] {
        let other = json!({ "stringData": { "client-secret": "AnotherSecretOfThirtyTwoCharacters-0123456789" } });
        let params = kube::api::PatchParams::default();
        let secret = format!("{altered}-client-secret");
        space
            .secrets()
            .patch(&secret, &params, &kube::api::Patch::Merge(other))
            .await
            .unwrap();
    }
    eventually("exactly the altered ones fail", || async {
        let said = plugin(&space, &[&import[..], &["--prove"]].concat()).await;
        let failed: Vec<bool> = (0..12)
            .map(|number| said.out.contains(&format!("/job-{number} (proof)")))
            .collect();
        let expected: Vec<bool> = (0..12).map(|number| number == 3 || number == 7).collect();
        if said.code == 2 && failed == expected {
            Ok(())
        } else {
            Err(said.out)
        }
    })
    .await;
}
