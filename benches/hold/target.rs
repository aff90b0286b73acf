//! The server under attack, in a process of its own with as much memory as the chart gives it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::LIMIT_MIB;
use crate::attacks::Attackers;

/// The environment of the program in the image: lines of NAME=VALUE.
const OF_THE_IMAGE: &str = include_str!("../../scripts/image.env");

fn of_the_image() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = OF_THE_IMAGE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('='))
}

/// The process; ended when dropped.
pub struct Server {
    child: Child,
    input: ChildStdin,
    folder: Option<TempDir>,
    cgroup: Option<PathBuf>,
    logged: Arc<AtomicU64>,
    http: reqwest::Client,
    pub port: u16,
    pub tls_port: u16,
    pub admin_port: u16,
}

/// What was seen of it during an attack.
pub struct Watched {
    /// The most since it began.
    pub rss_mib: u64,
    pub probes: u32,
    pub alive: u32,
    pub log_bytes: u64,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(cgroup) = &self.cgroup {
            let _ = std::fs::remove_dir(cgroup);
        }
    }
}

impl Server {
    /// With an empty database.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut target = Self::start_in(folder.path());
        target.folder = Some(folder);
        target
    }

    /// With the database of a folder.
    pub fn start_in(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--serve")
            .arg(folder)
            .envs(of_the_image())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let cgroup = limited(child.id());
        let logged = Arc::new(AtomicU64::new(0));
        let (log, counted) = (child.stderr.take().unwrap(), logged.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                counted.fetch_add(line.len() as u64 + 1, Relaxed);
            }
        });
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let ports: Vec<u16> = line
            .split_whitespace()
            .map(|port| port.parse().unwrap())
            .collect();
        Self {
            input: child.stdin.take().unwrap(),
            folder: None,
            child,
            cgroup,
            logged,
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            port: ports[0],
            tls_port: ports[1],
            admin_port: ports[2],
        }
    }

    /// How its memory is limited.
    pub fn limit(&self) -> String {
        match &self.cgroup {
            Some(_) => format!("limited to {LIMIT_MIB} MiB by a cgroup"),
            None => {
                format!("no cgroup can be made here: {LIMIT_MIB} MiB are measured, not enforced")
            }
        }
    }

    /// Begins the attack of this name.
    pub fn besiege(&self, name: &str) -> Attackers {
        let ports = [self.port, self.tls_port, self.admin_port].map(|port| port.to_string());
        Attackers::start(&["--besiege", name, &ports[0], &ports[1], &ports[2]])
    }

    /// Probes until the time is over, and looks at memory and log.
    pub async fn watch(&self, time: Duration) -> Watched {
        let before = self.logged.load(Relaxed);
        let probes = Probes::new(&format!("127.0.0.1:{}", self.admin_port));
        let (alive, probes) = probes.until(Instant::now() + time).await;
        Watched {
            rss_mib: memory_mib(self.child.id(), "VmHWM:"),
            probes,
            alive,
            log_bytes: self.logged.load(Relaxed) - before,
        }
    }

    async fn admin(&self, path: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.admin_port);
        self.http.get(url).send().await.ok()?.text().await.ok()
    }

    /// Makes it build its registry again.
    pub fn change_registry(&mut self) {
        writeln!(self.input, "change").unwrap();
    }

    /// How many files it has open.
    pub fn files(&self) -> u64 {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        files.map_or(0, |files| files.count() as u64)
    }

    pub fn rss_mib(&self) -> u64 {
        memory_mib(self.child.id(), "VmRSS:")
    }

    /// What was refused so far, by reason.
    pub async fn counted(&self) -> BTreeMap<String, u64> {
        let text = timeout(Duration::from_secs(10), self.admin("/metrics")).await;
        let text = text.ok().flatten().unwrap_or_default();
        let name = "clientele_refused_for_lack_of_room_total{reason=\"";
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.split_once("\"} "));
        lines
            .map(|(reason, count)| (reason.to_owned(), count.parse().unwrap_or(0)))
            .collect()
    }

    /// What was refused since then.
    pub async fn refused_since(&self, before: &BTreeMap<String, u64>) -> String {
        let now = self.counted().await;
        let rose = now.into_iter().filter_map(|(reason, count)| {
            let count = count - before.get(&reason).copied().unwrap_or(0);
            (count > 0).then(|| format!("{reason} {count}"))
        });
        let rose: Vec<String> = rose.collect();
        if rose.is_empty() {
            "–".to_owned()
        } else {
            rose.join(", ")
        }
    }
}

/// A line of `proc_pid_status(5)`.
pub fn memory_mib(process: u32, which: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// What kubelet does.
pub struct Probes {
    http: reqwest::Client,
    url: String,
}

impl Probes {
    pub fn new(address: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0);
        Self {
            http: http.build().unwrap(),
            url: format!("http://{address}/livez"),
        }
    }

    /// Probes until then. How many were answered, and how many there were.
    pub async fn until(&self, until: Instant) -> (u32, u32) {
        let (mut alive, mut all) = (0, 0);
        while Instant::now() < until {
            all += 1;
            // The timeout of the probes of the chart.
            let probe = timeout(Duration::from_secs(3), self.once()).await;
            alive += u32::from(probe.is_ok_and(|answer| answer.as_deref() == Some("ok")));
            sleep(Duration::from_millis(500)).await;
        }
        (alive, all)
    }

    async fn once(&self) -> Option<String> {
        let answer = self.http.get(&self.url).send().await.ok()?;
        answer.text().await.ok()
    }
}

/// Puts a process into a cgroup of its own (version 2), if that is possible here.
fn limited(process: u32) -> Option<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    // Elsewhere a folder can be made too, and limits nothing.
    let controllers = std::fs::read_to_string(root.join("cgroup.subtree_control")).ok()?;
    if !controllers.contains("memory") {
        return None;
    }
    let folder = root.join(format!("clientele-hold-{process}"));
    std::fs::create_dir(&folder).ok()?;
    let limit = (LIMIT_MIB * 1024 * 1024).to_string();
    let set = std::fs::write(folder.join("memory.max"), limit)
        .and_then(|()| std::fs::write(folder.join("cgroup.procs"), process.to_string()));
    if set.is_err() {
        let _ = std::fs::remove_dir(&folder);
        return None;
    }
    Some(folder)
}
