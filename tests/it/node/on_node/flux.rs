//! Flux brings the operator and the clients of a team from git, by the manifests of docs/how-to/gitops.md.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use xtask::shell;

use super::git::Repository;
use super::machine::{Image, Killed, Node, output_of};
use super::{registry, volume};
use crate::node::drill::Row;
use crate::support::cluster::tool;
use crate::support::machine;
use crate::support::test_namespace::{BREATH, eventually, eventually_within, when};

const PAGE: &str = "docs/how-to/gitops.md";
const NAMESPACE: &str = "flux-system";
const TEAM: &str = "team-a";
/// As long as the slowest Kustomization of the page may take, and a look of Flux at git.
const PATIENCE: Duration = Duration::from_mins(5);

/// What the team's folder has.
const TEAM_NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team-a}\n";
const CLIENT: &str = "
apiVersion: clientele.dev/v1alpha1
kind: OAuthClient
metadata: {name: web, namespace: team-a}
spec:
  redirectUris: [REDIRECT]
";
const LATE: &str = "
apiVersion: clientele.dev/v1alpha1
kind: OAuthClient
metadata: {name: late, namespace: team-a}
spec: {tenant: orders}
";
const TENANT: &str = "
apiVersion: clientele.dev/v1alpha1
kind: OAuthTenant
metadata: {name: orders}
spec: {}
";

/// The name of every row.
const DRILL: &str = "Flux";

/// The operator and a client arrive, and then everything that a team does by commits.
pub async fn drills(node: &Node) -> Vec<Row> {
    node.pulled(&Image::present(), registry::NAME);
    let files = tempfile::tempdir().unwrap();
    volume::keep(node, "", &files);
    let _controllers = controllers(node, files.path());
    let flux = Flux {
        node,
        repository: Repository::new().await,
    };
    let mut rows = flux.arrival().await;
    rows.extend(flux.nothing_new().await);
    rows.push(flux.mistake().await);
    rows.extend(flux.tenant_comes_late().await);
    rows.push(flux.client_goes().await);
    rows
}

/// A row about a command that shall succeed.
fn told(goal: &str, outcome: Result<String, String>) -> Row {
    let met = outcome.is_ok();
    let seen = outcome.unwrap_or_else(|error| error);
    Row::holds(DRILL, goal, seen.trim(), met)
}

/// A repository that Flux follows.
struct Flux<'a> {
    node: &'a Node,
    repository: Repository,
}

