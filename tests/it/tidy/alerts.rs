//! The chart's alerts ask for numbers that exist, and say what to do.

use clientele_telemetry::audit::AuditEvent;
use xtask::source::{none, read};

const RULES: &str = "charts/clientele/templates/prometheusrule.yaml";

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
