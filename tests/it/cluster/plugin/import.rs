//! What an import asks of a tenant locks out no person and no client.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::plugin;
use crate::support::cluster::shared;
use crate::support::test_namespace::{TestNamespace, eventually, when};

/// Does what the comment of the patch says, in the folder of the import.
async fn apply_patch(tenant: &str, folder: &str) -> Result<String, String> {
    let file = format!("{folder}/tenant-patch.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let command =
        format!("kubectl patch oauthtenant {tenant} --type=merge --patch-file tenant-patch.yaml");
    assert!(text.contains(&command), "{text}");
    let arguments = [
        "patch",
        "oauthtenant",
        tenant,
        "--type=merge",
        "--patch-file",
        &file,
    ];
    let arguments = arguments.map(str::to_owned);
    let patch = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        shared().cluster.kubectl(&arguments)
    };
    tokio::task::spawn_blocking(patch).await.unwrap()
}

/// A tenant whose selectors are those of `default`: people by a label, first-party clients by the name of a namespace.
async fn tenant_like_default(before: &TestNamespace) -> String {
    let tenant = format!("moved-{}", before.name);
    let spec = json!({
        "firstParty": { "namespaces": { "matchLabels": { "kubernetes.io/metadata.name": before.name } } },
        "users": { "namespaces": { "matchLabels": { "clientele.dev/users": tenant } } },
        "customClientIds": { "reserved": [{ "id": "vault", "namespace": before.name }] },
        "scopes": [{ "name": "kept" }],
    });
    before.try_create_tenant(&tenant, spec).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(before.kube.clone());
    let label = json!({ "metadata": { "labels": { "clientele.dev/users": tenant } } });
    let params = PatchParams::default();
    let patch = Patch::Merge(label);
    let patched = namespaces.patch(&before.name, &params, &patch);
    patched.await.unwrap();
    tenant
}

#[tokio::test]
async fn what_a_tenant_admits_stays_admitted_by_an_import() {
    let before = TestNamespace::new("plugin").await;
    let space = TestNamespace::new("plugin").await;
    let tenant = tenant_like_default(&before).await;
    let person = json!({ "tenant": tenant, "username": "ada" });
    before.create_user("ada", person).await;
    before.enrolled("ada").await;
    let own = json!({
        "tenant": tenant, "clientId": "vault", "firstParty": true, "scopes": ["openid", "kept"],
        "redirectUris": ["https://web.example.com/cb"],
    });
    before.ready("web", own).await;

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (input, out) = (path("dex.yaml"), path("out"));
    let config = "oauth2: {skipApprovalScreen: true}\nstaticClients:\n- {id: kubernetes, name: Web, redirectURIs: [https://new.example.com/cb], secret: AbCdEfGhIjKlMnOpQrStUvWxYz-0123}\nstaticPasswords:\n- {email: bob@example.org, username: bob, userID: '42', hash: $2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W}\n";
    std::fs::write(&input, config).unwrap();
    let import = [
        "import", "dex", "-f", &input, "--out", &out, "--tenant", &tenant,
    ];

    // Without the tenant the patch is not complete, and the API server takes none of it.
    plugin(&space, &import).await;
    let refused = apply_patch(&tenant, &out).await.unwrap_err();
    assert!(
        refused.contains("add what the tenant has here now"),
        "{refused}"
    );

    let said = plugin(&space, &[&import[..], &["--check"]].concat()).await;
    assert!(
        said.out.contains("The API server takes 4 objects"),
        "{} {}",
        said.out,
        said.err
    );
    apply_patch(&tenant, &out).await.unwrap();
    let said = plugin(&space, &[&import[..], &["--apply"]].concat()).await;
    assert!(
        said.out.contains("Wrote 4 objects"),
        "{} {}",
        said.out,
        said.err
    );
    assert!(!said.out.contains("tenant-patch.yaml"), "{}", said.out);
    assert!(!folder.path().join("out/tenant-patch.yaml").exists());

    // Those of the import, and in a version that is judged after the patch those from before.
    eventually("what was imported works", || async {
        // Tenants of other tests may be Pending.
        let status = plugin(&space, &["status", "-o", "json"]).await.json();
        let objects = status["objects"].as_array().unwrap().clone();
        let mut own = objects.iter().filter(|one| one["namespace"] == *space.name);
        when(own.all(|one| one["ready"] == true), (), || {
            format!("{status:#}")
        })
    })
    .await;
    before.patch_user("ada", json!({ "name": "Ada" })).await;
    before.enrolled("ada").await;
    let renamed = json!({ "spec": { "displayName": "Web" } });
    before.patch("web", renamed).await;
    before.wait_ready("web").await;
}
