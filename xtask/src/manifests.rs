//! Which crate may depend on which (house rule: an arrow that is not listed here cannot be drawn), and what each
//! manifest must say because Cargo does not inherit it.

use std::collections::BTreeMap;

use crate::source;

/// A library: its folder under `src/`, the crates of ours that it may use, and others that it must not use.
struct Library {
    folder: &'static str,
    uses: &'static [&'static str],
    never: &'static [&'static str],
}

const WEB: [&str; 4] = ["axum", "hyper", "hyper-util", "tower"];

const LIBRARIES: [Library; 8] = [
    Library {
        folder: "api",
        uses: &[],
        never: &["tokio", "axum", "hyper", "tower", "sqlx", "tracing"],
    },
    Library {
        folder: "dashboard",
        uses: &["api", "kubectl", "oauth"],
        never: &["sqlx", "prometheus-client", "reqwest"],
    },
    Library {
        folder: "kubectl",
        uses: &["api", "oauth"],
        never: &[
            "axum",
            "hyper",
            "hyper-util",
            "tower",
            "sqlx",
            "prometheus-client",
        ],
    },
    Library {
        folder: "oauth",
        uses: &[],
        never: &[
            "tokio",
            "tokio-util",
            "kube",
            "k8s-openapi",
            "axum",
            "sqlx",
            "hyper",
            "hyper-util",
            "tower",
            "prometheus-client",
            "tracing",
            "rand",
            "getrandom",
        ],
    },
    Library {
        folder: "telemetry",
        uses: &[],
        never: &["kube", "k8s-openapi", "axum", "hyper", "sqlx"],
    },
    Library {
        folder: "store",
        uses: &["oauth", "telemetry"],
        never: &["kube", "k8s-openapi", "axum", "hyper", "tower"],
    },
    Library {
        folder: "http",
        uses: &["oauth", "store", "telemetry"],
        never: &["kube", "k8s-openapi", "schemars", "sqlx"],
    },
    Library {
        folder: "operator",
        uses: &["api", "oauth", "telemetry"],
        never: &[
            "axum",
            "hyper",
            "hyper-util",
            "tower",
            "rustls",
            "tokio-rustls",
            "sqlx",
        ],
    },
];

/// The sections that a library's manifest may have: no dependency can stand anywhere else.
const SECTIONS: [&str; 6] = [
    "package",
    "lib",
    "features",
    "dependencies",
    "dev-dependencies",
    "lints",
];

/// A manifest: section → key → value, as written. Only what this project writes: one line for each key.
struct Manifest(BTreeMap<String, BTreeMap<String, String>>);

impl Manifest {
    fn parse(text: &str) -> Self {
        let mut sections = BTreeMap::<String, BTreeMap<String, String>>::new();
        let mut section = String::new();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'))
        {
            if let Some(name) = line.strip_prefix('[') {
                name.trim_end_matches(']').clone_into(&mut section);
                sections.entry(section.clone()).or_default();
            } else if let Some((key, value)) = line.split_once('=') {
                let key = key.trim().trim_matches('"').to_owned();
                sections
                    .entry(section.clone())
                    .or_default()
                    .insert(key, value.trim().to_owned());
            }
        }
        Self(sections)
    }

    fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.0.get(section)?.get(key).map(String::as_str)
    }

    /// The crates in a section of dependencies. `x.workspace = true` and `x = { … }` are `x`.
    fn crates(&self, section: &str) -> impl Iterator<Item = &str> {
        let entries = self.0.get(section).into_iter().flatten();
        entries.map(|(key, _)| key.split('.').next().unwrap_or(key))
    }

    fn must_say(&self, section: &str, key: &str, value: &str) -> Option<String> {
        (self.get(section, key) != Some(value))
            .then(|| format!("[{section}] must say {key} = {value}"))
    }
}

/// What is wrong with the manifest of a library.
fn library(library: &Library, text: &str) -> Vec<String> {
    let manifest = Manifest::parse(text);
    let mut findings = Vec::new();
    for key in ["autotests", "autobenches", "autoexamples", "autobins"] {
        findings.extend(manifest.must_say("package", key, "false"));
    }
    findings.extend(manifest.must_say("package", "publish", "false"));
    findings.extend(manifest.must_say("lints", "workspace", "true"));
    let sections = manifest
        .0
        .keys()
        .filter(|section| !SECTIONS.contains(&section.as_str()));
    findings.extend(
        sections.map(|section| format!("[{section}] is not a section that this check reads")),
    );
    for section in ["dependencies", "dev-dependencies"] {
        for name in manifest.crates(section) {
            let ours = name.strip_prefix("clientele");
            let folder = ours.map(|rest| rest.trim_start_matches('-'));
            if folder.is_some_and(|folder| !library.uses.contains(&folder)) || name == "xtask" {
                findings.push(format!("[{section}] {name}: not among {:?}", library.uses));
            }
            if library.never.contains(&name) {
                findings.push(format!("[{section}] {name}: not in this crate"));
            }
            let keys = manifest.0[section].iter();
            let mut own = keys.filter(|(key, _)| key.split('.').next() == Some(name));
            let inherits = |(key, value): (&String, &String)| {
                key.ends_with(".workspace")
                    || value.contains("workspace = true")
                    || key.contains('.')
            };
            if !own.all(inherits) {
                findings.push(format!(
                    "[{section}] {name}: must come from [workspace.dependencies]"
                ));
            }
        }
    }
    findings
        .iter()
        .map(|finding| format!("src/{}/Cargo.toml: {finding}", library.folder))
        .collect()
}

