//! A real PostgreSQL: one server for all tests, a database for each; or a server of one's own, to be killed.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::machine;

/// Makes a cluster, or a copy of another server's, and starts the server; `kill`, `start` and `promote` come on standard
/// input, and its end is the end.
///
/// After a kill the processes of the server need a moment until they notice, and until then it does not start.
const GUARD: &str = r#"
umask 022
dir=$1 bin=$2 fsync=$3 listen=$4 primary=$5
if [ -n "$primary" ]; then
  "$bin/pg_basebackup" -h "$primary" -U postgres -D "$dir/data" --write-recovery-conf --checkpoint=fast --no-sync >"$dir/log" 2>&1
else
  "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale --no-sync --no-instructions >"$dir/log" 2>&1
fi || { cat "$dir/log" >&2; exit 1; }
if [ -n "$listen" ] && [ -z "$primary" ]; then
  echo 'host all +has_a_password 0.0.0.0/0 scram-sha-256' >>"$dir/data/pg_hba.conf"
  echo 'host all all 0.0.0.0/0 trust' >>"$dir/data/pg_hba.conf"
fi
start() {
  for attempt in $(seq 100); do
    "$bin/postgres" -D "$dir/data" -k "$dir" -c "listen_addresses=$listen" -c max_connections=400 -c shared_buffers=32MB \
      -c "fsync=$fsync" >>"$dir/log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
      if "$bin/pg_isready" -q -h "$dir"; then echo ready; return; fi
      sleep 0.05
    done
    sleep 0.1
  done
  cat "$dir/log" >&2
}
start
while read -r command; do
  case $command in
    kill) kill -9 "$pid"; wait "$pid" 2>/dev/null; echo killed ;;
    start) start ;;
    promote) "$bin/pg_ctl" promote -D "$dir/data" >>"$dir/log" 2>&1 && echo promoted ;;
  esac
done
kill -QUIT "$pid" 2>/dev/null
wait "$pid"
rm -rf "$dir"
"#;

/// A server; ends with this value, and also when this process dies.
pub struct Server {
    folder: PathBuf,
    databases: AtomicU32,
    control: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _guard: Child,
}

impl Server {
    /// Starts a server of its own. Takes about a second.
    pub fn start() -> Self {
        Self::with_fsync("off")
    }

    /// The same with this setting: `on` is for measurements, and slow.
    pub fn with_fsync(fsync: &str) -> Self {
        Self::with(fsync, "", Path::new(""))
    }

    /// The same at this address, for the pods of a node without a way out. Only members of the role `has_a_password` need
    /// a password.
    pub fn listening(address: &str) -> Self {
        Self::with("off", address, Path::new(""))
    }

    /// A standby of this server at another address, which replicates all that it writes.
    pub fn standby(&self, address: &str) -> Self {
        Self::with("off", address, &self.folder)
    }

    fn with(fsync: &str, address: &str, primary: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("clientele-pg-").tempdir();
        let folder = folder.unwrap().keep();
        let mut guard = unprivileged(&folder)
            .args(["sh", "-c", GUARD, "sh"])
            .args([&folder, &programs()])
            .args([fsync, address])
            .arg(primary)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = guard.stdin.take().unwrap();
        let stdout = BufReader::new(guard.stdout.take().unwrap());
        let server = Self {
            folder,
            databases: AtomicU32::new(0),
            control: Mutex::new((stdin, stdout)),
            _guard: guard,
        };
        server.expect("ready");
        server
    }

    /// The server that all tests share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Where its data and its socket lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The URL of a new, empty database.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        let socket = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres@{socket}/{database}")
    }

    /// Runs a statement as the server's administrator.
    pub async fn execute(&self, sql: &str) {
        let mut db = PgConnection::connect(&self.url("postgres")).await.unwrap();
        db.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
        db.close().await.unwrap();
    }

    /// Kills the server as a power cut would, without a word.
    pub fn kill(&self) {
        self.tell("kill");
        self.expect("killed");
    }

    /// Starts it again after [`Server::kill`].
    pub fn restart(&self) {
        self.tell("start");
        self.expect("ready");
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.tell("promote");
        self.expect("promoted");
    }

    fn tell(&self, command: &str) {
        writeln!(self.control.lock().unwrap().0, "{command}").unwrap();
    }

    fn expect(&self, answer: &str) {
        let mut line = String::new();
        let mut control = self.control.lock().unwrap();
        control.1.read_line(&mut line).unwrap();
        assert_eq!(
            line.trim(),
            answer,
            "PostgreSQL is in {}",
            self.folder.display()
        );
    }
}

/// Runs a program of PostgreSQL.
#[track_caller]
pub fn run(program: &str, arguments: &[&str]) {
    let mut command = machine::program(programs().join(program));
    let output = command.args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
}

/// Where the programs of PostgreSQL are.
pub fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter();
    let debian = debian
        .flatten()
        .map(|version| version.unwrap().path().join("bin"));
    std::env::split_paths(&path)
        .chain(debian)
        // The links that some machines have on their PATH are not complete.
        .filter_map(|folder| folder.join("initdb").canonicalize().ok())
        .map(|initdb| initdb.parent().unwrap().to_owned())
        .find(|folder| folder.join("postgres").exists() && folder.join("pg_isready").exists())
        .expect("the tests need PostgreSQL; install it, for example `apt-get install postgresql`")
}

/// PostgreSQL refuses to run as root.
fn unprivileged(folder: &Path) -> Command {
    let succeeds = |program: &str, arguments: &[&str]| {
        let mut command = machine::program(program);
        let command = command.args(arguments).stderr(Stdio::null());
        command.output().unwrap().status.success()
    };
    let id = machine::program("id").arg("-u").output().unwrap().stdout;
    if id != b"0\n" {
        return machine::program("env");
    }
    let known = succeeds("id", &["postgres"]);
    let user = if known { "postgres" } else { "nobody" };
    assert!(succeeds("chown", &[user, folder.to_str().unwrap()]));
    let mut command = machine::program("runuser");
    command.args(["-u", user, "--"]);
    command
}
