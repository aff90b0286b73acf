//! Where the client secret is, and where it is not.

use axum::http::{Method, StatusCode};

use super::{CANARY, PAGES, Server};

#[tokio::test]
async fn o07_no_get_holds_the_secret() {
    let server = Server::new();
    for page in PAGES {
        let shown = server.get(&format!("/clients/apps/web{page}")).await;
        assert!(
            shown.status.is_success() || shown.status == StatusCode::SEE_OTHER,
            "{page}: {}",
            shown.status
        );
        assert!(!shown.text.contains("clt_"), "{page}: {}", shown.text);
    }
    let asked = server.asked.lock().unwrap().clone();
    assert!(
        asked.iter().all(|(line, _)| !line.contains("/secrets/")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn o07_the_secret_is_in_the_answer_to_a_post_only() {
    let server = Server::new();
    let shown = server.post("/clients/apps/web/secret", "").await;
    assert!(shown.unstored && shown.text.contains(CANARY));
    assert_eq!(shown.text.matches(CANARY).count(), 1, "in one element");
    let fragment = server
        .send(Method::POST, "/clients/apps/web/secret", "", true)
        .await;
    assert!(
        fragment.text.starts_with("<div id=\"secret\">"),
        "{}",
        fragment.text
    );
    assert_eq!(fragment.text.matches(CANARY).count(), 1);
    let copied = server.post("/clients/apps/web/secret/copy", "").await;
    assert!(copied.unstored && copied.text == CANARY);
    let again = server.get("/clients/apps/web/secret").await;
    assert_eq!(
        (again.status, again.location.as_str()),
        (StatusCode::SEE_OTHER, "/clients/apps/web")
    );
}
