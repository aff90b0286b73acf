//! What a tenant lets the OAuthUsers of a namespace claim to be (`spec.users.limits`).

use clientele_api::OAuthUser;
use clientele_oauth::client::redirect_host;
use kube::ResourceExt;

use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::policy::{Labels, TenantPolicy, UserLimitPolicy};

/// Checks email address, username and groups. Once a tenant has an entry, the people of a namespace that no entry selects
/// have no email address and no groups.
pub fn check(object: &OAuthUser, tenant: &TenantPolicy, labels: &Labels) -> Result<(), Refusal> {
    if tenant.user_limits.is_empty() {
        return Ok(());
    }
    let limits = tenant.user_limits.iter();
    let limits: Vec<&UserLimitPolicy> = limits
        .filter(|limits| limits.namespaces.contains(labels))
        .collect();
    let spec = &object.spec;
    let email = spec.email.as_deref().map(|email| ("email", email));
    let username = spec
        .username
        .contains('@')
        .then_some(("username", &*spec.username));
    for (field, address) in email.into_iter().chain(username) {
        let domain = address.rsplit('@').next().unwrap_or_default();
        let admits = |pattern: &str| redirect_host::admits(pattern, domain);
        if let Err(allowed) = admitted(&limits, |limits| limits.email_domains.as_deref(), admits) {
            let what = format!("the domain {domain:?} of {field}");
            return Err(refused(
                Reason::EmailDomainNotAllowed,
                &what,
                object,
                tenant,
                &allowed,
            ));
        }
    }
    for group in &spec.groups {
        let admits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(begin) => group.starts_with(begin),
            None => group == pattern,
        };
        if let Err(allowed) = admitted(&limits, |limits| limits.groups.as_deref(), admits) {
            let what = format!("the group {group:?}");
            return Err(refused(
                Reason::GroupNotAllowed,
                &what,
                object,
                tenant,
                &allowed,
            ));
        }
    }
    Ok(())
}

/// Whether one of the entries admits a value, or does not limit it; the error lists what they admit.
fn admitted(
    limits: &[&UserLimitPolicy],
    list: impl for<'l> Fn(&'l UserLimitPolicy) -> Option<&'l [String]>,
    admits: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let mut allowed: Vec<&str> = Vec::new();
    for limits in limits {
        let Some(patterns) = list(limits) else {
            return Ok(());
        };
        if patterns.iter().any(|pattern| admits(pattern)) {
            return Ok(());
        }
        allowed.extend(patterns.iter().map(String::as_str));
    }
    Err(match &*allowed {
        [] => "none".to_owned(),
        some => some.join(", "),
    })
}

fn refused(
    reason: Reason,
    what: &str,
    object: &OAuthUser,
    tenant: &TenantPolicy,
    allowed: &str,
) -> Refusal {
    Refusal::new(
        reason,
        format!(
            "OAuthTenant {:?} does not allow the users of namespace {:?} to have {what}; correct it, or ask the tenant's administrator to add it to spec.users.limits for this namespace. Allowed: {allowed}",
            &*tenant.name,
            object.namespace().unwrap_or_default(),
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check;
    use crate::domain::tenant::policy::TenantPolicy;
    use crate::tests::{namespace, tenant, user};

    fn limited() -> TenantPolicy {
        let of = |space: &str| json!({ "matchLabels": { "kubernetes.io/metadata.name": space } });
        tenant(json!({ "users": { "limits": [
            { "namespaces": of("team-a"), "emailDomains": ["a.example", "*.a.example"], "groups": ["team-a-*"] },
            { "namespaces": of("team-a"), "emailDomains": ["shared.example"], "groups": ["everybody"] },
            { "namespaces": of("team-b"), "emailDomains": ["b.example"] },
            { "namespaces": of("team-c"), "groups": [] },
        ] } }))
    }

    #[test]
    fn n05_a_namespace_describes_only_people_of_its_own() {
        let email = |email: &str| json!({ "username": "alice", "email": email });
        let groups = |group: &str| json!({ "username": "alice", "groups": [group] });
        let name = |username: &str| json!({ "username": username });
        let table: [(&str, Value, Option<&str>); 21] = [
            ("team-a", email("alice@a.example"), None),
            ("team-a", email("alice@A.Example"), None),
            ("team-a", email("alice@x.a.example"), None),
            ("team-a", email("alice@shared.example"), None),
            (
                "team-a",
                email("ceo@example.com"),
                Some("EmailDomainNotAllowed"),
            ),
            (
                "team-a",
                email("ceo@evil-a.example"),
                Some("EmailDomainNotAllowed"),
            ),
            (
                "team-a",
                email("a.example@example.com"),
                Some("EmailDomainNotAllowed"),
            ),
            ("team-a", groups("team-a-admins"), None),
            ("team-a", groups("everybody"), None),
            ("team-a", groups("team-b-admins"), Some("GroupNotAllowed")),
            ("team-a", groups("everybody-else"), Some("GroupNotAllowed")),
            (
                "team-a",
                name("ceo@example.com"),
                Some("EmailDomainNotAllowed"),
            ),
            ("team-a", name("alice@a.example"), None),
            ("team-b", email("bob@b.example"), None),
            ("team-b", groups("anything"), None),
            (
                "team-b",
                email("bob@a.example"),
                Some("EmailDomainNotAllowed"),
            ),
            ("team-c", email("carl@anywhere.example"), None),
            ("team-c", groups("anything"), Some("GroupNotAllowed")),
            (
                "team-d",
                email("dora@a.example"),
                Some("EmailDomainNotAllowed"),
            ),
            ("team-d", groups("everybody"), Some("GroupNotAllowed")),
            ("team-d", name("dora"), None),
        ];
        let (limited, unlimited) = (limited(), tenant(json!({})));
        for (space, spec, expected) in table {
            let mut object = user("alice", spec.clone());
            object.metadata.namespace = Some(space.to_owned());
            let refusal = check(&object, &limited, &namespace(space)).err();
            let reason = refusal.as_ref().map(|refusal| refusal.reason.as_str());
            assert_eq!(reason, expected, "{space} {spec}");
            let remedied =
                refusal.is_none_or(|refusal| refusal.message.contains("spec.users.limits"));
            assert!(remedied, "{space} {spec}");
            assert_eq!(check(&object, &unlimited, &namespace(space)), Ok(()));
        }
    }
}
