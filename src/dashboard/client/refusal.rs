//! What the API server refuses, at the field of the form that it is about.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use axum::http::StatusCode;

use super::form::Field;
use crate::problem::Problem;

/// Messages of the form and of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// About no single field.
    pub form: Vec<String>,
    fields: BTreeMap<Field, Vec<String>>,
}

impl Messages {
    /// The messages of a field.
    pub fn of(&self, field: Field) -> &[String] {
        self.fields.get(&field).map_or(&[], Vec::as_slice)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.form.is_empty() && self.fields.is_empty()
    }

    /// Adds one.
    pub fn add(&mut self, field: Option<Field>, message: impl Into<String>) {
        let messages = match field {
            Some(field) => self.fields.entry(field).or_default(),
            None => &mut self.form,
        };
        let message = message.into();
        if !messages.contains(&message) {
            messages.push(message);
        }
    }

    /// The messages about a refused write.
    pub fn of_problem(problem: &Problem) -> Self {
        let mut messages = Self::default();
        let missing_namespace =
            problem.status == StatusCode::NOT_FOUND && problem.answer.contains("namespaces");
        if problem.status == StatusCode::CONFLICT {
            messages.add(
                Some(Field::Name),
                "An OAuthClient of this name exists in the namespace. Choose another name, or edit that one.",
            );
        } else if missing_namespace {
            messages.add(
                Some(Field::Namespace),
                "There is no such namespace. Choose one that exists, or create it first.",
            );
        }
        // Not asked of the API server at all: the namespace of the form is no name.
        if problem.status == StatusCode::NOT_FOUND && problem.answer.is_empty() {
            messages.add(Some(Field::Namespace), problem.message.clone());
        }
        for cause in &problem.causes {
            let (field, line) = field(&cause.field, &cause.message);
            let said = sentence(&cause.message);
            messages.add(
                field,
                match (field, line) {
                    (Some(_), Some(line)) => format!("Line {}: {said}", line + 1),
                    (Some(_), None) => said,
                    (None, _) if cause.field.is_empty() => said,
                    (None, _) => format!("{}: {said}", cause.field),
                },
            );
        }
        if messages.is_empty() {
            messages.add(None, format!("{} {}", problem.message, problem.remedy));
            if !problem.answer.is_empty() {
                messages.add(None, problem.answer.clone());
            }
        }
        messages
    }
}

/// The status of a response that shows a refusal beside what was sent. 404 says that there is no such page, and here it is
/// the namespace or the Secret that is missing.
pub fn status(problem: &Problem) -> StatusCode {
    match problem.status {
        StatusCode::NOT_FOUND => StatusCode::UNPROCESSABLE_ENTITY,
        status => status,
    }
}

/// The field of the form that a path is about, and the index within a list.
fn field(path: &str, message: &str) -> (Option<Field>, Option<usize>) {
    let (path, index) = match path.split_once('[') {
        Some((path, rest)) => (path, rest.split(']').next().and_then(|n| n.parse().ok())),
        None => (path, None),
    };
    let named = match path {
        "metadata.name" => Some(Field::Name),
        "metadata.namespace" => Some(Field::Namespace),
        "spec" => Field::ALL
            .into_iter()
            .filter(|field| !field.of_spec().is_empty() && *field != Field::Type)
            .find(|field| message.contains(field.of_spec()))
            // A client without a secret of ours has nothing to rotate.
            .or_else(|| {
                let schedule = message.contains("remove rotation");
                schedule.then_some(Field::RotateEvery)
            }),
        // A rule about the whole object, such as that about the length of the name.
        "" | "<nil>" if message.contains("the name of an OAuthClient") => Some(Field::Name),
        _ => path.strip_prefix("spec.").and_then(|name| {
            let mut fields = Field::ALL.into_iter();
            let exact = fields.find(|field| field.of_spec() == name);
            exact.or_else(|| of_group(name, message))
        }),
    };
    let is_list = matches!(named, Some(Field::RedirectUris | Field::Audiences));
    (named, index.filter(|_| is_list))
}

/// The field of a group, such as `lifetimes`, that a rule about the group names first.
fn of_group(group: &str, message: &str) -> Option<Field> {
    let named = Field::DURATIONS.into_iter().filter_map(|field| {
        let key = field.of_spec().strip_prefix(group)?.strip_prefix('.')?;
        // Of two at the same place the longer is meant: refreshTokenIdle, not refreshToken.
        Some((message.find(key)?, Reverse(key.len()), field))
    });
    named.min().map(|(_, _, field)| field)
}

/// The sentence without the value that the person just typed: `Invalid value: "x": must not …`. A rule about a group of fields has no value.
fn sentence(message: &str) -> String {
    let said = message
        .strip_prefix("Invalid value: ")
        .map_or(message, |said| after_value(said).unwrap_or(said));
    let mut chars = said.chars();
    let Some(first) = chars.next() else {
        return "The API server refuses this value.".to_owned();
    };
    // The name of a field stays as it is written.
    let word = said.split(' ').next().unwrap_or_default();
    let is_field = word.contains(|c: char| c.is_ascii_uppercase());
    let mut said: String = if is_field {
        said.to_owned()
    } else {
        first.to_uppercase().chain(chars).collect()
    };
    if !said.ends_with(['.', '!', '?']) {
        said.push('.');
    }
    said
}