impl Flux<'_> {
    async fn arrival(&self) -> Vec<Row> {
        let goal = "deploy/ and an OAuthClient are healthy";
        self.write_platform();
        self.write_client("https://shop.example.com/callback");
        let begin = Instant::now();
        let commit = self.repository.commit("The platform and a client");
        self.apply_manifests();
        let seen = self.until(&commit, true).await;
        let took = begin.elapsed();
        let secret = ["-n", TEAM, "get", "secret", "web-oauth", "-o", "name"];
        vec![
            Row::holds(DRILL, goal, &seen, seen.starts_with("Ready")),
            Row::within(DRILL, goal, Duration::from_mins(2), took),
            told("the Secret is there", self.node.kubectl(&secret)),
        ]
    }

    async fn nothing_new(&self) -> [Row; 2] {
        let before = self.client();
        self.reconcile().await;
        let unchanged = self.client()["metadata"] == before["metadata"];
        let seen = if unchanged { "no write" } else { "written" };
        let goal = "reconciled again, nothing is written";
        [
            self.no_difference(),
            Row::holds(DRILL, goal, seen, unchanged),
        ]
    }

    async fn mistake(&self) -> Row {
        let before = self.client();
        self.write_client("https://*.example.com/callback");
        let commit = self.repository.commit("A mistake");
        let seen = self.until(&commit, false).await;
        let named = seen.contains("spec.redirectUris[0]") && seen.contains("wildcard");
        let kept = self.client()["spec"] == before["spec"];
        let goal = "a mistake is refused with the remedy, and what was there stays";
        Row::holds(DRILL, goal, &seen, named && kept)
    }

    /// The mistake is mended by the same commit.
    async fn tenant_comes_late(&self) -> [Row; 2] {
        self.write_client("https://shop.example.com/other");
        self.write("late.yaml", LATE);
        let commit = self
            .repository
            .commit("A client whose tenant is not there yet");
        let waiting = self.until(&commit, false).await;
        let named = waiting.contains("OAuthClient/team-a/late");
        self.write("tenant.yaml", TENANT);
        let commit = self.repository.commit("Its tenant");
        let ready = self.until(&commit, true).await;
        let moved = self.client()["spec"]["redirectUris"][0] == "https://shop.example.com/other";
        let met = ready.starts_with("Ready") && moved;
        [
            Row::holds(DRILL, "a client that waits is named", &waiting, named),
            Row::holds(DRILL, "mended by a commit", &ready, met),
        ]
    }

    async fn client_goes(&self) -> Row {
        for name in ["web.yaml", "late.yaml"] {
            std::fs::remove_file(self.repository.work().join(TEAM).join(name)).unwrap();
        }
        let commit = self.repository.commit("The clients go");
        let seen = self.until(&commit, true).await;
        eventually("the Secrets are gone", || async {
            let list = ["-n", TEAM, "get", "oauthclients,secrets", "-o", "name"];
            let left = self.node.kubectl(&list)?;
            when(left.trim().is_empty(), (), || left.clone())
        })
        .await;
        let goal = "clients that are removed from git are pruned with their Secrets";
        Row::holds(DRILL, goal, &seen, seen.starts_with("Ready"))
    }

    /// The folder with the operator, and the namespace of the team.
    fn write_platform(&self) {
        let work = self.repository.work();
        std::fs::create_dir_all(work.join("clientele")).unwrap();
        std::fs::create_dir_all(work.join(TEAM)).unwrap();
        std::fs::copy("deploy/install.yaml", work.join("clientele/install.yaml")).unwrap();
        std::fs::write(
            work.join("clientele/kustomization.yaml"),
            documented("kustomize.config.k8s.io"),
        )
        .unwrap();
        std::fs::write(work.join("team-a/namespace.yaml"), TEAM_NAMESPACE).unwrap();
    }

    fn write_client(&self, redirect: &str) {
        let client = CLIENT.replace("REDIRECT", &format!("\"{redirect}\""));
        self.write("web.yaml", &client);
    }

    /// A file of the team.
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.repository.work().join(TEAM).join(name), text).unwrap();
    }

    /// The page's manifests, with the address of the repository.
    fn apply_manifests(&self) {
        let manifests = documented("source.toolkit.fluxcd.io");
        let manifests = manifests.replace(
            "https://git.example.com/platform.git",
            &self.repository.url(),
        );
        let file = self.repository.work().with_file_name("flux.yaml");
        std::fs::write(&file, manifests).unwrap();
        self.node
            .kubectl(&["apply", "-f", file.to_str().unwrap()])
            .unwrap();
    }

    /// Asks Flux to look now, as a webhook of the git server does.
    fn ask(&self, object: &str) -> String {
        let now = jiff::Timestamp::now().to_string();
        let annotation = format!("reconcile.fluxcd.io/requestedAt={now}");
        let annotate = [
            "-n",
            NAMESPACE,
            "annotate",
            "--overwrite",
            object,
            &annotation,
        ];
        self.node.kubectl(&annotate).unwrap();
        now
    }

    fn kustomization(&self, name: &str) -> Value {
        let get = ["-n", NAMESPACE, "get", "kustomization", name, "-o", "json"];
        serde_json::from_str(&self.node.kubectl(&get).unwrap()).unwrap()
    }

    fn client(&self) -> Value {
        let get = ["-n", TEAM, "get", "oauthclient", "web", "-o", "json"];
        serde_json::from_str(&self.node.kubectl(&get).unwrap()).unwrap()
    }

    /// Waits until the team's folder is Ready at this commit, or until it is not; returns what Flux says.
    async fn until(&self, commit: &str, ready: bool) -> String {
        self.ask("gitrepository/platform");
        let (state, status, revision) = if ready {
            ("Ready", "True", "lastAppliedRevision")
        } else {
            ("not Ready", "False", "lastAttemptedRevision")
        };
        let begin = Instant::now();
        loop {
            let team = self.kustomization(TEAM);
            let mut conditions = team["status"]["conditions"]
                .as_array()
                .into_iter()
                .flatten();
            let now = conditions.find(|one| one["type"] == "Ready");
            let text = |field: &str| now.and_then(|now| now[field].as_str()).unwrap_or_default();
            let (reason, message) = (text("reason"), text("message"));
            let at = team["status"][revision].as_str().unwrap_or_default();
            let works_on = ["Progressing", "DependencyNotReady"].contains(&reason);
            if at.ends_with(commit) && text("status") == status && !works_on {
                return format!("{state}: {reason}: {message}");
            }
            if begin.elapsed() > PATIENCE {
                return format!(
                    "after {} s at {at}: {reason}: {message}",
                    PATIENCE.as_secs()
                );
            }
            tokio::time::sleep(BREATH).await;
        }
    }

    /// Once more, with nothing new.
    async fn reconcile(&self) {
        let asked = self.ask(&format!("kustomization/{TEAM}"));
        eventually_within(PATIENCE, "Flux looks again", || async {
            let looked = &self.kustomization(TEAM)["status"]["lastHandledReconcileAt"];
            when(*looked == asked.as_str(), (), || looked.to_string())
        })
        .await;
    }

    /// What git has is what the cluster has.
    fn no_difference(&self) -> Row {
        let folder = self.repository.work().join("clientele");
        let folder = folder.to_str().unwrap();
        // Not as kustomize-controller: that has labels of its own on everything.
        let diff = ["diff", "--server-side", "--force-conflicts", "-k", folder];
        let outcome = self.node.kubectl(&diff).map(|_| "empty".to_owned());
        told("kubectl diff of deploy/ is empty", outcome)
    }
}

