//! Who may know whom (invariants 1 and 2 of ARCHITECTURE.md), and who may touch the world outside.

use super::source::{Source, none, rust_files};

/// What a folder must not name, be it in a `use` or in a path.
fn does_not_know(folder: &str, forbidden: &[&str]) {
    let mut files = rust_files(&format!("src/{folder}"));
    files.extend(
        rust_files("src")
            .into_iter()
            .filter(|file| file.path == format!("src/{folder}.rs")),
    );
    let findings: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let paths = paths(&file.everything());
            let bad = paths.into_iter().filter(|path| {
                forbidden
                    .iter()
                    .any(|name| path == name || path.starts_with(&format!("{name}::")))
            });
            bad.map(|path| format!("{}: {path}", file.path))
                .collect::<Vec<_>>()
        })
        .collect();
    none(&findings, &format!("{folder} must not know {forbidden:?}"));
}

/// Every path with `::` in it, groups of imports expanded, `super::` taken for the crate: `use a::{b, c}` is `a::b` and `a::c`.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut groups: Vec<String> = Vec::new();
    let mut path = String::new();
    let mut end = |path: &mut String, groups: &[String]| {
        let whole = groups.concat() + path;
        if whole.contains("::") && !path.is_empty() {
            found.push(normal(&whole));
        }
        path.clear();
    };
    for character in code.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | ':' => path.push(character),
            '{' if path.ends_with("::") => groups.push(std::mem::take(&mut path)),
            '}' => {
                end(&mut path, &groups);
                groups.pop();
            }
            // Another brace inside a group cannot be: groups hold names only.
            '{' | ';' => {
                end(&mut path, &groups);
                groups.clear();
            }
            _ => end(&mut path, &groups),
        }
    }
    end(&mut path, &groups);
    found
}

/// However it is reached, a module of the crate is `crate::name`.
fn normal(path: &str) -> String {
    let mut rest = path.trim_start_matches("::");
    let mut climbed = false;
    while let Some(above) = rest
        .strip_prefix("super::")
        .or_else(|| rest.strip_prefix("self::"))
    {
        (rest, climbed) = (above, true);
    }
    if climbed {
        format!("crate::{rest}")
    } else {
        rest.to_owned()
    }
}

#[test]
fn paths_are_found_however_they_are_written() {
    let code = "use a::{b, c::{d, e}};\nfn f() { super::http::g(x::y { z }); ::kube::h() }";
    assert_eq!(
        paths(code),
        [
            "a::b",
            "a::c::d",
            "a::c::e",
            "crate::http::g",
            "x::y",
            "kube::h"
        ]
    );
}

#[test]
fn oauth_knows_neither_kubernetes_nor_the_web_nor_time_nor_chance() {
    does_not_know(
        "oauth",
        &[
            "kube",
            "k8s_openapi",
            "axum",
            "hyper",
            "hyper_util",
            "tower",
            "tokio",
            "tokio_util",
            "sqlx",
            "prometheus_client",
            "tracing",
            "crate::api",
            "crate::config",
            "crate::operator",
            "crate::http",
            "crate::run",
            "crate::telemetry",
            "Timestamp::now",
            "jiff::Timestamp::now",
            "Instant::now",
            "std::time::Instant",
            "std::time::SystemTime",
            "rand",
            "getrandom",
        ],
    );
}

#[test]
fn oauth_takes_chance_only_to_sign() {
    // aws-lc-rs wants its own source handed in with each ECDSA signature.
    let findings: Vec<String> = rust_files("src/oauth")
        .iter()
        .filter(|file| {
            file.path != "src/oauth/keys/signing_keys.rs"
                && !file.is_test()
                && file.code().contains("SystemRandom")
        })
        .map(|file| file.path.clone())
        .collect();
    none(&findings, "random bytes come in as an argument");
}

#[test]
fn http_knows_neither_kubernetes_nor_the_controller() {
    does_not_know(
        "http",
        &[
            "kube",
            "k8s_openapi",
            "schemars",
            "crate::config",
            "crate::operator",
            "crate::run",
        ],
    );
}

#[test]
fn the_operator_does_not_know_the_web() {
    does_not_know(
        "operator",
        &[
            "axum",
            "hyper",
            "hyper_util",
            "tower",
            "rustls",
            "tokio_rustls",
            "crate::config",
            "crate::http",
            "crate::run",
        ],
    );
}

#[test]
fn the_custom_resources_know_only_themselves() {
    does_not_know(
        "api",
        &[
            "axum",
            "hyper",
            "tokio",
            "tracing",
            "crate::config",
            "crate::operator",
            "crate::http",
            "crate::oauth",
            "crate::run",
        ],
    );
}

/// Where a text stands in the code that runs, outside the files that may have it.
fn elsewhere(texts: &[&str], allowed: &[&str]) -> Vec<String> {
    let may = |file: &Source| allowed.contains(&file.path.as_str()) || file.is_test();
    rust_files("src")
        .iter()
        .filter(|file| !may(file))
        .flat_map(|file| {
            let code = file.code();
            let found = texts.iter().filter(|text| code.contains(**text));
            found
                .map(|text| format!("{}: {text}", file.path))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn only_config_names_settings_and_only_main_reads_them() {
    none(
        &elsewhere(&["std::env", "env::var", "env!("], &[]),
        "nobody reads the environment but clap",
    );
    none(
        &elsewhere(&["env = \"", "CLIENTELE_"], &["src/clientele/config.rs"]),
        "settings are named in config.rs",
    );
    none(
        &elsewhere(&["CommandLine::parse", "::try_parse"], &["src/clientele/main.rs"]),
        "main.rs reads the command line",
    );
}

#[test]
fn there_is_no_global_state() {
    none(
        &elsewhere(
            &[
                "static mut",
                "OnceLock",
                "LazyLock",
                "OnceCell",
                "LazyCell",
                "lazy_static",
                "thread_local",
            ],
            &[],
        ),
        "state is handed in, so that a test can have its own",
    );
    let statics = |file: &Source| {
        let code = file.code();
        let lines = code.lines().map(str::trim_start);
        lines
            .filter(|line| line.starts_with("static ") || line.starts_with("pub static "))
            .map(|line| format!("{}: {line}", file.path))
            .collect::<Vec<_>>()
    };
    let findings: Vec<String> = rust_files("src")
        .iter()
        .filter(|file| file.path != "src/clientele/main.rs")
        .flat_map(statics)
        .collect();
    none(&findings, "the allocator in main.rs is the only static");
}
