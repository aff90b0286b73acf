//! One installation with 100,000 clients, through what happens to it: all are created, the operator restarts, the policy
//! of their tenant changes, 1,000 secrets rotate, 1,000 clients are deleted and created again. Tokens are served beside.
//! It ends at the first credential that is lost or wrong.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clientele_api::{OAuthClient, OAuthTenant};
use futures::StreamExt;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::credentials::{self, Credentials};
use crate::load;
use crate::measure::{self, Report};
use crate::open_loop;
use crate::operator::{Options, RunningOperator, free_address};
use crate::tokens::Tokens;

/// Clients of one namespace.
const OF_ONE: usize = 1000;
/// The namespace whose clients rotate, and are deleted and created again.
const CHANGING: &str = "scale-000";
/// Applications that ask for tokens all the time.
const APPLICATIONS: usize = 50;
/// Token requests per second.
const RATE: u32 = 200;
/// Changes that are made at a time.
const AT_ONCE: usize = 16;
/// No step takes longer.
const LONGEST: Duration = Duration::from_mins(30);
/// How often a list is read while something is waited for.
const LOOK_EVERY: Duration = Duration::from_secs(2);

pub fn measure(runtime: &Runtime, count: usize, report: &mut Report) {
    assert!(count >= 2 * OF_ONE, "at least {} clients", 2 * OF_ONE);
    let cluster = Cluster::with_chart(&[]);
    // One address for all, so that the issuer, and with it every Secret, stays the same.
    let listen = free_address();
    let options = || Options::flags(&[]).at(&listen);
    let operator = RunningOperator::start(&cluster, &options());
    let applications = runtime.block_on(load::apply_to_usable(
        &cluster,
        "applications",
        APPLICATIONS,
    ));
    let held: Vec<_> = applications.into_iter().map(|one| one.entries).collect();
    let scale = Scale {
        cluster,
        tokens: Tokens::new(&held),
        application: held.into_iter().next().unwrap(),
        count,
    };
    runtime.block_on(scale.create(&operator, report));
    let before = runtime.block_on(Credentials::read(&scale.cluster));
    assert_eq!(before.len(), count + APPLICATIONS, "credentials Secrets");

    operator.stop();
    let (bare, bytes) = runtime.block_on(load::read_lists(&scale.cluster));
    let (took, operator) = measure::restart(&scale.cluster, &options());
    report.row(
        "restart to serving; a bare read of the same lists",
        format!(
            "{:.2} s; {bare:.2} s for {:.0} MB",
            took.as_secs_f64(),
            bytes as f64 / 1e6
        ),
    );
    runtime.block_on(scale.everything_works(&before, "after the restart", report));
    memory(&operator, "after the restart", report);
    runtime.block_on(at_rest(&operator));
    memory(&operator, "at rest", report);
    runtime.block_on(scale.policy(&operator, report));
    runtime.block_on(scale.rotate(&before, report));
    runtime.block_on(scale.replace(report));
    memory(&operator, "at the end", report);
    operator.stop();
}

struct Scale {
    cluster: Cluster,
    tokens: Tokens,
    /// What the Secret of one application holds.
    application: BTreeMap<String, String>,
    count: usize,
}

impl Scale {
    async fn create(&self, operator: &RunningOperator, report: &mut Report) {
        let started = Instant::now();
        let created = async {
            for space in 0..self.count.div_ceil(OF_ONE) {
                let left = self.count - space * OF_ONE;
                let name = format!("scale-{space:03}");
                load::create_clients(&self.cluster, &name, left.min(OF_ONE)).await;
                eprintln!("bench: {name}: {:.0} s", started.elapsed().as_secs_f64());
            }
            self.all_ready(operator).await;
        };
        self.beside("they are created", created, report).await;
        let rate = self.count as f64 / started.elapsed().as_secs_f64();
        let what = format!("{} OAuthClients created and Ready", self.count);
        let value = format!(
            "{:.0} s, {rate:.0} clients/s",
            started.elapsed().as_secs_f64()
        );
        report.row(&what, value);
        memory(operator, "when all are Ready", report);
        let resident = |pid| measure::memory(pid, "VmRSS");
        let (api_server, etcd) = (self.cluster.api_server, self.cluster.etcd);
        report.row(
            "RSS of the API server and of etcd then",
            format!("{:.0}, {:.0} MB", resident(api_server), resident(etcd)),
        );
    }

