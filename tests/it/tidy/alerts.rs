//! The chart's alerts ask for numbers that exist, and say what to do.

use std::sync::Arc;

use clientele::run::{build_info, process, state};
use clientele_http::admin::Readiness;
use clientele_http::api::token_review_cache::TokenReviewCache;
use clientele_http::metrics::TokenMetrics;
use clientele_operator::metrics::OperatorMetrics;
use clientele_store::StoreMetrics;
use clientele_telemetry::audit::{Audit, AuditEvent};
use prometheus_client::registry::Registry;

use xtask::source::{none, read};

const RULES: &str = "charts/clientele/templates/prometheusrule.yaml";

/// Every metric of the program. Those with labels have their first value.
pub(super) fn exposed() -> Registry {
    let mut registry = Registry::default();
    let tokens = TokenMetrics::default();
    tokens.register(&mut registry);
    let controller = OperatorMetrics::default();
    controller.register(&mut registry);
    // Those with labels appear with their first value.
    tokens.code_without_challenge("team-a.web");
    controller.reconciled("OAuthClient", "Registered");
    controller.wrote("status");
    controller.watch.held("OAuthClient");
    StoreMetrics::default().register(&mut registry);
    TokenReviewCache::default().register(&mut registry);
    Audit::default().register(&mut registry);
    build_info::register(&mut registry);
    process::register(&mut registry);
    let end = Arc::new(|| Some(jiff::Timestamp::UNIX_EPOCH));
    let ready: Readiness = Arc::new(|| Ok(()));
    state::register(&mut registry, &ready, end);
    registry
}

/// The values of a key of the alerts.
fn values<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = text.lines().map(str::trim);
    lines.filter_map(move |line| line.strip_prefix(key)?.strip_prefix(": "))
}

/// What stands in quotes after a label.
fn labels<'a>(expression: &'a str, label: &str) -> Vec<&'a str> {
    let rest = expression.split(label).skip(1);
    let quoted = rest.filter_map(|rest| rest.split('"').nth(1));
    quoted.flat_map(|values| values.split('|')).collect()
}

#[test]
fn every_alert_asks_for_metrics_that_exist_and_says_what_to_do() {
    let (rules, metrics) = (read(RULES), read("docs/reference/metrics.md"));
    let reasons = read("docs/reference/reasons.md");
    let mut findings = Vec::new();
    for expression in values(&rules, "expr") {
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let names = expression
            .split(word)
            .filter(|name| name.starts_with("clientele_"));
        let unknown = names.filter(|name| !metrics.contains(&format!("| `{name}` |")));
        findings.extend(unknown.map(str::to_owned));
        let events = labels(expression, "event=~");
        let known = |event: &&&str| AuditEvent::ALL.iter().all(|act| act.as_str() != **event);
        findings.extend(events.iter().filter(known).map(ToString::to_string));
        let asked = labels(expression, "reason=");
        let missing = asked
            .iter()
            .filter(|name| !reasons.contains(&format!("| `{name}` |")))
            // Reasons of errors that are no conditions are those of a metric.
            .filter(|name| !metrics.contains(&format!("`{name}`")));
        findings.extend(missing.map(ToString::to_string));
    }
    none(&findings, "no metric, event or reason of these names");
    let alerts: Vec<&str> = values(&rules, "- alert").collect();
    assert!(alerts.len() >= 8, "{alerts:?}");
    for key in ["expr", "for", "summary", "description", "severity"] {
        assert_eq!(
            values(&rules, key).count(),
            alerts.len(),
            "{key} of each alert"
        );
    }
}
