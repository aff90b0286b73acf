//! The reference of the metrics, from the registry that `/metrics` exposes. A test compares it with the committed page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use clientele::run::{build_info, process, state};
use clientele::traces::counts::TraceCounts;
use clientele_http::admin::Readiness;
use clientele_http::api::token_review_cache::TokenReviewCache;
use clientele_http::metrics::TokenMetrics;
use clientele_operator::metrics::OperatorMetrics;
use clientele_store::StoreMetrics;
use clientele_telemetry::audit::Audit;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

const INTRODUCTION: &str = "\
# Metrics

Generated from the metrics that the program registers by `make generate`; a test keeps it equal to the program.

`/metrics` of the admin listener (port 8081) has them in the format that `Accept` prefers: OpenMetrics 1.0, or the text format 0.0.4 of Prometheus.
A replica reports about itself, so most queries aggregate over the replicas.
Labels come from closed sets: no input of an unauthenticated user ever becomes a label.
Two metrics name clients, which are registered, and at most 500 of them since the process started; later ones have the label `(others)`.
The chart's `serviceMonitor`, `prometheusRule` and `grafanaDashboard` use these metrics, and the [runbooks](../operations/runbooks.md) have a section for each alert.

| metric | type | unit | labels | meaning |
|---|---|---|---|---|
";

const VALUES: &str = "
## Values of labels

Where a label has one of a few values from the start:

| metric | label | values |
|---|---|---|
";

/// What to do about a metric, or what its help does not say. The help of each metric stands before it.
const NOTES: &[(&str, &str)] = &[
    (
        "clientele_audit_events_total",
        "The events are those of the [audit log](audit.md). Alert on `code_reuse` and `refresh_reuse`.",
    ),
    (
        "clientele_audit_lines_lost_total",
        "With `--audit-when-full drop`, or at the end of the process. Alert on it.",
    ),
    (
        "clientele_build_info",
        "Replicas that differ are in the middle of an upgrade.",
    ),
    (
        "clientele_codes_without_challenge_total",
        "These applications rely on their `nonce`, or on nothing with `requirePkce: false`: see [PKCE](../how-to/pkce.md).",
    ),
    (
        "clientele_crds_outdated",
        "See [what to do](../operations/runbooks.md#clientelecrdsoutdated).",
    ),
    (
        "clientele_http_requests_total",
        "`endpoint` is `none` where no endpoint is; `2xx` includes 3xx.",
    ),
    ("clientele_leader", "Alert when no replica is."),
    (
        "clientele_propagation_seconds",
        "The change is a new object, a new spec or the end of one. The time that the API server needs to report it is not included.",
    ),
    ("clientele_ready", "Alert when no replica is."),
    (
        "clientele_reconcile_errors_total",
        "`Conflict`: another writer was first. `ApiError`: the API server refused the request or did not answer.",
    ),
    (
        "clientele_reconciles_total",
        "`reason` is the [reason](reasons.md) of the condition `Ready`.",
    ),
    (
        "clientele_refused_for_lack_of_room_total",
        "Refused with 429 or 503, or closed. `idle_connection` and `connections_of_address`: too many connections. \
         `unread_answer` and `unread_bytes`: peers that do not read their answers. See [limits](../concepts/limits.md).",
    ),
    (
        "clientele_registry_differences_total",
        "A slow check compares the registry, which is made change by change, with the objects. Above 0: report the line of the log that names the object.",
    ),
    (
        "clientele_registry_rebuild_seconds",
        "Of a change it is what the change costs; after a list, what everything costs.",
    ),
    (
        "clientele_registry_refused_clients",
        "The condition of each says why.",
    ),
    (
        "clientele_registry_revision",
        "Replicas count for themselves.",
    ),
    ("clientele_registry_users", "Disabled users are included."),
    (
        "clientele_relist_guard_held_objects",
        "Secrets are counted by what they hold. Above 0: look at the API server.",
    ),
    ("clientele_root_key_usable", "Alert when it is 0."),
    (
        "clientele_rotation_overdue_clients",
        "Above 0 for minutes: many are due at once, or clients are refused or suspended.",
    ),
    (
        "clientele_rotation_overlaps",
        "`new_unused`: the new secret was not used yet; has the application read it? `old_used`: the old one was used within the quiet period. \
         `unknown`: the client is not served, or a replica has not reported the use yet.",
    ),
    (
        "clientele_service_account_reviews_total",
        "`unknown` was answered 503: look at the API server.",
    ),
    (
        "clientele_store_commits_total",
        "Compare it with the writes of `clientele_store_operations_total`.",
    ),
    (
        "clientele_store_connection_renewals_total",
        "After a restart, after a failover, and where a network drops packets.",
    ),
    (
        "clientele_store_operations_total",
        "Alert on `timeout` and `error`.",
    ),
    (
        "clientele_store_purged_rows_total",
        "While people sign in it must not stand still for hours.",
    ),
    (
        "clientele_store_up",
        "The replica stays ready without it. Alert when it is 0.",
    ),
    (
        "clientele_tls_certificate_expiry_timestamp_seconds",
        "Absent where no certificate is served.",
    ),
    (
        "clientele_token_requests_total",
        "The error codes are those of RFC 6749; `grant` is `none` where the request names no known grant type.",
    ),
    (
        "clientele_trace_spans_total",
        "0 without [traces](../operations/traces.md). `failed` and `dropped` are lost.",
    ),
    (
        "clientele_watch_age_seconds",
        "Of several watches of a kind the oldest. At rest it stays below one minute, with more than 20 watches below five. \
         Above two minutes, or six, changes in the cluster have no effect: alert.",
    ),
    (
        "clientele_watches",
        "With more than 20 the API server ends a watch after 290 seconds instead of 45.",
    ),
    ("clientele_writes_total", "At rest it stands still."),
    (
        "process_cpu_seconds_total",
        "The metrics `process_…` come from `/proc` and are absent elsewhere.",
    ),
];

