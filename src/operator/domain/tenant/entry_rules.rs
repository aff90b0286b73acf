//! What the schema demands of one entry of a list of an OAuthTenant. A problem completes the sentence that names the entry.

use clientele_api::secret_marks::is_dns_label;
use clientele_api::tenant::{ReservedClientId, TenantScope};
use clientele_oauth::scope::is_scope_token;
use clientele_oauth::tenant::OPENID_SCOPES;
use clientele_oauth::user::claims::OF_THE_PROTOCOL;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use kube::core::Selector;

use crate::domain::structure::{Check, is_invisible, is_separator, length, rule};

type Problem = Result<(), &'static str>;

/// The most expressions of a selector.
const MAX_EXPRESSIONS: usize = 16;

/// Reads a selector of namespaces.
pub(super) fn selector(selector: &LabelSelector) -> Option<Selector> {
    let expressions = selector.match_expressions.as_deref().unwrap_or_default();
    let formed = |expression: &LabelSelectorRequirement| {
        let values = expression.values.as_deref().unwrap_or_default();
        let needs_values = matches!(&*expression.operator, "In" | "NotIn");
        // Without a key it is read as one with an empty key.
        !expression.key.is_empty() && needs_values != values.is_empty()
    };
    let formed = expressions.len() <= MAX_EXPRESSIONS && expressions.iter().all(formed);
    let read = formed.then(|| Selector::try_from(selector.clone()));
    read.and_then(Result::ok)
}

/// A client ID that is kept for a namespace.
pub(super) fn reserved(place: &str, pair: &ReservedClientId) -> Check {
    let (id, namespace) = (&*pair.id, &*pair.namespace);
    client_id(id).map_err(|problem| format!("{place}.id: {id:?} {problem}"))?;
    rule(
        namespace.len() <= 63 && is_dns_label(namespace),
        &format!("{place}.namespace"),
        "must be the name of a namespace",
    )
}

/// The ID of a client, with the characters that some tenants allow.
pub(super) fn client_id(id: &str) -> Problem {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"._~:/@-".contains(&b);
    ((1..=128).contains(&id.len()) && id.bytes().all(inside))
        .then_some(())
        .ok_or(
            "must be a client ID: 1 to 128 letters, digits, '.', '_', '~', '-', ':', '/' and '@'",
        )
}

/// A host to which clients may return, or `*.` and what it is below.
pub(super) fn host(pattern: &str) -> Problem {
    let is_name = |name: &str| name.split('.').all(is_label);
    let literal = pattern.strip_prefix('[').and_then(|p| p.strip_suffix(']'));
    let formed = if let Some(address) = literal {
        let inside = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b':';
        !address.is_empty() && address.bytes().all(inside)
    } else if let Some(below) = pattern.strip_prefix("*.") {
        below.contains('.') && is_name(below)
    } else {
        is_name(pattern)
    };
    (formed && pattern.len() <= 253).then_some(()).ok_or(
        "must be a host in lower case without scheme, port and path, such as app.example.com, or *.example.com for every host below it",
    )
}

/// A domain of e-mail addresses, or `*.` and what it is below.
pub(super) fn domain(pattern: &str) -> Problem {
    let name = pattern.strip_prefix("*.").unwrap_or(pattern);
    (name.split('.').all(is_label) && pattern.len() <= 253)
        .then_some(())
        .ok_or("must be a domain in lower case such as example.com, or *.example.com for every domain below it")
}

/// A label of any length: the whole name is bounded.
fn is_label(label: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !label.is_empty()
        && label.bytes().all(inside)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A group, or with `*` at its end every group that begins with the rest.
pub(super) fn group_pattern(group: &str) -> Problem {
    let hidden = |c: char| is_invisible(c) || is_separator(c);
    let before_end = group.strip_suffix('*').unwrap_or(group);
    let formed = (1..=128).contains(&group.chars().count())
        && !group.chars().any(hidden)
        && !before_end.contains('*');
    formed.then_some(()).ok_or(
        "must be a group such as staff, or with * at its end every group that begins with the rest, such as team-a-*",
    )
}

/// The subject of a person.
pub(super) fn subject(subject: &str) -> Problem {
    (1..=255)
        .contains(&subject.chars().count())
        .then_some(())
        .ok_or("must have 1 to 255 characters")
}

/// A scope of the tenant.
pub(super) fn scope(place: &str, scope: &TenantScope) -> Check {
    let name = &*scope.name;
    rule(
        is_scope_token(name) && name.len() <= 128,
        &format!("{place}.name"),
        "must be one scope of at most 128 printable ASCII characters (RFC 6749 section 3.3)",
    )?;
    rule(
        !OPENID_SCOPES.contains(&name),
        &format!("{place}.name"),
        "is a scope that every tenant has; remove it",
    )?;
    let description = scope.description.as_deref().unwrap_or_default();
    length(&format!("{place}.description"), description, 0..=256)
}

/// The name of a scope beside an audience. One that no scope has is granted to no client, and reported: see
/// [`super::audience_scopes`].
pub(super) fn scope_name(name: &str) -> Problem {
    (1..=128)
        .contains(&name.chars().count())
        .then_some(())
        .ok_or("must have 1 to 128 characters")
}

/// A claim that a scope promises.
pub(super) fn promised_claim(name: &str) -> Problem {
    let inside = |b: u8| b.is_ascii_graphic() && !b"\"[\\]".contains(&b);
    if !(1..=128).contains(&name.len()) || !name.bytes().all(inside) {
        Err("must be the name of a claim, such as department")
    } else if OF_THE_PROTOCOL.contains(&name) {
        Err("is a claim of the protocol, not an attribute of a person; remove it")
    } else if name == "groups" {
        Err("is a claim of the scope groups, which every tenant has; remove it")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f56_hosts_and_domains_are_names_and_never_everything() {
        for good in [
            "a",
            "app.example.com",
            "*.example.com",
            "[2001:db8::1]",
            "1.2.3.4",
        ] {
            assert_eq!(host(good), Ok(()), "{good}");
        }
        let long = format!("{}.example", "x".repeat(250));
        for bad in [
            "",
            "*",
            "*.",
            "*.com",
            "**.example.com",
            "a.*.example",
            "A.example",
            "a..b",
            ".a",
            "a.",
            "-a",
            "a-",
            "a_b",
            "https://a",
            "a:443",
            "a/",
            "[]",
            "[g::1]",
            "[::1",
            "ü.example",
            &long,
        ] {
            assert!(host(bad).is_err(), "{bad}");
        }
        for good in ["com", "example.com", "*.com", "*.example.com"] {
            assert_eq!(domain(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "*",
            "*.",
            "*example.com",
            "@example.com",
            "Example.com",
            "a..b",
            &long,
        ] {
            assert!(domain(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn groups_subjects_and_claims() {
        for good in ["staff", "team-a-*", "*", "ü"] {
            assert_eq!(group_pattern(good), Ok(()), "{good}");
        }
        for bad in ["", "a b", "a*b", "**", "a\u{200b}", &"x".repeat(129)] {
            assert!(group_pattern(bad).is_err(), "{bad:?}");
        }
        assert!(subject("").is_err() && subject(&"ü".repeat(256)).is_err());
        assert!(subject(&"ü".repeat(255)).is_ok());
        for bad in [
            "",
            "a b",
            "a\"b",
            "a[b",
            "sub",
            "groups",
            "ü",
            &"x".repeat(129),
        ] {
            assert!(promised_claim(bad).is_err(), "{bad}");
        }
        assert!(promised_claim("https://a.example/roles").is_ok());
    }
}
