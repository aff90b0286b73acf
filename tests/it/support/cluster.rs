//! A real control plane, with the chart installed and the operator running under the chart's own rights.

use std::fmt::Debug;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;

use super::machine;
use super::operator::{Options, RunningOperator, pause};

/// etcd, kube-apiserver and kube-controller-manager of one test or of all.
///
/// The harness ends when its standard input closes, hence also when this process dies.
pub struct Cluster {
    /// Path of the administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// Path of the API server's audit log: one line for every write.
    pub audit_log: PathBuf,
    /// The process ID of its first API server.
    #[allow(dead_code, reason = "the benchmark reads what it spends")]
    pub api_server: u32,
    /// The process ID of etcd.
    #[allow(dead_code, reason = "the benchmark reads what it spends")]
    pub etcd: u32,
    control: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _harness: Child,
}

impl Cluster {
    /// Starts a control plane of its own. Takes about four seconds when the tools are built.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with options of `go -C cluster run . run`.
    pub fn start_with(options: &[&str]) -> Self {
        let mut harness = machine::build_tool("go")
            .args(["-C", "cluster", "run", ".", "run"])
            .args(options)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("go is needed to build the control plane; install Go 1.26 or newer");
        let stdin = harness.stdin.take().unwrap();
        let mut stdout = BufReader::new(harness.stdout.take().unwrap());
        let ready = read_json(&mut stdout);
        let path = |name: &str| {
            PathBuf::from(
                ready[name]
                    .as_str()
                    .expect("the harness says where things are"),
            )
        };
        let pid = |name: &str| {
            let pid = ready["pids"][name].as_u64();
            pid.and_then(|pid| pid.try_into().ok())
                .expect("the harness says which processes there are")
        };
        Self {
            kubeconfig: path("kubeconfig"),
            audit_log: path("audit_log"),
            api_server: pid("kube-apiserver"),
            etcd: pid("etcd"),
            control: Mutex::new((stdin, stdout)),
            _harness: harness,
        }
    }

    /// A control plane with the chart installed, but no operator running.
    pub fn with_chart(values: &[&str]) -> Self {
        let cluster = Self::start();
        cluster.install_chart(values);
        cluster
    }

    /// `restart kube-apiserver`, `stop …`, `kill …`, `start …`; waits until it is done.
    pub fn control(&self, command: &str) {
        let mut control = self.control.lock().unwrap();
        writeln!(control.0, "{command}").unwrap();
        let answer = read_json(&mut control.1);
        assert_eq!(answer["ok"], true, "{command}: {answer}");
    }

    /// Installs or upgrades the chart without its Deployment: the operator runs outside, with its rights.
    pub fn install_chart(&self, values: &[&str]) {
        let mut arguments = vec![
            "upgrade",
            "--install",
            "clientele",
            "charts/clientele",
            "--namespace",
            "clientele-system",
            "--create-namespace",
            "--set",
            "deployment.enabled=false",
        ];
        for value in values {
            arguments.extend(["--set", value]);
        }
        self.helm(&arguments);
        // A garbage collector that has seen the new kinds from its start collects within a moment.
        self.control("restart kube-controller-manager");
    }

    /// Runs Helm as administrator.
    pub fn helm(&self, arguments: &[&str]) -> String {
        static HELM: OnceLock<String> = OnceLock::new();
        self.run(HELM.get_or_init(|| tool("helm")), arguments)
            .expect("helm succeeds")
    }

