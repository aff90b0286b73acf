//! What a refusal of the API server means, with its remedy.

use axum::http::StatusCode;
use clientele_kubectl::connect::chain;
use kube::core::Status;

use crate::problem::{Cause, Problem};

/// `doing` completes "You may not …", such as `list oauthclients in namespace web`.
pub fn problem(error: &kube::Error, doing: &str, server: &str) -> Problem {
    match error {
        kube::Error::Api(status) => refused(status, doing, server),
        _ => unreachable_server(error, server),
    }
}

fn refused(status: &Status, doing: &str, server: &str) -> Problem {
    let (message, remedy) = texts(status, doing, server);
    let code = StatusCode::from_u16(status.code).ok();
    // What the API server says about itself is about a server behind this one.
    let code = code.filter(StatusCode::is_client_error);
    let causes = status.details.iter().flat_map(|details| &details.causes);
    Problem {
        answer: status.message.clone(),
        causes: causes
            .map(|cause| Cause {
                field: cause.field.clone(),
                message: cause.message.clone(),
            })
            .collect(),
        ..Problem::new(code.unwrap_or(StatusCode::BAD_GATEWAY), message, remedy)
    }
}

fn texts(status: &Status, doing: &str, server: &str) -> (String, String) {
    let named = status.details.as_ref().is_some_and(|d| !d.name.is_empty());
    match status.code {
        400 => (
            "The API server cannot read what was sent.".to_owned(),
            "Correct the field that the answer names; a field that the cluster does not know needs newer CustomResourceDefinitions.".to_owned(),
        ),
        401 => (
            format!("The API server at {server} does not accept the credentials of the kubeconfig; they may have expired."),
            "Sign in to the cluster again, check with `kubectl auth whoami`, and restart the dashboard.".to_owned(),
        ),
        403 => (
            format!("You may not {doing}."),
            "Ask an administrator for a Role with this right, bound to you by a RoleBinding; `kubectl auth can-i --list` shows what you have.".to_owned(),
        ),
        404 if named => (
            format!("You cannot {doing}: it does not exist."),
            "Go back to the list of clients; another person may have deleted it.".to_owned(),
        ),
        404 => (
            format!("The cluster at {server} does not serve the kinds of Clientele."),
            "Install the chart, or choose another cluster with --context.".to_owned(),
        ),
        409 if status.reason == "AlreadyExists" => (
            format!("You cannot {doing}: an object of this name exists."),
            "Choose another name, or edit the object that exists.".to_owned(),
        ),
        409 => (
            "Another person or program changed the object at the same time.".to_owned(),
            "Compare with what is stored now, and save again.".to_owned(),
        ),
        422 => (
            format!("The API server refuses to {doing}."),
            "Correct the fields that are named here.".to_owned(),
        ),
        429 => (
            format!("The API server at {server} has too many requests to answer."),
            "Wait a few seconds and try again.".to_owned(),
        ),
        code => (
            format!("The API server at {server} answered {code}."),
            "Try again; if it stays, see the log of the API server.".to_owned(),
        ),
    }
}

fn unreachable_server(error: &kube::Error, server: &str) -> Problem {
    Problem {
        answer: chain(error),
        ..Problem::new(
            StatusCode::BAD_GATEWAY,
            format!("The API server at {server} cannot be reached."),
            "Check that it runs and that the network or VPN is up: `kubectl cluster-info`. If a certificate or a sign-in has expired, sign in to the cluster again and restart the dashboard.",
        )
    }
}

/// What an API server must trust so that people of the dashboard are its users.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// `iss` of the ID tokens.
    pub issuer: String,
    /// `aud` of them: the client ID of the dashboard.
    pub client_id: String,
}

