//! Documents tell what the program does: every metric, every reason, and links that lead somewhere.

use std::collections::BTreeSet;
use std::path::Path;

use clientele_telemetry::audit::AuditEvent;
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

/// The anchors of a document: its headings, as GitHub and mdBook name them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let headings = text.lines().filter(|line| {
        fenced ^= line.starts_with("```");
        !fenced && line.starts_with('#')
    });
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_to_headings_lead_to_headings() {
    let mut findings = Vec::new();
    for path in documents() {
        let text = read(&path);
        let folder = root().join(&path).parent().unwrap().to_owned();
        let targets = text.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let Some((file, anchor)) = target.split_once('#') else {
                continue;
            };
            let linked = match file {
                "" => text.clone(),
                file => std::fs::read_to_string(folder.join(file)).unwrap_or_default(),
            };
            let is_page =
                file.is_empty() || Path::new(file).extension().is_some_and(|end| end == "md");
            if is_page && !anchors(&linked).contains(anchor) {
                findings.push(format!("{path}: {target}"));
            }
        }
    }
    none(&findings, "links to headings that do not exist");
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
