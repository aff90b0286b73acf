//! `unused`: clients that are not used, by what the operator recorded, else by what pods mount.

use serde_json::{Value, json};

use super::who::{pods, ways};
use crate::args::Unused;
use crate::connect::Session;
use crate::failure::{Answer, Outcome};
use crate::objects::{Kind, age, name, namespace, text};
use crate::output::{Output, table};

/// Prints the clients.
pub async fn run(session: &Session, args: &Unused, output: &mut Output<'_>) -> Answer {
    let clients = session.list(Kind::Client).await?;
    let pods = pods(session).await.ok();
    let now = jiff::Timestamp::now();
    let is_mounted = |client: &Value| {
        let secret = text(client, "/status/secretName");
        pods.as_ref().map(|pods| {
            pods.iter().any(|pod| {
                let here = pod.metadata.namespace.as_deref() == Some(namespace(client));
                here && pod
                    .spec
                    .as_ref()
                    .is_some_and(|spec| !ways(spec, secret).is_empty())
            })
        })
    };
    let idle: Vec<(&Value, String)> = clients
        .iter()
        .filter_map(|client| Some((client, why(client, is_mounted(client), args.days, now)?)))
        .collect();
    let rows: Vec<Vec<String>> = idle
        .iter()
        .map(|(client, why)| {
            let created = age(text(client, "/metadata/creationTimestamp"), now);
            vec![
                namespace(client).to_owned(),
                name(client).to_owned(),
                created,
                why.clone(),
            ]
        })
        .collect();
    let shown = if rows.is_empty() {
        "Every client is in use, as far as is known.\n".to_owned()
    } else {
        table(&["NAMESPACE", "NAME", "AGE", "WHY"], &rows)
            + "\n`kubectl clientele suspend NAME` refuses its requests and keeps everything; delete it when it is not missed.\n"
    };
    let values: Vec<Value> = idle
        .iter()
        .map(|(client, why)| json!({ "namespace": namespace(client), "name": name(client), "why": why }))
        .collect();
    let names: Vec<String> = idle
        .iter()
        .map(|(client, _)| format!("oauthclient/{}", name(client)))
        .collect();
    output.value(&json!({ "unused": values }), &names, &shown)?;
    Ok(Outcome::Yes)
}

/// Why a client counts as unused; `None` if it is in use, younger than that, or nothing is known.
fn why(client: &Value, mounted: Option<bool>, days: u32, now: jiff::Timestamp) -> Option<String> {
    let older = |timestamp: &str| {
        let then: jiff::Timestamp = timestamp.parse().ok()?;
        Some(now.as_second() - then.as_second() >= i64::from(days) * 86_400)
    };
    let last = text(client, "/status/lastUsedAt");
    if !last.is_empty() {
        return older(last)?.then(|| format!("last used {} ago", age(last, now)));
    }
    let since = text(client, "/status/unusedSince");
    if !since.is_empty() {
        return older(since)?.then(|| {
            format!(
                "never used, as far as is recorded since {} ago",
                age(since, now)
            )
        });
    }
    // The operator that wrote this status records no use.
    if !older(text(client, "/metadata/creationTimestamp"))? {
        return None;
    }
    (mounted == Some(false)).then(|| "no use is recorded, and no pod uses its Secret".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_young_or_unknown_is_not_listed() {
        let now: jiff::Timestamp = "2026-11-29T00:00:00Z".parse().unwrap();
        let client = |created: &str, used: Option<&str>| json!({ "metadata": { "creationTimestamp": created }, "status": { "lastUsedAt": used } });
        let (old, young) = ("2026-01-01T00:00:00Z", "2026-11-20T00:00:00Z");
        let why = |client: Value, mounted| why(&client, mounted, 90, now);
        assert!(why(client(old, Some(old)), Some(true)).is_some());
        assert!(why(client(old, Some(young)), Some(false)).is_none());
        assert!(why(client(old, None), Some(false)).is_some());
        assert!(why(client(old, None), Some(true)).is_none());
        assert!(why(client(old, None), None).is_none());
        assert!(why(client(young, None), Some(false)).is_none());
        let never = |since: &str| {
            let mut never = client(old, None);
            never["status"]["unusedSince"] = since.into();
            never
        };
        assert!(why(never(old), Some(true)).is_some(), "recorded");
        assert!(why(never(young), Some(false)).is_none());
    }
}
