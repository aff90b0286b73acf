//! `status`: what works, and what to do about the rest.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::args::Names;
use crate::connect::Session;
use crate::failure::{Answer, Outcome};
use crate::installation;
use crate::objects::{Kind, age, is_ready, message, name, namespace, reason, text};
use crate::output::{Color, Output, table};
use crate::remedies::{Actor, remedy};
use crate::severity::severity;

/// Prints the clients, the tenants and people that do not work, and to an administrator the installation.
pub async fn run(session: &Session, args: &Names, output: &mut Output<'_>) -> Answer {
    let clients = if args.names.is_empty() {
        session.list(Kind::Client).await?
    } else {
        let named = args
            .names
            .iter()
            .map(|name| session.get(Kind::Client, name));
        futures::future::try_join_all(named).await?
    };
    // A user with a Role in one namespace may not list tenants; the clients say what they need to know.
    let tenants = session.list(Kind::Tenant).await.unwrap_or_default();
    let users = if args.names.is_empty() {
        session.list(Kind::User).await.unwrap_or_default()
    } else {
        Vec::new()
    };
    let installations = if args.names.is_empty() {
        installation::look(session).await
    } else {
        Vec::new()
    };
    let answer = Status::of(&clients, &tenants, &users);
    let now = jiff::Timestamp::now();
    let shown = answer.text(output, now) + &installation::text(&installations, now);
    let mut value = answer.json();
    value["installations"] = installation::json(&installations);
    output.value(&value, &answer.names(), &shown)?;
    Ok(Outcome::of(answer.broken().next().is_none()))
}

struct Status<'a> {
    clients: &'a [Value],
    others: Vec<(Kind, &'a Value)>,
}

impl<'a> Status<'a> {
    fn of(clients: &'a [Value], tenants: &'a [Value], users: &'a [Value]) -> Self {
        let tenants = tenants.iter().map(|tenant| (Kind::Tenant, tenant));
        let users = users.iter().map(|user| (Kind::User, user));
        Self {
            clients,
            others: tenants.chain(users).collect(),
        }
    }

    /// What does not work though it should, the worst first. A client that is suspended is suspended on purpose.
    fn broken(&self) -> impl Iterator<Item = (Kind, &'a Value)> {
        let clients = self.clients.iter().map(|client| (Kind::Client, client));
        let wanted = |value: &Value| matches!(reason(value), "Suspended" | "Disabled");
        let mut broken: Vec<(Kind, &Value)> = clients
            .chain(self.others.iter().copied())
            .filter(|(_, value)| !is_ready(value) && !wanted(value))
            .collect();
        broken.sort_by_key(|(_, value)| severity(reason(value)));
        broken.into_iter()
    }

    fn names(&self) -> Vec<String> {
        let names = self
            .clients
            .iter()
            .map(|client| format!("oauthclient/{}", name(client)));
        names.collect()
    }

    fn json(&self) -> Value {
        let one = |(kind, value): (Kind, &Value)| {
            let found = remedy(reason(value));
            json!({
                "kind": kind.name(), "namespace": namespace(value), "name": name(value), "ready": is_ready(value),
                "reason": reason(value), "message": message(value),
                "remedy": found.filter(|found| found.act != Actor::Nothing).map(|found| found.todo),
                "clientId": value.pointer("/status/clientId"), "secretName": value.pointer("/status/secretName"),
            })
        };
        let clients = self.clients.iter().map(|client| (Kind::Client, client));
        let objects: Vec<Value> = clients
            .chain(self.others.iter().copied())
            .map(one)
            .collect();
        json!({ "objects": objects, "broken": self.broken().count() })
    }

    fn text(&self, output: &Output<'_>, now: jiff::Timestamp) -> String {
        let row = |client: &Value| {
            let ready = if is_ready(client) { "True" } else { "False" };
            vec![
                namespace(client).to_owned(),
                name(client).to_owned(),
                text(client, "/status/clientId").to_owned(),
                or(text(client, "/spec/type"), "Confidential"),
                or(text(client, "/spec/tenant"), "default"),
                ready.to_owned(),
                reason(client).to_owned(),
                age(text(client, "/metadata/creationTimestamp"), now),
            ]
        };
        let rows: Vec<Vec<String>> = self.clients.iter().map(row).collect();
        let headers = [
            "NAMESPACE",
            "NAME",
            "CLIENT ID",
            "TYPE",
            "TENANT",
            "READY",
            "REASON",
            "AGE",
        ];
        let mut shown = if rows.is_empty() {
            "No OAuthClients here. Make one with `kubectl clientele create NAME --preset web-app`, or look with --all-namespaces.\n".to_owned()
        } else {
            table(&headers, &rows)
        };
        for (kind, value) in self.broken() {
            shown.push('\n');
            shown += &explained(kind, value, output);
        }
        shown
    }
}

fn or(text: &str, default: &str) -> String {
    if text.is_empty() { default } else { text }.to_owned()
}

/// An object that does not work: the reason, the operator's sentence, and the remedy.
pub fn explained(kind: Kind, value: &Value, output: &Output<'_>) -> String {
    let place = match namespace(value) {
        "" => String::new(),
        namespace => format!("{namespace}/"),
    };
    let reason = reason(value);
    let found = remedy(reason);
    let color = match found.map(|found| found.act) {
        Some(Actor::Nothing) => Color::Green,
        Some(Actor::Wait) => Color::Yellow,
        _ => Color::Red,
    };
    let head = format!("{} {place}{}: {reason}", kind.name(), name(value));
    let mut text_shown = output.paint(color, &head) + "\n";
    let message = message(value);
    if !message.is_empty() {
        let _ = writeln!(text_shown, "  {message}");
    }
    if let Some(found) = found
        && found.act != Actor::Nothing
    {
        let remedy = found.todo.replace("NAME", name(value));
        let _ = writeln!(text_shown, "  What to do: {remedy}");
    }
    text_shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Format;

    fn client(name: &str, status: &str, reason: &str) -> Value {
        json!({
            "metadata": { "name": name, "namespace": "apps", "generation": 1 },
            "spec": { "type": "Confidential" },
            "status": {
                "observedGeneration": 1, "clientId": format!("apps.{name}"),
                "conditions": [{ "type": "Ready", "status": status, "reason": reason, "message": "as it is" }],
            },
        })
    }

    #[test]
    fn what_does_not_work_is_said_with_its_remedy() {
        let clients = [
            client("good", "True", "Registered"),
            client("bad", "False", "ClientIdConflict"),
            client("off", "False", "Suspended"),
        ];
        let status = Status::of(&clients, &[], &[]);
        assert_eq!(status.broken().count(), 1);
        let output = Output::new(std::io::sink(), std::io::sink(), Format::Text, false);
        let shown = status.text(&output, jiff::Timestamp::now());
        assert!(
            shown.contains("OAuthClient apps/bad: ClientIdConflict"),
            "{shown}"
        );
        assert!(
            shown.contains("What to do: Recreate this client"),
            "{shown}"
        );
        assert!(!shown.contains("apps/off:"), "{shown}");
        assert_eq!(status.json()["broken"], 1);
        let worst = client("key", "False", "RootKeyUnavailable");
        let both = [clients[1].clone(), worst];
        let status = Status::of(&both, &[], &[]);
        assert_eq!(
            status.broken().next().map(|(_, value)| name(value)),
            Some("key")
        );
    }
}
