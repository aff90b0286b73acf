//! Another database, role or password takes the place of the one that the replicas use.

use std::path::Path;
use std::time::Duration;

use sqlx::{Connection, PgConnection};

use super::installation::{Installation, ROLES, ask, lasts, measured};
use super::lifecycle::same_processes;
use super::machine::run;
use crate::node::drill::Row;
use crate::support::postgres::Server;

/// The role whose password is replaced, and both passwords.
const ONE: &str = "clientele_one";
const PASSWORDS: [&str; 2] = ["the-first", "the-second"];

/// How long the kubelet takes at most until a Secret has reached a pod.
const BROUGHT: Duration = Duration::from_mins(2);
/// How long it takes at most until a closed connection has been replaced.
const USED: Duration = Duration::from_secs(15);

/// Where the kubelet keeps the volumes of pods.
const VOLUMES: &str = "/run/node/kubelet/pods";

/// The database ends and is there again at once: an application that tries twice is served.
pub async fn restart(on: &Installation) -> Vec<Row> {
    tokio::task::block_in_place(|| on.database.kill());
    tokio::task::block_in_place(|| on.database.restart());
    vec![second_try(on, "database restarted").await]
}

/// Another role takes the place of the one that the replicas use; then the old one may not log in any more.
pub async fn role_rotation(on: &Installation) -> Vec<Row> {
    let [old, new] = ROLES;
    let before = on.restarts().await;
    let rotation = async {
        let brought = brings(on, new, &on.node.address).await;
        let end = format!("ALTER ROLE {old} NOLOGIN");
        on.database.execute(&end).await;
        let used = replaces(on, new).await;
        lasts(Duration::from_secs(10)).await;
        (brought, used)
    };
    let ((brought, used), tally) = Box::pin(on.under_load(rotation)).await;
    // Whatever came of it, the next drill begins as this one did.
    let begin = format!("ALTER ROLE {old} LOGIN");
    on.database.execute(&begin).await;
    let drill = "database role rotated";
    vec![
        Row::within(drill, "in every pod", BROUGHT, brought),
        Row::within(drill, "used by every pod", USED, used),
        Row::at_most(drill, 0, Duration::ZERO, &tally),
        same_processes(drill, on, &before).await,
    ]
}

/// The password of the only role is replaced: from then on the old one opens no connection, until the kubelet has brought
/// the new one into every pod. Connections that are open live on.
pub async fn password_rotation(on: &Installation) -> Vec<Row> {
    let [old, new] = PASSWORDS;
    let create =
        format!("CREATE ROLE {ONE} SUPERUSER LOGIN IN ROLE has_a_password PASSWORD '{old}'");
    on.database.execute(&create).await;
    brings(on, &format!("{ONE}:{old}"), &on.node.address).await;
    replaces(on, ONE).await;
    let before = on.restarts().await;

    let rotation = async {
        let alter = format!("ALTER ROLE {ONE} PASSWORD '{new}'");
        on.database.execute(&alter).await;
        let accepted = [accepts(on, old).await, accepts(on, new).await];
        (
            accepted,
            brings(on, &format!("{ONE}:{new}"), &on.node.address).await,
        )
    };
    let ((accepted, brought), tally) = Box::pin(on.under_load(rotation)).await;
    assert_eq!(accepted, [false, true], "the old password, and the new one");
    terminate(on, &format!("= '{ONE}'")).await;
    let drill = "password of one role rotated";
    let closed = format!("{drill}, every connection closed");
    let tries = second_try(on, &closed).await;
    let used = on.connections_of(ONE).await;
    let processes = same_processes(drill, on, &before).await;
    // Back to a role without a password, for the drills that follow.
    brings(on, ROLES[0], &on.node.address).await;
    replaces(on, ROLES[0]).await;
    vec![
        Row::within(drill, "in every pod", BROUGHT, brought),
        Row::at_most(drill, 0, Duration::ZERO, &tally),
        tries,
        Row::within(&closed, "the new one used by every pod", USED, used),
        processes,
    ]
}

/// Whether the database lets this role in with this password.
async fn accepts(on: &Installation, password: &str) -> bool {
    let address = &on.node.address;
    let url = format!("postgres://{ONE}:{password}@{address}/clientele?sslmode=disable");
    PgConnection::connect(&url).await.is_ok()
}

/// Writes the URL with this login and host; returns how long it takes until every pod sees it.
async fn brings(on: &Installation, login: &str, host: &str) -> Duration {
    on.use_database(login, host);
    let url = format!("//{login}@{host}/");
    measured(|| async { volumes_with(&url) == 3 }).await
}

/// Closes the connections of every other role; returns how long it takes until all replicas have some of this one.
async fn replaces(on: &Installation, now: &str) -> Duration {
    terminate(on, &format!("<> '{now}'")).await;
    on.connections_of(now).await
}

