//! Documents tell what the program does: every metric, every reason, and links that lead somewhere.

use std::collections::BTreeSet;

use clientele_telemetry::audit::AuditEvent;
use prometheus_client::encoding::text::encode;

use super::alerts::exposed;
use xtask::source::{none, read, root};

/// The first cell of each row of a file's tables, without the backquotes.
fn first_cells(path: &str) -> BTreeSet<String> {
    read(path)
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `")?
                .split('`')
                .next()
                .map(str::to_owned)
        })
        .collect()
}

#[test]
fn every_metric_is_documented() {
    let registry = exposed();
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    let exposed: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        // A counter is exposed, and asked for, with this suffix.
        .map(|(name, kind)| name.to_owned() + if kind == "counter" { "_total" } else { "" })
        .collect();
    assert_eq!(exposed, first_cells("docs/reference/metrics.md"));
}

#[test]
fn every_event_of_the_audit_log_is_documented() {
    let events: BTreeSet<String> = AuditEvent::ALL
        .iter()
        .map(|act| act.as_str().to_owned())
        .collect();
    assert_eq!(events, first_cells("docs/reference/audit.md"));
}

#[test]
fn every_reason_is_documented_with_its_remedy() {
    let source = read("src/operator/domain/reason.rs");
    let reasons: BTreeSet<String> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \""))
        .map(|(_, name)| name.trim_end_matches("\",").to_owned())
        .collect();
    assert!(reasons.len() > 10, "reason.rs is read in the wrong way");
    let documented = first_cells("docs/operations/troubleshooting.md");
    let missing: Vec<String> = reasons.difference(&documented).cloned().collect();
    none(&missing, "docs/operations/troubleshooting.md lacks");
}

/// Every Markdown file, but those that a tool has installed or built.
fn documents() -> Vec<String> {
    let mut folders = vec![root().to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules"
            {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                let path = path.strip_prefix(root()).unwrap();
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    assert!(found.len() > 15, "{found:?}");
    found
}

#[test]
fn links_between_files_lead_somewhere() {
    let mut findings = Vec::new();
    for path in documents() {
        let text = read(&path);
        let folder = root().join(&path).parent().unwrap().to_owned();
        let until = |begin: &'static str, end: char| {
            let rests = text.split(begin).skip(1);
            rests.filter_map(move |rest| rest.split(end).next())
        };
        let targets = until("](", ')').chain(until("src=\"", '"'));
        let targets = targets.chain(until("srcset=\"", '"'));
        for target in targets.filter(|target| !target.contains("://")) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !folder.join(file).exists() {
                findings.push(format!("{path}: {target}"));
            }
        }
    }
    none(&findings, "dead links");
}

#[test]
fn the_site_has_every_page() {
    let summary = read("docs/SUMMARY.md");
    let pages = documents()
        .into_iter()
        .filter_map(|path| Some(path.strip_prefix("docs/")?.to_owned()));
    let pages = pages.filter(|path| path != "SUMMARY.md");
    let missing: Vec<String> = pages
        .filter(|path| !summary.contains(&format!("]({path})")))
        .collect();
    none(&missing, "docs/SUMMARY.md lacks");
}

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(
        lines <= 120,
        "README.md has {lines} lines: move some to docs/"
    );
}