/// What is registered, and what adds values to it.
struct Program {
    registry: Registry,
    tokens: TokenMetrics,
    operator: OperatorMetrics,
}

/// Every metric of the program, without a request or an object.
fn registered() -> Program {
    let mut registry = Registry::default();
    let tokens = TokenMetrics::default();
    tokens.register(&mut registry);
    let operator = OperatorMetrics::default();
    operator.register(&mut registry);
    StoreMetrics::default().register(&mut registry);
    TokenReviewCache::default().register(&mut registry);
    Audit::default().register(&mut registry);
    build_info::register(&mut registry);
    process::register(&mut registry);
    TraceCounts::default().register(&mut registry);
    let end = Arc::new(|| Some(jiff::Timestamp::UNIX_EPOCH));
    let ready: Readiness = Arc::new(|| Ok(()));
    state::register(&mut registry, &ready, end);
    Program {
        registry,
        tokens,
        operator,
    }
}

/// Every metric of the program. Each that has labels has a value, because it is not exposed otherwise.
pub fn exposed() -> Registry {
    let program = registered();
    program.tokens.code_without_challenge("team-a.web");
    program.operator.reconciled("OAuthClient", "Registered");
    program.operator.wrote("status");
    program.operator.watch.held("OAuthClient");
    // It has a value for as long as it is held: here until the process ends.
    std::mem::forget(program.operator.watch.ages.begin("OAuthClient"));
    program.registry
}

/// A metric, as a query names it.
#[derive(Default)]
struct Metric {
    kind: String,
    help: String,
    /// Each label with its values.
    labels: BTreeMap<String, BTreeSet<String>>,
}

impl Metric {
    fn unit(name: &str) -> &'static str {
        let name = name.trim_end_matches("_total");
        if name.ends_with("_timestamp_seconds") || name.ends_with("_start_time_seconds") {
            "seconds since 1970"
        } else if name.ends_with("_seconds") {
            "seconds"
        } else if name.ends_with("_bytes") {
            "bytes"
        } else {
            ""
        }
    }
}

/// The metrics of a registry by their names.
fn metrics(registry: &Registry) -> BTreeMap<String, Metric> {
    let mut text = String::new();
    encode(&mut text, registry).expect("writing to a String does not fail");
    let mut metrics = BTreeMap::<String, Metric>::new();
    let (mut help, mut current) = ("", String::new());
    for line in text.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|l| l.split_once(' '))
        {
            // A counter is exposed, and asked for, with this suffix.
            let suffix = if kind == "counter" { "_total" } else { "" };
            current = format!("{name}{suffix}");
            let metric = metrics.entry(current.clone()).or_default();
            kind.clone_into(&mut metric.kind);
            help.clone_into(&mut metric.help);
        } else if let Some(labels) = line.split_once('{').map(|(_, rest)| rest) {
            let metric = metrics.entry(current.clone()).or_default();
            for (label, value) in pairs(labels).filter(|(label, _)| *label != "le") {
                let values = metric.labels.entry(label.to_owned()).or_default();
                values.insert(value.to_owned());
            }
        }
    }
    metrics
}

/// The labels of a sample. No value here has a quote.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let labels = text.split_once("\"}").map_or("", |(labels, _)| labels);
    labels
        .split("\",")
        .filter_map(|pair| pair.split_once("=\""))
}

/// The page of the metrics.
pub fn page() -> String {
    let notes: BTreeMap<&str, &str> = NOTES.iter().copied().collect();
    let all = metrics(&exposed());
    for name in notes.keys() {
        assert!(
            all.contains_key(*name),
            "a note about {name}, which does not exist"
        );
    }
    let mut page = INTRODUCTION.to_owned();
    for (name, metric) in &all {
        let labels: Vec<String> = metric
            .labels
            .keys()
            .map(|label| format!("`{label}`"))
            .collect();
        let note = notes.get(name.as_str());
        let note = note.map_or_else(String::new, |note| format!(" {note}"));
        // The registry ends each help with a full stop, and collectors of our own do not.
        let help = format!("{}.", metric.help.trim_end_matches('.'));
        let (kind, unit) = (&metric.kind, Metric::unit(name));
        let _ = writeln!(
            page,
            "| `{name}` | {kind} | {unit} | {} | {help}{note} |",
            labels.join(", ")
        );
    }
    page + VALUES + &values()
}

/// The rows of labels that have their values before anything happens: these are all values.
fn values() -> String {
    let mut rows = String::new();
    for (name, metric) in &metrics(&registered().registry) {
        for (label, values) in &metric.labels {
            // The page of the audit log lists the events.
            if values.len() > 1 && label != "event" {
                let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
                let _ = writeln!(rows, "| `{name}` | `{label}` | {} |", values.join(", "));
            }
        }
    }
    rows
}
