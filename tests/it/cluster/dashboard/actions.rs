//! Delete, rotate, suspend and resume.

use axum::http::Request;
use kube::api::{Patch, PatchParams};
use reqwest::Method;
use reqwest::header::ORIGIN;
use serde_json::{Value, json};

use super::administrator;
use super::client::hidden;
use crate::support::cluster::shared;
use crate::support::dashboard::{Dashboard, form_token};
use crate::support::proxy::Proxy;
use crate::support::test_namespace::{TestNamespace, eventually, when};

/// The object as it is stored.
async fn stored(space: &TestNamespace, name: &str) -> Value {
    let path = format!(
        "/apis/clientele.dev/v1alpha1/namespaces/{}/oauthclients/{name}",
        space.name
    );
    let request = Request::get(path).body(Vec::new()).unwrap();
    space.kube.request(request).await.unwrap()
}

#[tokio::test]
async fn a_delete_needs_the_name_and_names_the_object() {
    let space = TestNamespace::new("dashboard").await;
    space.create("web", json!({})).await;
    let dashboard = administrator(&space).await;
    let there = format!("/clients/{}/web/delete", space.name);
    let page = dashboard.get(&there).await.text;
    for said in ["can no longer authenticate users", "Suspend instead"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let uid = hidden(&page, "uid");
    let typo = [("confirm", "wab"), ("uid", uid.as_str())];
    let refused = dashboard.post(&there, &there, &typo).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("value=\"wab\""), "{}", refused.text);
    // A page that is older than the object: another one of the same name.
    let other = [("confirm", "web"), ("uid", "of-another-object")];
    let refused = dashboard.post(&there, &there, &other).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(space.clients().get_opt("web").await.unwrap().is_some());
    let right = [("confirm", "web"), ("uid", uid.as_str())];
    let done = dashboard.post(&there, &there, &right).await;
    assert_eq!((done.status, done.location()), (303, "/clients"));
}

#[tokio::test]
async fn o06_read_only_pages_write_nothing() {
    let space = TestNamespace::new("dashboard").await;
    space.create("web", json!({ "suspended": true })).await;
    let proxy = Proxy::of_administrator(&shared().cluster).await;
    let dashboard = Dashboard::start(proxy.client(), &space.name, true).await;
    let there = format!("/clients/{}/web", space.name);
    let (edit, new) = (format!("{there}/edit"), "/clients/new");
    let page = dashboard.get(&edit).await.text;
    let (version, was) = (hidden(&page, "version"), hidden(&page, "was"));
    let created = [("display-name", "a"), ("namespace", space.name.as_str())];
    let edited = [
        ("version", version.as_str()),
        ("was", was.as_str()),
        ("display-name", "Desk"),
        ("type", "Confidential"),
    ];
    let check = [("check", "1")];
    let to = |verb: &str| format!("{there}/{verb}");
    for (path, fields, status) in [
        (new.to_owned(), created.to_vec(), 403),
        (new.to_owned(), [&created[..], &check].concat(), 200),
        (edit.clone(), edited.to_vec(), 403),
        (edit.clone(), [&edited[..], &check].concat(), 200),
        (to("delete"), vec![("confirm", "web")], 403),
        (to("rotate"), Vec::new(), 403),
        (to("suspend"), Vec::new(), 403),
        (to("resume"), Vec::new(), 403),
    ] {
        let shown = dashboard.post_with(&page, &path, &fields).await;
        assert_eq!(shown.status, status, "{path}: {}", shown.text);
    }
    assert_eq!(proxy.writes(), 0, "no dry run either");
}

#[tokio::test]
async fn rotate_and_suspend_write_one_field() {
    let space = TestNamespace::new("dashboard").await;
    space.ready("job", json!({ "displayName": "Job" })).await;
    let before = stored(&space, "job").await["spec"].clone();
    let dashboard = administrator(&space).await;
    let there = format!("/clients/{}/job", space.name);
    let post = async |what: &str| {
        let path = format!("{there}/{what}");
        let done = dashboard.post(&there, &path, &[]).await;
        assert_eq!(done.status, 303, "{what}: {}", done.text);
        done.location().to_owned()
    };
    let rotated = post("rotate").await;
    let said = format!("{there}/credentials?done=rotate&request=2");
    assert!(rotated.starts_with(&said), "{rotated}");
    let mut expected = before;
    let after = stored(&space, "job").await["spec"].clone();
    let request = after["rotation"]["requestId"].clone();
    expected["rotation"] = json!({ "requestId": request });
    assert!(request.is_string() && after == expected, "{after}");
    post("suspend").await;
    let after = stored(&space, "job").await["spec"].clone();
    let mut suspended = expected.clone();
    suspended["suspended"] = json!(true);
    assert_eq!(after, suspended);
    post("resume").await;
    let mut resumed = stored(&space, "job").await["spec"].clone();
    // The API server writes the default.
    if resumed["suspended"] == false {
        resumed.as_object_mut().unwrap().remove("suspended");
    }
    expected.as_object_mut().unwrap().remove("suspended");
    assert_eq!(resumed, expected);
}

