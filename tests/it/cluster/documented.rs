//! The shell blocks of the documentation, as a reader types them: those of a page one after the other, in one shell.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;

use xtask::shell;

use crate::support::cluster::{Cluster, shared, tool};
use crate::support::machine;
use crate::support::test_namespace::TestNamespace;

#[tokio::test]
async fn the_shell_blocks_of_the_documentation_run() {
    let mut pages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (run, not): (Vec<_>, Vec<_>) = shell::blocks()
        .into_iter()
        .filter(|block| block.runs() || block.says_why_not())
        .partition(shell::Block::runs);
    println!("shell blocks: {} are run, {} are not", run.len(), not.len());
    for block in run {
        pages.entry(block.page).or_default().push(block.code);
    }
    for (page, blocks) in pages {
        let space = TestNamespace::new("documented").await;
        // Pages name a namespace as an example.
        let script = blocks.join("\n");
        let script = script.replace("namespace demo", "namespace \"$NAMESPACE\"");
        let script = script.replace("-n demo", "-n \"$NAMESPACE\"");
        // A username belongs to one person of the tenant, and the samples have an alice as well.
        let script = script.replace("username: alice", &format!("username: {}", space.name));
        let name = space.name.clone();
        let output = tokio::task::spawn_blocking(move || run_in(&shared().cluster, &name, &script))
            .await
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success(),
            "{page}: {}\n{out}\n{err}",
            output.status
        );
    }
}

/// Runs the command that a message of an object on the shared control plane names.
pub async fn obey(space: &TestNamespace, message: &str) {
    let command = message.split('`').nth(1).expect("a command").to_owned();
    let name = space.name.clone();
    let run = move || run_in(&shared().cluster, &name, &command);
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}: {said}");
}

/// Runs a script with `kubectl`, the plugin and the program on PATH, in a folder of its own.
pub fn run_in(cluster: &Cluster, namespace: &str, script: &str) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let plugin = env!("CARGO_BIN_EXE_kubectl-clientele");
    symlink(tool("kubectl"), bin.join("kubectl")).unwrap();
    symlink(plugin, bin.join("kubectl-clientele")).unwrap();
    symlink(env!("CARGO_BIN_EXE_clientele"), bin.join("clientele")).unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::copy(&cluster.kubeconfig, &kubeconfig).unwrap();
    let begin = "export PATH=\"$BIN:$PATH\"; kubectl config set-context --current --namespace \"$NAMESPACE\" >&2";
    machine::program("timeout")
        .args(["120", "bash", "-euo", "pipefail", "-c"])
        .arg(format!("{begin}\n{script}"))
        .env("BIN", &bin)
        .env("KUBECONFIG", Path::new(&kubeconfig))
        .env("NAMESPACE", namespace)
        .env("NO_PROXY", "127.0.0.1")
        .current_dir(folder.path())
        .output()
        .unwrap()
}
