//! What the API server refuses at `kubectl apply`, with a sentence that says what to write instead.

mod agreement;
mod immutable;
mod ledger;
mod policies;
mod redirects;
mod refusals;
mod rotation;
mod secret;
mod secretless;
mod sign_in;
mod spec;
mod tenant;
mod user;

use serde_json::Value;

use crate::support::test_namespace::TestNamespace;

/// A name, a spec, the field that is wrong, and what the API server says about it.
type Row<'a> = (&'a str, Value, &'a str, &'a str);

/// Every row is refused with exactly its sentence at exactly its field, and nothing of it is stored.
async fn refuses(rows: &[Row<'_>]) {
    let space = TestNamespace::new("admission").await;
    for (name, spec, field, sentence) in rows {
        let answer = space.try_create(name, spec.clone()).await;
        let answer = answer.expect_err(&format!("{name} was accepted"));
        let causes = causes(&answer, "OAuthClient", name);
        assert!(
            causes.iter().any(|cause| blames(cause, field, sentence)),
            "{name}: {answer}"
        );
        assert!(space.clients().get_opt(name).await.unwrap().is_none());
    }
}

/// Every row is accepted as it is.
async fn accepts(rows: &[(&str, Value)]) {
    let space = TestNamespace::new("admission").await;
    for (name, spec) in rows {
        if let Err(answer) = space.try_create(name, spec.clone()).await {
            panic!("{name}: {answer}");
        }
    }
}

/// The causes in `<kind>.clientele.dev "<name>" is invalid: [<cause>, <cause>]`.
fn causes(answer: &str, kind: &str, name: &str) -> Vec<String> {
    let prefix = format!("{kind}.clientele.dev {name:?} is invalid: ");
    let Some(rest) = answer.strip_prefix(&prefix) else {
        return vec![answer.to_owned()];
    };
    let list = rest
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    // Kubernetes 1.33 prints the type in Go of a value that is an object.
    let list = list.unwrap_or(rest).replace("map[string]interface {}", "");
    // A cause begins where a field path stands.
    let mut causes: Vec<String> = Vec::new();
    for part in list.split(", ") {
        let begins = ["spec", "status", "metadata", "<nil>"]
            .iter()
            .any(|path| part.starts_with(path) && part.contains(": "));
        match causes.last_mut() {
            Some(cause) if !begins => {
                cause.push_str(", ");
                cause.push_str(part);
            }
            _ => causes.push(part.to_owned()),
        }
    }
    causes
}

fn blames(cause: &str, field: &str, sentence: &str) -> bool {
    if field.is_empty() {
        return cause == sentence;
    }
    let rest = cause.strip_prefix(field);
    rest.is_some_and(|rest| rest.starts_with(": ") && rest.ends_with(&format!(": {sentence}")))
}

#[test]
fn causes_are_told_apart() {
    let answer = r#"OAuthClient.clientele.dev "x" is invalid: [spec.a: Invalid value: "1": no, never, spec.b: Too many: 3: must have at most 2 items]"#;
    let causes = causes(answer, "OAuthClient", "x");
    assert_eq!(causes.len(), 2);
    assert!(blames(&causes[0], "spec.a", "no, never"));
    assert!(!blames(&causes[0], "spec.a", "never"));
    assert!(blames(&causes[1], "spec.b", "must have at most 2 items"));
}
