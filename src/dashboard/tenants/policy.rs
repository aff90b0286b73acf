//! What a tenant allows, as sentences.

use clientele_kubectl::shared::{name, text};
use serde_json::Value;

use crate::client::spec::texts;

/// Every rule of the tenant, also those that it does not set.
pub fn sentences(tenant: &Value) -> Vec<String> {
    let spec = &tenant["spec"];
    let mut said = vec![
        match whose(&spec["namespaces"]) {
            None => {
                "Every namespace may have clients, because spec.namespaces is not set.".to_owned()
            }
            Some(of) => format!("{} may have clients.", capital(&of)),
        },
        match whose(&spec["firstParty"]["namespaces"]) {
            None => "No client is first-party: people are asked for consent.".to_owned(),
            Some(of) => format!(
                "{} may have first-party clients, whose people are not asked for consent.",
                capital(&of)
            ),
        },
        match (
            spec["customClientIds"].is_object(),
            whose(&spec["customClientIds"]["namespaces"]),
        ) {
            (false, _) => "Client IDs are made from namespace and name.".to_owned(),
            (true, None) => "Reserved client IDs may be brought along.".to_owned(),
            (true, Some(of)) => format!("{} may bring client IDs of their own.", capital(&of)),
        },
    ];
    said.extend(hosts(spec));
    for schemes in spec["redirectSchemes"].as_array().into_iter().flatten() {
        let of = whose(&schemes["namespaces"]).unwrap_or_else(|| "no namespace".to_owned());
        said.push(format!(
            "{} may send people to applications with the schemes {}.",
            capital(&of),
            texts(schemes, "/schemes").join(", ")
        ));
    }
    said.push(if text(tenant, "/spec/pkce") == "Required" {
        "Every client must use PKCE.".to_owned()
    } else {
        "Each client says whether it must use PKCE.".to_owned()
    });
    let people = whose(&spec["users"]["namespaces"]);
    said.push(people.map_or_else(
        || {
            format!(
                "People are OAuthUsers in namespaces with the label clientele.dev/users={}.",
                name(tenant)
            )
        },
        |of| format!("People are OAuthUsers in {of}."),
    ));
    let session = [("idle", "without use"), ("absolute", "in all")].map(|(field, words)| {
        let lasts = spec["session"][field].as_str();
        lasts.map(|lasts| format!("{lasts} {words}"))
    });
    let session: Vec<String> = session.into_iter().flatten().collect();
    if !session.is_empty() {
        said.push(format!("People stay signed in for {}.", session.join(", ")));
    }
    said
}

/// `For namespaces with …`, where an entry is not for all.
pub fn only_for(entry: &Value) -> Option<String> {
    whose(&entry["namespaces"]).map(|of| format!("For {of}."))
}

fn hosts(spec: &Value) -> Vec<String> {
    let entries = spec["redirectHosts"].as_array();
    let entries: Vec<&Value> = entries.into_iter().flatten().collect();
    if entries.is_empty() {
        return vec!["Clients may send people back to any host.".to_owned()];
    }
    let entry = |entry: &&Value| {
        let of = whose(&entry["namespaces"]).unwrap_or_else(|| "every namespace".to_owned());
        format!(
            "Clients of {of} may send people back to {}.",
            texts(entry, "/hosts").join(", ")
        )
    };
    entries.iter().map(entry).collect()
}

/// The namespaces of a selector; `None` where there is none.
fn whose(selector: &Value) -> Option<String> {
    let selector = selector.as_object()?;
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let labels = labels.into_iter().flatten();
    let mut parts: Vec<String> = labels
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let (key, values) = (
            text(expression, "/key"),
            texts(expression, "/values").join(", "),
        );
        parts.push(match text(expression, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} not in ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("without {key}"),
            other => format!("{key} {other} ({values})"),
        });
    }
    Some(if parts.is_empty() {
        "every namespace".to_owned()
    } else {
        format!("namespaces with {}", parts.join(" and "))
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tenant_that_sets_nothing_says_what_follows() {
        let said = sentences(&json!({ "metadata": { "name": "acme" }, "spec": {} }));
        for expected in [
            "Every namespace may have clients, because spec.namespaces is not set.",
            "No client is first-party: people are asked for consent.",
            "Clients may send people back to any host.",
            "Each client says whether it must use PKCE.",
            "People are OAuthUsers in namespaces with the label clientele.dev/users=acme.",
        ] {
            assert!(
                said.iter().any(|said| said == expected),
                "{expected}: {said:?}"
            );
        }
    }

    #[test]
    fn every_rule_is_a_sentence() {
        let team = json!({ "matchLabels": { "team": "a" } });
        let expressions = json!({ "matchExpressions": [
            { "key": "tier", "operator": "In", "values": ["x", "y"] }, { "key": "old", "operator": "DoesNotExist" },
        ] });
        let said = sentences(&json!({ "metadata": { "name": "acme" }, "spec": {
            "namespaces": expressions, "firstParty": { "namespaces": team }, "customClientIds": { "namespaces": {} },
            "redirectHosts": [{ "hosts": ["*.example.com"], "namespaces": team }], "pkce": "Required",
            "redirectSchemes": [{ "schemes": ["vscode"], "namespaces": team }],
            "users": { "namespaces": team }, "session": { "idle": "8h", "absolute": "24h" },
        } }));
        assert_eq!(
            said,
            [
                "Namespaces with tier in (x, y) and without old may have clients.",
                "Namespaces with team=a may have first-party clients, whose people are not asked for consent.",
                "Every namespace may bring client IDs of their own.",
                "Clients of namespaces with team=a may send people back to *.example.com.",
                "Namespaces with team=a may send people to applications with the schemes vscode.",
                "Every client must use PKCE.",
                "People are OAuthUsers in namespaces with team=a.",
                "People stay signed in for 8h without use, 24h in all.",
            ]
        );
    }
}
