//! Which production code may touch what lies outside the process: the environment, the command line, clocks, randomness,
//! global state, the network (invariants 1 and 2 of ARCHITECTURE.md).

use crate::code::Code;
use crate::known::Findings;
use crate::project::{Module, Project};

const CONFIG: &str = "src/clientele/config";
/// The root modules of programs, which read the command line.
const MAIN: [&str; 2] = ["src/clientele/main.rs", "src/kubectl/main.rs"];
const SIGNING_KEYS: &str = "src/oauth/keys/signing_keys.rs";

/// The one file of the cache that lists and sleeps.
const RELIST_CHECK: &str = "src/operator/cache/relist_check.rs";

/// Every path that the code names, those of imported names written out.
fn full_paths(code: &Code) -> Vec<String> {
    let imports = code.imports.iter();
    let mut paths: Vec<String> = imports
        .clone()
        .map(|import| import.segments.join("::"))
        .collect();
    for path in code.paths() {
        let (head, rest) = path.segments.split_at(1);
        let import = imports
            .clone()
            .find(|import| import.name.as_ref() == head.first());
        let whole = import.map_or_else(
            || path.segments.clone(),
            |import| [&import.segments, rest].concat(),
        );
        paths.push(whole.join("::"));
    }
    paths
}

/// Whether a path goes through the segments: `jiff::Timestamp::now` through `Timestamp::now`.
fn through(path: &str, segments: &str) -> bool {
    format!("::{path}::").contains(&format!("::{segments}::"))
}

/// Those of the segments that the code names.
fn named<'a>(code: &Code, segments: &[&'a str]) -> Vec<&'a str> {
    let paths = full_paths(code);
    let is_named = |wanted: &&&str| paths.iter().any(|path| through(path, wanted));
    segments.iter().filter(is_named).copied().collect()
}

/// The production code of the program; the checks themselves are not part of it.
fn program(project: &Project) -> impl Iterator<Item = &Module> {
    project
        .production()
        .filter(|module| module.file.starts_with("src/"))
}

fn below<'a>(project: &'a Project, folder: &'a str) -> impl Iterator<Item = &'a Module> {
    program(project).filter(move |module| module.file.starts_with(folder))
}

/// Where the environment is read, or a setting named, or the command line read, outside the files for it.
pub fn environment(project: &Project) -> Vec<String> {
    let mut findings = Vec::new();
    for module in program(project) {
        let code = &module.code;
        let mut found = |what: &str| findings.push(format!("{}: {what}", module.file));
        for what in named(code, &["std::env", "env::var", "env::vars", "env::args"]) {
            found(what);
        }
        if code.has_tokens(&["env", "!"]) || code.has_tokens(&["option_env", "!"]) {
            found("env!");
        }
        if !module.file.starts_with(CONFIG) {
            if ["(", ","]
                .iter()
                .any(|before| code.has_tokens(&[before, "env", "="]))
            {
                found("env = …, which belongs in config.rs");
            }
            if code.literals().any(|text| text.contains("CLIENTELE_")) {
                found("CLIENTELE_…, which belongs in config.rs");
            }
        }
        let methods = ["try_parse", "try_parse_from", "parse_from", "get_matches"];
        let parses = !named(code, &["CommandLine::parse"]).is_empty();
        if !MAIN.contains(&&*module.file) && (parses || methods.iter().any(|name| code.has(name))) {
            found("the command line, which main.rs reads");
        }
    }
    findings
}

/// Where state is global.
pub fn global_state(project: &Project) -> Vec<String> {
    const CELLS: [&str; 7] = [
        "OnceLock",
        "LazyLock",
        "OnceCell",
        "LazyCell",
        "lazy_static",
        "thread_local",
        "Once",
    ];
    let mut findings = Vec::new();
    for module in program(project) {
        let cells = CELLS.iter().filter(|name| module.code.has(name));
        findings.extend(cells.map(|name| format!("{}: {name}", module.file)));
        // `'static` is a lifetime.
        let tokens = &module.code.tokens;
        let is_static =
            |at: &usize| tokens[*at].text == "static" && (*at == 0 || tokens[at - 1].text != "'");
        let statics = (0..tokens.len()).filter(is_static);
        findings.extend(statics.map(|_| format!("{}: static", module.file)));
    }
    findings
}

/// Where `oauth` reads a clock, or takes random bytes other than to sign.
pub fn clock_and_chance(project: &Project) -> Vec<String> {
    const CLOCKS: [&str; 3] = ["Instant", "SystemTime", "UNIX_EPOCH"];
    let mut findings = Vec::new();
    for module in below(project, "src/oauth/") {
        let clocks = CLOCKS.iter().filter(|name| module.code.has(name)).copied();
        let now = named(&module.code, &["Timestamp::now", "Zoned::now"]);
        findings.extend(
            clocks
                .chain(now)
                .map(|what| format!("{}: {what}", module.file)),
        );
        // aws-lc-rs wants its own source handed in with each ECDSA signature.
        let random = ["SystemRandom", "getrandom", "OsRng"]
            .iter()
            .filter(|name| module.code.has(name));
        let random = random.filter(|_| module.file != SIGNING_KEYS);
        findings.extend(random.map(|what| format!("{}: {what}", module.file)));
    }
    findings
}

