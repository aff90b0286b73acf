//! `why`: everything that is known about why an object does not work.

use std::fmt::Write;

use serde_json::{Value, json};

use super::status::explained;
use crate::args::Why;
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::objects::{Kind, is_ready, name, reason, text};
use crate::output::Output;
use crate::remedies::{Actor, REMEDIES, remedy};

/// Explains an object.
pub async fn run(session: &Session, args: &Why, output: &mut Output<'_>) -> Answer {
    let asked = args.object.as_deref().unwrap_or_default();
    let (kind, asked) = parse(asked)?;
    let object = session.get(kind, asked).await?;
    let found = remedy(reason(&object));
    let value = json!({
        "kind": kind.name(), "name": name(&object), "ready": is_ready(&object), "reason": reason(&object),
        "conditions": object.pointer("/status/conditions"),
        "meaning": found.map(|found| found.meaning), "remedy": found.map(|found| found.todo),
    });
    let mut shown = explained(kind, &object, output);
    if let Some(found) = found {
        let _ = writeln!(shown, "  What it means: {}", found.meaning);
    }
    shown += &others(&object);
    shown += &facts(&object);
    output.value(&value, &[name(&object).to_owned()], &shown)?;
    Ok(Outcome::of(is_ready(&object)))
}

/// `user/alice` → the kind and the name; a name alone is a client's.
fn parse(asked: &str) -> Result<(Kind, &str), Failure> {
    let Some((kind, name)) = asked.split_once('/') else {
        return Ok((Kind::Client, asked));
    };
    let parsed = Kind::parse(kind).ok_or_else(|| {
        Failure::new(format!(
            "{kind:?} is no kind of Clientele; write the name of an OAuthClient, or client/NAME, user/NAME or tenant/NAME"
        ))
    })?;
    Ok((parsed, name))
}

/// Explains a reason, for which no cluster is needed.
pub fn by_reason(asked: &str, output: &mut Output<'_>) -> Answer {
    let Some(found) = remedy(asked) else {
        let known: Vec<&str> = REMEDIES.iter().map(|known| known.reason).collect();
        return Err(Failure::new(format!(
            "no reason {asked:?} is known here; those that are: {}. Is this program older than the operator?",
            known.join(", ")
        )));
    };
    let value = json!({ "reason": found.reason, "meaning": found.meaning, "remedy": found.todo });
    let shown = format!(
        "{}\n  {}\n  What to do: {}\n",
        found.reason, found.meaning, found.todo
    );
    output.value(&value, &[found.reason.to_owned()], &shown)?;
    Ok(Outcome::Yes)
}

/// Conditions that say something beside Ready, such as `EmailSignIn`.
fn others(object: &Value) -> String {
    let conditions = object.pointer("/status/conditions");
    let conditions = conditions.and_then(Value::as_array).into_iter().flatten();
    let mut shown = String::new();
    for condition in conditions.filter(|condition| text(condition, "/reason") != reason(object)) {
        let found = remedy(text(condition, "/reason"));
        if let Some(found) = found.filter(|found| found.act != Actor::Nothing) {
            let _ = writeln!(
                shown,
                "  {} is {}: {}\n  What to do: {}",
                text(condition, "/type"),
                text(condition, "/status"),
                text(condition, "/message"),
                found.todo.replace("NAME", name(object))
            );
        }
    }
    shown
}

/// What helps to understand a reason.
fn facts(object: &Value) -> String {
    let mut shown = String::new();
    for (label, pointer) in [
        ("client ID", "/status/clientId"),
        ("issuer", "/status/issuer"),
        ("Secret", "/status/secretName"),
        ("username", "/status/username"),
        ("tenant", "/spec/tenant"),
        ("next rotation", "/status/rotation/nextAt"),
        (
            "old secret stops at the latest",
            "/status/secretGeneration/overlap/retiresAt",
        ),
    ] {
        let value = text(object, pointer);
        if !value.is_empty() {
            let _ = writeln!(shown, "  {label}: {value}");
        }
    }
    let generation = object.pointer("/metadata/generation");
    if object.pointer("/status/observedGeneration") != generation {
        shown += "  The operator has not seen the newest version of the object yet.\n";
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_beside_ready_is_told_with_its_remedy() {
        let condition = |of: &str, status: &str, reason: &str| json!({ "type": of, "status": status, "reason": reason, "message": "as it is" });
        let object = json!({
            "metadata": { "name": "ada" },
            "status": { "conditions": [
                condition("Ready", "True", "Registered"),
                condition("EmailSignIn", "False", "EmailAmbiguous"),
                condition("Stalled", "False", "Registered"),
            ] },
        });
        let shown = others(&object);
        assert!(
            shown.starts_with("  EmailSignIn is False: as it is\n"),
            "{shown}"
        );
        assert_eq!(shown.lines().count(), 2, "{shown}");
    }

    #[test]
    fn a_name_alone_is_a_clients() {
        assert_eq!(parse("web").unwrap(), (Kind::Client, "web"));
        assert_eq!(parse("oau/alice").unwrap(), (Kind::User, "alice"));
        assert_eq!(parse("tenant/default").unwrap(), (Kind::Tenant, "default"));
        let said = parse("pod/web").unwrap_err().to_string();
        assert!(said.contains("user/NAME"), "{said}");
    }
}
