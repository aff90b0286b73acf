//! `secrets.scope: namespaces`: the operator writes Secrets where it was let, and says how to let it elsewhere.

use std::sync::OnceLock;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::operator::{Options, RunningOperator};
use crate::support::person;
use crate::support::test_namespace::{TestNamespace, eventually, promptly, when};
use crate::support::users::PASSWORD;

/// The namespace that the chart was told.
pub const ENABLED: &str = "enabled";

/// A cluster whose operator may write Secrets in one namespace and its own.
pub struct Scoped {
    pub cluster: Cluster,
    pub operator: RunningOperator,
}

/// The cluster of the tests in need of it; the first that asks starts it.
pub async fn scoped() -> &'static Scoped {
    static SCOPED: OnceLock<Scoped> = OnceLock::new();
    let start = || SCOPED.get_or_init(start);
    tokio::task::spawn_blocking(start).await.unwrap()
}

fn start() -> Scoped {
    let cluster = Cluster::start();
    cluster.kubectl(&["create", "namespace", ENABLED]).unwrap();
    cluster.install_chart(&["secrets.scope=namespaces", "secrets.namespaces={enabled}"]);
    let options = Options {
        flags: vec!["--secrets-scope".into(), "namespaces".into()],
        ..Options::default()
    };
    let operator = RunningOperator::start(&cluster, &options);
    Scoped { cluster, operator }
}

/// The commands between backticks.
fn commands(message: &str) -> Vec<Vec<&str>> {
    let quoted = message.split('`').skip(1).step_by(2);
    quoted.map(|command| command.split(' ').collect()).collect()
}

/// A namespace that an administrator has enabled, as the message says.
async fn enabled(prefix: &str) -> TestNamespace {
    let Scoped { cluster, operator } = scoped().await;
    let space = TestNamespace::within(cluster, &operator.issuer, prefix).await;
    space.create("hello", json!({})).await;
    let said = space
        .refused("hello", "NamespaceNotEnabled", &space.name)
        .await;
    for command in commands(&said) {
        cluster.kubectl(&command[1..]).unwrap();
    }
    space.accepted("hello").await;
    space
}

/// Takes the rights away again.
async fn disable(space: &TestNamespace) {
    let cluster = &scoped().await.cluster;
    let binding = ["delete", "rolebinding", "clientele-secrets"];
    let namespaced = ["--namespace", &space.name];
    cluster
        .kubectl(&[&binding[..], &namespaced].concat())
        .unwrap();
    let secrets: Api<Secret> = Api::namespaced(person::operator(cluster).await, &space.name);
    eventually("the rights are gone", || async {
        let answer = secrets.get_opt("hello-oauth").await;
        answer.map_or(Ok(()), |_| Err("the Secret can be read".to_owned()))
    })
    .await;
}

#[tokio::test]
async fn a_client_in_an_enabled_namespace_works() {
    let Scoped { cluster, operator } = scoped().await;
    let space = TestNamespace {
        kube: cluster.kube().await,
        name: ENABLED.into(),
        issuer: operator.issuer.clone(),
    };
    space.create("hello", json!({})).await;
    space.accepted("hello").await;
    assert_eq!(space.token("hello-oauth").await.0, 200);
}

#[tokio::test]
async fn elsewhere_the_message_names_the_commands_to_enable_it() {
    let Scoped { cluster, operator } = scoped().await;
    let space = TestNamespace::within(cluster, &operator.issuer, "elsewhere").await;
    for name in ["hello", "second", "third"] {
        space.create(name, json!({})).await;
    }
    let sentence = format!(
        "the operator may not write Secrets in namespace {}",
        space.name
    );
    let said = space
        .refused("hello", "NamespaceNotEnabled", &sentence)
        .await;
    for name in ["second", "third"] {
        assert_eq!(
            space.refused(name, "NamespaceNotEnabled", &sentence).await,
            said
        );
    }

    let commands = commands(&said);
    assert_eq!(commands.len(), 2, "{said}");
    for command in commands {
        assert_eq!(command[0], "kubectl");
        cluster.kubectl(&command[1..]).unwrap();
    }
    let what = "the rights are noticed";
    promptly(Duration::from_secs(15), what, || async {
        for name in ["hello", "second", "third"] {
            space.is_ready(name).await?;
        }
        Ok(())
    })
    .await;
    for name in ["hello", "second", "third"] {
        space.accepted(name).await;
        assert_eq!(space.token(&format!("{name}-oauth")).await.0, 200);
    }

    let log = operator.log();
    let lines = log
        .lines()
        .filter(|line| line.contains(" WARN ") && line.contains(&sentence));
    assert_eq!(
        lines.count(),
        1,
        "one line for a namespace, whatever the number of its clients"
    );
}

#[tokio::test]
async fn rights_that_are_revoked_are_noticed_at_the_next_write() {
    let space = enabled("elsewhere").await;
    disable(&space).await;
    space.create("late", json!({})).await;
    space
        .refused("late", "NamespaceNotEnabled", &space.name)
        .await;
    // What was written before goes on.
    assert_eq!(space.token("hello-oauth").await.0, 200);
}

/// Most often the namespace was deleted, and would be asked about for ever.
#[tokio::test]
async fn a_forbidden_watch_ends_when_unneeded_and_restarts() {
    let Scoped { cluster, operator } = scoped().await;
    let space = TestNamespace::within(cluster, &operator.issuer, "left").await;
    space.create("hello", json!({})).await;
    let denied = "NamespaceNotEnabled";
    space.refused("hello", denied, &space.name).await;
    space.delete("hello").await;
    eventually("no requests any more", || async {
        let log = operator.log();
        let mut lines = log.lines().filter(|line| line.contains(&space.name));
        let ended = lines.any(|line| line.contains("stopped watching them"));
        when(ended, (), || "it goes on".to_owned())
    })
    .await;

    space.create("hello", json!({})).await;
    let said = space.refused("hello", denied, &space.name).await;
    for command in commands(&said) {
        cluster.kubectl(&command[1..]).unwrap();
    }
    space.accepted("hello").await;
    assert_eq!(space.token("hello-oauth").await.0, 200);
}

/// A person in a space whose password is in this entry of a Secret that others refer to as well.
async fn describe(space: &TestNamespace, entry: &str) {
    let spec = json!({
        "username": format!("{}-{entry}", space.name),
        "passwordSecretRef": { "name": "people", "key": entry },
    });
    space.create_user(entry, spec).await;
}

/// An application that loses rights and then requests another entry of a Secret must not delay the others.
#[tokio::test]
async fn a_password_no_longer_readable_delays_no_other_namespace() {
    let (shut, open) = (enabled("shut").await, enabled("open").await);
    for space in [&shut, &open] {
        space.label_for_people().await;
        let words = [("ada", "hunter22"), ("bob", "hunter33")];
        space.write_secret("people", PASSWORD, &words).await;
        describe(space, "ada").await;
        space.enrolled("ada").await;
    }
    disable(&shut).await;
    describe(&shut, "bob").await;
    let operator = &scoped().await.operator;
    eventually("it cannot be read", || async {
        let log = operator.log();
        let said = log.contains("could not read a Secret with a password");
        when(said, (), || "nothing of it".to_owned())
    })
    .await;
    describe(&open, "bob").await;
    open.enrolled("bob").await;
}
