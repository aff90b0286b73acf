//! The binary under test, running with the ServiceAccount of the chart and nothing more.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::machine;

/// The user that the operator is to the API server.
pub const OPERATOR_USER: &str = "system:serviceaccount:clientele-system:clientele";

/// How an operator is started.
#[derive(Default)]
pub struct Options {
    /// Flags beside those that every test needs.
    pub flags: Vec<String>,
    /// The filter of the log; trace unless said otherwise, because tests search the log for secrets.
    pub log_level: Option<String>,
    /// Where it listens, so that a later operator can take the place of an earlier one; a free port unless said.
    pub listen: Option<String>,
    /// The issuer, where it is not simply the place where it listens: one of several replicas.
    pub issuer: Option<String>,
    /// The kubeconfig, where it is not simply the chart's ServiceAccount at the API server.
    pub kubeconfig: Option<String>,
    /// The URL of its database, where it is not simply one of its own that goes with it.
    pub database_url: Option<String>,
    /// What the shell does before it starts the program, such as to limit it.
    pub before: String,
    /// The program, where it is not the one under test.
    pub program: Option<PathBuf>,
}

impl Options {
    /// Flags, and a log short enough for thousands of objects.
    pub fn flags(flags: &[&str]) -> Self {
        Self {
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            log_level: Some("info".to_owned()),
            ..Self::default()
        }
    }

    /// An operator of its own database reports the use of clients so seldom that no status is written because of it: tests
    /// count writes. Among several replicas the reports also say that one is alive.
    fn reports(&self) -> &'static [&'static str] {
        const FLAG: &str = "--usage-report-interval";
        let given = self.flags.iter().any(|flag| flag == FLAG);
        if given || self.database_url.is_some() {
            &[]
        } else {
            &[FLAG, "1h"]
        }
    }

    /// With a SQLite file an operator waits until the Lease of an earlier one expires, unless it has its name, as a container that is
    /// restarted in its pod has. Among several replicas each has a name of its own.
    fn name(&self) -> &'static [&'static str] {
        const FLAG: &str = "--replica-name";
        let given = self.flags.iter().any(|flag| flag == FLAG);
        let shared = |url: &String| url.starts_with("postgres");
        if given || self.database_url.as_ref().is_some_and(shared) {
            &[]
        } else {
            &[FLAG, "clientele-0"]
        }
    }

    /// In the place of an earlier operator, which has ended or is about to.
    pub fn at(mut self, listen: &str) -> Self {
        self.listen = Some(listen.to_owned());
        self
    }
}

/// A running operator; ends with this value, and also when this process dies.
pub struct RunningOperator {
    /// The issuer of the tenant `default`.
    pub issuer: String,
    /// Where it listens.
    pub listen: String,
    /// Where probes and metrics are.
    pub admin: String,
    /// The file with its log.
    pub log: PathBuf,
    /// Its process ID.
    pub pid: u32,
    guard: Child,
    _files: tempfile::TempDir,
}

/// Starts the program and prints its process ID; ends it when standard input closes.
pub const GUARD: &str = r#"umask 022; "$@" </dev/null & pid=$!; echo "$pid"; cat >/dev/null; kill "$pid" 2>/dev/null; kill -CONT "$pid" 2>/dev/null; wait "$pid""#;

impl RunningOperator {
    /// Starts it and waits until it is ready.
    pub fn start(cluster: &Cluster, options: &Options) -> Self {
        let operator = Self::start_unready(cluster, options);
        operator.wait_ready();
        operator
    }

