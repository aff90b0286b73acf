//! `spec.audiences[].claims` of an OAuthTenant.

use std::sync::Arc;

use clientele_api::access_tokens::AudienceClaim;
use clientele_oauth::client::claim_mapping::{
    ClaimMapping, ClaimSource, MAX_CLAIMS, is_constant, is_name,
};
use clientele_oauth::user::claims::OF_THE_PROTOCOL;

use crate::domain::structure::{Check, length, rule};

/// The most values of one claim that are renamed.
const MAX_RENAMED: usize = 64;

/// The claims of an audience. What admission would have refused is left out.
pub(super) fn mappings(claims: &[AudienceClaim]) -> Arc<[ClaimMapping]> {
    let mappings = claims.iter().filter_map(mapping);
    mappings.take(MAX_CLAIMS).collect()
}

/// What the schema demands of a claim.
pub(super) fn check(place: &str, claim: &AudienceClaim) -> Check {
    check_name(&format!("{place}.name"), &claim.name)?;
    if let Some(from) = &claim.from {
        check_name(&format!("{place}.from"), from)?;
    }
    rule(
        claim.value.as_deref().is_none_or(is_constant),
        &format!("{place}.value"),
        "must be 1 to 128 characters of printable ASCII without quote and backslash",
    )?;
    if let Some(prefix) = &claim.prefix {
        length(&format!("{place}.prefix"), prefix, 1..=128)?;
    }
    let field = format!("{place}.rename");
    rule(
        claim.rename.len() <= MAX_RENAMED,
        &field,
        "must have at most 64 members",
    )?;
    let mut renamed = claim.rename.values();
    renamed.try_for_each(|to| length(&field, to, 1..=128))?;
    rule(
        claim.from.is_some() != claim.value.is_some(),
        place,
        "a claim has either from (an attribute of the user) or value (a constant); set exactly one of them",
    )?;
    rule(
        claim.from.is_some() || (claim.prefix.is_none() && claim.rename.is_empty()),
        place,
        "prefix and rename apply to an attribute of the user; remove them, or set from instead of value",
    )
}

fn check_name(field: &str, name: &str) -> Check {
    rule(
        is_name(name),
        field,
        "must be the name of a claim in at most 64 characters of printable ASCII without space, quote and backslash, such as roles",
    )?;
    rule(
        !OF_THE_PROTOCOL.contains(&name),
        field,
        "is a claim of the protocol, which only the server sets; choose another name",
    )
}

fn mapping(claim: &AudienceClaim) -> Option<ClaimMapping> {
    let may_be_set = is_name(&claim.name) && !OF_THE_PROTOCOL.contains(&claim.name.as_str());
    let source = match (&claim.from, &claim.value) {
        (Some(from), None) => ClaimSource::Attribute {
            name: from.as_str().into(),
            prefix: claim.prefix.as_deref().map(Arc::from),
            rename: claim.rename.iter().map(renamed).collect(),
        },
        (None, Some(value)) if is_constant(value) => ClaimSource::Constant(value.as_str().into()),
        _ => return None,
    };
    may_be_set.then(|| ClaimMapping {
        name: claim.name.as_str().into(),
        source,
    })
}

fn renamed((from, to): (&String, &String)) -> (Arc<str>, Arc<str>) {
    (from.as_str().into(), to.as_str().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn mapped(claims: Value) -> Vec<ClaimMapping> {
        let claims: Vec<AudienceClaim> = serde_json::from_value(claims).unwrap();
        mappings(&claims).to_vec()
    }

    #[test]
    fn a_claim_is_an_attribute_or_a_constant() {
        let mapped = mapped(json!([
            { "name": "roles", "from": "groups", "prefix": "orders-", "rename": { "orders-admins": "admin" } },
            { "name": "env", "value": "prod" },
        ]));
        let roles = ClaimSource::Attribute {
            name: "groups".into(),
            prefix: Some("orders-".into()),
            rename: [("orders-admins".into(), "admin".into())].into(),
        };
        assert_eq!((&*mapped[0].name, &mapped[0].source), ("roles", &roles));
        assert_eq!(mapped[1].source, ClaimSource::Constant("prod".into()));
    }

    #[test]
    fn f72_what_admission_would_have_refused_is_left_out() {
        for claim in [
            json!({ "name": "sub", "value": "root" }),
            json!({ "name": "client_id", "from": "email" }),
            json!({ "name": "", "value": "x" }),
            json!({ "name": "a b", "value": "x" }),
            json!({ "name": "a\"b", "value": "x" }),
            json!({ "name": "n".repeat(65), "value": "x" }),
            json!({ "name": "x" }),
            json!({ "name": "x", "value": "" }),
            json!({ "name": "x", "value": "\u{7}" }),
            json!({ "name": "x", "value": "x".repeat(129) }),
            json!({ "name": "x", "from": "groups", "value": "x" }),
        ] {
            assert_eq!(mapped(json!([claim])), [], "{claim}");
        }
        let many: Vec<Value> = (0..20)
            .map(|n| json!({ "name": format!("x{n}"), "value": "x" }))
            .collect();
        assert_eq!(mapped(many.into()).len(), MAX_CLAIMS);
    }
}
