//! The node: its API server, its containerd, its processes.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::cluster::{kube_client, tool};
use crate::support::machine;

/// The node around this process, as `go -C cluster run . node` describes it.
pub struct Node {
    /// Its address, where other programs of the test listen for pods.
    pub address: String,
    kubeconfig: PathBuf,
    control: PathBuf,
    server: String,
    containerd: String,
    kubectl: String,
    helm: String,
}

/// An image to be run.
#[derive(Clone)]
pub struct Image {
    archive: PathBuf,
    /// Its digest.
    pub digest: String,
}

impl Image {
    /// The image of this tree.
    pub fn present() -> Self {
        Self::named("CLIENTELE_IMAGE")
    }

    /// The same programs under another digest.
    pub fn again() -> Self {
        Self::named("CLIENTELE_IMAGE_AGAIN")
    }

    /// The image of the release before.
    pub fn previous() -> Self {
        Self::named("CLIENTELE_PREVIOUS_IMAGE")
    }

    /// Whether there is an image of the release before.
    pub fn previous_is_built() -> bool {
        std::env::var_os("CLIENTELE_PREVIOUS_IMAGE").is_some()
    }

    /// Leaves the archive and the digest in a folder, as `make image` does.
    pub fn leave_in(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        let name = format!("clientele-{}", env!("CARGO_PKG_VERSION"));
        std::fs::copy(&self.archive, folder.join(format!("{name}.tar"))).unwrap();
        std::fs::write(folder.join(format!("{name}.digest")), &self.digest).unwrap();
    }

    /// The archive that a variable names; its digest is in the file beside it.
    fn named(variable: &str) -> Self {
        let archive = std::env::var_os(variable).map(PathBuf::from);
        let archive =
            archive.unwrap_or_else(|| panic!("{variable} is missing: run scripts/test node"));
        let digest = std::fs::read_to_string(archive.with_extension("digest")).unwrap();
        Self {
            archive,
            digest: digest.trim().to_owned(),
        }
    }
}

impl Node {
    /// The node that this process runs on.
    pub fn here() -> Self {
        let file = std::env::var_os("CLIENTELE_NODE")
            .expect("this test runs on a node of its own: run scripts/test node");
        let about: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let text = |name: &str| about[name].as_str().unwrap().to_owned();
        Self {
            address: text("address"),
            kubeconfig: text("kubeconfig").into(),
            control: text("control").into(),
            server: text("server"),
            containerd: text("containerd"),
            kubectl: tool("kubectl"),
            helm: tool("helm"),
        }
    }

    /// Puts an image where a pull would put it, under its digest; returns the name with the digest.
    pub fn import(&self, image: &Image) -> String {
        let archive = image.archive.to_str().unwrap();
        let told = self.ctr(&["images", "import", archive]);
        let name = told.split_whitespace().nth(1).unwrap_or_default();
        let repository = name
            .rsplit_once(':')
            .map_or(name, |(repository, _)| repository);
        let by_digest = format!("{repository}@{}", image.digest);
        self.ctr(&["images", "tag", "--force", name, &by_digest]);
        by_digest
    }

    /// The same, as if it had been pulled from this registry by the version of this tree.
    pub fn pulled(&self, image: &Image, registry: &str) {
        let by_digest = self.import(image);
        let by_version = format!("{registry}/clientele:{}", env!("CARGO_PKG_VERSION"));
        self.ctr(&["images", "tag", "--force", &by_digest, &by_version]);
    }

    fn ctr(&self, arguments: &[&str]) -> String {
        let mut ctr = machine::program("ctr");
        ctr.args(["--address", &self.containerd, "--namespace", "k8s.io"]);
        output_of(ctr.args(arguments)).unwrap()
    }