/// The primary gives up its place in three ways, one after the other; a Service leads to the standby that is promoted.
/// The installation goes on with the last one.
pub async fn failover(on: &Installation, primary: &mut Option<Server>) -> Vec<Row> {
    let service = Service::of_the_database(on);
    service.leads_to(&on.node.address);
    brings(on, ROLES[1], &service.address()).await;
    replaces(on, ROLES[1]).await;

    let mut rows = Vec::new();
    let mut address = on.node.address.clone();
    let ways = ["becomes read-only", "is killed", "cannot be reached"];
    for (way, host) in ways.into_iter().zip(2..) {
        let before = primary.as_ref().unwrap_or(&on.database);
        let next = format!("172.31.255.{host}");
        run(
            "ip",
            &["address", "add", &format!("{next}/24"), "dev", "node0"],
        );
        let standby = tokio::task::block_in_place(|| before.standby(&next));
        match way {
            "becomes read-only" => {
                before
                    .execute("ALTER SYSTEM SET default_transaction_read_only = on")
                    .await;
                before.execute("SELECT pg_reload_conf()").await;
                replicated(before, &standby).await;
            }
            "is killed" => {
                replicated(before, &standby).await;
                tokio::task::block_in_place(|| before.kill());
            }
            _ => {
                replicated(before, &standby).await;
                run("iptables", &["-I", "INPUT", "-d", &address, "-j", "DROP"]);
                run("iptables", &["-I", "OUTPUT", "-s", &address, "-j", "DROP"]);
            }
        }
        tokio::task::block_in_place(|| standby.promote());
        service.leads_to(&next);
        rows.push(second_try(on, &format!("failover: the primary {way}")).await);
        let ready = on.pods_are_ready(3).await;
        rows.push(Row::within(
            &format!("failover: the primary {way}"),
            "every replica Ready",
            Duration::from_secs(5),
            ready,
        ));
        (*primary, address) = (Some(standby), next);
    }
    rows
}

/// How often each family of refresh tokens must be tried until it goes on.
async fn second_try(on: &Installation, drill: &str) -> Row {
    let people = on.people();
    let mut tries = Vec::new();
    for family in 0..people.families() {
        tries.push(people.tries_to_refresh(family, 10).await);
    }
    let worst = tries.iter().max().copied().unwrap_or_default();
    let seen = format!("tries: {tries:?}");
    Row::holds(
        drill,
        "a refresh works at the second try",
        &seen,
        worst <= 2,
    )
}

/// Waits until a standby has everything that its primary wrote until now.
async fn replicated(primary: &Server, standby: &Server) {
    let written = "SELECT pg_current_wal_lsn()::text = $1";
    let seen = "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn";
    let took = measured(|| async {
        let position = position_of(primary).await;
        // Heartbeats are written all the time: between two of them nothing is.
        ask(standby, seen, &position).await == Some(true)
            && ask(primary, written, &position).await == Some(true)
    })
    .await;
    assert!(took < Duration::from_mins(1), "the standby does not follow");
}

async fn position_of(primary: &Server) -> String {
    let url = primary.url("clientele");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::query_scalar("SELECT pg_current_wal_lsn()::text")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

/// Closes the connections of the replicas whose role is one of these, as the database does when it ends them.
async fn terminate(on: &Installation, whose: &str) {
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'clientele%' AND usename {whose}"
    );
    on.database.execute(&end).await;
}

/// How many pods see a URL with this part.
fn volumes_with(part: &str) -> usize {
    let has_it = |pod: &Path| {
        let secrets = std::fs::read_dir(pod.join("volumes/kubernetes.io~secret"));
        secrets.into_iter().flatten().flatten().any(|volume| {
            std::fs::read_to_string(volume.path().join("url")).is_ok_and(|url| url.contains(part))
        })
    };
    let pods = std::fs::read_dir(VOLUMES).unwrap();
    pods.flatten().filter(|pod| has_it(&pod.path())).count()
}

/// A Service without a selector, as operators of databases keep one that leads to the primary.
struct Service<'a> {
    on: &'a Installation,
}

impl<'a> Service<'a> {
    fn of_the_database(on: &'a Installation) -> Self {
        apply(
            on,
            "apiVersion: v1\nkind: Service\nmetadata: {name: database}\nspec: {ports: [{port: 5432}]}\n",
        );
        Self { on }
    }

    fn address(&self) -> String {
        let get = [
            "get",
            "service",
            "database",
            "-o",
            "jsonpath={.spec.clusterIP}",
        ];
        self.on.kubectl(&get).unwrap()
    }

    fn leads_to(&self, address: &str) {
        let slice = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n\
             metadata: {name: database, labels: {kubernetes.io/service-name: database}}\nports: [{port: 5432}]\n";
        apply(
            self.on,
            &format!(
                "{slice}endpoints: [{{addresses: [{address}], conditions: {{ready: true}}}}]\n"
            ),
        );
    }
}

fn apply(on: &Installation, manifest: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), manifest).unwrap();
    on.kubectl(&["apply", "-f", file.path().to_str().unwrap()])
        .unwrap();
}
