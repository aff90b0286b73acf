//! What the schema of the custom resources demands of one object, once more: an object may have been stored before a rule
//! existed or with admission bypassed. A test compares these rules with the API server's over random objects.

use std::collections::HashSet;
use std::hash::Hash;
use std::ops::RangeInclusive;
use std::time::Duration;

use clientele_api::secret_marks::is_dns_label;
use clientele_api::{DurationString, Lifetimes};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::domain::reason::{Reason, Refusal};

const HOUR: Duration = Duration::from_hours(1);

/// The field and what is wrong with it: `field: problem`.
pub(super) type Check = Result<(), String>;

/// The refusal of a broken rule.
pub(super) fn refusal(message: String) -> Refusal {
    Refusal::new(Reason::InvalidSpec, message)
}

/// `Err` with field and problem, unless the rule holds.
pub(super) fn rule(holds: bool, field: &str, problem: &str) -> Check {
    holds
        .then_some(())
        .ok_or_else(|| format!("{field}: {problem}"))
}

/// Whether this is a value of `requestId`.
pub(super) fn is_request_id(id: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"._:/+-".contains(&b);
    id.len() <= 64 && id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.bytes().all(inside)
}

/// A value of `requestId`.
pub(super) fn request_id(field: &str, id: &str) -> Check {
    rule(
        is_request_id(id),
        field,
        "must have 1 to 64 letters, digits, '.', '_', ':', '/', '+' and '-', and begin with a letter or digit",
    )
}

/// The number of characters of a text.
pub(super) fn length(field: &str, text: &str, allowed: RangeInclusive<usize>) -> Check {
    let problem = || {
        let (least, most) = (allowed.start(), allowed.end());
        format!("{field}: must have {least} to {most} characters")
    };
    allowed
        .contains(&text.chars().count())
        .then_some(())
        .ok_or_else(problem)
}

/// The number of entries of a list, each of which occurs once.
pub(super) fn entries<T: Eq + Hash>(field: &str, list: &[T], most: usize) -> Check {
    if list.len() > most {
        return Err(format!("{field}: must have at most {most} entries"));
    }
    let mut seen = HashSet::new();
    let is_set = list.iter().all(|entry| seen.insert(entry));
    rule(is_set, field, "must not contain an entry twice")
}

/// A text that people read on a page.
pub(super) fn readable(field: &str, text: &str) -> Check {
    let hidden = |c: char| {
        is_invisible(c)
            || matches!(
                c.general_category(),
                GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator
            )
    };
    rule(
        !text.chars().any(hidden),
        field,
        "must not contain control, formatting or bidirectional characters",
    )
}

/// `\p{C}` as the API server has it: control, format, surrogate and private-use characters.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::Surrogate
            | GeneralCategory::PrivateUse
    )
}

