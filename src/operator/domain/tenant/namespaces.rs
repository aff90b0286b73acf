//! Which namespaces a tenant means, and what a namespace lacks that it does not mean.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Expression, Selector, SelectorExt};

use super::entry_rules;

/// The label with the name of the namespace, which the API server sets and no person changes.
const NAME: &str = "kubernetes.io/metadata.name";
/// As many terms, and as many values of a term, are named in a message.
const NAMED: usize = 5;

/// The labels of a namespace.
pub type Labels = BTreeMap<String, String>;

/// Which namespaces are meant.
#[derive(Debug, PartialEq)]
pub enum Namespaces {
    /// Every one.
    All,
    /// None at all; also what a selector means that cannot be parsed.
    None,
    /// Those with these labels.
    Selected(Selector),
}

/// Why a namespace is not meant, and what changes that.
#[derive(Debug, PartialEq, Eq)]
pub struct Unselected {
    /// Completes "because …": the terms of the selector that do not hold.
    pub cause: String,
    /// Completes "ask the administrator to …". Has a command only if that is all that is missing.
    pub remedy: String,
}

impl Namespaces {
    /// What a selector means, and no selector.
    pub(super) fn from_selector(selector: Option<&LabelSelector>, default: Self) -> Self {
        match selector {
            None => default,
            Some(selector) => entry_rules::selector(selector).map_or(Self::None, Self::Selected),
        }
    }

    /// Every namespace, unless some are selected.
    pub(super) fn all_or(selector: Option<&LabelSelector>) -> Self {
        Self::from_selector(selector, Self::All)
    }

    /// Whether a namespace with these labels is meant.
    pub fn contains(&self, labels: &Labels) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Selected(selector) => selector.matches(labels),
        }
    }

    /// Why a namespace that is not meant is not. `field` names the selector.
    pub fn unselected(&self, field: &str, namespace: &str, labels: &Labels) -> Unselected {
        let terms: Vec<Expression> = match self {
            Self::Selected(selector) => selector.clone().into_iter().collect(),
            Self::All | Self::None => Vec::new(),
        };
        let unmet = terms.iter().filter(|term| !term.matches(labels));
        let unmet: Vec<&Expression> = unmet.collect();
        let remedy = match command(&terms, &unmet, namespace, labels) {
            Some(command) => {
                format!("label the namespace so that {field} selects it, with `{command}`")
            }
            None => format!("select the namespace in {field}"),
        };
        if unmet.is_empty() {
            return Unselected {
                cause: format!("{field} selects no namespace"),
                remedy,
            };
        }
        let named = unmet.iter().take(NAMED).map(|term| described(term, labels));
        let named: Vec<String> = named.collect();
        Unselected {
            cause: format!("{field} demands {}", named.join(" and ")),
            remedy,
        }
    }
}

/// What sets the labels that are wanted; `None` if that is not enough.
fn command(
    terms: &[Expression],
    unmet: &[&Expression],
    namespace: &str,
    labels: &Labels,
) -> Option<String> {
    let keys: BTreeSet<&str> = unmet.iter().map(|term| key(term)).collect();
    if keys.is_empty() {
        return None;
    }
    let mut words = format!("kubectl label namespace {namespace}");
    for name in &keys {
        words.push(' ');
        words.push_str(&assignment(terms, name)?);
    }
    if keys.iter().any(|name| labels.contains_key(*name)) {
        words.push_str(" --overwrite");
    }
    Some(words)
}