/// What is wrong with a manifest of a package that is not a library of `src/`.
fn package(path: &str, text: &str) -> Vec<String> {
    let manifest = Manifest::parse(text);
    let publish = manifest.must_say("package", "publish", "false");
    let lints = manifest.must_say("lints", "workspace", "true");
    let said = publish.into_iter().chain(lints);
    said.map(|finding| format!("{path}: {finding}")).collect()
}

/// Every member of the workspace that plain `cargo test` would pass over, and every folder of `src/` without a rule.
fn members(root: &str, folders: &[String]) -> Vec<String> {
    let manifest = Manifest::parse(root);
    let default = manifest
        .get("workspace", "default-members")
        .unwrap_or_default();
    let mut findings = Vec::new();
    for folder in folders.iter().filter(|folder| *folder != "clientele") {
        if !default.contains(&format!("\"src/{folder}\"")) {
            findings.push(format!(
                "Cargo.toml: src/{folder} is not among default-members"
            ));
        }
        if !LIBRARIES.iter().any(|library| library.folder == folder) {
            findings.push(format!("src/{folder}: manifests.rs has no rule for it"));
        }
    }
    for needed in ["\".\"", "\"xtask\""] {
        if !default.contains(needed) {
            findings.push(format!("Cargo.toml: {needed} is not among default-members"));
        }
    }
    let shared = manifest
        .0
        .get("workspace.dependencies")
        .into_iter()
        .flatten();
    let renamed = shared.filter(|(key, value)| {
        value.contains("package = \"clientele") && !key.starts_with("clientele")
    });
    findings.extend(
        renamed.map(|(key, _)| format!("Cargo.toml: {key} is a crate of ours under another name")),
    );
    findings
}

/// What is wrong with the manifests of this repository.
pub fn findings() -> Vec<String> {
    let mut findings = Vec::new();
    let mut folders = Vec::new();
    for file in source::files("src", &["toml"]) {
        let folder = file
            .path
            .trim_start_matches("src/")
            .trim_end_matches("/Cargo.toml")
            .to_owned();
        if let Some(rule) = LIBRARIES.iter().find(|library| library.folder == folder) {
            findings.extend(library(rule, &file.text));
        }
        folders.push(folder);
    }
    findings.extend(members(&source::read("Cargo.toml"), &folders));
    for path in ["Cargo.toml", "xtask/Cargo.toml"] {
        findings.extend(package(path, &source::read(path)));
    }
    // The web is known to three packages only: this one, the server, the dashboard.
    for rule in LIBRARIES
        .iter()
        .filter(|library| !["http", "dashboard"].contains(&library.folder))
    {
        let text = source::read(&format!("src/{}/Cargo.toml", rule.folder));
        let manifest = Manifest::parse(&text);
        let web = manifest
            .crates("dependencies")
            .filter(|name| WEB.contains(name));
        findings.extend(web.map(|name| format!("src/{}/Cargo.toml: {name}", rule.folder)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::none;

    #[test]
    fn crates_depend_only_on_what_is_listed() {
        none(
            &findings(),
            "the arrows between crates, and what each manifest must say",
        );
    }

    const SOUND: &str = "[package]\npublish = false\nautotests = false\nautobenches = false\nautoexamples = false\n\
        autobins = false\n[dependencies]\nclientele-oauth.workspace = true\nserde.workspace = true\n\
        [dev-dependencies]\nclientele-oauth = { workspace = true, features = [\"testing\"] }\n[lints]\nworkspace = true\n";

    #[test]
    fn a_planted_arrow_is_found() {
        let operator = LIBRARIES
            .iter()
            .find(|library| library.folder == "operator")
            .unwrap();
        let with = |line: &str| library(operator, &SOUND.replace("serde.workspace = true", line));
        none(&with("serde.workspace = true"), "a sound manifest");
        for line in [
            "clientele-http.workspace = true",
            "clientele-store = { workspace = true }",
            "clientele = { path = \"../..\" }",
            "axum.workspace = true",
            "hyper = \"1\"",
            "serde = \"1\"",
            "[target.'cfg(unix)'.dependencies]\naxum.workspace = true",
            "[dependencies.axum]\nworkspace = true",
            "[build-dependencies]\naxum.workspace = true",
        ] {
            assert!(!with(line).is_empty(), "{line}");
        }
    }

    #[test]
    fn a_planted_omission_in_a_manifest_is_found() {
        let operator = LIBRARIES
            .iter()
            .find(|library| library.folder == "operator")
            .unwrap();
        for line in [
            "publish = false\n",
            "autotests = false\n",
            "autobins = false\n",
            "[lints]\nworkspace = true\n",
        ] {
            assert_eq!(
                library(operator, &SOUND.replace(line, "")).len(),
                1,
                "{line}"
            );
        }
        let root = "[workspace]\ndefault-members = [\".\", \"src/api\", \"xtask\"]\n";
        assert!(members(root, &["api".to_owned()]).is_empty());
        assert_eq!(
            members(root, &["api".to_owned(), "plugin".to_owned()]).len(),
            2
        );
    }
}
