//! What another policy of a tenant costs, and whom it reconciles.

use serde_json::{Value, json};

use super::oracle;
use super::stage::{Connection, Stage};

/// Clients of which each sees something else of a policy: one says nothing, one asks for a lifetime, one for an audience,
/// one signs people in.
fn stage(connection: &Connection) -> Stage {
    let mut stage = Stage::new(connection);
    stage.tenant("default", 2, &spec(&json!({})));
    for (name, of_client) in [
        ("plain", json!({})),
        ("asks", json!({ "lifetimes": { "accessToken": "20m" } })),
        ("audience", json!({ "audiences": ["urn:orders"] })),
        ("web", json!({ "redirectUris": ["https://a.example/cb"] })),
    ] {
        stage.client("ns0", name, 1, &of_client);
    }
    stage.rebuild();
    oracle::compare(&mut stage).unwrap();
    stage
}

fn spec(more: &Value) -> Value {
    let mut spec = json!({
        "namespaces": {},
        "audiences": [{ "uri": "urn:orders" }],
        "scopes": [{ "name": "orders.read" }],
    });
    let fields = more.as_object().cloned().unwrap_or_default();
    spec.as_object_mut().unwrap().extend(fields);
    spec
}

fn lives(which: &str, time: &str) -> Value {
    json!({ "lifetimes": { which: { "accessToken": time } } })
}

#[test]
fn a_policy_change_reconciles_those_of_whom_it_shows() {
    let connection = Connection::nowhere();
    let all = ["asks", "audience", "plain", "web"];
    let narrow = json!({ "namespaces": { "matchLabels": { "team": "none" } } });
    let hosts = |host: &str| json!({ "redirectHosts": [{ "hosts": [host] }] });
    for (what, of_policy, judged, reconciled) in [
        ("the head", json!({ "displayName": "Acme" }), 0, &[][..]),
        ("sessions", json!({ "session": { "idle": "1h" } }), 0, &[]),
        ("people", json!({ "users": { "namespaces": {} } }), 0, &[]),
        (
            "a lifetime that no status has",
            lives("default", "7m"),
            4,
            &[],
        ),
        ("one that none asks for", lives("maximum", "30m"), 4, &[]),
        (
            "one that one asks for",
            lives("maximum", "15m"),
            4,
            &["asks"],
        ),
        ("how people sign in", json!({ "pkce": "Required" }), 4, &[]),
        ("a host that one has", hosts("a.example"), 4, &[]),
        ("a host that none has", hosts("b.example"), 4, &["web"]),
        (
            "an audience that goes",
            json!({ "audiences": [] }),
            4,
            &["audience"],
        ),
        (
            "a scope that none asks for",
            json!({ "scopes": [] }),
            4,
            &[],
        ),
        ("a tightening", narrow, 4, &all),
    ] {
        let mut stage = stage(&connection);
        let before = stage.builder.work();
        stage.tenant("default", 3, &spec(&of_policy));
        stage.rebuild();
        assert_eq!(
            stage.builder.work().judged,
            before.judged + judged,
            "{what}"
        );
        stage.enqueued.sort_unstable();
        let reconciled = reconciled.iter().map(|name| format!("ns0/{name}"));
        assert_eq!(stage.enqueued, reconciled.collect::<Vec<_>>(), "{what}");
        oracle::compare(&mut stage).unwrap();
    }
}

fn granted(stage: &Stage, client: &str) -> Option<u64> {
    let registry = stage.outputs.registry.load();
    let client = registry.tenants["default"].clients.get(client);
    client.map(|client| client.lifetimes.access_token.as_secs())
}

/// A reconcile that comes later for another reason acts upon the new policy all the same.
#[test]
fn what_reconciles_none_is_served_and_known_at_once() {
    let connection = Connection::nowhere();
    let mut stage = stage(&connection);
    assert_eq!(granted(&stage, "ns0.plain"), Some(600));
    stage.tenant("default", 3, &spec(&lives("default", "7m")));
    stage.rebuild();
    assert_eq!(stage.asked(), Vec::<String>::new());
    assert_eq!(granted(&stage, "ns0.plain"), Some(420));
    for verdict in stage.outputs.verdicts.clients.all() {
        let client = verdict.registered.as_ref().unwrap();
        let served = granted(&stage, &client.id);
        assert_eq!(served, Some(client.lifetimes.access_token.as_secs()));
    }
    // What is in the head leaves the verdicts as they are; the next change of a client is judged by all of it.
    let mut same = lives("default", "7m");
    same["displayName"] = json!("Acme");
    stage.tenant("default", 4, &spec(&same));
    stage.rebuild();
    stage.client("ns0", "plain", 2, &json!({ "displayName": "Other" }));
    stage.rebuild();
    assert_eq!(stage.enqueued, ["ns0/plain"]);
    assert_eq!(granted(&stage, "ns0.plain"), Some(420));
}

/// Other tasks have turns while the clients of a large tenant are judged, and find everything as it was until all of it is
/// in force.
#[test]
fn a_tightening_of_a_large_tenant_comes_in_slices_and_at_once() {
    const MANY: usize = 5_000;
    let connection = Connection::nowhere();
    let mut stage = Stage::new(&connection);
    for n in 0..MANY {
        stage.client("ns0", &format!("client-{n}"), 1, &json!({}));
    }
    stage.rebuild();
    assert_eq!(stage.asked().len(), MANY, "each once, after the first list");
    let narrow = json!({ "namespaces": { "matchLabels": { "team": "none" } } });
    stage.tenant("default", 2, &narrow);
    let before = stage.outputs.registry.load().revision;
    let turns = stage.rebuild_in_slices(|outputs| {
        let registry = outputs.registry.load();
        let served = if registry.revision == before { MANY } else { 0 };
        assert_eq!(registry.client_count(), served);
        let policy = outputs.verdicts.tenants.latest("default").unwrap();
        let admits = policy.policy.namespaces == crate::domain::tenant::namespaces::Namespaces::All;
        assert!(
            admits || served == 0,
            "the tenant is reported after it is served"
        );
    });
    assert!(turns >= 3, "{turns} turns of others");
    assert_eq!(stage.asked().len(), MANY);
    oracle::compare(&mut stage).unwrap();
}
