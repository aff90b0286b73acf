//! `rotate`: changes `spec.rotation.requestId`, and for a secret that has leaked sets `maxOverlap: 0s` meanwhile.

use serde_json::{Value, json};

use super::suspend::git_owner;
use super::wait::wait_until;
use crate::args::RotateArgs;
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::objects::{Kind, text};
use crate::output::Output;

const OVERLAP: &str = "/spec/rotation/maxOverlap";

/// Requests a rotation.
pub async fn run(session: &Session, args: &RotateArgs, output: &mut Output<'_>) -> Answer {
    let object = session.get(Kind::Client, &args.name).await?;
    can_rotate(&object)?;
    let request = request_id(args, &object, jiff::Timestamp::now())?;
    let patched = session
        .patch(Kind::Client, &args.name, &patch(&request, args.leaked))
        .await?;
    if let Some(owner) = git_owner(&object)
        && !text(&object, "/spec/rotation/requestId").is_empty()
    {
        output.warn(&format!(
            "{owner} writes spec.rotation.requestId of {} and will put it back, which rotates once more; change it there, too",
            args.name
        ));
    }
    if args.wait || args.leaked {
        let seen = wait_until(session, (Kind::Client, &args.name), args.timeout, |now| {
            is_published(now, &request)
        })
        .await;
        if args.leaked {
            put_back(session, args, &object, seen.is_ok(), output).await?;
        }
        seen?;
    }
    let shown = shown(args, &request);
    let value = json!({ "name": args.name, "requestId": request, "generation": patched.pointer("/metadata/generation") });
    output.value(&value, &[format!("oauthclient/{}", args.name)], &shown)?;
    Ok(Outcome::Yes)
}

fn shown(args: &RotateArgs, request: &str) -> String {
    let name = &args.name;
    match (args.leaked, args.wait) {
        (true, _) => format!(
            "oauthclient/{name} rotated; the old secret is refused from now on. Restart what does not read the Secret again: `kubectl clientele who {name}`\n"
        ),
        (false, true) => format!(
            "oauthclient/{name} rotated; the old secret works until it is no longer used, at most for maxOverlap\n"
        ),
        (false, false) => format!("oauthclient/{name}: rotation {request} requested\n"),
    }
}

/// Why the client has no secret that could rotate.
pub fn can_rotate(object: &Value) -> Result<(), Failure> {
    let problem = if text(object, "/spec/type") == "Public" {
        "a Public client has no secret"
    } else if object.pointer("/spec/secretRef").is_some() {
        "its secret is provided by secretRef and is rotated by its owner: write the next value into that Secret, the former one into the entry that secretRef.previousKey names"
    } else {
        match text(object, "/spec/tokenEndpointAuthMethod") {
            "private_key_jwt" => {
                "it signs with a key: add a key to jwks, and later remove the old one"
            }
            "service_account" => {
                "it proves itself by a ServiceAccount, whose tokens Kubernetes renews by itself"
            }
            _ => return Ok(()),
        }
    };
    let name = crate::objects::name(object);
    Err(Failure::new(format!(
        "OAuthClient {name} cannot rotate: {problem}"
    )))
}

fn request_id(args: &RotateArgs, object: &Value, now: jiff::Timestamp) -> Result<String, Failure> {
    let Some(asked) = &args.request_id else {
        return Ok(now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
    };
    let formed = asked.starts_with(|c: char| c.is_ascii_alphanumeric())
        && asked.len() <= 64
        && asked
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._:/+-".contains(&b));
    if !formed {
        return Err(Failure::new(
            "--request-id must begin with a letter or digit and consist of letters, digits, '.', '_', ':', '/', '+' and '-', at most 64 of them, such as INC-4711",
        ));
    }
    if text(object, "/status/rotation/lastHandledRequestId") == asked {
        return Err(Failure::new(format!(
            "the rotation {asked:?} was done already, and the same value rotates nothing; choose another --request-id, or omit it"
        )));
    }
    Ok(asked.clone())
}

/// The merge patch that requests a rotation. A leaked secret stops at once.
pub fn patch(request: &str, leaked: bool) -> Value {
    let mut rotation = json!({ "requestId": request });
    if leaked {
        rotation["maxOverlap"] = "0s".into();
    }
    json!({ "spec": { "rotation": rotation } })
}

/// Whether the request was answered and the new secret lies in the Secret.
pub fn is_published(object: &Value, request: &str) -> bool {
    let number = |name: &str| {
        object
            .pointer(&format!("/status/secretGeneration/{name}"))
            .and_then(Value::as_i64)
    };
    text(object, "/status/rotation/lastHandledRequestId") == request
        && number("requested").is_some()
        && number("requested") == number("published")
}

/// Sets `maxOverlap` as it was, so that the next rotation is an ordinary one.
async fn put_back(
    session: &Session,
    args: &RotateArgs,
    before: &Value,
    rotated: bool,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let former = before.pointer(OVERLAP).cloned().unwrap_or(Value::Null);
    if !rotated {
        output.warn(&format!(
            "spec.rotation.maxOverlap of {} stays at 0s, so that the old secret stops as soon as the operator rotates; set it back to {former} afterwards",
            args.name
        ));
        return Ok(());
    }
    if former == "0s" {
        output.warn(&format!(
            "spec.rotation.maxOverlap of {} was 0s before, perhaps because an earlier --leaked was interrupted; set the overlap that you want",
            args.name
        ));
        return Ok(());
    }
    let patch = json!({ "spec": { "rotation": { "maxOverlap": former } } });
    session
        .patch(Kind::Client, &args.name, &patch)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_secret_of_ours_says_where_it_rotates() {
        for (spec, expected) in [
            (json!({ "type": "Public" }), "Public"),
            (json!({ "secretRef": { "name": "a" } }), "previousKey"),
            (
                json!({ "tokenEndpointAuthMethod": "private_key_jwt" }),
                "jwks",
            ),
            (
                json!({ "tokenEndpointAuthMethod": "service_account" }),
                "ServiceAccount",
            ),
        ] {
            let said = can_rotate(&json!({ "spec": spec }))
                .unwrap_err()
                .to_string();
            assert!(said.contains(expected), "{said}");
        }
        assert!(can_rotate(&json!({ "spec": {} })).is_ok());
    }

    #[test]
    fn a_request_is_new_and_formed() {
        let ask = |id: Option<&str>| {
            let args = RotateArgs {
                name: "web".to_owned(),
                leaked: false,
                wait: false,
                request_id: id.map(str::to_owned),
                timeout: 1,
            };
            let object = json!({ "status": { "rotation": { "lastHandledRequestId": "INC-1" } } });
            request_id(&args, &object, jiff::Timestamp::UNIX_EPOCH).map_err(|e| e.to_string())
        };
        assert_eq!(ask(None).unwrap(), "1970-01-01T00:00:00.000Z");
        assert_eq!(ask(Some("INC-2")).unwrap(), "INC-2");
        assert!(ask(Some("INC-1")).unwrap_err().contains("done already"));
        for bad in ["", "-x", "a b", &"x".repeat(65)] {
            assert!(ask(Some(bad)).unwrap_err().contains("INC-4711"), "{bad}");
        }
    }

    #[test]
    fn published_means_answered_and_written() {
        let object = |published: i64| {
            json!({ "status": {
                "rotation": { "lastHandledRequestId": "a" },
                "secretGeneration": { "requested": 2, "published": published, "oldestAccepted": 1 },
            } })
        };
        assert!(is_published(&object(2), "a"));
        assert!(!is_published(&object(1), "a") && !is_published(&object(2), "b"));
        assert!(!is_published(&json!({}), "a"));
    }
}