/// The block of the page that begins with this group.
fn documented(group: &str) -> String {
    let blocks = shell::blocks();
    let begin = format!("apiVersion: {group}/");
    let mut found = blocks
        .into_iter()
        .filter(|block| block.page == PAGE && block.code.starts_with(&begin));
    found
        .next()
        .unwrap_or_else(|| panic!("{PAGE} has no block of {group}"))
        .code
}

/// Flux's definitions, and its two controllers beside the node, as administrators.
fn controllers(node: &Node, folder: &Path) -> Vec<Killed> {
    node.kubectl(&["create", "namespace", NAMESPACE]).unwrap();
    let [source, kustomize] = ["source-controller", "kustomize-controller"];
    for name in [source, kustomize] {
        let module = format!("github.com/fluxcd/{name}");
        let mut list = machine::build_tool("go");
        list.args([
            "-C",
            "cluster/flux",
            "list",
            "-mod=readonly",
            "-m",
            "-f",
            "{{.Dir}}",
            &module,
        ]);
        let definitions = Path::new(output_of(&mut list).unwrap().trim()).join("config/crd/bases");
        node.kubectl(&[
            "apply",
            "--server-side",
            "-f",
            definitions.to_str().unwrap(),
        ])
        .unwrap();
    }
    let storage = "127.0.0.1:9090";
    let start = |name: &str, arguments: &[String]| {
        let log = File::create(folder.join(name)).unwrap();
        let mut controller = node.program(&tool(name));
        controller
            .args([
                "--metrics-addr=0",
                "--enable-leader-election=false",
                "--log-level=info",
            ])
            .args(arguments)
            .env("RUNTIME_NAMESPACE", NAMESPACE)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        Killed(controller.spawn().unwrap())
    };
    let files = folder.join("artifacts");
    std::fs::create_dir(&files).unwrap();
    let of_source = [
        "--health-addr=127.0.0.1:9440".to_owned(),
        format!("--storage-path={}", files.display()),
        format!("--storage-addr={storage}"),
        format!("--storage-adv-addr={storage}"),
    ];
    let of_kustomize =
        ["--health-addr=127.0.0.1:9441", "--requeue-dependency=2s"].map(str::to_owned);
    vec![start(source, &of_source), start(kustomize, &of_kustomize)]
}
