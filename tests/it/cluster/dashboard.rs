//! The dashboard at a real API server: what a person with these rights sees.

mod actions;
mod client;
mod forms;
mod pages;
mod people;
mod rbac;
mod refusals;

use reqwest::Method;
use serde_json::json;

use crate::support::cluster::shared;
use crate::support::dashboard::{Dashboard, read};
use crate::support::person::person;
use crate::support::test_namespace::{TestNamespace, eventually};

/// The administrator's dashboard.
async fn administrator(space: &TestNamespace) -> Dashboard {
    Dashboard::start(space.kube.clone(), &space.name, false).await
}

/// A person who may only do this with clients of the namespace.
async fn member(space: &TestNamespace, verbs: &str) -> Dashboard {
    let user = format!("member-of-{}", space.name);
    let (verbs, cluster) = (format!("--verb={verbs}"), &shared().cluster);
    let named = ["--namespace", &space.name];
    let role = [
        "create",
        "role",
        "members",
        &verbs,
        "--resource=oauthclients.clientele.dev",
    ];
    cluster.kubectl(&[&role[..], &named].concat()).unwrap();
    let who = format!("--user={user}");
    let binding = ["create", "rolebinding", "members", "--role=members", &who];
    cluster.kubectl(&[&binding[..], &named].concat()).unwrap();
    let client = person(cluster, &user, &["system:authenticated"]).await;
    Dashboard::start(client, &space.name, false).await
}

