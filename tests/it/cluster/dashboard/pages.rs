//! The pages beside those of one client: numbers, tenants, users, and the test of a client from end to end.

use serde_json::json;

use super::{administrator, member};
use crate::support::test_namespace::{TestNamespace, eventually};

/// An API.
const API: &str = "https://orders.example.com/";

#[tokio::test]
async fn home_counts_what_the_person_sees() {
    let space = TestNamespace::new("dashboard").await;
    space.ready("one", json!({})).await;
    space.create("off", json!({ "suspended": true })).await;
    space.create("odd", json!({ "scopes": ["unheard"] })).await;
    space.wait_refused("odd", "ScopeNotFound").await;
    let dashboard = member(&space, "get,list,watch").await;
    let home = dashboard.get("/").await;
    assert_eq!(home.status, 200, "{}", home.text);
    for expected in [
        "<strong>3</strong> in all",
        "<strong>1</strong> ready",
        "<strong>0</strong> unused",
        "href=\"/clients?state=attention&#38;q=ScopeNotFound\"",
        "You do not see the clients of all namespaces",
        "Its age is not known: You may not list configmaps",
    ] {
        assert!(home.text.contains(expected), "{expected}: {}", home.text);
    }
    let home = administrator(&space).await.get("/").await.text;
    assert!(home.contains("derives client secrets since 20"), "{home}");
}

