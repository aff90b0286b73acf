//! H: tokens of ServiceAccounts as assertions, and what the cluster is asked about them. The cluster here is a function
//! that says what a test wants; the real one is asked in tests/it/cluster/credentials/secretless.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clientele_http::App;
use clientele_http::api::token_review_cache::TokenReviewCache;
use clientele_oauth::client::service_account::ServiceAccount;
use clientele_oauth::client_auth::assertion::service_account::{
    Answer, Finding, Review, Signature,
};
use clientele_oauth::client_auth::assertion::verification::Verification;
use clientele_oauth::{AuthMethod, Client};
use futures::FutureExt;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::assertions::{self, form, key, signing_client, stranger};
use crate::support::clock;
use crate::support::logs::Logs;
use crate::support::reply::Reply;
use crate::support::test_server::{ISSUER, TestServer, basic};

const CLUSTER: &str = "https://kubernetes.default.svc";
const POD: &str = "team-a.pod";
/// A client that signs, sends its secret, or has the same ServiceAccount.
const ANY: &str = "team-a.any";
const UID: &str = "3f7a9e54-8a55-4f3c-9a41-0d6f3c1b2a77";

/// How often the cluster was asked.
type Asked = Arc<AtomicU32>;

/// A world whose cluster finds this about every token.
async fn world(found: Finding) -> (TestServer, Asked) {
    let asked = Asked::default();
    let counter = asked.clone();
    let reviews = TokenReviewCache::new(Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            found
        }
        .boxed()
    }));
    let world = assertions::world().await;
    known_to(&world, Some(CLUSTER), Verification::TokenReview);
    let app = App {
        token_reviews: Arc::new(reviews),
        ..world.app.clone()
    };
    (TestServer::with(app), asked)
}

/// The clients of these tests, in a cluster with this issuer, whose tokens are verified in this way.
fn known_to(world: &TestServer, issuer: Option<&str>, verification: Verification) {
    world.change(|tenant| {
        tenant.verification = verification;
        tenant.cluster_issuer = issuer.map(Arc::from);
        for (id, method) in [(POD, Some(AuthMethod::ServiceAccount)), (ANY, None)] {
            let mut client = Client {
                auth_method: method,
                ..signing_client(id)
            };
            let account = |name: &str, uid: Option<&str>| ServiceAccount {
                name: name.into(),
                uid: uid.map(Arc::from),
            };
            client.assertion_methods.service_accounts =
                [account("web", None), account("pinned", Some(UID))].into();
            let client = client.with_default_claims(ISSUER);
            tenant.clients.insert(client.id.clone(), client.into());
        }
    });
}

/// The claims of a projected token, as Kubernetes writes them.
fn claims(world: &TestServer) -> Value {
    let now = (world.app.clock)().as_second();
    json!({
        "iss": CLUSTER, "aud": [ISSUER], "sub": "system:serviceaccount:team-a:web", "jti": "7d1f",
        "iat": now, "nbf": now, "exp": now + 3600,
        "kubernetes.io": {
            "namespace": "team-a",
            "node": { "name": "n", "uid": "n-uid" },
            "pod": { "name": "web-0", "uid": "pod-uid" },
            "serviceaccount": { "name": "web", "uid": UID },
        },
    })
}

