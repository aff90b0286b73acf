//! What Prometheus and Grafana make of the chart: `promtool` judges rules and metrics, and plays each alert.

use std::fmt::Write;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use super::chart::rendered;
use super::metrics_page::exposed;
use crate::support::cluster::tool;
use crate::support::machine;
use clientele_http::admin::exposition::Format;
use xtask::source::{none, read};

/// The rules of the chart.
fn rules() -> Value {
    let on = ["serviceMonitor.enabled=true", "prometheusRule.enabled=true"];
    rendered("PrometheusRule", &on).remove(0)["spec"].clone()
}

fn alerts(rules: &Value) -> Vec<&Value> {
    let rules = rules["groups"][0]["rules"].as_array().unwrap().iter();
    rules.filter(|rule| rule["alert"].is_string()).collect()
}

type Pairs = &'static [(&'static str, &'static str)];
type Played = (&'static str, Pairs, u32, u32, Pairs);

/// Each alert: the series that raise it, a minute in which it is raised, one in which it is over, and its labels.
const PLAYED: [Played; 19] = [
    ("ClienteleDown", &[("up{OF}", "1x4 0x10 1x20")], 10, 30, &[]),
    (
        "ClienteleNotReady",
        &[("clientele_ready{OF}", "1x4 0x10 1x20")],
        10,
        30,
        &[],
    ),
    (
        "ClienteleRootKeyUnusable",
        &[("clientele_root_key_usable{OF}", "1x4 0x10 1x20")],
        10,
        30,
        &[],
    ),
    (
        "ClienteleSigningKeysMissing",
        &[(
            "clientele_reconciles_total{kind='OAuthTenant',reason='SigningKeysUnavailable',OF}",
            "0x4 1+1x20 21x30",
        )],
        15,
        40,
        &[],
    ),
    (
        "ClienteleStoreFailing",
        &[(
            "clientele_store_operations_total{access='read',outcome='error',OF}",
            "0x4 1+1x20 21x30",
        )],
        15,
        40,
        &[],
    ),
    (
        "ClienteleStoreDown",
        &[("clientele_store_up{OF}", "1x4 0x10 1x20")],
        10,
        30,
        &[],
    ),
    (
        "ClienteleTokenErrors",
        &[
            (
                "clientele_http_requests_total{endpoint='token',status='5xx',OF}",
                "0x4 1+1x20 21x30",
            ),
            (
                "clientele_http_requests_total{endpoint='token',status='2xx',OF}",
                "0+10x60",
            ),
        ],
        15,
        40,
        &[],
    ),
    (
        "ClienteleErrorBudgetBurnsFast",
        &[
            (
                "clientele_http_requests_total{endpoint='token',status='5xx',OF}",
                "0x9 0+5x180 900x300",
            ),
            (
                "clientele_http_requests_total{endpoint='token',status='2xx',OF}",
                "0+100x500",
            ),
        ],
        90,
        220,
        &[],
    ),
    (
        "ClienteleErrorBudgetBurnsSlowly",
        &[
            (
                "clientele_http_requests_total{endpoint='login',status='5xx',OF}",
                "0x9 0+1x600 600x300",
            ),
            (
                "clientele_http_requests_total{endpoint='login',status='2xx',OF}",
                "0+100x950",
            ),
        ],
        400,
        700,
        &[],
    ),
    (
        "ClienteleNoLeader",
        &[("clientele_leader{OF}", "1x4 0x10 1x20")],
        10,
        30,
        &[],
    ),
    (
        "ClienteleCertificateExpires",
        &[(
            "clientele_tls_certificate_expiry_timestamp_seconds{OF}",
            "2000000x4 500000x20 3000000x20",
        )],
        20,
        30,
        &[],
    ),
    (
        "ClienteleCrdsOutdated",
        &[("clientele_crds_outdated{OF}", "0x4 1x20 0x20")],
        20,
        30,
        &[],
    ),
    (
        "ClienteleVersionsDiffer",
        &[
            ("clientele_build_info{version='1',pod='a',OF}", "1x200"),
            (
                "clientele_build_info{version='2',pod='b',OF}",
                "_x4 1x100 _x100",
            ),
        ],
        90,
        150,
        &[],
    ),
    (
        "ClienteleQueueGrows",
        &[(
            "clientele_work_queue_depth{kind='OAuthClient',OF}",
            "0x4 500x30 0x20",
        )],
        25,
        40,
        &[("kind", "OAuthClient")],
    ),
    (
        "ClienteleReconcileErrors",
        &[(
            "clientele_reconcile_errors_total{kind='OAuthClient',reason='ApiError',OF}",
            "0x4 1+1x40 41x40",
        )],
        25,
        70,
        &[("kind", "OAuthClient")],
    ),
    // Five minutes are too long for a few watches, and not for many.
    (
        "ClienteleWatchStale",
        &[
            (
                "clientele_watch_age_seconds{kind='OAuthClient',OF}",
                "10x4 300x50",
            ),
            ("clientele_watches{OF}", "7x24 30x30"),
        ],
        15,
        35,
        &[("kind", "OAuthClient")],
    ),
    (
        "ClienteleRelistGuardHeld",
        &[(
            "clientele_relist_guard_held_objects{kind='OAuthClient',OF}",
            "0x4 12x20 0x20",
        )],
        10,
        30,
        &[],
    ),
    (
        "ClienteleClientRefused",
        &[("clientele_registry_refused_clients{OF}", "0x4 3x100 0x20")],
        80,
        110,
        &[],
    ),
    (
        "ClienteleCredentialReuse",
        &[(
            "clientele_audit_events_total{event='code_reuse',OF}",
            "0x4 1x60",
        )],
        10,
        40,
        &[],
    ),
];

/// The file for `promtool test rules`. What an alert says has no templates, so it is what the rule says.
fn played(rules: &Value) -> Value {
    let alerts = alerts(rules);
    let of = "job='clientele-admin',namespace='default'";
    let tests = PLAYED.map(|(name, series, raised, over, labels)| {
        let rule = alerts.iter().find(|rule| rule["alert"] == name);
        let rule = rule.unwrap_or_else(|| panic!("no alert {name}"));
        let mut expected = rule["labels"].clone();
        for (label, value) in labels {
            expected[label] = json!(value);
        }
        let series = series.iter().map(|(name, values)| {
            json!({ "series": name.replace("OF", of), "values": values })
        });
        let at = |minute: u32, alerts: Value| {
            json!({ "eval_time": format!("{minute}m"), "alertname": name, "exp_alerts": alerts })
        };
        json!({
            "name": name,
            "interval": "1m",
            "input_series": series.collect::<Vec<_>>(),
            "alert_rule_test": [
                at(2, json!([])),
                at(raised, json!([{ "exp_labels": expected, "exp_annotations": rule["annotations"] }])),
                at(over, json!([])),
            ],
        })
    });
    json!({ "rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests })
}

fn promtool(arguments: &[&str], folder: &Path, input: &str) -> Output {
    let mut command = machine::program(tool("promtool"));
    command.args(arguments).current_dir(folder);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn printed(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    write!(text, "{}", String::from_utf8_lossy(&output.stderr)).unwrap();
    text
}

#[test]
fn o17_promtool_raises_and_clears_every_alert() {
    let rules = rules();
    let names: Vec<&str> = alerts(&rules)
        .iter()
        .map(|rule| rule["alert"].as_str().unwrap())
        .collect();
    assert_eq!(names, PLAYED.map(|(name, ..)| name), "each alert is played");
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: &Value| {
        let text = serde_yaml::to_string(value).unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    write("rules.yaml", &rules);
    write("tests.yaml", &played(&rules));
    for arguments in [
        &["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"][..],
        &["test", "rules", "tests.yaml"],
    ] {
        let output = promtool(arguments, folder.path(), "");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            printed(&output)
        );
    }
}

#[test]
fn o17_promtool_has_nothing_to_say_about_metrics() {
    let text = Format::Text.write(&exposed()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = promtool(&["check", "metrics"], folder.path(), &text);
    let said = printed(&output);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn o17_every_alert_has_a_runbook() {
    let rules = rules();
    let page = read("docs/operations/runbooks.md");
    let sections: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let names: Vec<&str> = alerts(&rules)
        .iter()
        .map(|rule| rule["alert"].as_str().unwrap())
        .collect();
    assert_eq!(
        names, sections,
        "the sections of the page, in the order of the alerts"
    );
    for alert in alerts(&rules) {
        let name = alert["alert"].as_str().unwrap().to_lowercase();
        let url = alert["annotations"]["runbook_url"].as_str().unwrap();
        assert!(url.ends_with(&format!("/runbooks.html#{name}")), "{url}");
    }
    let values = [
        "serviceMonitor.enabled=true",
        "prometheusRule.enabled=true",
        "prometheusRule.runbookUrl=https://wiki.example/x",
    ];
    let own = rendered("PrometheusRule", &values).remove(0).to_string();
    assert!(
        own.contains("https://wiki.example/x#clienteledown"),
        "{own}"
    );
}

#[test]
fn o17_the_dashboard_asks_for_metrics_that_exist() {
    let metrics = read("docs/reference/metrics.md");
    let config_map = rendered("ConfigMap", &["grafanaDashboard.enabled=true"]).remove(0);
    assert_eq!(config_map["metadata"]["labels"]["grafana_dashboard"], "1");
    assert_eq!(
        rendered("ConfigMap", &[]),
        Vec::<Value>::new(),
        "off by default"
    );
    let text = config_map["data"]["clientele.json"].as_str().unwrap();
    let dashboard: Value = serde_json::from_str(text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut expressions = Vec::new();
    for (at, panel) in panels.iter().enumerate() {
        assert_eq!(panel["id"], at + 1, "panels are numbered");
        let targets = panel["targets"].as_array().into_iter().flatten();
        expressions.extend(targets.map(|target| target["expr"].as_str().unwrap().to_owned()));
    }
    assert!(expressions.len() > 20, "{expressions:?}");
    let mut findings = Vec::new();
    for expression in &expressions {
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let names = expression.split(word);
        let names =
            names.filter(|name| name.starts_with("clientele_") || name.starts_with("process_"));
        let unknown = names.filter(|name| {
            let name = name.strip_suffix("_bucket").unwrap_or(name);
            !metrics.contains(&format!("| `{name}` |"))
        });
        findings.extend(unknown.map(str::to_owned));
        assert!(
            expression.contains("namespace=~\"$namespace\""),
            "{expression}"
        );
    }
    none(&findings, "no metrics of these names");
}
