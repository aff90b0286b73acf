//! Random requests under random rights: the dashboard shows and changes what the API server lets the same person see and change, and nothing else.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clientele_api::OAuthClient;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::cluster::shared;
use crate::support::dashboard::Dashboard;
use crate::support::person::person;
use crate::support::test_namespace::{TestNamespace, create_raw, eventually, when};

/// How many requests the lane sends; `RANDOM_REQUESTS` asks for more.
const REQUESTS: u64 = 1_000;
const AT_ONCE: usize = 16;
const PEOPLE: usize = 8;

/// Xorshift: the same numbers for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}

/// Someone with random rights in some of the namespaces.
struct RandomUser {
    kube: kube::Client,
    dashboard: Dashboard,
    rights: String,
}

/// A Role with these verbs, and its binding; waits until the API server judges by them.
async fn allow(space: &TestNamespace, user: &str, kube: &kube::Client, allowed: &Value) {
    let api = "rbac.authorization.k8s.io";
    let resource = allowed["resources"][0].as_str().unwrap();
    let name = format!("{user}-{resource}");
    let metadata = json!({ "name": name, "namespace": space.name });
    let role = json!({
        "apiVersion": format!("{api}/v1"), "kind": "Role", "metadata": metadata, "rules": [allowed],
    });
    let binding = json!({
        "apiVersion": format!("{api}/v1"), "kind": "RoleBinding", "metadata": metadata,
        "roleRef": { "apiGroup": api, "kind": "Role", "name": name },
        "subjects": [{ "apiGroup": api, "kind": "User", "name": user }],
    });
    for (plural, object) in [("roles", role), ("rolebindings", binding)] {
        let path = format!("/apis/{api}/v1/namespaces/{}/{plural}", space.name);
        let created = create_raw::<Value>(&space.kube, &path, &object);
        created.await.unwrap();
    }
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "namespace": space.name, "verb": allowed["verbs"][0], "group": allowed["apiGroups"][0], "resource": resource,
        } },
    });
    eventually("the Role counts", || async {
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let review = create_raw::<Value>(kube, path, &review).await?;
        when(review["status"]["allowed"] == true, (), || {
            review.to_string()
        })
    })
    .await;
}

async fn random_user(
    number: usize,
    seed: u64,
    spaces: &[TestNamespace],
    numbers: &mut Numbers,
) -> RandomUser {
    let user = format!("random-{seed}-{number}");
    let kube = person(&shared().cluster, &user, &["system:authenticated"]).await;
    let mut rights = String::new();
    for space in spaces {
        let verbs = [
            "get", "list", "watch", "create", "update", "patch", "delete",
        ];
        let clients: Vec<&str> = verbs.into_iter().filter(|_| numbers.below(3) > 0).collect();
        let secrets: Vec<&str> = ["get"]
            .into_iter()
            .filter(|_| numbers.below(2) > 0)
            .collect();
        for (verbs, group, resource) in [
            (clients, clientele_api::GROUP, "oauthclients"),
            (secrets, "", "secrets"),
        ] {
            // A third of the people has nothing here.
            if verbs.is_empty() || numbers.below(3) == 0 {
                continue;
            }
            rights.extend([&*space.name, " ", resource, " ", &*verbs.join(","), "; "]);
            let allowed = json!({ "apiGroups": [group], "resources": [resource], "verbs": verbs });
            allow(space, &user, &kube, &allowed).await;
        }
    }
    let dashboard = Dashboard::start(kube.clone(), &spaces[0].name, false).await;
    RandomUser {
        kube,
        dashboard,
        rights,
    }
}

/// The status that the API server answers with.
fn status<T>(answer: kube::Result<T>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(kube::Error::Api(status)) => status.code,
        Err(other) => panic!("{other}"),
    }
}

