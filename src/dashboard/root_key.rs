//! Since when the root key derives client secrets. The operator notes it in a ConfigMap that holds no key.

use clientele_kubectl::shared::{age, namespace, text};
use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::Kind;
use crate::page::day;
use crate::person::Caller;

/// The ConfigMap of an installation with its marks, in whatever namespace.
const SELECT: &str = "fieldSelector=metadata.name%3Dclientele-installation&limit=20";
/// The mark with the ID of the current key and the time since when it derives. The first key of an installation has none.
const SINCE: &str = "/data/current-root-key";
/// A root key that is older than this needs attention.
const OLD_DAYS: i64 = 365;

/// The root key of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKey {
    /// The namespace of the operator.
    pub namespace: String,
    /// The day since which it derives client secrets.
    pub since: String,
    /// How long that is.
    pub age: String,
    /// Whether it is older than a year.
    pub old: bool,
}

/// The root keys of the cluster, or why they are not known.
pub async fn read(person: &Caller) -> Result<Vec<RootKey>, String> {
    let listed = person.cluster.list(Kind::ConfigMap, None, SELECT).await;
    let marks = listed.map_err(|problem| problem.message)?;
    let now = Timestamp::now();
    Ok(marks.iter().filter_map(|one| of(one, now)).collect())
}

fn of(marks: &Value, now: Timestamp) -> Option<RootKey> {
    let noted = text(marks, SINCE).split_once(' ').map(|(_, since)| since);
    let since = noted.unwrap_or_else(|| text(marks, "/metadata/creationTimestamp"));
    let then: Timestamp = since.parse().ok()?;
    let days = now.as_second().saturating_sub(then.as_second()) / 86_400;
    Some(RootKey {
        namespace: namespace(marks).to_owned(),
        since: day(since),
        age: age(since, now),
        old: days >= OLD_DAYS,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_age_is_that_of_the_mark_or_of_the_installation() {
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        let marks = |data: Value| {
            json!({
                "metadata": { "namespace": "clientele-system", "creationTimestamp": "2025-01-01T00:00:00Z" },
                "data": data,
            })
        };
        let first = of(&marks(json!({ "bootstrapped": "true" })), now).unwrap();
        assert_eq!(first.since, "2025-01-01");
        assert!(first.old && first.age == "698d", "{first:?}");
        let noted = json!({ "current-root-key": "abc 2026-11-28T11:59:00Z" });
        let rotated = of(&marks(noted), now).unwrap();
        assert_eq!(
            (rotated.since.as_str(), rotated.age.as_str()),
            ("2026-11-28", "2d")
        );
        assert!(!rotated.old);
        let odd = json!({ "current-root-key": "abc yesterday" });
        assert_eq!(of(&marks(odd), now), None);
    }
}
