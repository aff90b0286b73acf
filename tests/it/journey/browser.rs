//! A person in Chromium: from the example application to the sign-in page and back, on https under a company's own CA.

use std::path::Path;

use serde_json::{Value, json};

use super::example_app::ExampleApp;
use super::node::Node;
use super::people::{Someone, with};
use super::secure::{Secure, secure};
use crate::support::operator::free_address;
use crate::support::test_namespace::TestNamespace;

/// What the manifest says, for an application that runs on a port of its own.
fn client_of_the_manifest(url: &str, tenant: &str) -> Value {
    let manifest = include_str!("../../../examples/web-app/oauthclient.yaml")
        .replace("http://127.0.0.1:3000", url);
    let object: Value = serde_yaml::from_str(&manifest).unwrap();
    // Access tokens that end at once, so that the application renews them at every look.
    let more = json!({ "tenant": tenant, "lifetimes": { "accessToken": "10s" } });
    with(object["spec"].clone(), &more)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_to_the_example_application_in_chromium() {
    let chromium = Path::new("/usr/bin/chromium");
    assert!(
        chromium.exists(),
        "Chromium is missing: `apt-get install chromium`"
    );
    let secure: &'static Secure = tokio::task::spawn_blocking(secure).await.unwrap();
    let space = TestNamespace::within(&secure.cluster, &secure.operator.issuer, "browser").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let url = format!("http://{}", free_address());
    space
        .ready("example-app", client_of_the_manifest(&url, &tenant))
        .await;
    let entries = space.entries("example-app-oauth").await;
    let ada = Someone::new(&space, &tenant, "ada", &[]).await;
    let app = ExampleApp::start(&url, &entries, &secure.authority.ca());
    let seen = ada
        .at(Node::new("browser.mjs"))
        .with("APP_URL", &url)
        .with("ISSUER", &entries["ISSUER"])
        .with("CERTIFICATE", secure.authority.server().0)
        .run()
        .await;
    drop(app);
    judge(&seen, &url, &space.name);
}

fn judge(seen: &Value, url: &str, namespace: &str) {
    assert_eq!(seen["complaints"], json!([]));
    assert_eq!(seen["welcome"], "Example application");
    assert_eq!(seen["wrongPassword"]["username"], "ada");
    let consent = seen["consent"].as_str().unwrap();
    let host = url.strip_prefix("http://").unwrap();
    for expected in ["Example application", namespace, host] {
        assert!(consent.contains(expected), "{expected} in {consent}");
    }
    let denied = seen["denied"].as_str().unwrap();
    assert!(denied.contains("You did not allow it"), "{denied}");
    assert_eq!(seen["hello"], "Hello, Ada Example");
    assert_eq!(seen["userinfo"]["email"], "ada@example.com");
    assert_eq!(seen["signedOutAt"], format!("{url}/"));
    assert_eq!(seen["helloAgain"], "Hello, Ada Example");
    let cookies = seen["cookies"].as_array().unwrap();
    assert!(!cookies.is_empty());
    for cookie in cookies {
        let name = cookie["name"].as_str().unwrap();
        assert!(name.starts_with("__Host-clientele"), "{name}");
        assert_eq!(cookie["path"], "/");
        assert_eq!(cookie["domain"], "127.0.0.1");
        assert_eq!(cookie["httpOnly"], true);
    }
}
