//! What every page of a client shows.

use serde_json::json;

use super::{PAGES, Server};

#[tokio::test]
async fn what_a_client_is_called_is_text_on_every_page() {
    let server = Server::new();
    for page in PAGES.into_iter().filter(|page| *page != "/secret") {
        let shown = server.get(&format!("/clients/apps/web{page}")).await.text;
        assert!(!shown.contains("Orders <b>"), "{page}");
        assert!(shown.contains("first-party</span>"), "{page}");
    }
    let page = server.get("/clients/apps/web").await.text;
    for expected in [
        "data-copy=\"apps.web\"",
        "https://id.example/token",
        "Registered",
        "action=\"/clients/apps/web/secret\"",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
}

#[tokio::test]
async fn a_person_without_a_right_sees_which_one_is_missing() {
    let mut server = Server::new();
    server.denied = true;
    let page = server.get("/clients/apps/web").await.text;
    assert!(
        page.contains("You may not update oauthclients in namespace apps"),
        "{page}"
    );
    assert!(
        page.contains("You may not get secrets in namespace apps"),
        "{page}"
    );
    assert!(!page.contains("href=\"/clients/apps/web/edit\""), "{page}");
    assert!(
        !page.contains("action=\"/clients/apps/web/secret\""),
        "{page}"
    );
}

#[tokio::test]
async fn names_and_messages_turn_nothing_round() {
    let server = Server::new();
    {
        let mut client = server.client.lock().unwrap();
        client["spec"]["displayName"] = json!("a\u{202e}b");
        let ready = &mut client["status"]["conditions"][0];
        ready["status"] = json!("False");
        ready["reason"] = json!("FirstPartyNotAllowed");
        ready["message"] = json!("no \u{2067} more");
    }
    let page = server.get("/clients/apps/web").await.text;
    assert!(page.contains("<title>ab – Clientele</title>"), "{page}");
    assert!(page.contains("<bdi>no \u{2067} more</bdi>"), "{page}");
    assert!(page.contains("asks to be first-party"), "{page}");
    assert!(!page.contains("badge first-party"), "{page}");
}
