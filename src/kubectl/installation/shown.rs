//! Installations, as text and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Installation, Metrics, Replica};
use crate::objects::age;
use crate::output::table;

/// What is not known.
const UNKNOWN: &str = "-";

impl Installation {
    /// For programs.
    pub(super) fn json(&self) -> Value {
        let leader = self.leader.as_ref();
        let replicas = self.replicas.iter().map(Replica::json);
        json!({
            "namespace": self.namespace,
            "leader": leader.map(|it| json!({ "replica": it.replica, "renewedAt": it.renewed_at })),
            "rootKeys": self.root_keys,
            "replicas": replicas.collect::<Vec<_>>(),
        })
    }

    /// For people.
    pub(super) fn text(&self, now: Timestamp) -> String {
        let leader = match &self.leader {
            Some(it) => {
                let renewed = age(&it.renewed_at, now);
                format!("{} leads, renewed {renewed} ago", it.replica)
            }
            None => "no replica leads, so nothing is written".to_owned(),
        };
        let keys = match self.root_keys {
            1 => "1 root key".to_owned(),
            keys => format!("{keys} root keys"),
        };
        let mut text = format!("\nInstallation {}: {leader}; {keys}\n", self.namespace);
        if !self.replicas.is_empty() {
            let headers = [
                "REPLICA",
                "READY",
                "RESTARTS",
                "VERSION",
                "OLDEST WATCH",
                "DATABASE",
            ];
            let rows: Vec<Vec<String>> = self.replicas.iter().map(Replica::row).collect();
            text += &table(&headers, &rows);
        }
        let versions = self.versions();
        if versions.len() > 1 {
            let versions: Vec<&str> = versions.into_iter().collect();
            let versions = versions.join(" and ");
            let _ = writeln!(
                text,
                "The replicas run {versions}: an upgrade is under way, or stopped half-way; see `kubectl -n {} rollout status deployment`",
                self.namespace
            );
        }
        text
    }

    fn versions(&self) -> BTreeSet<&str> {
        let metrics = self.replicas.iter().filter_map(|it| it.metrics.as_ref());
        metrics.filter_map(|it| it.version.as_deref()).collect()
    }
}

impl Replica {
    fn json(&self) -> Value {
        let metrics = self.metrics.as_ref();
        json!({
            "name": self.name, "ready": self.ready, "restarts": self.restarts, "image": self.image,
            "metrics": metrics.map(Metrics::json),
        })
    }

    fn row(&self) -> Vec<String> {
        let unknown = Metrics::default();
        let metrics = self.metrics.as_ref().unwrap_or(&unknown);
        let ready = if self.ready { "True" } else { "False" };
        let watch = metrics.oldest_watch.map(|seconds| format!("{seconds:.0}s"));
        vec![
            self.name.clone(),
            ready.to_owned(),
            self.restarts.to_string(),
            metrics
                .version
                .clone()
                .unwrap_or_else(|| UNKNOWN.to_owned()),
            watch.unwrap_or_else(|| UNKNOWN.to_owned()),
            metrics.database(),
        ]
    }
}

impl Metrics {
    fn json(&self) -> Value {
        json!({
            "version": self.version, "leads": self.leads,
            "oldestWatchSeconds": self.oldest_watch, "watches": self.watches,
            "databaseUp": self.store_up, "idleConnections": self.idle_connections,
        })
    }

    fn database(&self) -> String {
        let up = match self.store_up {
            Some(true) => "up",
            Some(false) => "down",
            None => return UNKNOWN.to_owned(),
        };
        match self.idle_connections {
            Some(idle) => format!("{up}, {idle:.0} connections idle"),
            None => up.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::installation::Leader;

    fn replica(name: &str, version: &str) -> Replica {
        let metrics = Metrics {
            version: Some(version.to_owned()),
            oldest_watch: Some(41.4),
            store_up: Some(true),
            idle_connections: Some(3.0),
            ..Metrics::default()
        };
        Replica {
            name: name.to_owned(),
            ready: true,
            metrics: Some(metrics),
            ..Replica::default()
        }
    }

    fn installation() -> Installation {
        Installation {
            namespace: "clientele-system".to_owned(),
            leader: Some(Leader {
                replica: "clientele-a".to_owned(),
                renewed_at: "2026-11-30T12:00:00Z".to_owned(),
            }),
            root_keys: 1,
            replicas: vec![replica("clientele-a", "0.3.0"), Replica::default()],
        }
    }

    fn shown(installation: &Installation) -> String {
        installation.text("2026-11-30T12:00:02Z".parse().unwrap())
    }

    #[test]
    fn leader_keys_watches_and_database_are_shown() {
        let text = shown(&installation());
        for expected in [
            "clientele-system: clientele-a leads, renewed 2s ago; 1 root key",
            "True    0          0.3.0     41s            up, 3 connections idle",
            "False   0          -         -              -",
        ] {
            assert!(text.contains(expected), "{text}");
        }
        assert!(!text.contains("upgrade"), "{text}");
        let json = installation().json();
        assert_eq!(json["leader"]["replica"], "clientele-a");
        assert_eq!(json["replicas"][0]["metrics"]["version"], "0.3.0");
        assert_eq!(json["replicas"][1]["metrics"], Value::Null);
    }

    #[test]
    fn replicas_of_two_versions_and_a_missing_leader_are_named() {
        let mut installation = installation();
        installation.replicas.push(replica("clientele-b", "0.2.0"));
        installation.leader = None;
        let text = shown(&installation);
        assert!(text.contains("The replicas run 0.2.0 and 0.3.0"), "{text}");
        assert!(text.contains("no replica leads"), "{text}");
    }
}