    /// Runs kubectl as administrator; `Err` is what it printed.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        static KUBECTL: OnceLock<String> = OnceLock::new();
        self.run(KUBECTL.get_or_init(|| tool("kubectl")), arguments)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let output = machine::program(program)
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            // What an earlier cluster on the same port served is not true of this one.
            .env("KUBECACHEDIR", self.kubeconfig.with_file_name("kube-cache"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stdout) + &text(&output.stderr))
        }
    }

    /// A connection as administrator. Each test makes its own, because it has its own runtime.
    pub async fn kube(&self) -> kube::Client {
        kube_client(&self.kubeconfig).await
    }

    /// Writes by this user that the audit log has seen, but those of the Lease, as (verb, resource with subresource, namespace/name).
    pub fn writes_by(&self, user: &str) -> Vec<(String, String, String)> {
        self.audited(user)
            .iter()
            .filter(|event| event["stage"] == "ResponseComplete")
            .filter(|event| event["objectRef"]["resource"] != "leases")
            .map(|event| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let object = &event["objectRef"];
                let subresource = object["subresource"]
                    .as_str()
                    .map(|s| format!("/{s}"))
                    .unwrap_or_default();
                (
                    text(&event["verb"]),
                    text(&object["resource"]) + &subresource,
                    format!("{}/{}", text(&object["namespace"]), text(&object["name"])),
                )
            })
            .collect()
    }

    /// The audit log with what the API server has put aside: it begins a new file every 100 MB, and its name says when.
    fn whole_audit_log(&self) -> String {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let beside = self.audit_log.parent().map(std::fs::read_dir);
        let files = beside.into_iter().flatten().flatten().flatten();
        let mut aside: Vec<PathBuf> = files.map(|file| file.path()).collect();
        aside.retain(|path| {
            let name = path.file_stem().and_then(|name| name.to_str());
            let is_log = path.extension().is_some_and(|ending| ending == "log");
            is_log && name.is_some_and(|name| name.starts_with("audit-"))
        });
        aside.sort();
        let aside: String = aside.iter().map(|path| read(path)).collect();
        aside + &read(&self.audit_log)
    }

    /// What the audit log says of this user. What a write has done can be seen before the log says that it was answered,
    /// so that is waited for; not for ever, because an API server that is killed answers nothing.
    fn audited(&self, user: &str) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let log = self.whole_audit_log();
            let events = log
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let events: Vec<Value> = events
                .filter(|event| event["user"]["username"] == user)
                .collect();
            let of = |stage| events.iter().filter(move |event| event["stage"] == stage);
            if of("RequestReceived").count() <= of("ResponseComplete").count()
                || Instant::now() > deadline
            {
                return events;
            }
            pause();
        }
    }
}

/// The cluster that most tests share: the chart installed, one operator running.
pub struct SharedCluster {
    /// The control plane.
    pub cluster: Cluster,
    /// The operator.
    pub operator: RunningOperator,
}

/// The shared cluster; the first test that asks starts it.
pub fn shared() -> &'static SharedCluster {
    static SHARED: OnceLock<SharedCluster> = OnceLock::new();
    SHARED.get_or_init(|| {
        let cluster = Cluster::with_chart(&[]);
        // Tests change one object much more often than people do, and wait for what is written.
        let often = Options {
            flags: vec!["--write-burst".into(), "10000".into()],
            ..Options::default()
        };
        let operator = RunningOperator::start(&cluster, &often);
        SharedCluster { cluster, operator }
    })
}

/// A connection by a kubeconfig.
pub async fn kube_client(kubeconfig: &Path) -> kube::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let config = kube_config(Kubeconfig::read_from(kubeconfig).unwrap()).await;
    clientele::run::connect::client(config, None).unwrap()
}

/// What a kubeconfig says, and no proxy of this machine: the control planes of the tests are on loopback.
pub async fn kube_config(kubeconfig: Kubeconfig) -> kube::Config {
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let mut config = config.unwrap();
    config.proxy_url = None;
    config
}

/// The path of kubectl or Helm: from PATH, or built from the pinned modules.
pub fn tool(name: &str) -> String {
    let output = machine::build_tool("go")
        .args(["-C", "cluster", "run", ".", "tool", name])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn read_json(lines: &mut impl BufRead) -> Value {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("the harness said {line:?}: {error}"))
}

impl Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cluster({})", self.kubeconfig.display())
    }
}
