//! The form to edit, and other people who edit meanwhile.

use axum::http::StatusCode;
use serde_json::json;

use super::{Server, edit_fields, web};

#[tokio::test]
async fn an_edit_changes_what_it_shows_and_nothing_else() {
    let server = Server::new();
    let body = edit_fields(
        &server,
        &[
            ("first-party", ""),
            (
                "redirect-uris",
                "https://orders.example/cb\r\nhttps://b.example/",
            ),
        ],
    )
    .await;
    let saved = server.post("/clients/apps/web/edit", &body).await;
    assert_eq!(
        (saved.status, saved.location.as_str()),
        (StatusCode::SEE_OTHER, "/clients/apps/web"),
        "{}",
        saved.text
    );
    let (line, written) = server.writes().pop().unwrap();
    assert!(line.contains("fieldValidation=Strict"), "{line}");
    let mut expected = web();
    expected["spec"]
        .as_object_mut()
        .unwrap()
        .remove("firstParty");
    expected["spec"]["redirectUris"] = json!(["https://orders.example/cb", "https://b.example/"]);
    assert_eq!(written, expected);
}

#[tokio::test]
async fn o08_a_change_by_another_person_is_shown_and_kept() {
    let server = Server::new();
    let body = edit_fields(&server, &[("display-name", "Desk")]).await;
    {
        let mut client = server.client.lock().unwrap();
        client["metadata"]["generation"] = json!(2);
        client["spec"]["firstParty"] = json!(false);
    }
    let refused = server.post("/clients/apps/web/edit", &body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("value=\"Desk\""), "{}", refused.text);
    assert!(
        refused
            .text
            .contains("<del><bdi>yes</bdi></del> became <ins><bdi>no</bdi></ins>"),
        "{}",
        refused.text
    );
    assert!(server.writes().is_empty());
    // The form of that page is about what is stored now.
    assert!(refused.text.contains("value=\"u1/2\""), "{}", refused.text);
}

#[tokio::test]
async fn a_client_of_git_is_changed_here_only_when_confirmed() {
    let server = Server::new();
    server.client.lock().unwrap()["metadata"]["labels"] =
        json!({ "kustomize.toolkit.fluxcd.io/name": "apps" });
    let page = server.get("/clients/apps/web").await.text;
    assert!(
        page.contains("Flux") && page.contains("manages this client"),
        "{page}"
    );
    let body = edit_fields(&server, &[("display-name", "Desk")]).await;
    let refused = server.post("/clients/apps/web/edit", &body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("displayName: Desk") && server.writes().is_empty(),
        "{}",
        refused.text
    );
    let body = edit_fields(&server, &[("display-name", "Desk"), ("anyway", "yes")]).await;
    assert_eq!(
        server.post("/clients/apps/web/edit", &body).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(server.writes().len(), 1);
}