    async fn all_ready(&self, operator: &RunningOperator) {
        let wanted = (self.count + APPLICATIONS) as f64;
        let gauge = "clientele_registry_clients";
        until("every client is registered", || async {
            operator.metric(gauge) >= Some(wanted)
        })
        .await;
        // The last statuses: a list of all is expensive, so it comes last.
        for space in (0..self.count.div_ceil(OF_ONE)).rev() {
            self.ready_in(&format!("scale-{space:03}")).await;
        }
    }

    async fn ready_in(&self, space: &str) {
        let space_clients: Api<OAuthClient> = Api::namespaced(self.cluster.kube().await, space);
        let there = space_clients
            .list_metadata(&ListParams::default())
            .await
            .unwrap();
        let wanted = there.items.len();
        until(&format!("every client of {space} is Ready"), || async {
            load::ready(&self.cluster, space).await == wanted
        })
        .await;
    }

    /// No credential is lost, none is another, and each gets a token for its own client.
    async fn everything_works(&self, before: &Credentials, when: &str, report: &mut Report) {
        let after = Credentials::read(&self.cluster).await;
        assert!(*before == after, "Secrets differ {when}");
        let started = Instant::now();
        let tried = after.try_all().await;
        assert_eq!(tried.own, after.len(), "{when}: {tried:?}");
        report.row(
            &format!("credentials {when}: unchanged, and accepted for their own client"),
            format!(
                "{} of {} (in {:.0} s)",
                tried.own,
                after.len(),
                started.elapsed().as_secs_f64()
            ),
        );
    }

    /// Another lifetime of access tokens for every client of the tenant that has no other.
    async fn policy(&self, operator: &RunningOperator, report: &mut Report) {
        let tenants: Api<OAuthTenant> = Api::all(self.cluster.kube().await);
        let tenant = |lifetime: &str| {
            json!({
                "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthTenant", "metadata": { "name": "default" },
                "spec": { "namespaces": {}, "lifetimes": { "default": { "accessToken": lifetime } } },
            })
        };
        let params = PatchParams::apply("bench");
        for (lifetime, seconds) in [("7m", 420), ("8m", 480)] {
            let before = [writes(operator), reconciles(operator)];
            let mut served = Duration::ZERO;
            let change = async {
                let started = Instant::now();
                tenants
                    .patch("default", &params, &Patch::Apply(tenant(lifetime)))
                    .await
                    .unwrap();
                while credentials::lifetime(&self.application).await != Some(seconds) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                served = started.elapsed();
                // What it sets off would be seen by then.
                tokio::time::sleep(Duration::from_secs(5)).await;
            };
            let when = format!("the tenant's policy changes to {lifetime}");
            self.beside(&when, change, report).await;
            report.row(
                &format!("{when}: served; reconciles of clients; writes"),
                format!(
                    "{:.0} ms; {:.0}; {:.0}",
                    served.as_secs_f64() * 1e3,
                    reconciles(operator) - before[1],
                    writes(operator) - before[0]
                ),
            );
        }
    }

    /// Every secret of one namespace.
    async fn rotate(&self, before: &Credentials, report: &mut Report) {
        let clients: Api<OAuthClient> = Api::namespaced(self.cluster.kube().await, CHANGING);
        let mine = before.of(CHANGING);
        let started = Instant::now();
        let rotated = async {
            let patch = json!({ "spec": { "rotation": { "requestId": "scale" } } });
            let (clients, patch) = (&clients, &Patch::Merge(patch));
            futures::stream::iter(0..OF_ONE)
                .for_each_concurrent(AT_ONCE, |n| async move {
                    let (name, params) = (format!("client-{n:05}"), PatchParams::default());
                    clients.patch(&name, &params, patch).await.unwrap();
                })
                .await;
            until("every secret is another", || async {
                let now = Credentials::read_in(&self.cluster, CHANGING).await;
                mine.with_another_secret(&now) == OF_ONE
            })
            .await;
        };
        self.beside("1,000 secrets rotate", rotated, report).await;
        let took = started.elapsed().as_secs_f64();
        let after = Credentials::read(&self.cluster).await;
        let others = before.changed_outside(CHANGING, &after);
        assert!(others.is_empty(), "others changed: {others:?}");
        let (new, old) = (after.of(CHANGING).try_all().await, mine.try_all().await);
        assert_eq!((new.own, old.own), (OF_ONE, OF_ONE), "{new:?} {old:?}");
        report.row(
            "1,000 secrets rotated, asked for at once: the old and the new of each work, no other changed",
            format!("{took:.1} s"),
        );
    }

