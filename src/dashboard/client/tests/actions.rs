//! Delete, rotate, suspend and resume.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Server, edit_fields};

#[tokio::test]
async fn a_delete_needs_the_name_and_names_the_object() {
    let server = Server::new();
    let page = server.get("/clients/apps/web/delete").await.text;
    assert!(
        page.contains("can no longer authenticate users") && page.contains("Suspend instead"),
        "{page}"
    );
    let refused = server
        .post("/clients/apps/web/delete", "confirm=wab&uid=u1")
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("value=\"wab\"") && server.writes().is_empty(),
        "{}",
        refused.text
    );
    let done = server
        .post("/clients/apps/web/delete", "confirm=web&uid=u1")
        .await;
    assert_eq!(
        (done.status, done.location.as_str()),
        (StatusCode::SEE_OTHER, "/clients")
    );
    let (_, options) = server.writes().pop().unwrap();
    assert_eq!(options["preconditions"]["uid"], "u1");
}

#[tokio::test]
async fn o06_read_only_pages_write_nothing() {
    let mut server = Server::new();
    let body = edit_fields(&server, &[("display-name", "Desk")]).await;
    server.read_only = true;
    server.asked.lock().unwrap().clear();
    for (path, body) in [
        ("/clients/new", "display-name=a&namespace=apps"),
        ("/clients/new", "display-name=a&namespace=apps&check=1"),
        ("/clients/apps/web/edit", body.as_str()),
        ("/clients/apps/web/edit", &format!("{body}&check=1")),
        ("/clients/apps/web/delete", "confirm=web&uid=u1"),
        ("/clients/apps/web/rotate", ""),
        ("/clients/apps/web/suspend", ""),
        ("/clients/apps/web/resume", ""),
    ] {
        let shown = server.post(path, body).await;
        let check = body.contains("check=1");
        assert_eq!(
            shown.status,
            if check {
                StatusCode::OK
            } else {
                StatusCode::FORBIDDEN
            },
            "{path}"
        );
    }
    let asked = server.asked.lock().unwrap().clone();
    let mut asked = asked
        .iter()
        .filter(|(line, _)| !line.contains("accessreviews"));
    assert!(
        asked.all(|(line, _)| line.starts_with("GET")),
        "no dry run either"
    );
}

#[tokio::test]
async fn rotate_and_suspend_write_one_field() {
    let server = Server::new();
    let rotated = server.post("/clients/apps/web/rotate", "").await;
    let said = "/clients/apps/web/credentials?done=rotate&request=2";
    assert!(rotated.location.starts_with(said), "{}", rotated.location);
    server.post("/clients/apps/web/suspend", "").await;
    server.post("/clients/apps/web/resume", "").await;
    let writes: Vec<Value> = server.writes().into_iter().map(|(_, body)| body).collect();
    assert!(
        writes[0]["spec"]["rotation"]["requestId"].is_string(),
        "{writes:?}"
    );
    assert_eq!(writes[1], json!({ "spec": { "suspended": true } }));
    assert_eq!(writes[2], json!({ "spec": { "suspended": null } }));
}

#[tokio::test]
async fn the_overlap_is_set_back_although_the_browser_has_gone() {
    let server = Server::new();
    server.client.lock().unwrap()["spec"]["rotation"] = json!({ "maxOverlap": "24h" });
    let browser = server.clone();
    let browser = tokio::spawn(async move {
        let path = "/clients/apps/web/rotate";
        browser.post(path, "leaked=true").await
    });
    let pause = || tokio::time::sleep(Duration::from_millis(10));
    let story = async {
        // Read, patched, and read again to see whether the operator has answered.
        while server.asked.lock().unwrap().len() < 3 {
            pause().await;
        }
        browser.abort();
        let request = server.writes()[0].1["spec"]["rotation"]["requestId"].clone();
        let handled = json!({ "lastHandledRequestId": request });
        server.client.lock().unwrap()["status"]["rotation"] = handled;
        while server.writes().len() < 2 {
            pause().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), story)
        .await
        .unwrap();
    assert_eq!(
        server.writes()[1].1,
        json!({ "spec": { "rotation": { "maxOverlap": "24h" } } })
    );
}

#[tokio::test]
async fn an_overlap_of_nothing_is_not_taken_for_the_former_one() {
    let server = Server::new();
    server.client.lock().unwrap()["spec"]["rotation"] = json!({ "maxOverlap": "0s" });
    let page = server.get("/clients/apps/web/credentials").await.text;
    assert!(page.contains("maxOverlap is 0s"), "{page}");
    let browser = server.clone();
    let browser = tokio::spawn(async move {
        let path = "/clients/apps/web/rotate";
        browser.post(path, "leaked=true").await
    });
    while server.writes().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let request = server.writes()[0].1["spec"]["rotation"]["requestId"].clone();
    let handled = json!({ "lastHandledRequestId": request });
    server.client.lock().unwrap()["status"]["rotation"] = handled;
    let done = browser.await.unwrap().location;
    assert!(done.contains("done=leaked&request="), "{done}");
    assert_eq!(server.writes().len(), 1, "nothing is set back");
}

#[tokio::test]
async fn suspending_what_a_tool_writes_is_confirmed() {
    let server = Server::new();
    let owned = |field: &str| json!([{ "manager": "kustomize-controller", "fieldsV1": { "f:spec": { field: {} } } }]);
    server.client.lock().unwrap()["metadata"]["managedFields"] = owned("f:suspended");
    for page in ["/credentials", "/delete"] {
        let page = server.get(&format!("/clients/apps/web{page}")).await.text;
        assert!(page.contains("id=\"anyway-suspended\""), "{page}");
    }
    for verb in ["suspend", "resume"] {
        let path = format!("/clients/apps/web/{verb}");
        let refused = server.post(&path, "").await;
        assert_eq!(refused.status, StatusCode::PRECONDITION_REQUIRED);
        assert!(server.writes().is_empty());
    }
    let path = "/clients/apps/web/suspend";
    let done = server.post(path, "anyway=yes").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(server.writes().len(), 1);
    server.client.lock().unwrap()["metadata"]["managedFields"] = owned("f:type");
    let page = server.get("/clients/apps/web/credentials").await.text;
    assert!(!page.contains("anyway-suspended"));
    assert_eq!(server.post(path, "").await.status, StatusCode::SEE_OTHER);
}
