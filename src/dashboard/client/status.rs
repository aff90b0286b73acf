//! The conditions of a client with their remedies.

use clientele_kubectl::shared::{Actor, is_ready, message, name, reason, remedy, text};
use serde_json::Value;

use super::spec;

/// A condition, or the summary of all, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_field_names,
    reason = "the field of a condition is called status"
)]
pub struct Status {
    /// The type of the condition.
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The reason.
    pub reason: String,
    /// What the operator says.
    pub message: String,
    /// What it means; empty if nothing is to be done.
    pub meaning: String,
    /// What to do; empty if nothing.
    pub todo: String,
    /// The class of its badge.
    pub class: &'static str,
    /// Since when, as the API server writes it.
    pub since: String,
}

fn of(client: &Value, kind: &str, status: &str, why: &str, said: &str) -> Status {
    let found = remedy(why);
    let act = found.map(|found| found.act);
    let works = kind == "Ready" && status == "True";
    let quiet = works || act == Some(Actor::Nothing);
    let class = match act {
        _ if works => "good",
        Some(Actor::Wait) => "wait",
        Some(Actor::Nothing) => "",
        _ if kind == "Ready" => "bad",
        // A warning beside a client that works.
        _ if status == "True" => "wait",
        _ => "",
    };
    let of_remedy = |text: fn(&clientele_kubectl::shared::Remedy) -> &'static str| {
        let text = found.filter(|_| !quiet).map(text).unwrap_or_default();
        text.replace("NAME", name(client))
    };
    Status {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: why.to_owned(),
        message: said.to_owned(),
        meaning: of_remedy(|found| found.meaning),
        todo: of_remedy(|found| found.todo),
        class,
        since: String::new(),
    }
}

/// Whether the client works, in the version that it has now.
pub fn summary(client: &Value) -> Status {
    let status = if is_ready(client) { "True" } else { "False" };
    let mut summary = of(client, "Ready", status, reason(client), message(client));
    if !text(client, "/metadata/deletionTimestamp").is_empty() {
        "Deleting".clone_into(&mut summary.reason);
        summary.class = "wait";
    } else if spec::flag(client, "/spec/suspended") {
        summary.class = "wait";
    }
    summary
}

/// Every condition, Ready first.
pub fn conditions(client: &Value) -> Vec<Status> {
    let conditions = client.pointer("/status/conditions");
    let conditions = conditions.and_then(Value::as_array).into_iter().flatten();
    let mut all: Vec<Status> = conditions
        .map(|condition| {
            let part = |key: &str| text(condition, &format!("/{key}"));
            let (kind, status) = (part("type"), part("status"));
            let mut one = of(client, kind, status, part("reason"), part("message"));
            // Reconciling and Stalled repeat the reason of Ready, which says what to do.
            if matches!(kind, "Reconciling" | "Stalled") {
                one.meaning = String::new();
                one.todo = String::new();
                one.message = String::new();
                one.class = if status == "True" { "wait" } else { "" };
                if status == "False" {
                    one.reason = String::new();
                    return one;
                }
            }
            part("lastTransitionTime").clone_into(&mut one.since);
            one
        })
        .collect();
    all.sort_by_key(|one| one.kind != "Ready");
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn client(status: &str, reason: &str) -> Value {
        let condition = |kind: &str, status: &str| {
            json!({ "type": kind, "status": status, "reason": reason, "message": "as it is",
                    "lastTransitionTime": "2026-11-30T00:00:00Z" })
        };
        json!({
            "metadata": { "name": "web", "generation": 1 },
            "status": { "observedGeneration": 1, "conditions": [condition("Stalled", "True"), condition("Ready", status)] },
        })
    }

    #[test]
    fn a_client_that_works_needs_nothing() {
        let summary = summary(&client("True", "Registered"));
        assert_eq!((summary.class, summary.todo.as_str()), ("good", ""));
    }

    #[derive(askama::Template)]
    #[template(path = "conditions.html")]
    struct Shown {
        conditions: Vec<Status>,
    }

    #[test]
    fn a_message_turns_nothing_round() {
        let mut client = client("False", "FirstPartyNotAllowed");
        client["status"]["conditions"][1]["message"] = json!("no \u{2067} <b> more");
        let shown = Shown {
            conditions: conditions(&client),
        };
        let shown = askama::Template::render(&shown).unwrap();
        let isolated = "<bdi>no \u{2067} &#60;b&#62; more</bdi>";
        assert!(shown.contains(isolated), "{shown}");
    }

    #[test]
    fn a_reason_comes_with_its_remedy_once() {
        let broken = client("False", "Suspended");
        let summary = summary(&broken);
        assert_eq!(summary.class, "bad");
        assert_eq!(summary.todo, "`kubectl clientele resume web`.");
        let all = conditions(&broken);
        assert_eq!(all[0].kind, "Ready");
        assert!(!all[0].todo.is_empty() && all[1].todo.is_empty());
        assert_eq!(all[0].since, "2026-11-30T00:00:00Z");
        let unknown = client("False", "FromTheFuture");
        assert_eq!(super::summary(&unknown).class, "bad");
        assert_eq!(super::summary(&json!({})).class, "wait", "Pending");
    }
}