/// Where the lower rooms of the operator need a runtime: `domain` (no clock, chance, API server) and `cache` (no tasks).
pub fn impure(project: &Project) -> Findings {
    const RUNTIME: [&str; 7] = [
        "tokio::spawn",
        "tokio::time",
        "tokio::net",
        "kube::Api",
        "kube::Client",
        "kube::api::Api",
        "kube::client",
    ];
    const PURE: [&str; 6] = [
        "tokio",
        "kube::Api",
        "kube::Client",
        "kube::api::Api",
        "Timestamp::now",
        "Zoned::now",
    ];
    let domain = below(project, "src/operator/domain").map(|module| {
        let chance = ["SystemRandom", "Instant", "SystemTime"].into_iter();
        let chance = chance.filter(|name| module.code.has(name)).collect();
        (module, [named(&module.code, &PURE), chance].concat())
    });
    let cache =
        below(project, "src/operator/cache").map(|module| (module, named(&module.code, &RUNTIME)));
    let cache = cache.filter(|(module, _)| module.file != RELIST_CHECK);
    let named = domain.chain(cache);
    let found = named.flat_map(|(module, named)| {
        named
            .into_iter()
            .map(|what| format!("{}: {what}", module.file))
    });
    found.map(|what| (what, 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::judge;
    use crate::source::none;
    use crate::testing::{here, planted};

    #[test]
    fn only_config_names_settings_and_only_main_reads_them() {
        none(
            &environment(here()),
            "clap reads the environment, config.rs names it, main.rs parses",
        );
    }

    #[test]
    fn there_is_no_global_state() {
        none(
            &global_state(here()),
            "state is handed in, so that a test can have its own",
        );
    }

    #[test]
    fn oauth_has_neither_clock_nor_chance() {
        none(
            &clock_and_chance(here()),
            "time and random bytes come in as arguments",
        );
    }

    #[test]
    fn domain_needs_no_runtime_and_cache_has_no_tasks() {
        none(
            &judge("pure-rooms", &impure(here())),
            "domain is pure, cache holds state and no tasks",
        );
    }

    /// A crate whose `x.rs` has unit tests first, and then production code.
    fn with(folder: &str, code: &str) -> Project {
        let root = format!("{folder}/lib.rs");
        let file = format!("{folder}/x.rs");
        let text = format!("#[cfg(test)]\nmod tests;\n#[cfg(test)]\nmod more {{ }}\n{code}");
        let tests = format!("{folder}/x/tests.rs");
        planted(&[
            (&root, "mod x;"),
            (&file, &text),
            (&tests, "static IN_A_TEST: u8 = 0;"),
        ])
    }

    #[test]
    fn planted_access_to_the_environment_is_found() {
        for code in [
            "fn f() { std::env::var(\"X\"); }",
            "use std::{env, fs}; fn f() { fs::read(\"x\") }",
            "use std::env as e; fn f() { e::var_os(\"X\") }",
            "const V: &str = env!(\"CARGO_PKG_VERSION\");",
            "struct S { #[arg(long, env = \"X\")] x: u8 }",
            "fn f() { println!(\"set {}\", \"CLIENTELE_LOG\") }",
            "fn f() { CommandLine::parse(); }",
            "use crate::CommandLine as C; fn f() { C::parse(); }",
            "fn f() { x::CommandLine::try_parse_from([\"x\"]); }",
        ] {
            assert!(!environment(&with("src/a", code)).is_empty(), "{code}");
        }
        let config = [
            ("src/clientele/lib.rs", "mod config;"),
            (
                "src/clientele/config.rs",
                "#[arg(env = \"CLIENTELE_X\")] struct S;",
            ),
        ];
        assert!(environment(&planted(&config)).is_empty());
        assert!(
            environment(&with("src/a", "/// std::env::var\nfn f() { let env = 1; }")).is_empty()
        );
    }

    #[test]
    fn planted_global_state_is_found() {
        for code in [
            "static X: AtomicU8 = AtomicU8::new(0);",
            "fn f() { static mut X: u8 = 0; }",
            "const X: u8 = { use std::sync::OnceLock as O; 0 };",
            "macro_rules! m { () => { static Y: u8 = 0; } }",
            "thread_local! { pub static X: u8 = 0; }",
            "fn f() { std::sync::LazyLock::new(|| 0); }",
        ] {
            assert!(!global_state(&with("src/a", code)).is_empty(), "{code}");
        }
        assert!(global_state(&with("src/a", "fn f() -> &'static str { \"static\" }")).is_empty());
    }

    #[test]
    fn planted_clocks_and_random_bytes_in_oauth_are_found() {
        for code in [
            "fn f() { jiff::Timestamp::now(); }",
            "use jiff::Timestamp as T; fn f() { T::now(); }",
            "use std::time::{Duration, Instant};",
            "fn f() { let t = std::time::SystemTime::now(); }",
            "use aws_lc_rs::rand::SystemRandom;",
        ] {
            assert!(
                !clock_and_chance(&with("src/oauth", code)).is_empty(),
                "{code}"
            );
            assert!(
                clock_and_chance(&with("src/http", code)).is_empty(),
                "{code}"
            );
        }
    }

    #[test]
    fn planted_tasks_and_clocks_in_the_lower_rooms_are_found() {
        let found = |room: &str, code: &str| {
            let root = format!("mod {room};");
            let file = format!("src/operator/{room}.rs");
            impure(&planted(&[("src/operator/lib.rs", &root), (&file, code)])).len()
        };
        let clock = "use jiff::Timestamp; fn f() { Timestamp::now(); }";
        let task = "use tokio::spawn; fn f() { spawn(g()) }";
        assert_eq!(
            [
                found("domain", clock),
                found("cache", clock),
                found("watch", clock)
            ],
            [1, 0, 0]
        );
        assert_eq!(
            [
                found("domain", task),
                found("cache", task),
                found("watch", task)
            ],
            [1, 1, 0]
        );
    }
}
