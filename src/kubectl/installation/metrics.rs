//! The few metrics of a replica that say how it is.

/// What a replica says about itself. What it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// The version that runs.
    pub version: Option<String>,
    /// Seconds since the API server last answered or renewed a watch; of the oldest.
    pub oldest_watch: Option<f64>,
    /// How many watches there are.
    pub watches: Option<f64>,
    /// Whether the database answers.
    pub store_up: Option<bool>,
    /// Connections to PostgreSQL that wait for an operation.
    pub idle_connections: Option<f64>,
    /// Whether it writes.
    pub leads: Option<bool>,
}

impl Metrics {
    /// Reads the text format of Prometheus, or `OpenMetrics`.
    pub fn read(text: &str) -> Self {
        let one = |name: &str| samples(text, name).next().map(|(_, value)| value);
        let flag = |name: &str| one(name).map(|value| value > 0.0);
        let version = samples(text, "clientele_build_info").next();
        Self {
            version: version.and_then(|(labels, _)| label(labels, "version")),
            oldest_watch: samples(text, "clientele_watch_age_seconds")
                .map(|(_, value)| value)
                .reduce(f64::max),
            watches: one("clientele_watches"),
            store_up: flag("clientele_store_up"),
            idle_connections: one("clientele_store_idle_connections"),
            leads: flag("clientele_leader"),
        }
    }
}

/// The labels and the value of each sample of this name.
fn samples<'t>(text: &'t str, name: &str) -> impl Iterator<Item = (&'t str, f64)> {
    text.lines().filter_map(move |line| {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => rest.rsplit_once("} ")?,
            None => ("", rest.strip_prefix(' ')?),
        };
        let value = value.split(' ').next()?.parse().ok()?;
        Some((labels, value))
    })
}

/// The value of a label that needs no escape.
fn label(labels: &str, name: &str) -> Option<String> {
    let (_, value) = labels.split_once(&format!("{name}=\""))?;
    let (value, _) = value.split_once('"')?;
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_replica_is_read_from_its_metrics() {
        let text = "# HELP clientele_build_info The version of Clientele that runs; always 1.\n\
            # TYPE clientele_build_info gauge\n\
            clientele_build_info{version=\"0.2.0\"} 1\n\
            clientele_watch_age_seconds{kind=\"OAuthClient\"} 3.5\n\
            clientele_watch_age_seconds{kind=\"Secret, of others\"} 41\n\
            clientele_watches 7\n\
            clientele_store_up 1\n\
            clientele_store_idle_connections 3\n\
            clientele_leader 0\n\
            # EOF\n";
        let expected = Metrics {
            version: Some("0.2.0".to_owned()),
            oldest_watch: Some(41.0),
            watches: Some(7.0),
            store_up: Some(true),
            idle_connections: Some(3.0),
            leads: Some(false),
        };
        assert_eq!(Metrics::read(text), expected);
        assert_eq!(
            Metrics::read("<html>no such page</html>"),
            Metrics::default()
        );
    }

    proptest! {
        #[test]
        fn any_answer_is_read(
            text: String,
            nearly in "(clientele_(build_info|watches|leader)[{]?(version=)?[\"} 0-9a-z.]{0,12}\n){0,5}",
        ) {
            let _ = (Metrics::read(&text), Metrics::read(&nearly));
        }
    }
}