/// One random request, and what is wrong with the answer.
async fn request(
    random_user: &RandomUser,
    namespace: &str,
    name: &str,
    kind: usize,
) -> Result<(), String> {
    let clients: Api<OAuthClient> = Api::namespaced(random_user.kube.clone(), namespace);
    let secrets: Api<Secret> = Api::namespaced(random_user.kube.clone(), namespace);
    let page = format!("/clients/{namespace}/{name}");
    let read = status(clients.get(name).await);
    let (what, expected, answer) = match kind {
        0 => ("page", read, random_user.dashboard.get(&page).await),
        1 => {
            let listed = status(clients.list(&ListParams::default()).await);
            let shown = random_user
                .dashboard
                .get(&format!("/clients?ns={namespace}&q=c-of"))
                .await;
            let row = format!("href=\"/clients/{namespace}/c-of");
            let told = shown.text.contains(&row);
            if shown.status != 200 || told != (listed == 200) {
                return Err(format!("list {listed} in {namespace}, shown: {told}"));
            }
            return Ok(());
        }
        2 => (
            "yaml",
            read,
            random_user.dashboard.get(&format!("{page}/yaml")).await,
        ),
        3 => {
            let secret = status(secrets.get(&format!("{name}-oauth")).await);
            let expected = if read == 200 { secret } else { read };
            let path = format!("{page}/secret");
            let token = random_user.dashboard.get("/import").await;
            let answer = random_user
                .dashboard
                .post_with(&token.text, &path, &[])
                .await;
            if answer.text.contains("clt_") != (expected == 200) {
                return Err(format!(
                    "secret of {namespace}/{name}: {expected} and {}",
                    answer.status
                ));
            }
            ("secret", expected, answer)
        }
        _ => {
            let dry = PatchParams {
                dry_run: true,
                ..PatchParams::default()
            };
            let change = Patch::Merge(json!({ "spec": { "suspended": true } }));
            let patched = status(clients.patch(name, &dry, &change).await);
            // The page reads the client first.
            let expected = match (read, patched) {
                (200, 200) => 303,
                (200, patched) => patched,
                (read, _) => read,
            };
            let token = random_user.dashboard.get("/import").await;
            let answer = random_user
                .dashboard
                .post_with(&token.text, &format!("{page}/suspend"), &[])
                .await;
            ("suspend", expected, answer)
        }
    };
    if answer.status == expected {
        Ok(())
    } else {
        Err(format!(
            "{what} of {namespace}/{name}: the API server says {expected}, the dashboard {}: {}",
            answer.status, random_user.rights
        ))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o05_random_requests_are_answered_as_the_api_server_does() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let number = |name: &str| std::env::var_os(name)?.to_str()?.parse::<u64>().ok();
    let seed = number("RANDOM_SEED").unwrap_or(now.as_secs()).max(1);
    let count = number("RANDOM_REQUESTS");
    eprintln!("RANDOM_SEED={seed}");
    let mut numbers = Numbers(seed);
    let mut spaces = Vec::new();
    for number in 0..3 {
        let space = TestNamespace::new("random").await;
        space.ready(&format!("c-of-{number}"), json!({})).await;
        spaces.push(space);
    }
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(Arc::new(
            random_user(number, seed, &spaces, &mut numbers).await,
        ));
    }
    let mut cases = Vec::new();
    for _ in 0..count.unwrap_or(REQUESTS) {
        let space = numbers.below(spaces.len());
        let name = match numbers.below(5) {
            0 => "absent".to_owned(),
            _ => format!("c-of-{space}"),
        };
        let who = people[numbers.below(people.len())].clone();
        cases.push((who, spaces[space].name.clone(), name, numbers.below(5)));
    }
    let began = Instant::now();
    let wrong: Vec<String> = futures::stream::iter(cases)
        .map(|(who, namespace, name, kind)| async move {
            request(&who, &namespace, &name, kind).await.err()
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(futures::future::ready)
        .collect()
        .await;
    eprintln!(
        "{} random requests in {:.1} s",
        count.unwrap_or(REQUESTS),
        began.elapsed().as_secs_f64()
    );
    assert!(wrong.is_empty(), "RANDOM_SEED={seed}: {wrong:#?}");
}
