//! What pods said, kept beyond their end, and what the cluster looked like when a drill missed its goal.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::machine::Node;
use crate::node::tally::Tally;

/// Where the kubelet has the logs of containers. It removes them with the pod.
const LOGS: &str = "/run/node/pod-logs";
/// Where they have another name, in the same file system.
const KEPT: &str = "/run/node/kept-logs";

/// What kubectl shows of it.
const LOOKS: [(&str, &[&str]); 6] = [
    ("pods", &["get", "pods", "-A", "-o", "yaml"]),
    ("events", &["get", "events", "-A"]),
    ("lease", &["get", "lease", "-A", "-o", "yaml"]),
    ("endpoints", &["get", "endpointslices", "-A", "-o", "yaml"]),
    ("clients", &["get", "oauthclients", "-A", "-o", "yaml"]),
    (
        "tenants",
        &["get", "oauthtenants,oauthusers", "-A", "-o", "yaml"],
    ),
];

/// The folder that the drills leave behind, where `scripts/test` names one.
fn folder() -> Option<PathBuf> {
    std::env::var_os("CLIENTELE_DRILLS_LOGS").map(PathBuf::from)
}

/// From now on the log of every container has a second name.
pub fn keep_logs() {
    if folder().is_none() {
        return;
    }
    std::fs::create_dir_all(KEPT).unwrap();
    tokio::spawn(async {
        loop {
            tokio::task::block_in_place(|| link_logs(Path::new(LOGS), ""));
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    });
}

/// `NAMESPACE_POD_UID/CONTAINER/N.log`, and nothing else, is there.
fn link_logs(folder: &Path, prefix: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            link_logs(&entry.path(), &format!("{name}_"));
        } else {
            // Most have it already.
            let _ = std::fs::hard_link(entry.path(), Path::new(KEPT).join(name));
        }
    }
}

/// Writes down when requests failed, with the time of the day when the drill ended.
pub fn failures(tally: &Tally) {
    let Some(folder) = folder().filter(|_| tally.failed() > 0) else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    let end = jiff::Timestamp::now();
    let text = format!("{}until {end}: {}\n\n", tally.timeline(), tally.text());
    let file = folder.join("failures");
    let file = OpenOptions::new().create(true).append(true).open(file);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// Writes down what the cluster looks like now, and what the pods have said.
pub fn write_down(node: &Node, drill: &str) {
    let Some(folder) = folder() else { return };
    let folder = folder.join(drill.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, look) in LOOKS {
        let seen = node.kubectl(look).unwrap_or_else(|error| error);
        std::fs::write(folder.join(name), seen).unwrap();
    }
    for log in std::fs::read_dir(KEPT).into_iter().flatten().flatten() {
        std::fs::copy(log.path(), folder.join(log.file_name())).unwrap();
    }
}