    /// Every client of one namespace goes and comes again under its name.
    async fn replace(&self, report: &mut Report) {
        let clients: Api<OAuthClient> = Api::namespaced(self.cluster.kube().await, CHANGING);
        let before = Credentials::read(&self.cluster).await;
        let mine = before.of(CHANGING);
        let started = Instant::now();
        let replaced = async {
            let (delete, all) = (DeleteParams::default(), ListParams::default());
            clients.delete_collection(&delete, &all).await.unwrap();
            until("no client is left", || async {
                clients.list_metadata(&all).await.unwrap().items.is_empty()
            })
            .await;
            load::fill(&self.cluster, CHANGING, OF_ONE).await;
            self.ready_in(CHANGING).await;
        };
        self.beside("1,000 are replaced", replaced, report).await;
        let took = started.elapsed().as_secs_f64();
        let after = Credentials::read(&self.cluster).await;
        let others = before.changed_outside(CHANGING, &after);
        assert!(others.is_empty(), "others changed: {others:?}");
        assert_eq!(after.len(), before.len(), "credentials Secrets");
        let (new, old) = (after.of(CHANGING).try_all().await, mine.try_all().await);
        assert_eq!((new.own, old.refused), (OF_ONE, OF_ONE), "{new:?} {old:?}");
        report.row(
            "1,000 clients deleted and created again: the old credential of each is refused, the new one works, no other changed",
            format!("{took:.1} s"),
        );
        let tried = after.try_all().await;
        assert_eq!(tried.own, after.len(), "{tried:?}");
    }

    /// Does this while applications ask for tokens, every one of which has to come.
    async fn beside(&self, when: &str, act: impl Future<Output = ()>, report: &mut Report) {
        eprintln!("bench: {when}");
        let stop = CancellationToken::new();
        let act = async {
            act.await;
            stop.cancel();
        };
        let asked = self.tokens.ask_until(RATE, stop.clone());
        let ((), tokens) = tokio::join!(act, asked);
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| open_loop::quantile(&tokens, q));
        report.row(
            &format!("token requests ({RATE}/s) while {when}: p50, p99, p99.9"),
            format!(
                "{p50:.1}, {p99:.1}, {p999:.1} ms; 0 of {} failed",
                tokens.len()
            ),
        );
    }
}

fn memory(operator: &RunningOperator, when: &str, report: &mut Report) {
    let [resident, peak] = ["VmRSS", "VmHWM"].map(|line| measure::memory(operator.pid, line));
    report.row(
        &format!("RSS {when}, and its peak"),
        format!("{resident:.0}, {peak:.0} MB"),
    );
}

fn writes(operator: &RunningOperator) -> f64 {
    measure::sum(&operator.metrics(), "clientele_writes_total", "")
}

fn reconciles(operator: &RunningOperator) -> f64 {
    let of = "kind=\"OAuthClient\"";
    measure::sum(&operator.metrics(), "clientele_reconciles_total", of)
}

/// Until no client is reconciled: after a restart every credentials Secret is verified, some at a time.
async fn at_rest(operator: &RunningOperator) {
    let before = Cell::new(None);
    until("no client is reconciled", || async {
        let now = Some(reconciles(operator) as u64);
        before.replace(now) == now
    })
    .await;
}

async fn until<F: Future<Output = bool>>(what: &str, look: impl Fn() -> F) {
    let started = Instant::now();
    let mut every = tokio::time::interval(LOOK_EVERY);
    while !look().await {
        assert!(started.elapsed() < LONGEST, "not so: {what}");
        every.tick().await;
    }
}