#[tokio::test]
async fn the_list_shows_searches_filters_and_pages() {
    let space = TestNamespace::new("dashboard").await;
    space
        .ready("shop", json!({ "displayName": "Zebra <Shop>" }))
        .await;
    space.create("odd", json!({ "scopes": ["unheard"] })).await;
    space.wait_refused("odd", "ScopeNotFound").await;
    let dashboard = administrator(&space).await;
    let here = format!("/clients?ns={}", space.name);
    let all = eventually("both are there", || async {
        let page = dashboard.get(&here).await;
        let there = page.text.contains("ScopeNotFound") && page.text.contains("Ready</span>");
        if there { Ok(page.text) } else { Err(page.text) }
    })
    .await;
    assert!(all.contains("Zebra &#60;Shop&#62;"), "{all}");
    assert!(
        all.contains(&format!("data-copy=\"{}.shop\"", space.name)),
        "{all}"
    );
    // The reason and the remedy are in the row.
    assert!(all.contains("What to do:"), "{all}");

    let found = dashboard.fragment(&format!("{here}&q=ZEBRA")).await;
    assert!(!found.text.contains("<html"), "a fragment: {}", found.text);
    assert_eq!(
        found.headers["vary"],
        "HX-Request, HX-History-Restore-Request, Cookie"
    );
    assert!(
        found.text.contains("Zebra") && !found.text.contains("ScopeNotFound"),
        "{}",
        found.text
    );
    let broken = dashboard.get(&format!("{here}&state=attention")).await.text;
    assert!(
        broken.contains("odd") && !broken.contains("Zebra"),
        "{broken}"
    );
    let nothing = dashboard.get(&format!("{here}&q=absent")).await.text;
    assert!(nothing.contains("No client matches"), "{nothing}");

    // The watch brings what changes, without another list.
    space.create("later", json!({})).await;
    eventually("the watch brings it", || async {
        let rows = dashboard.fragment(&here).await.text;
        if rows.contains(&format!("{}.later", space.name)) {
            Ok(())
        } else {
            Err(rows)
        }
    })
    .await;
    space.delete("later").await;
    eventually("and takes it away", || async {
        let rows = dashboard.fragment(&here).await.text;
        if rows.contains("later") {
            Err(rows)
        } else {
            Ok(())
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_of_more_than_50_has_pages() {
    let space = TestNamespace::new("dashboard").await;
    for number in 0..60 {
        // Suspended clients give the operator the least to do.
        space
            .create(&format!("c{number:02}"), json!({ "suspended": true }))
            .await;
    }
    let dashboard = administrator(&space).await;
    let here = format!("/clients?ns={}", space.name);
    let first = dashboard.get(&here).await.text;
    assert_eq!(first.matches("<th scope=\"row\">").count(), 50);
    assert!(
        first.contains("1–50 of 60 found") && first.contains("Page 1 of 2"),
        "{first}"
    );
    let second = dashboard.get(&format!("{here}&page=2")).await.text;
    assert_eq!(second.matches("<th scope=\"row\">").count(), 10);
    assert!(second.contains(">c59</bdi>"), "{second}");
    let down = dashboard.get(&format!("{here}&sort=-name")).await.text;
    assert!(
        down.contains(">c59</bdi>") && !down.contains(">c00</bdi>"),
        "{down}"
    );
}

#[tokio::test]
async fn o05_a_role_in_one_namespace_shows_that_namespace() {
    let space = TestNamespace::new("dashboard").await;
    let other = TestNamespace::new("dashboard").await;
    space.create("mine", json!({ "suspended": true })).await;
    other.create("theirs", json!({ "suspended": true })).await;
    let dashboard = member(&space, "get,list,watch").await;
    let own = dashboard.get("/clients").await;
    assert_eq!(own.status, 200, "{}", own.text);
    assert!(
        own.text.contains(">mine</bdi>") && !own.text.contains("theirs"),
        "{}",
        own.text
    );
    assert!(
        own.text.contains("neither all clients nor the namespaces"),
        "{}",
        own.text
    );

    // Typed namespaces are asked for with the person's own rights.
    let typed = dashboard
        .get(&format!("/clients?ns={},{}", space.name, other.name))
        .await
        .text;
    assert!(
        typed.contains(">mine</bdi>") && !typed.contains(">theirs</bdi>"),
        "{typed}"
    );
    let refusal = format!("You may not list oauthclients in namespace {}.", other.name);
    assert!(
        typed.contains(&refusal) && typed.contains("RoleBinding"),
        "{typed}"
    );
    let odd = dashboard.get("/clients?ns=..%2Fsecrets").await.text;
    assert!(odd.contains("is not a name of Kubernetes"), "{odd}");
}

#[tokio::test]
async fn o05_namespaces_in_which_a_person_may_list_are_found() {
    let space = TestNamespace::new("dashboard").await;
    let other = TestNamespace::new("dashboard").await;
    space.create("mine", json!({ "suspended": true })).await;
    other.create("theirs", json!({ "suspended": true })).await;
    let dashboard = member(&space, "get,list,watch").await;
    let reader = format!("namespaces-of-{}", space.name);
    let cluster = &shared().cluster;
    let role = [
        "create",
        "clusterrole",
        &reader,
        "--verb=list",
        "--resource=namespaces",
    ];
    cluster.kubectl(&role).unwrap();
    let (role, user) = (
        format!("--clusterrole={reader}"),
        format!("--user=member-of-{}", space.name),
    );
    let binding = ["create", "clusterrolebinding", &reader, &role, &user];
    cluster.kubectl(&binding).unwrap();
    let page = eventually("the namespace is found", || async {
        let page = dashboard.get("/clients").await.text;
        let found = !page.contains("neither all clients nor the namespaces");
        if found { Ok(page) } else { Err(page) }
    })
    .await;
    assert!(
        page.contains(">mine</bdi>") && !page.contains("theirs"),
        "{page}"
    );
}

#[tokio::test]
async fn o01_o03_a_stranger_gets_nothing_from_the_dashboard() {
    let space = TestNamespace::new("dashboard").await;
    space
        .create("secretive", json!({ "suspended": true }))
        .await;
    let dashboard = administrator(&space).await;
    let get = |path: &str| reqwest::Client::new().get(format!("{}{path}", dashboard.origin));
    for (request, status) in [
        (get("/clients").header("sec-fetch-site", "none"), 401),
        (get("/clients").header("cookie", &dashboard.cookie), 403),
        (
            get("/clients")
                .header("cookie", &dashboard.cookie)
                .header("sec-fetch-site", "cross-site"),
            403,
        ),
        (
            get("/clients")
                .header("cookie", &dashboard.cookie)
                .header("sec-fetch-site", "none")
                .header("host", "evil.example"),
            421,
        ),
        (
            dashboard
                .request(Method::POST, "/clients/new")
                .header("origin", "null"),
            403,
        ),
        (
            dashboard
                .request(Method::POST, "/clients/new")
                .header("origin", &dashboard.origin),
            403,
        ),
        (
            dashboard
                .request(Method::POST, "/session")
                .form(&[("token", "guessed")]),
            401,
        ),
        (dashboard.request(Method::DELETE, "/clients"), 405),
        (dashboard.request(Method::GET, "/no-such-page"), 404),
    ] {
        let shown = format!("{request:?}");
        let answer = read(request).await;
        assert_eq!(answer.status, status, "{shown}: {}", answer.text);
        assert!(!answer.text.contains("secretive"), "{shown}");
        assert!(
            answer.headers["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert!(!answer.headers.contains_key("set-cookie"), "{shown}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{shown}");
    }
}

#[tokio::test]
async fn o06_a_read_only_dashboard_does_no_change() {
    let space = TestNamespace::new("dashboard").await;
    space.ready("kept", json!({})).await;
    let dashboard = Dashboard::start(space.kube.clone(), &space.name, true).await;
    let page = dashboard.get("/clients").await.text;
    assert!(
        page.contains("read-only") && !page.contains("New client"),
        "{page}"
    );
    let there = format!("/clients/{}/kept", space.name);
    for write in ["delete", "edit", "rotate", "suspend", "resume"] {
        let refused = dashboard
            .post(&there, &format!("{there}/{write}"), &[])
            .await;
        assert_eq!(refused.status, 403, "{write}: {}", refused.text);
        assert!(
            refused.text.contains("--read-only"),
            "{write}: {}",
            refused.text
        );
    }
    assert!(space.clients().get_opt("kept").await.unwrap().is_some());
}