/// What follows a value and its colon: a text in quotes, or a number or the like, which is one word.
fn after_value(text: &str) -> Option<&str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, said) = text.split_once(": ")?;
        return (!value.contains(' ')).then_some(said);
    };
    let mut escaped = false;
    let end = quoted.char_indices().find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    quoted.get(end?.0 + 1..)?.strip_prefix(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Cause;

    fn refused(causes: &[(&str, &str)]) -> Messages {
        let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "No.", "Correct it.");
        problem.causes = causes
            .iter()
            .map(|(field, message)| Cause {
                field: (*field).to_owned(),
                message: (*message).to_owned(),
            })
            .collect();
        Messages::of_problem(&problem)
    }

    #[test]
    fn each_cause_is_shown_at_its_field() {
        for (path, message, field, expected) in [
            (
                "spec.redirectUris[1]",
                "Invalid value: \"http://a \\\"b\\\"\": must not contain a fragment (#)",
                Field::RedirectUris,
                "Line 2: Must not contain a fragment (#).",
            ),
            (
                "spec.audiences[0]",
                "Invalid value: \"x\": must be an absolute URI",
                Field::Audiences,
                "Line 1: Must be an absolute URI.",
            ),
            (
                "spec.displayName",
                "Too long: may not be more than 100 bytes",
                Field::DisplayName,
                "Too long: may not be more than 100 bytes.",
            ),
            (
                "spec",
                "Invalid value: \"object\": a Public client needs redirectUris; a machine without people is Confidential",
                Field::RedirectUris,
                "A Public client needs redirectUris; a machine without people is Confidential.",
            ),
            (
                "metadata.name",
                "Invalid value: \"A B\": a lowercase RFC 1123 subdomain must consist of lower case characters",
                Field::Name,
                "A lowercase RFC 1123 subdomain must consist of lower case characters.",
            ),
            (
                "spec.lifetimes.accessToken",
                "Invalid value: \"1y\": must be a duration",
                Field::AccessToken,
                "Must be a duration.",
            ),
            (
                "spec.lifetimes",
                "Invalid value: \"object\": refreshTokenIdle must be at most refreshToken",
                Field::RefreshTokenIdle,
                "refreshTokenIdle must be at most refreshToken.",
            ),
            (
                "spec.lifetimes",
                "Invalid value: refreshToken must be at least accessToken: a token that renews another must outlive it",
                Field::RefreshToken,
                "refreshToken must be at least accessToken: a token that renews another must outlive it.",
            ),
            (
                "spec.rotation",
                "Invalid value: every must be longer than maxOverlap",
                Field::RotateEvery,
                "Every must be longer than maxOverlap.",
            ),
            (
                "spec.firstParty",
                "Invalid value: 5: must be true or false",
                Field::FirstParty,
                "Must be true or false.",
            ),
            (
                "spec.rotation.every",
                "Invalid value: \"1y\": must be a duration",
                Field::RotateEvery,
                "Must be a duration.",
            ),
            (
                "spec.rotation",
                "Invalid value: \"object\": quietPeriod must be at most maxOverlap",
                Field::QuietPeriod,
                "quietPeriod must be at most maxOverlap.",
            ),
            (
                "spec",
                "Invalid value: \"object\": a Public client has no secret to rotate; remove rotation or make the client Confidential",
                Field::RotateEvery,
                "A Public client has no secret to rotate; remove rotation or make the client Confidential.",
            ),
            (
                "spec.tenant",
                "Invalid value: \"string\": tenant cannot be changed",
                Field::Tenant,
                "Tenant cannot be changed.",
            ),
            (
                "<nil>",
                "Invalid value: \"object\": the name of an OAuthClient must not be longer than 63 characters",
                Field::Name,
                "The name of an OAuthClient must not be longer than 63 characters.",
            ),
        ] {
            let messages = refused(&[(path, message)]);
            assert_eq!(messages.of(field), [expected], "{path}");
            assert!(messages.form.is_empty());
        }
    }

    #[test]
    fn what_no_field_of_the_form_is_about_names_its_path() {
        let messages = refused(&[(
            "spec.secretRef.name",
            "Invalid value: \"A\": must be a name",
        )]);
        assert_eq!(messages.form, ["spec.secretRef.name: Must be a name."]);
        let message = "Invalid value: \"object\": a Public client has no secret; remove jwks";
        assert_eq!(
            refused(&[("spec", message)]).form,
            ["spec: A Public client has no secret; remove jwks."]
        );
    }

    #[test]
    fn a_refusal_without_causes_keeps_message_remedy_and_answer() {
        let mut problem = Problem::new(StatusCode::FORBIDDEN, "You may not.", "Ask for a Role.");
        problem.answer = "forbidden: User bob".to_owned();
        let messages = Messages::of_problem(&problem);
        assert_eq!(
            messages.form,
            ["You may not. Ask for a Role.", "forbidden: User bob"]
        );
        let odd = Problem::not_found("\"A b\" is not a name of Kubernetes.");
        assert_eq!(Messages::of_problem(&odd).of(Field::Namespace).len(), 1);
        assert_eq!(status(&odd), StatusCode::UNPROCESSABLE_ENTITY);
        let taken = Problem::new(StatusCode::CONFLICT, "It exists.", "");
        assert_eq!(Messages::of_problem(&taken).of(Field::Name).len(), 1);
    }
}
