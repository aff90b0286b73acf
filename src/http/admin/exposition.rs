//! Metrics in the format that was asked for: `OpenMetrics` 1.0, or the text format 0.0.4 of Prometheus.

use std::fmt::{self, Write};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// A format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format of Prometheus, version 0.0.4.
    Text,
    /// `OpenMetrics`, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The format that an `Accept` header prefers (RFC 9110 §12.5.1); the text format where it has no preference.
    pub fn accepted(accept: &str) -> Self {
        let (mut text, mut open) = (0.0, 0.0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let parameters: Vec<&str> = parts.collect();
            let value = |name: &str| {
                let mut values = parameters.iter();
                values.find_map(|parameter| {
                    let (key, value) = parameter.split_once('=')?;
                    key.eq_ignore_ascii_case(name).then_some(value)
                })
            };
            let quality: f32 = value("q").and_then(|q| q.parse().ok()).unwrap_or(1.0);
            match (kind.to_ascii_lowercase().as_str(), value("version")) {
                ("application/openmetrics-text", None | Some("1.0.0" | "0.0.1")) => {
                    open = quality.max(open);
                }
                ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", _) => {
                    text = quality.max(text);
                }
                _ => {}
            }
        }
        if open > 0.0 && open >= text {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The metrics of a registry in this format.
    pub fn write(self, metrics: &Registry) -> Result<String, fmt::Error> {
        let mut lines = String::new();
        encode(&mut lines, metrics)?;
        Ok(match self {
            Self::Text => to_text(&lines),
            Self::OpenMetrics => lines,
        })
    }
}

/// `OpenMetrics` as the text format: there a counter is described under the name of its samples, and units and the end
/// of the text are not said. Writing to a `String` does not fail.
fn to_text(openmetrics: &str) -> String {
    let mut text = String::with_capacity(openmetrics.len());
    let mut help = None;
    for line in openmetrics.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ');
        } else if let Some((name, kind)) = described_type(line) {
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, meaning)) = help.take() {
                let _ = writeln!(text, "# HELP {name}{suffix} {meaning}");
            }
            let kind = if kind == "unknown" { "untyped" } else { kind };
            let _ = writeln!(text, "# TYPE {name}{suffix} {kind}");
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn described_type(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("# TYPE ")?.split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o17_the_format_is_the_one_that_is_preferred() {
        for (accept, format) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/plain", Format::Text),
            ("text/html", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            (
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
                Format::OpenMetrics,
            ),
            // As Prometheus 2 and 3 ask.
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::OpenMetrics,
            ),
            (
                "text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.1",
                Format::Text,
            ),
            ("application/openmetrics-text;q=0", Format::Text),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept}");
        }
    }

    #[test]
    fn o17_counters_are_described_as_their_samples_are_named() {
        let open = "# HELP a Asked.\n# TYPE a counter\na_total{x=\"y\"} 1\n# HELP b_seconds Took.\n# UNIT b_seconds seconds\n# TYPE b_seconds gauge\nb_seconds 2\n# EOF\n";
        let text = "# HELP a_total Asked.\n# TYPE a_total counter\na_total{x=\"y\"} 1\n# HELP b_seconds Took.\n# TYPE b_seconds gauge\nb_seconds 2\n";
        assert_eq!(to_text(open), text);
    }
}
