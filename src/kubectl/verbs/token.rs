//! `token`: a token of a machine client, or of a person who signs in.

mod held;
mod loopback;
mod person;
pub mod scopes;

use serde_json::Value;

use crate::args::TokenArgs;
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::issuer::{discover, http, machine_token};
use crate::objects::{Kind, name, reason, text};
use crate::output::Output;

pub use held::{HeldProof, claims, proof};

/// Requests a token and prints it.
pub async fn run(session: &Session, args: &TokenArgs, output: &mut Output<'_>) -> Answer {
    let http = http(&args.http)?;
    let object = session.get(Kind::Client, &args.name).await?;
    may_be_served(&object)?;
    if args.sign_in {
        let answer = person::sign_in(session, &object, args, &http, output).await?;
        let kind = if args.id_token {
            "/id_token"
        } else {
            "/access_token"
        };
        print(&answer, kind, args.decode, output)?;
        return Ok(Outcome::Yes);
    }
    may_have_tokens(&object)?;
    let document = discover(&http, text(&object, "/status/issuer")).await?;
    let endpoint = text(&document, "/token_endpoint");
    let optional = [("scope", &args.scope), ("resource", &args.resource)];
    let parameters: Vec<(&str, &str)> = optional
        .iter()
        .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
        .collect();
    let held = proof(session, &object, args.service_account.as_deref()).await?;
    let client_id = text(&object, "/status/clientId");
    let proof = held.as_proof()?;
    let answer = machine_token(&http, endpoint, client_id, &proof, &parameters).await?;
    print(&answer, "/access_token", args.decode, output)?;
    Ok(Outcome::Yes)
}

fn print(answer: &Value, kind: &str, decode: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    let token = text(answer, kind);
    if decode {
        let claims = claims(token).ok_or_else(|| Failure::new("the token is no JWT"))?;
        let shown = serde_json::to_string_pretty(&claims).unwrap_or_default() + "\n";
        output.value(&claims, &[], &shown)?;
    } else {
        let token = token.to_owned();
        let shown = token.clone() + "\n";
        output.value(answer, &[token], &shown)?;
    }
    Ok(())
}

/// The server does not say why it refuses a client, but its status does.
fn may_be_served(object: &Value) -> Result<(), Failure> {
    let off = object.pointer("/spec/suspended") == Some(&Value::Bool(true));
    if !off && reason(object) != "Suspended" {
        return Ok(());
    }
    Err(Failure::new(format!(
        "OAuthClient {0} is suspended, so every request of it is refused; `kubectl clientele resume {0}` ends that",
        name(object)
    )))
}

/// Whether the client may have tokens of its own.
pub fn may_have_tokens(object: &Value) -> Result<(), Failure> {
    let grants = object.pointer("/spec/grantTypes").and_then(Value::as_array);
    let has_uris = object
        .pointer("/spec/redirectUris")
        .and_then(Value::as_array)
        .is_some_and(|uris| !uris.is_empty());
    let machine = grants.map_or(!has_uris, |grants| {
        grants.iter().any(|grant| grant == "client_credentials")
    });
    if machine && text(object, "/spec/type") != "Public" {
        return Ok(());
    }
    Err(Failure::new(format!(
        "OAuthClient {} gets tokens for people who sign in, not for itself: client_credentials is not among its grants. `kubectl clientele token {0} --sign-in` gets one of yours, and `kubectl clientele test {0}` tries it up to the sign-in page; for tokens of its own, add client_credentials to spec.grantTypes",
        name(object)
    )))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    #[test]
    fn who_gets_no_tokens_for_itself_is_told_what_to_do() {
        for (spec, may) in [
            (json!({}), true),
            (json!({ "redirectUris": ["https://a"] }), false),
            (
                json!({ "redirectUris": ["https://a"], "grantTypes": ["client_credentials"] }),
                true,
            ),
            (json!({ "type": "Public" }), false),
        ] {
            let object = json!({ "metadata": { "name": "web" }, "spec": spec });
            assert_eq!(may_have_tokens(&object).is_ok(), may, "{object}");
        }
    }

    #[test]
    fn a_suspended_client_is_resumed_and_not_tried() {
        let object = |reason: &str| {
            json!({
                "metadata": { "name": "web", "generation": 1 },
                "status": { "observedGeneration": 1, "conditions": [{ "type": "Ready", "status": "False", "reason": reason }] },
            })
        };
        let said = may_be_served(&object("Suspended")).unwrap_err().to_string();
        assert!(said.contains("kubectl clientele resume web"), "{said}");
        assert!(may_be_served(&object("ReplicasPending")).is_ok());
    }

    #[test]
    fn claims_are_read_and_nothing_else() {
        let token = format!(
            "e30.{}.sig",
            URL_SAFE_NO_PAD.encode(r#"{"sub":"apps.job"}"#)
        );
        assert_eq!(claims(&token).unwrap()["sub"], "apps.job");
        assert!(claims("opaque").is_none() && claims("a.%.b").is_none());
    }
}