#[tokio::test]
async fn tenants_and_users_are_shown_with_what_they_need() {
    let space = TestNamespace::new("dashboard").await;
    let tenant = space
        .tenant_with_people(json!({
            "scopes": [{ "name": "orders", "description": "Read <orders>" }],
            "audiences": [{ "uri": API, "scopes": ["orders"] }],
        }))
        .await;
    let user =
        json!({ "tenant": tenant, "username": "rosa", "name": "Rosa <b>", "groups": ["staff"] });
    space.create_user("rosa", user).await;
    space.enrolled("rosa").await;
    let dashboard = administrator(&space).await;
    let tenants = dashboard.get("/tenants").await.text;
    assert!(
        tenants.contains(&format!("href=\"/tenants/{tenant}\"")),
        "{tenants}"
    );
    let issuer = format!("/t/{tenant}<");
    let page = eventually("the tenant has its issuer", || async {
        let page = dashboard.get(&format!("/tenants/{tenant}")).await.text;
        let there = page.contains(&issuer);
        if there { Ok(page) } else { Err(page) }
    })
    .await;
    for expected in [
        "Read &#60;orders&#62;",
        "No client is first-party",
        "Signing keys",
        "signs</span>",
        "since 20",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let users = dashboard
        .get(&format!("/users?ns={}&q=ROSA", space.name))
        .await
        .text;
    assert!(
        users.contains("Rosa &#60;b&#62;")
            && users.contains(&format!("/users/{}/rosa", space.name)),
        "{users}"
    );
    let none = dashboard
        .get(&format!("/users?ns={}&q=absent", space.name))
        .await
        .text;
    assert!(none.contains("No user matches"), "{none}");
    let user = dashboard
        .get(&format!("/users/{}/rosa", space.name))
        .await
        .text;
    assert!(
        user.contains("cannot sign in with a password") && user.contains("staff"),
        "{user}"
    );

    // A password is hashed before it is written, and is in no page but the one that generated it.
    let there = format!("/users/{}/rosa", space.name);
    let to = format!("{there}/password");
    let short = dashboard.post(&there, &to, &[("password", "short")]).await;
    assert!(
        short.status == 422 && short.text.contains("is shorter than 8 characters"),
        "{}",
        short.text
    );
    let typed = [("password", "correct horse battery")];
    let set = dashboard.post(&there, &to, &typed).await;
    assert!(set.text.contains("The password is set"), "{}", set.text);
    let stored = space.entries("rosa-password").await["password"].clone();
    assert!(stored.starts_with("$argon2id$"), "{stored}");
    let made = dashboard.post(&there, &to, &[("generate", "1")]).await.text;
    let generated = made.split("id=\"generated\">").nth(1).unwrap();
    let generated = generated.split('<').next().unwrap();
    let known = space.entries("rosa-password").await["password"].clone();
    let known = clientele_oauth::user::PasswordHash(known.as_str().into());
    assert!(clientele_oauth::user::password::verify(
        Some(&known),
        generated
    ));
    let page = dashboard.get(&there).await.text;
    assert!(!page.contains(generated) && page.contains("rosa-password"));

    // What relies on the tenant, and the APIs of all tenants.
    space
        .ready("relying", json!({ "tenant": tenant, "audiences": [API] }))
        .await;
    let relying = dashboard.get(&format!("/tenants/{tenant}/use")).await.text;
    for expected in ["1 client uses", API, "/relying", "matchExpressions"] {
        assert!(relying.contains(expected), "{expected}: {relying}");
    }
    let resources = dashboard.get(&format!("/resources?q={tenant}")).await.text;
    assert!(
        resources.contains(API) && resources.contains("Scopes: orders."),
        "{resources}"
    );

    // Who may do neither is told so.
    let stranger = member(&space, "get,list").await;
    let refused = stranger.get("/tenants").await;
    assert!(
        refused.status == 403 && refused.text.contains("You may not list oauthtenants"),
        "{}",
        refused.text
    );
    let refused = stranger.get("/users").await;
    assert!(
        refused.text.contains("You may not list oauthusers"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn o07_a_test_shows_claims_and_never_the_token() {
    let space = TestNamespace::new("dashboard").await;
    space.ready("job", json!({})).await;
    space
        .ready(
            "web",
            json!({ "redirectUris": ["https://web.example.com/cb"] }),
        )
        .await;
    let dashboard = administrator(&space).await;
    let there = |name: &str| format!("/clients/{}/{name}/test", space.name);
    let before = dashboard.get(&there("job")).await;
    assert!(
        !before.text.contains("works</span>"),
        "nothing is tried by a GET: {}",
        before.text
    );
    let tried = dashboard.post(&there("job"), &there("job"), &[]).await;
    let sub = format!("&#34;sub&#34;: &#34;{}.job&#34;", space.name);
    assert!(tried.text.contains(&sub), "{}", tried.text);
    // The beginning of every JWT, and of every client secret.
    assert!(
        !tried.text.contains("eyJ") && !tried.text.contains("clt_"),
        "{}",
        tried.text
    );
    let refused = dashboard
        .post(&there("job"), &there("job"), &[("scope", "unheard")])
        .await;
    assert!(
        refused.text.contains("fails</span>") && refused.text.contains("spec.scopes"),
        "{}",
        refused.text
    );
    let web = dashboard.post(&there("web"), &there("web"), &[]).await;
    assert!(
        web.text.contains("can sign in") && !web.text.contains("Claims of the token"),
        "{}",
        web.text
    );
}

#[tokio::test]
async fn an_import_is_shown_without_what_is_secret() {
    let space = TestNamespace::new("dashboard").await;
    let dashboard = administrator(&space).await;
    let text = "staticClients: [{id: web, secret: canary-of-the-secret-x, name: Web <b>, redirectURIs: ['https://web.example.com/cb']}]";
    let fields = [
        ("source", "dex"),
        ("namespace", "apps"),
        ("tenant", "default"),
        ("text", text),
    ];
    let shown = dashboard.post("/import", "/import", &fields).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(
        shown.text.contains("Dex: 1 client") && shown.text.contains("kind: OAuthClient"),
        "{}",
        shown.text
    );
    assert!(
        !shown.text.contains("canary") && !shown.text.contains("Web <b>"),
        "{}",
        shown.text
    );
    let wrong = dashboard
        .post(
            "/import",
            "/import",
            &[("source", "dex"), ("text", ": {canary")],
        )
        .await;
    assert!(
        wrong.status == 422 && wrong.text.contains("neither YAML nor JSON"),
        "{}",
        wrong.text
    );
}