    /// Starts it and waits only until its process runs.
    pub fn start_unready(cluster: &Cluster, options: &Options) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let files = tempfile::tempdir().unwrap();
        let kubeconfig = files.path().join("kubeconfig");
        let content = options
            .kubeconfig
            .clone()
            .unwrap_or_else(|| service_account_kubeconfig(cluster));
        std::fs::write(&kubeconfig, content).unwrap();
        let log = files.path().join(format!(
            "operator-{}.log",
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        let listen = options.listen.clone().unwrap_or_else(free_address);
        let admin = free_address();
        let issuer = options
            .issuer
            .clone()
            .unwrap_or_else(|| format!("http://{listen}"));
        let database = files.path().join("clientele.db");
        let database_url = options
            .database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", database.display()));
        let level = options.log_level.as_deref().unwrap_or("trace");
        let under_test = Path::new(env!("CARGO_BIN_EXE_clientele"));
        let program = options.program.as_deref().unwrap_or(under_test);
        let mut guard = machine::program("sh")
            .args(["-c", &format!("{} {GUARD}", options.before), "sh"])
            .arg(program)
            .args(["run", "--install-crds", "false"])
            .args([
                "--listen",
                &listen,
                "--admin-listen",
                &admin,
                "--public-url",
                &issuer,
                "--log-level",
                level,
            ])
            .args(options.reports())
            .args(options.name())
            .args(&options.flags)
            .env("KUBECONFIG", &kubeconfig)
            .env("CLIENTELE_DATABASE_URL", database_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut pid = String::new();
        BufReader::new(guard.stdout.take().unwrap())
            .read_line(&mut pid)
            .unwrap();
        Self {
            issuer,
            listen,
            admin: format!("http://{admin}"),
            log,
            pid: pid.trim().parse().unwrap(),
            guard,
            _files: files,
        }
    }

    /// Waits until `/readyz` says so.
    pub fn wait_ready(&self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while self.readyz() != Some(200) {
            assert!(
                Instant::now() < deadline,
                "the operator did not become ready: {}; its log ends:\n{}",
                self.readiness(),
                self.log_tail()
            );
            pause();
        }
    }

    /// The status code of `/readyz`; `None` while no process listens.
    pub fn readyz(&self) -> Option<u16> {
        let address = self.admin.strip_prefix("http://").unwrap();
        plain_get(address, "/readyz").map(|(code, _)| code)
    }

    /// The sentence of `/readyz`.
    pub fn readiness(&self) -> String {
        let address = self.admin.strip_prefix("http://").unwrap();
        plain_get(address, "/readyz")
            .map(|(_, body)| body)
            .unwrap_or_default()
    }

    /// The value of a metric, summed over its labels.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = self.metrics();
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = rest.rsplit_once(' ')?;
            let is_whole = labels.is_empty() || labels.starts_with('{');
            value.trim().parse::<f64>().ok().filter(|_| is_whole)
        });
        values.reduce(|sum, value| sum + value)
    }

    /// How many passes ended because they had heard late.
    pub fn conflicts(&self) -> f64 {
        let text = self.metrics();
        let counts = text.lines().filter_map(|line| {
            let (series, count) = line.rsplit_once(' ')?;
            let late =
                series.contains("_reconcile_errors_total{") && series.contains("\"Conflict\"");
            count.parse::<f64>().ok().filter(|_| late)
        });
        counts.sum()
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log
            .lines()
            .filter(|line| !line.contains("TRACE") && !line.contains("DEBUG"))
            .collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// The text of `/metrics`.
    pub fn metrics(&self) -> String {
        let address = self.admin.strip_prefix("http://").unwrap();
        plain_get(address, "/metrics")
            .map(|(_, body)| body)
            .unwrap_or_default()
    }

    /// SIGTERM, then waits until it has ended. How it has.
    pub fn stop(mut self) -> ExitStatus {
        drop(self.guard.stdin.take());
        self.guard.wait().unwrap()
    }

    /// Sends a signal, such as `-STOP`.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid.to_string();
        let _ = machine::program("kill").args([signal, &pid]).status();
    }

    /// SIGKILL, then waits until it has ended.
    pub fn kill(mut self) {
        self.signal("-KILL");
        drop(self.guard.stdin.take());
        self.guard.wait().unwrap();
    }
}

impl Drop for RunningOperator {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The kubeconfig of an administrator with the user replaced by the chart's ServiceAccount.
pub fn service_account_kubeconfig(cluster: &Cluster) -> String {
    let token = cluster
        .kubectl(&[
            "create",
            "token",
            "clientele",
            "--namespace",
            "clientele-system",
            "--duration",
            "10h",
        ])
        .expect("the chart has made the ServiceAccount");
    let mut config = kube::config::Kubeconfig::read_from(&cluster.kubeconfig).unwrap();
    for user in &mut config.auth_infos {
        user.auth_info = Some(kube::config::AuthInfo {
            token: Some(token.trim().to_owned().into()),
            ..Default::default()
        });
    }
    serde_yaml::to_string(&config).unwrap()
}

/// A loopback address without a listener. Below the ports that the kernel gives to outgoing connections,
/// so that none of those takes it before the operator does; the control planes have theirs above 20000.
pub fn free_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(61);
    loop {
        let offset = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        let address = format!("127.0.0.1:{}", 10_000 + offset);
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

/// A GET without any library, usable outside a runtime.
pub fn plain_get(address: &str, path: &str) -> Option<(u16, String)> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let code = head.split(' ').nth(1)?.parse().ok()?;
    Some((code, body.to_owned()))
}

/// A breath between two looks at a condition.
#[expect(
    clippy::disallowed_methods,
    reason = "a look every few milliseconds at a condition with a deadline"
)]
pub fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}