#[tokio::test]
async fn the_overlap_is_set_back_although_the_browser_has_gone() {
    let space = TestNamespace::new("dashboard").await;
    let rotation = json!({ "maxOverlap": "24h" });
    space.ready("job", json!({ "rotation": rotation })).await;
    let proxy = Proxy::of_administrator(&shared().cluster).await;
    let dashboard = Dashboard::start(proxy.client(), &space.name, false).await;
    let there = format!("/clients/{}/job", space.name);
    let token = form_token(&dashboard.get(&there).await.text);
    let request = dashboard.request(Method::POST, &format!("{there}/rotate"));
    let fields = [("form_token", token.as_str()), ("leaked", "true")];
    let request = request.header(ORIGIN, &dashboard.origin).form(&fields);
    // The browser goes away while the first write is on its way.
    proxy.hold_writes();
    let browser = tokio::spawn(request.send());
    eventually("a write is on its way", || async {
        let held = proxy.held_writes();
        when(held == 1, (), || held.to_string())
    })
    .await;
    browser.abort();
    assert!(browser.await.unwrap_err().is_cancelled());
    proxy.release_writes();
    eventually("it is answered and set back", || async {
        let object = stored(&space, "job").await;
        let rotation = &object["spec"]["rotation"];
        let handled = &object["status"]["rotation"]["lastHandledRequestId"];
        let answered = rotation["requestId"].is_string() && *handled == rotation["requestId"];
        let back = rotation["maxOverlap"] == "24h";
        when(answered && back, (), || object.to_string())
    })
    .await;
}

#[tokio::test]
async fn an_overlap_of_nothing_is_not_taken_for_the_former_one() {
    let space = TestNamespace::new("dashboard").await;
    let rotation = json!({ "maxOverlap": "0s" });
    space.ready("job", json!({ "rotation": rotation })).await;
    let dashboard = administrator(&space).await;
    let there = format!("/clients/{}/job", space.name);
    let page = dashboard.get(&format!("{there}/credentials")).await.text;
    assert!(page.contains("maxOverlap is 0s"), "{page}");
    let generation = async || stored(&space, "job").await["metadata"]["generation"].as_i64();
    let before = generation().await.unwrap();
    let path = format!("{there}/rotate");
    let done = dashboard.post(&there, &path, &[("leaked", "true")]).await;
    assert!(done.location().contains("done=leaked&request="), "{done:?}");
    assert_eq!(generation().await, Some(before + 1), "nothing is set back");
    let spec = stored(&space, "job").await["spec"].clone();
    assert_eq!(spec["rotation"]["maxOverlap"], "0s");
}

#[tokio::test]
async fn suspending_what_a_tool_writes_is_confirmed() {
    let space = TestNamespace::new("dashboard").await;
    space.create("web", json!({})).await;
    let flux = PatchParams::apply("kustomize-controller").force();
    let apply = async |spec: Value| {
        let object = json!({
            "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
            "metadata": { "name": "web" }, "spec": spec,
        });
        let applied = space
            .clients()
            .patch("web", &flux, &Patch::Apply(object))
            .await;
        applied.unwrap();
    };
    apply(json!({ "suspended": false })).await;
    let dashboard = administrator(&space).await;
    let there = format!("/clients/{}/web", space.name);
    for page in ["/credentials", "/delete"] {
        let page = dashboard.get(&format!("{there}{page}")).await.text;
        assert!(page.contains("id=\"anyway-suspended\""), "{page}");
    }
    let suspended = async || stored(&space, "web").await["spec"]["suspended"] == true;
    let (suspend, resume) = (format!("{there}/suspend"), format!("{there}/resume"));
    for verb in [&suspend, &resume] {
        let refused = dashboard.post(&there, verb, &[]).await;
        assert_eq!(refused.status, 428, "{}", refused.text);
    }
    assert!(!suspended().await);
    let done = dashboard.post(&there, &suspend, &[("anyway", "yes")]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert!(suspended().await);
    apply(json!({ "type": "Confidential" })).await;
    let page = dashboard.get(&format!("{there}/credentials")).await.text;
    assert!(!page.contains("anyway-suspended"), "{page}");
    let done = dashboard.post(&there, &resume, &[]).await;
    assert_eq!(done.status, 303, "{}", done.text);
}
