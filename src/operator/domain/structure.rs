//! What the schema of the custom resources demands of one object, once more: an object may have been stored before a rule
//! existed or with admission bypassed. A test compares these rules with the API server's over random objects.

use std::collections::HashSet;
use std::hash::Hash;
use std::ops::RangeInclusive;
use std::time::Duration;

use clientele_api::DurationString;
use clientele_api::secret_marks::is_dns_label;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::domain::reason::{Reason, Refusal};

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