    /// Runs kubectl as administrator; `Err` is what it printed.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        self.run(&self.kubectl, arguments)
    }

    /// Runs `kubectl create …` and replaces what is there already.
    pub fn replace(&self, create: &[&str]) {
        let mut dry = create.to_vec();
        dry.extend(["--dry-run=client", "-o", "yaml"]);
        let manifest = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(manifest.path(), self.kubectl(&dry).unwrap()).unwrap();
        let file = manifest.path().to_str().unwrap();
        self.kubectl(&["apply", "--server-side", "-f", file])
            .unwrap();
    }

    /// Runs Helm as administrator; `Err` is what it printed.
    pub fn helm(&self, arguments: &[&str]) -> Result<String, String> {
        self.run(&self.helm, arguments)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = self.program(program);
        command.args(arguments);
        tokio::task::block_in_place(|| output_of(&mut command))
    }

    /// A program that acts as administrator.
    pub fn program(&self, path: &str) -> std::process::Command {
        let mut command = machine::program(path);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECACHEDIR", self.kubeconfig.with_file_name("kube-cache"))
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    }

    /// A folder in which an administrator types commands, with kubectl, Helm and these programs on PATH.
    pub fn desk(&self, folder: &Path, programs: &[(&str, &str)]) {
        let bin = folder.join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let own = [("kubectl", &*self.kubectl), ("helm", &*self.helm)];
        for (name, program) in own.iter().chain(programs) {
            std::os::unix::fs::symlink(program, bin.join(name)).unwrap();
        }
    }

    /// Runs a script at such a desk.
    pub fn shell(&self, desk: &Path, script: &str) -> Result<String, String> {
        let mut bash = self.program("timeout");
        bash.args(["180", "bash", "-euo", "pipefail", "-c"])
            .arg(format!("PATH=\"$PWD/bin:$PATH\"\n{script}"))
            .env("CURL_HOME", desk)
            // Programs in Go trust who is in this file.
            .env("SSL_CERT_FILE", desk.join("ca.pem"))
            .current_dir(desk);
        tokio::task::block_in_place(|| output_of(&mut bash))
    }

    /// Runs the kubectl plugin as administrator; `Err` is what it printed.
    pub fn plugin(&self, arguments: &[&str]) -> Result<String, String> {
        self.run(env!("CARGO_BIN_EXE_kubectl-clientele"), arguments)
    }

    /// Replaces the root key, as an administrator does it from a machine of their own.
    pub fn rotate_root_key(&self) -> Result<String, String> {
        self.run(env!("CARGO_BIN_EXE_clientele"), &["root-key", "rotate"])
    }

    /// The port on which the API server listens.
    pub fn api_server_port(&self) -> String {
        let (_, port) = self.server.rsplit_once(':').unwrap();
        port.to_owned()
    }

    /// A connection as administrator.
    pub async fn kube(&self) -> kube::Client {
        kube_client(&self.kubeconfig).await
    }

    /// `stop kube-apiserver`, `start …`; returns when it is done.
    pub fn control(&self, command: &str) {
        tokio::task::block_in_place(|| {
            let mut stream = UnixStream::connect(&self.control).unwrap();
            writeln!(stream, "{command}").unwrap();
            let mut answer = String::new();
            BufReader::new(stream).read_line(&mut answer).unwrap();
            assert!(answer.contains("\"ok\":true"), "{command}: {answer}");
        });
    }

    /// Sends a signal to the program in a pod; false when the kubelet has ended it.
    pub fn signal(pod: &str, signal: &str) -> bool {
        let pid = pid_of(pod);
        pid.is_some_and(|pid| output_of(machine::program("kill").args([signal, &pid])).is_ok())
    }
}

/// The process of the pod: the node sees it among its own, with the variable by which the chart names the replica.
fn pid_of(pod: &str) -> Option<String> {
    let variable = format!("CLIENTELE_REPLICA_NAME={pod}");
    let is_of_pod = |process: &Path| {
        let has = |file: &str, wanted: &str| {
            let text = std::fs::read(process.join(file)).unwrap_or_default();
            text.split(|byte| *byte == 0)
                .any(|part| part == wanted.as_bytes())
        };
        has("cmdline", "/clientele") && has("environ", &variable)
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|process| is_of_pod(process))
        .map(|process| process.file_name().unwrap().to_string_lossy().into_owned())
}

/// Runs a program of the machine, inside the namespaces of the node.
#[track_caller]
pub fn run(program: &str, arguments: &[&str]) {
    output_of(machine::program(program).args(arguments)).unwrap();
}

/// What a program printed; `Err` with its complaint when it failed.
pub fn output_of(command: &mut std::process::Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stdout) + &text(&output.stderr))
    }
}

/// A process that ends with this value.
pub struct Killed(pub std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