/// The value of a label with which every term about it holds, as `kubectl label` takes it.
fn assignment(terms: &[Expression], name: &str) -> Option<String> {
    // It goes into a command line, and into one that works.
    let is_word = |text: &str| {
        let inside = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
        !text.is_empty() && text.bytes().all(inside)
    };
    if name == NAME || !is_word(name) {
        return None;
    }
    let about: Vec<&Expression> = terms.iter().filter(|term| key(term) == name).collect();
    let holds = |value: Option<&str>| {
        let labels: Labels = value
            .map(|value| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        about.iter().all(|term| term.matches(&labels))
    };
    let values = about.iter().flat_map(|term| values(term));
    let values = values.filter(|value| is_word(value) && !value.contains('/'));
    let mut values = values.chain(["true"]);
    if let Some(value) = values.find(|value| holds(Some(value))) {
        return Some(format!("{name}={value}"));
    }
    holds(None).then(|| format!("{name}-"))
}

fn key(term: &Expression) -> &str {
    match term {
        Expression::In(key, _)
        | Expression::NotIn(key, _)
        | Expression::Equal(key, _)
        | Expression::NotEqual(key, _)
        | Expression::Exists(key)
        | Expression::DoesNotExist(key) => key,
    }
}

/// The values that a term wants.
fn values(term: &Expression) -> Vec<&str> {
    match term {
        Expression::In(_, values) => values.iter().map(String::as_str).collect(),
        Expression::Equal(_, value) => vec![value],
        _ => Vec::new(),
    }
}

/// A term, and what the namespace has instead. The names of other namespaces are not for everyone.
fn described(term: &Expression, labels: &BTreeMap<String, String>) -> String {
    let name = key(term);
    if name == NAME {
        return format!("another name than that of this namespace ({NAME})");
    }
    let demand = match term {
        Expression::In(..) => format!("{name} in ({})", listed(&values(term))),
        Expression::Equal(_, value) => format!("{name}={value}"),
        Expression::NotIn(..) | Expression::NotEqual(..) => {
            format!("another value of the label {name}")
        }
        Expression::Exists(_) => format!("the label {name}"),
        Expression::DoesNotExist(_) => format!("no label {name}"),
    };
    match labels.get(name) {
        Some(value) => format!("{demand} (the namespace has {value:?})"),
        None => format!("{demand} (the namespace has no such label)"),
    }
}

fn listed(values: &[&str]) -> String {
    let more = match values.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", values[..values.len().min(NAMED)].join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(selector: Value, labels: Value) -> (Namespaces, Labels) {
        let selector: LabelSelector = serde_json::from_value(selector).unwrap();
        let labels = serde_json::from_value(labels).unwrap();
        (Namespaces::all_or(Some(&selector)), labels)
    }

    /// What the command in the remedy makes of the labels.
    fn obeyed(remedy: &str, mut labels: Labels) -> Option<Labels> {
        let command = remedy.split('`').nth(1)?;
        let words = command.strip_prefix("kubectl label namespace ns ").unwrap();
        let overwrites = words.ends_with(" --overwrite");
        for word in words.split(' ').filter(|word| *word != "--overwrite") {
            let before = match word.split_once('=') {
                Some((key, value)) => labels.insert(key.to_owned(), value.to_owned()),
                None => labels.remove(word.strip_suffix('-').unwrap()),
            };
            assert!(before.is_none() || overwrites, "{command}");
        }
        Some(labels)
    }

    fn expression(key: &str, operator: &str, values: &[&str]) -> Value {
        match values {
            [] => json!({ "key": key, "operator": operator }),
            values => json!({ "key": key, "operator": operator, "values": values }),
        }
    }

    #[test]
    fn a_namespace_that_obeys_the_command_is_selected() {
        let both = json!({
            "matchLabels": { "clientele.dev/users": "t" },
            "matchExpressions": [
                expression("team", "In", &["a", "b"]),
                expression("team", "NotIn", &["a"]),
                expression("env", "Exists", &[]),
                expression("old", "DoesNotExist", &[]),
                expression("tier", "NotIn", &["x"]),
            ],
        });
        for labels in [
            json!({}),
            json!({ "clientele.dev/users": "t" }),
            json!({ "clientele.dev/users": "t", "team": "a", "env": "x" }),
            json!({ "team": "c", "old": "1", "tier": "x" }),
        ] {
            let (selected, labels) = of(both.clone(), labels);
            let said = selected.unselected("spec.namespaces", "ns", &labels);
            let then = obeyed(&said.remedy, labels).expect("a command");
            assert!(selected.contains(&then), "{said:?}");
        }
    }

    #[test]
    fn only_the_terms_that_fail_are_named() {
        let (selected, labels) = of(
            json!({
                "matchLabels": { "clientele.dev/users": "t" },
                "matchExpressions": [expression("env", "In", &["prod"])],
            }),
            json!({ "clientele.dev/users": "t", "env": "test" }),
        );
        let Unselected { cause, .. } = selected.unselected("spec.users.namespaces", "ns", &labels);
        assert!(
            cause.contains("env in (prod)") && cause.contains("\"test\""),
            "{cause}"
        );
        assert!(!cause.contains("clientele.dev/users"), "{cause}");
    }

    #[test]
    fn no_command_is_named_that_would_not_help() {
        let name = |name: &str| json!({ "matchLabels": { NAME: name } });
        let twice = json!({ "matchExpressions": [
            expression("a", "In", &["x"]),
            expression("a", "In", &["y"]),
        ] });
        for selector in [
            name("other"),
            json!({ "matchExpressions": [expression(NAME, "In", &["secret-team"])] }),
            twice,
            json!({ "matchLabels": { "a": "$(reboot)" } }),
            json!({ "matchExpressions": [expression("", "Exists", &[])] }),
        ] {
            let (selected, labels) = of(selector, json!({ NAME: "ns" }));
            let said = selected.unselected("spec.namespaces", "ns", &labels);
            assert!(!said.remedy.contains('`'), "{said:?}");
            assert!(!said.cause.contains("secret-team"), "{said:?}");
        }
        let said = Namespaces::None.unselected("spec.namespaces", "ns", &Labels::new());
        assert!(!said.remedy.contains('`'), "{said:?}");
    }
}
