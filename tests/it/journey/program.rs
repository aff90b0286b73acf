//! `clientele run`, started as a person starts it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::support::DEADLINE;
use crate::support::machine;
use crate::support::operator::{free_address, pause, plain_get};

/// Starts the program, prints its process ID, and ends as it ends; kills it when standard input closes before that.
const GUARD: &str = r#"
umask 022
exec 3<&0
"$@" </dev/null 3<&- &
pid=$!
echo "$pid"
(cat <&3 >/dev/null; kill -9 "$pid") >/dev/null 2>&1 &
watcher=$!
wait "$pid"
code=$?
kill "$watcher"
exit "$code"
"#;

/// A running program; ends with this value, and also when this process dies.
pub struct Program {
    /// The address on which the public server listens.
    pub listen: String,
    admin: String,
    pid: String,
    guard: Child,
    log: PathBuf,
    _files: TempDir,
}

impl Program {
    /// Starts it with a kubeconfig and these environment variables and nothing else.
    pub fn start(kubeconfig: &Path, scheme: &str, more: &[(&str, &OsStr)]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let log = files.path().join("log");
        let (listen, admin) = (free_address(), free_address());
        let mut guard = machine::program("sh")
            .args(["-c", GUARD, "sh", env!("CARGO_BIN_EXE_clientele"), "run"])
            // Where its database lies, unless it is told otherwise.
            .current_dir(files.path())
            .env("KUBECONFIG", kubeconfig)
            .env("CLIENTELE_LISTEN", &listen)
            .env("CLIENTELE_ADMIN_LISTEN", &admin)
            .env("CLIENTELE_PUBLIC_URL", format!("{scheme}://{listen}"))
            // A machine with one processor: other tests run the operator with as many as there are.
            .env("TOKIO_WORKER_THREADS", "1")
            .envs(more.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut pid = String::new();
        BufReader::new(guard.stdout.take().unwrap())
            .read_line(&mut pid)
            .unwrap();
        let program = Self {
            listen,
            admin,
            pid: pid.trim().to_owned(),
            guard,
            log,
            _files: files,
        };
        program.wait_ready();
        program
    }

    fn wait_ready(&self) {
        let deadline = Instant::now() + DEADLINE;
        let ready = || plain_get(&self.admin, "/readyz").is_some_and(|(code, _)| code == 200);
        while !ready() {
            assert!(
                Instant::now() < deadline,
                "never ready; its log:\n{}",
                self.log()
            );
            pause();
        }
    }

    /// SIGTERM, and no waiting.
    pub fn terminate(&self) {
        let sent = machine::program("kill").args(["-TERM", &self.pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it has ended, and says how.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.guard.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "never ended; its log:\n{}",
                self.log()
            );
            pause();
        }
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}