/// `\p{Z}`: spaces and separators.
pub(super) fn is_separator(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::SpaceSeparator
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

/// The name of an object of Kubernetes: a DNS subdomain (RFC 1123).
pub(super) fn object_name(field: &str, name: &str) -> Check {
    rule(
        name.len() <= 253 && name.split('.').all(is_dns_label),
        field,
        "must be the name of an object: lower case letters, digits, '-' and '.'",
    )
}

/// The name of an entry of a Secret.
pub(super) fn entry_name(field: &str, name: &str) -> Check {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    rule(
        (1..=253).contains(&name.len()) && name.bytes().all(inside),
        field,
        "must be the name of an entry of the Secret: letters, digits, '-', '_' and '.'",
    )
}

/// A duration between 1s and a maximum in hours, if there is one.
pub(super) fn duration(
    field: &str,
    text: Option<&DurationString>,
    most: Duration,
) -> Result<Option<Duration>, String> {
    let Some(text) = text else { return Ok(None) };
    let parsed = text.parse().filter(|duration| *duration <= most);
    parsed.map(Some).ok_or_else(|| {
        let most = most.as_secs() / 60;
        format!("{field}: must be a duration in h, m and s, at least 1s and at most {most}m")
    })
}

/// An audience of a client or a tenant; the error completes the sentence that names it.
pub(super) fn check_audience(uri: &str) -> Result<(), &'static str> {
    const CLUSTER: [&str; 3] = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    let inside = |b: u8| b.is_ascii_graphic() && !b"\"#<>[\\]^`{|}".contains(&b);
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+.-".contains(&b))
    };
    let parts = uri.split_once(':').filter(|(scheme, rest)| {
        is_scheme(scheme) && !rest.is_empty() && uri.len() <= 256 && rest.bytes().all(inside)
    });
    if parts.is_none() {
        return Err(
            "must be an absolute URI without a fragment, such as https://orders.example.com",
        );
    }
    if uri.starts_with("usr:") || uri.starts_with("system:") {
        return Err(
            "must not begin with usr: or system:, which are reserved for people and for the cluster",
        );
    }
    let host = uri.strip_prefix("https://").map(|rest| {
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let port =
            |(_, port): &(&str, &str)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        rest.rsplit_once(':')
            .filter(port)
            .map_or(rest, |(host, _)| host)
    });
    let is_of_cluster =
        |host: &str| CLUSTER.contains(&host) || host.starts_with("kubernetes.default.svc.");
    if host.is_some_and(is_of_cluster) {
        return Err(
            "is an audience of the Kubernetes API server; no token of this server may have it",
        );
    }
    Ok(())
}

/// Each lifetime within the bounds of the schema.
pub(super) fn check_lifetimes(field: &str, asked: &Lifetimes) -> Check {
    let lifetime = |name: &str, text, most| duration(&format!("{field}.{name}"), text, most);
    lifetime(
        "authorizationCode",
        asked.authorization_code.as_ref(),
        HOUR / 6,
    )?;
    let access = lifetime("accessToken", asked.access_token.as_ref(), HOUR * 24)?;
    lifetime("idToken", asked.id_token.as_ref(), HOUR * 24)?;
    let refresh = lifetime("refreshToken", asked.refresh_token.as_ref(), HOUR * 8760)?;
    let idle = lifetime(
        "refreshTokenIdle",
        asked.refresh_token_idle.as_ref(),
        HOUR * 8760,
    )?;
    let ordered = |less: Option<Duration>, more: Option<Duration>| {
        less.zip(more).is_none_or(|(less, more)| less <= more)
    };
    rule(
        ordered(access, refresh),
        field,
        "refreshToken must be at least accessToken",
    )?;
    rule(
        ordered(idle, refresh),
        field,
        "refreshTokenIdle must be at most refreshToken",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_not_readable() {
        for text in [
            "a\u{202e}b",
            "a\nb",
            "\u{0}",
            "a\u{2028}b",
            "a\u{200b}",
            "\u{e000}",
        ] {
            assert!(readable("field", text).is_err(), "{text:?}");
        }
        for text in ["", "Web", "日本語", "é", "a b", "👍"] {
            assert!(readable("field", text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn an_audience_is_an_absolute_uri_that_nothing_else_means() {
        for uri in [
            "api",
            "https://a.example/#x",
            "HTTPS://a.example",
            "https://[::1]/",
            "usr:x",
            "system:x",
            "https://kubernetes",
            "https://kubernetes.default.svc.cluster.local:443/",
        ] {
            assert!(check_audience(uri).is_err(), "{uri}");
        }
        for uri in ["https://a.example", "urn:x:y", "https://kubernetes.example"] {
            assert!(check_audience(uri).is_ok(), "{uri}");
        }
    }

    #[test]
    fn names_of_objects_are_dns_subdomains() {
        for name in [
            "",
            "A",
            "a..b",
            ".a",
            "a.",
            "-a",
            "a-",
            "a_b",
            &"x".repeat(254),
        ] {
            assert!(object_name("field", name).is_err(), "{name:?}");
        }
        for name in ["a", "a-b.c", "0", &"x".repeat(253)] {
            assert!(object_name("field", name).is_ok(), "{name:?}");
        }
    }
}
