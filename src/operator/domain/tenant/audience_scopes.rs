//! Scopes beside an audience that the tenant does not have. Such a name keeps nothing for the API: the scope that was meant,
//! which no API lists then, is granted in tokens for every one. So the tenant says it in its condition `Advisory`.

use clientele_api::OAuthTenant;
use clientele_oauth::tenant::OPENID_SCOPES;

/// As many are named.
const NAMED: usize = 10;

/// What the tenant says of it; `None` if the tenant has every scope that an audience lists.
pub fn warning(tenant: &OAuthTenant) -> Option<String> {
    let spec = &tenant.spec;
    let is_known = |name: &str| {
        OPENID_SCOPES.contains(&name) || spec.scopes.iter().any(|scope| scope.name == name)
    };
    let audiences = spec.audiences.iter().enumerate();
    let unknown = audiences.flat_map(|(at, audience)| {
        let missing = audience.scopes.iter().filter(|name| !is_known(name));
        missing.map(move |name| format!("{name:?} of spec.audiences[{at}] ({})", audience.uri))
    });
    let unknown: Vec<String> = unknown.collect();
    if unknown.is_empty() {
        return None;
    }
    let more = match unknown.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = unknown[..unknown.len().min(NAMED)].join(", ");
    Some(format!(
        "spec.scopes has no scope {named}{more}; correct the name, or add the scope to spec.scopes. A scope that no audience lists is granted in tokens for every audience, so if another scope was meant, it is not limited to this one"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(scopes: &Value, listed: &Value) -> Option<String> {
        let spec = json!({
            "scopes": scopes,
            "audiences": [{ "uri": "https://a.example" }, { "uri": "https://b.example", "scopes": listed }],
        });
        warning(&OAuthTenant::new(
            "t",
            serde_json::from_value(spec).unwrap(),
        ))
    }

    #[test]
    fn only_a_scope_that_the_tenant_lacks_is_warned_of() {
        let scopes = || json!([{ "name": "orders.read" }]);
        assert_eq!(of(&scopes(), &json!([])), None);
        assert_eq!(of(&scopes(), &json!(["orders.read", "email"])), None);
        let said = of(&scopes(), &json!(["orders.read", "order.read"])).unwrap();
        for part in ["\"order.read\"", "spec.audiences[1]", "https://b.example"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("\"orders.read\""), "{said}");
        assert!(of(&json!([]), &json!(["orders.read"])).is_some());
        let many: Vec<String> = (0..60).map(|at| format!("s{at}")).collect();
        let said = of(&scopes(), &json!(many)).unwrap();
        assert!(said.contains("and 50 more"), "{said}");
    }
}
