//! `token`: a token of a machine client.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;
use serde_json::Value;

use super::credentials::Credentials;
use crate::args::TokenArgs;
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::issuer::{Proof, discover, http, machine_token};
use crate::objects::{Kind, name, text};
use crate::output::Output;

/// Requests a token and prints it.
pub async fn run(session: &Session, args: &TokenArgs, output: &mut Output<'_>) -> Answer {
    let http = http(&args.http)?;
    let object = session.get(Kind::Client, &args.name).await?;
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
    let proof = held.as_proof();
    let answer = machine_token(&http, endpoint, client_id, &proof, &parameters).await?;
    print(&answer, args.decode, output)?;
    Ok(Outcome::Yes)
}

fn print(answer: &Value, decode: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    let token = text(answer, "/access_token");
    if decode {
        let claims = claims(token).ok_or_else(|| Failure::new("the access token is no JWT"))?;
        let shown = serde_json::to_string_pretty(&claims).unwrap_or_default() + "\n";
        output.value(&claims, &[], &shown)?;
    } else {
        let token = token.to_owned();
        let shown = token.clone() + "\n";
        output.value(answer, &[token], &shown)?;
    }
    Ok(())
}

/// The claims of a JWT, not verified.
pub fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// What a machine proves itself with.
pub enum HeldProof {
    /// The client secret.
    Secret(String),
    /// The token of a ServiceAccount.
    Assertion(String),
}

impl HeldProof {
    /// The same, borrowed.
    pub fn as_proof(&self) -> Proof<'_> {
        match self {
            Self::Secret(secret) => Proof::Secret(secret),
            Self::Assertion(assertion) => Proof::Assertion(assertion),
        }
    }
}

fn may_have_tokens(object: &Value) -> Result<(), Failure> {
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
        "OAuthClient {} gets tokens for people who sign in, not for itself: client_credentials is not among its grants. `kubectl clientele test {0}` tries it up to the sign-in page; for tokens of its own, add client_credentials to spec.grantTypes",
        name(object)
    )))
}

/// The secret, or a token of a ServiceAccount where that is asked for or the only way.
pub async fn proof(
    session: &Session,
    object: &Value,
    account: Option<&str>,
) -> Result<HeldProof, Failure> {
    let method = text(object, "/spec/tokenEndpointAuthMethod");
    let first = text(object, "/spec/serviceAccounts/0/name");
    match (account, method) {
        (Some(account), _) => service_account(session, object, account).await,
        (None, "service_account") => service_account(session, object, first).await,
        (None, "private_key_jwt") => Err(Failure::new(format!(
            "OAuthClient {} signs with a private key, which only the application has; no token can be had here",
            name(object)
        ))),
        (None, _) => {
            let credentials = Credentials::read(session, name(object)).await?;
            let secret = credentials.any_secret(session).await?;
            secret.map(HeldProof::Secret).ok_or_else(|| {
                Failure::new(format!(
                    "no client secret was found in Secret {}; `kubectl clientele why {}` says why",
                    credentials.secret_name,
                    name(object)
                ))
            })
        }
    }
}

async fn service_account(
    session: &Session,
    object: &Value,
    account: &str,
) -> Result<HeldProof, Failure> {
    let accounts: Api<ServiceAccount> = Api::namespaced(session.client.clone(), &session.namespace);
    let request = TokenRequest {
        spec: TokenRequestSpec {
            audiences: vec![text(object, "/status/issuer").to_owned()],
            expiration_seconds: Some(600),
            bound_object_ref: None,
        },
        ..TokenRequest::default()
    };
    let what = format!(
        "create serviceaccounts/token of {account} in namespace {}",
        session.namespace
    );
    let made = accounts
        .create_token_request(account, &PostParams::default(), &request)
        .await
        .map_err(|error| session.explain(&error, &what))?;
    let token = made.status.map(|status| status.token);
    token.map(HeldProof::Assertion).ok_or_else(|| {
        Failure::new(format!(
            "the API server made no token for ServiceAccount {account}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
    fn claims_are_read_and_nothing_else() {
        let token = format!(
            "e30.{}.sig",
            URL_SAFE_NO_PAD.encode(r#"{"sub":"apps.job"}"#)
        );
        assert_eq!(claims(&token).unwrap()["sub"], "apps.job");
        assert!(claims("opaque").is_none() && claims("a.%.b").is_none());
    }
}