/// The same problem, or what a 401 means where the credentials are an ID token.
pub fn untrusted(problem: Problem, server: &str, trusted: &Trusted) -> Problem {
    if problem.status != StatusCode::UNAUTHORIZED {
        return problem;
    }
    let Trusted { issuer, client_id } = trusted;
    Problem {
        answer: problem.answer,
        ..Problem::new(
            StatusCode::UNAUTHORIZED,
            format!(
                "The cluster does not trust this issuer: the API server at {server} refuses ID tokens of {issuer} for the audience {client_id}."
            ),
            format!(
                "An administrator of the cluster adds `{client_id}` to the `audiences` of the issuer `{issuer}` in the authentication configuration of kube-apiserver, with `audienceMatchPolicy: MatchAny`; see `docs/how-to/kubectl-login.md`. Where that configuration cannot be changed, use `kubectl clientele dashboard` on your own machine, which has the rights of your kubeconfig."
            ),
        )
    }
}

/// The API server has not answered. A write may be stored nevertheless.
pub fn silent(doing: &str, server: &str) -> Problem {
    Problem::new(
        StatusCode::BAD_GATEWAY,
        format!("The API server at {server} does not answer: {doing}."),
        "Check that the network or VPN is up: `kubectl cluster-info`. If you changed something, look whether it is stored before you try again.",
    )
}

#[cfg(test)]
mod tests {
    use kube::core::response::{StatusCause, StatusDetails};

    use super::*;

    fn answered(code: u16, reason: &str, details: Option<StatusDetails>) -> Problem {
        let status = Status {
            code,
            reason: reason.to_owned(),
            message: "as it is".to_owned(),
            details,
            ..Status::default()
        };
        let error = kube::Error::Api(Box::new(status));
        problem(
            &error,
            "create oauthclients in namespace web",
            "https://k8s",
        )
    }

    #[test]
    fn every_refusal_has_its_status_and_a_remedy() {
        for (code, reason, shown, message, remedy) in [
            (400, "BadRequest", 400, "cannot read", "Correct"),
            (
                401,
                "Unauthorized",
                401,
                "credentials",
                "kubectl auth whoami",
            ),
            (
                403,
                "Forbidden",
                403,
                "You may not create oauthclients in namespace web.",
                "RoleBinding",
            ),
            (404, "NotFound", 404, "does not serve", "Install the chart"),
            (
                409,
                "AlreadyExists",
                409,
                "of this name exists",
                "Choose another name",
            ),
            (409, "Conflict", 409, "at the same time", "Compare"),
            (422, "Invalid", 422, "refuses to create", "fields"),
            (429, "TooManyRequests", 429, "too many", "Wait"),
            (500, "InternalError", 502, "answered 500", "log"),
        ] {
            let problem = answered(code, reason, None);
            assert_eq!(problem.status.as_u16(), shown, "{code}");
            assert!(problem.message.contains(message), "{code}: {problem:?}");
            assert!(problem.remedy.contains(remedy), "{code}: {problem:?}");
            assert_eq!(problem.answer, "as it is");
        }
    }

    #[test]
    fn a_refused_id_token_names_what_the_cluster_must_trust() {
        let trusted = Trusted {
            issuer: "https://id.example".to_owned(),
            client_id: "system.dashboard".to_owned(),
        };
        let of = |code| untrusted(answered(code, "", None), "https://k8s", &trusted);
        let refused = of(401);
        assert!(
            refused
                .message
                .starts_with("The cluster does not trust this issuer")
        );
        for named in [
            "https://id.example",
            "system.dashboard",
            "MatchAny",
            "kubectl clientele dashboard",
        ] {
            assert!(refused.remedy.contains(named), "{refused:?}");
        }
        assert_eq!(of(403), answered(403, "", None));
    }

    #[test]
    fn the_fields_of_a_422_are_kept() {
        let cause = StatusCause {
            reason: "FieldValueInvalid".to_owned(),
            message: "Invalid value".to_owned(),
            field: "spec.redirectUris[0]".to_owned(),
        };
        let details = StatusDetails {
            name: "web".to_owned(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: vec![cause],
            retry_after_seconds: 0,
        };
        let problem = answered(422, "Invalid", Some(details));
        assert_eq!(problem.causes[0].field, "spec.redirectUris[0]");
    }
}
