//! Whether a tenant says who may use it. One that does not serves every namespace, and says so in a condition.

use clientele_api::OAuthTenant;

/// As many names are listed.
const NAMED: usize = 10;

/// The message of the condition `ServesEveryNamespace`; `None` if the tenant selects its namespaces, be it all of them by
/// an empty selector.
pub fn warning(tenant: &OAuthTenant) -> Option<String> {
    let spec = &tenant.spec;
    if spec.namespaces.is_some() {
        return None;
    }
    let mut message = "every namespace may have clients here, because spec.namespaces is not set; select the namespaces by their labels, or set spec.namespaces to {} to state that all may".to_owned();
    let scopes = spec
        .scopes
        .iter()
        .filter(|scope| scope.namespaces.is_none());
    let scopes: Vec<&str> = scopes.map(|scope| &*scope.name).collect();
    let audiences = spec.audiences.iter();
    let audiences = audiences.filter(|audience| audience.namespaces.is_none());
    let audiences: Vec<&str> = audiences.map(|audience| &*audience.uri).collect();
    for (what, names) in [("scopes", scopes), ("audiences", audiences)] {
        if !names.is_empty() {
            let more = if names.len() > NAMED { " and more" } else { "" };
            let names = names.iter().take(NAMED).copied().collect::<Vec<_>>();
            let names = names.join(", ");
            message += [". They may have the ", what, " ", &names, more]
                .concat()
                .as_str();
        }
    }
    if spec.redirect_hosts.is_empty() {
        message += ". They can redirect users to any host, because spec.redirectHosts is empty";
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use clientele_api::OAuthTenant;
    use serde_json::{Value, json};

    use super::warning;

    fn of(spec: Value) -> Option<String> {
        warning(&OAuthTenant::new(
            "orders",
            serde_json::from_value(spec).unwrap(),
        ))
    }

    #[test]
    fn n08_a_tenant_without_a_selector_says_that_it_serves_everyone() {
        let said = of(json!({
            "scopes": [{ "name": "orders.read" }, { "name": "own", "namespaces": {} }],
            "audiences": [{ "uri": "https://orders.example" }],
        }));
        let said = said.unwrap();
        for part in [
            "set spec.namespaces to {}",
            "the scopes orders.read.",
            "the audiences https://orders.example.",
            "spec.redirectHosts is empty",
        ] {
            assert!(said.contains(part), "{said}");
        }
        let limited = of(json!({ "redirectHosts": [{ "hosts": ["a.example"] }] })).unwrap();
        assert!(!limited.contains("any host"), "{limited}");
        for selector in [json!({}), json!({ "matchLabels": { "team": "a" } })] {
            assert_eq!(of(json!({ "namespaces": selector })), None);
        }
    }
}
