//! The signing keys of a tenant with their times.

use clientele_kubectl::shared::{age, text};
use jiff::Timestamp;
use serde_json::Value;

use crate::client::spec::texts;

/// A signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// `kid`.
    pub id: String,
    /// Its algorithm; empty if it is not known.
    pub algorithm: String,
    /// What it does now.
    pub state: &'static str,
    /// The class of its badge.
    pub class: &'static str,
    /// When it began, begins or ended to sign.
    pub times: String,
}

/// The keys by algorithm, the one that signs first. An older operator reports their IDs only.
pub fn signing_keys(tenant: &Value, now: Timestamp) -> Vec<SigningKey> {
    let reported = tenant.pointer("/status/signingKeys");
    let mut reported: Vec<&Value> = reported
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .collect();
    if reported.is_empty() {
        let ids = texts(tenant, "/status/keyIds").into_iter();
        return ids
            .map(|id| SigningKey {
                id,
                algorithm: String::new(),
                state: "published",
                class: "",
                times: String::new(),
            })
            .collect();
    }
    reported.sort_by_key(|key| (text(key, "/algorithm"), from(key)));
    let of_algorithm = reported.chunk_by(|one, next| one["algorithm"] == next["algorithm"]);
    of_algorithm.flat_map(|keys| of_one(keys, now)).collect()
}

fn from(key: &Value) -> Option<Timestamp> {
    text(key, "/signsFrom").parse().ok()
}

/// The keys of one algorithm, in the order in which they sign: the last whose time has come signs, or the first if none's has.
fn of_one(keys: &[&Value], now: Timestamp) -> Vec<SigningKey> {
    let begun = keys
        .iter()
        .filter(|key| from(key).is_some_and(|at| at <= now));
    let signs = begun.count().saturating_sub(1);
    let mut rows: Vec<(usize, SigningKey)> = keys
        .iter()
        .enumerate()
        .map(|(at, key)| {
            let since = text(key, "/signsFrom");
            let (rank, state, class, times) = match at.cmp(&signs) {
                std::cmp::Ordering::Equal => {
                    let times = format!("since {since} ({})", age(since, now));
                    (0, "signs", "good", times)
                }
                std::cmp::Ordering::Greater => (1, "next", "wait", format!("signs from {since}")),
                std::cmp::Ordering::Less => {
                    let until = text(keys[at + 1], "/signsFrom");
                    let times =
                        format!("signed until {until}; published until its tokens have expired");
                    (2, "verifies only", "", times)
                }
            };
            let key = SigningKey {
                id: text(key, "/keyId").to_owned(),
                algorithm: text(key, "/algorithm").to_owned(),
                state,
                class,
                times,
            };
            (rank, key)
        })
        .collect();
    rows.sort_by_key(|(rank, _)| *rank);
    rows.into_iter().map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_key_says_what_it_does_and_since_when() {
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        let key = |id: &str, algorithm: &str, day: &str| json!({ "keyId": id, "algorithm": algorithm, "signsFrom": format!("2026-{day}T00:00:00Z") });
        let tenant = json!({ "status": { "keyIds": ["a"], "signingKeys": [
            key("next", "ES256", "12-05"), key("old", "ES256", "11-01"), key("now", "ES256", "11-28"), key("young", "RS256", "12-05"),
        ] } });
        let rows = signing_keys(&tenant, now);
        let seen: Vec<_> = rows.iter().map(|key| (&*key.id, key.state)).collect();
        assert_eq!(
            seen,
            [
                ("now", "signs"),
                ("next", "next"),
                ("old", "verifies only"),
                ("young", "signs"),
            ]
        );
        assert_eq!(rows[0].times, "since 2026-11-28T00:00:00Z (2d)");
        assert_eq!(rows[1].times, "signs from 2026-12-05T00:00:00Z");
        assert!(rows[2].times.starts_with("signed until 2026-11-28"));
    }

    #[test]
    fn an_older_operator_reports_ids_only() {
        let tenant = json!({ "status": { "keyIds": ["a", "b"] } });
        let rows = signing_keys(&tenant, Timestamp::UNIX_EPOCH);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].state, rows[0].times.as_str()), ("published", ""));
        assert!(signing_keys(&json!({}), Timestamp::UNIX_EPOCH).is_empty());
    }
}