fn with(world: &TestServer, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims(world);
    change(&mut claims);
    key().token(r#"{"alg":"ES256","kid":"cluster"}"#, &claims.to_string())
}

async fn send(world: &TestServer, id: &str, token: &str) -> Reply {
    world.token(None, &form(token, &[("client_id", id)])).await
}

/// Each is refused without a question to the cluster, and a good one is accepted.
async fn refused(rows: impl FnOnce(&TestServer) -> Vec<(&'static str, String)>) {
    let (world, asked) = world(Finding::Genuine).await;
    for (what, token) in rows(&world) {
        let reply = send(&world, POD, &token).await;
        assert_eq!(reply.outcome(), "401 invalid_client", "{what}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "the cluster was asked");
    assert_eq!(send(&world, POD, &with(&world, |_| ())).await.status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn h01_h13_a_projected_token_is_accepted_as_often_as_it_is_used() {
    let (world, _) = world(Finding::Genuine).await;
    let token = with(&world, |_| ());
    for _ in 0..3 {
        assert_eq!(send(&world, POD, &token).await.status, 200);
    }
    let text = with(&world, |claims| claims["aud"] = json!(ISSUER));
    assert_eq!(send(&world, POD, &text).await.status, 200);
    let introspect = form(&token, &[("client_id", POD), ("token", "x")]);
    let reply = world.token_at("/introspect", None, &introspect).await;
    assert_eq!(reply.body, r#"{"active":false}"#);
}

#[tokio::test]
async fn h02_h10_a_token_not_for_this_server_alone_is_never_sent() {
    refused(|world| {
        let audiences = [
            json!([CLUSTER]),
            json!([ISSUER, CLUSTER]),
            json!([ISSUER, ISSUER]),
            json!(["https://id.example/t/b"]),
            json!(["https://id.example/token"]),
            json!([]),
            json!([7]),
            json!(CLUSTER),
            json!(null),
        ];
        let row = |aud| ("aud", with(world, |claims| claims["aud"] = aud));
        audiences.map(row).into()
    })
    .await;
}

#[tokio::test]
async fn h03_h15_a_token_of_anybody_else_is_refused() {
    refused(|world| {
        let sub = |sub: &str| with(world, |claims| claims["sub"] = json!(sub));
        let bound = |place: &str, value: Value| {
            with(world, |claims| {
                *claims
                    .pointer_mut(&format!("/kubernetes.io/{place}"))
                    .unwrap() = value;
            })
        };
        let other = |namespace: &str, name: &str| {
            with(world, |claims| {
                claims["sub"] = json!(format!("system:serviceaccount:{namespace}:{name}"));
                claims["kubernetes.io"]["namespace"] = json!(namespace);
                claims["kubernetes.io"]["serviceaccount"]["name"] = json!(name);
            })
        };
        vec![
            ("another namespace", other("team-b", "web")),
            ("another account", other("team-a", "default")),
            ("a longer name", other("team-a", "web2")),
            ("no name", other("team-a", "")),
            (
                "sub and binding differ",
                sub("system:serviceaccount:team-a:other"),
            ),
            ("a node", sub("system:node:n")),
            ("a user", sub("admin")),
            (
                "another binding",
                bound("serviceaccount/name", json!("pinned")),
            ),
            (
                "another namespace bound",
                bound("namespace", json!("team-b")),
            ),
            ("no UID", bound("serviceaccount/uid", json!(""))),
            ("a number", bound("serviceaccount/uid", json!(7))),
            (
                "no binding",
                with(world, |claims| claims["kubernetes.io"] = json!({})),
            ),
            ("a bootstrap token", "abcdef.0123456789abcdef".to_owned()),
        ]
    })
    .await;
}

#[tokio::test]
async fn h04_where_a_uid_is_named_another_one_is_refused() {
    refused(|world| {
        let pinned = |uid: &str| {
            with(world, |claims| {
                claims["sub"] = json!("system:serviceaccount:team-a:pinned");
                claims["kubernetes.io"]["serviceaccount"] = json!({ "name": "pinned", "uid": uid });
            })
        };
        vec![
            (
                "another UID",
                pinned("00000000-0000-4000-8000-000000000000"),
            ),
            ("a prefix", pinned(&UID[..8])),
        ]
    })
    .await;
}

#[tokio::test]
async fn h06_h07_a_token_that_does_not_end_within_an_hour_is_refused() {
    refused(|world| {
        let now = (world.app.clock)().as_second();
        let claim =
            |name: &'static str, value: Value| (name, with(world, |claims| claims[name] = value));
        let legacy = with(world, |claims| {
            for name in ["exp", "iat", "nbf", "aud", "kubernetes.io"] {
                claims.as_object_mut().unwrap().remove(name);
            }
            claims["kubernetes.io/serviceaccount/namespace"] = json!("team-a");
            claims["kubernetes.io/serviceaccount/service-account.name"] = json!("web");
        });
        vec![
            ("legacy", legacy),
            claim("exp", json!(now)),
            claim("exp", json!(now - 1)),
            claim("exp", json!(now + 3611)),
            claim("exp", json!(null)),
            claim("exp", json!("tomorrow")),
            claim("nbf", json!(now + 60)),
            claim("iat", json!(now + 60)),
            claim("iat", json!(now - 11)),
            claim("iat", json!(now - 86_400)),
            claim("iat", json!(null)),
        ]
    })
    .await;
}

#[tokio::test]
async fn h09_an_issuer_that_nobody_knows_is_asked_nothing() {
    refused(|world| {
        let issuers = [
            "https://evil.example",
            "https://kubernetes.default.svc.evil.example",
            "",
            ISSUER,
            "https://id.example/t/b",
            "unknown.here",
        ];
        issuers
            .map(|iss| ("iss", with(world, |claims| claims["iss"] = json!(iss))))
            .into()
    })
    .await;
}

#[tokio::test]
async fn neither_kind_of_assertion_passes_for_the_other() {
    let (world, asked) = world(Finding::Genuine).await;
    let token = with(&world, |_| ());
    // Without the ID the client is unknown, and a client without ServiceAccounts has none.
    for form in [
        form(&token, &[]),
        form(&token, &[("client_id", assertions::SIGNER)]),
    ] {
        world
            .token(None, &form)
            .await
            .refuses(401, "invalid_client");
    }
    // Signed by a key of the client, but in the name of the cluster; and the other way round.
    let mut own = assertions::claims(&world, ANY);
    own["iss"] = json!(CLUSTER);
    let own = key().token(&key().header().to_string(), &own.to_string());
    send(&world, ANY, &own).await.refuses(401, "invalid_client");
    let by_account = with(&world, |claims| claims["iss"] = json!(ANY));
    send(&world, ANY, &by_account)
        .await
        .refuses(401, "invalid_client");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    // While no method is named, each is accepted as what it is.
    let signed = assertions::claims(&world, ANY).to_string();
    let signed = key().token(&key().header().to_string(), &signed);
    assert_eq!(send(&world, ANY, &signed).await.status, 200);
    assert_eq!(send(&world, ANY, &token).await.status, 200);
    let secret = world.secret(ANY);
    let reply = world
        .token(Some(&basic(ANY, &secret)), "grant_type=client_credentials")
        .await;
    assert_eq!(reply.status, 200);
    let reply = world
        .token(
            Some(&basic(POD, &world.secret(POD))),
            "grant_type=client_credentials",
        )
        .await;
    reply.refuses(401, "invalid_client");
}

#[tokio::test]
async fn h12_an_unreachable_cluster_is_503_and_no_other_method() {
    let (world, asked) = world(Finding::Unknown).await;
    let token = with(&world, |_| ());
    for turn in 1..=2 {
        let reply = send(&world, ANY, &token).await;
        reply.refuses(503, "temporarily_unavailable");
        assert_eq!(reply.header("retry-after"), "5");
        assert_eq!(
            asked.load(Ordering::SeqCst),
            turn,
            "a missing answer is not kept"
        );
    }
    known_to(&world, None, Verification::TokenReview);
    send(&world, POD, &token)
        .await
        .refuses(503, "temporarily_unavailable");
    let of_signer = send(&world, assertions::SIGNER, &token).await;
    of_signer.refuses(401, "invalid_client");
}

#[tokio::test]
async fn an_answer_is_kept_for_ten_seconds_and_a_refusal_for_two() {
    for (found, status, keep) in [(Finding::Genuine, 200, 10), (Finding::False, 401, 2)] {
        let (world, asked) = world(found).await;
        let token = with(&world, |_| ());
        let ask = async |expected| {
            assert_eq!(send(&world, POD, &token).await.status, status);
            assert_eq!(asked.load(Ordering::SeqCst), expected);
        };
        ask(1).await;
        clock::advance(Duration::from_millis(keep * 1000 - 1));
        ask(1).await;
        clock::advance(Duration::from_millis(1));
        ask(2).await;
        // When the clock went back, the age of the answer is unknown.
        clock::rewind(Duration::from_secs(5));
        ask(3).await;
    }
}

#[tokio::test]
async fn those_who_ask_at_once_share_one_question() {
    let (world, asked) = world(Finding::Genuine).await;
    let token = with(&world, |_| ());
    let all = join_all((0..50).map(|_| send(&world, POD, &token))).await;
    assert!(all.iter().all(|reply| reply.status == 200));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Another token is another question, and so is another way to ask.
    let other = with(&world, |claims| claims["jti"] = json!("another"));
    assert_eq!(send(&world, POD, &other).await.status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    known_to(&world, Some(CLUSTER), Verification::Offline);
    assert_eq!(send(&world, POD, &other).await.status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

/// The question that a good token leads to.
async fn review(token: impl FnOnce(&TestServer) -> String) -> Arc<Review> {
    let world = assertions::world().await;
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let reviews = TokenReviewCache::new(Arc::new(move |review| {
        let tell = tell.lock().unwrap().take().unwrap();
        assert!(tell.send(review).is_ok());
        async { Finding::False }.boxed()
    }));
    known_to(&world, Some(CLUSTER), Verification::TokenReview);
    let world = TestServer::with(App {
        token_reviews: Arc::new(reviews),
        ..world.app.clone()
    });
    send(&world, POD, &token(&world))
        .await
        .refuses(401, "invalid_client");
    told.await.unwrap()
}

#[tokio::test]
async fn h05_the_token_review_must_be_of_this_token_and_audience() {
    let review = review(|world| with(world, |_| ())).await;
    assert_eq!(review.verification, Verification::TokenReview);
    let good = Answer {
        authenticated: true,
        audiences: vec![ISSUER.into()],
        username: "system:serviceaccount:team-a:web".into(),
        uid: UID.into(),
    };
    assert_eq!(review.judge(&good), Finding::Genuine);
    for bad in [
        Answer {
            authenticated: false,
            ..good.clone()
        },
        Answer {
            audiences: vec![],
            ..good.clone()
        },
        Answer {
            audiences: vec![CLUSTER.into()],
            ..good.clone()
        },
        Answer {
            username: "system:serviceaccount:team-b:web".into(),
            ..good.clone()
        },
        Answer {
            username: String::new(),
            ..good.clone()
        },
        Answer {
            uid: "another".into(),
            ..good.clone()
        },
        Answer::default(),
    ] {
        assert_eq!(review.judge(&bad), Finding::False, "{bad:?}");
    }
}

#[tokio::test]
async fn h08_h11_the_signature_is_by_the_cluster_or_an_unknown_key() {
    let cluster = stranger();
    let mut jwk = cluster.jwk();
    jwk.kid = Some("cluster".into());
    let public = clientele_oauth::jose::public_key::PublicKey::new(jwk).unwrap();
    let signed = |kid: &str, claims: &Value| {
        cluster.token(
            &json!({ "alg": "ES256", "kid": kid }).to_string(),
            &claims.to_string(),
        )
    };
    let genuine = review(|world| signed("cluster", &claims(world))).await;
    assert_eq!(
        genuine.signature(std::slice::from_ref(&public)),
        Signature::Good
    );
    assert_eq!(genuine.signature(&[]), Signature::OfUnknownKey);
    let elsewhere = review(|world| with(world, |_| ())).await;
    assert_eq!(
        elsewhere.signature(std::slice::from_ref(&public)),
        Signature::Bad
    );
    let unknown = review(|world| signed("next", &claims(world))).await;
    assert_eq!(unknown.signature(&[public]), Signature::OfUnknownKey);
}

#[tokio::test]
async fn the_log_says_which_rule_the_token_of_a_service_account_broke() {
    let (world, _) = world(Finding::False).await;
    let bound = |name: &'static str, value: Value| {
        with(&world, |claims| claims["kubernetes.io"][name] = value)
    };
    let rows = [
        (
            with(&world, |claims| claims["aud"] = json!([CLUSTER])),
            "audience of the token",
        ),
        (
            with(&world, |claims| claims["exp"] = json!(1)),
            "has expired",
        ),
        (
            with(&world, |claims| claims["iat"] = json!(1)),
            "longer than an hour",
        ),
        (
            with(&world, |claims| {
                let exp = claims["exp"].as_i64().unwrap();
                claims["exp"] = json!(exp + 3600);
            }),
            "expirationSeconds",
        ),
        (
            with(&world, |claims| {
                let exp = claims["exp"].as_i64().unwrap();
                claims["nbf"] = json!(exp);
            }),
            "nbf or iat",
        ),
        (bound("namespace", json!("team-b")), "client's namespace"),
        (
            with(&world, |claims| {
                claims["sub"] = json!("system:serviceaccount:team-a:pinned");
                let account = &mut claims["kubernetes.io"]["serviceaccount"];
                *account = json!({ "name": "pinned", "uid": "other" });
            }),
            "another UID",
        ),
        (
            bound("serviceaccount", json!({})),
            "not one of a ServiceAccount",
        ),
        (
            with(&world, |claims| {
                claims["sub"] = json!("system:serviceaccount:team-a:other");
                claims["kubernetes.io"]["serviceaccount"]["name"] = json!("other");
            }),
            "does not name this ServiceAccount",
        ),
        (with(&world, |_| ()), "does not accept the token"),
    ];
    for (token, rule) in rows {
        let (logs, _guard) = Logs::capture();
        let reply = send(&world, POD, &token).await;
        assert_eq!(reply.outcome(), "401 invalid_client", "{rule}");
        assert!(logs.text().contains(rule), "{rule}: {}", logs.text());
    }
    // In one minute only ten are recorded singly.
    let (world, _) = self::world(Finding::False).await;
    let (logs, _guard) = Logs::capture();
    send(&world, "unknown.here", &with(&world, |_| ())).await;
    assert!(logs.text().contains("names no client that is served here"));
}
