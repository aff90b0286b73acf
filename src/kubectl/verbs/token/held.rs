//! What a machine proves itself with, and what a token says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;
use serde_json::Value;

use crate::connect::Session;
use crate::failure::Failure;
use crate::issuer::Proof;
use crate::objects::{name, text};
use crate::verbs::credentials::Credentials;

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
    /// Nothing: the client is Public.
    Nothing,
    /// Something that only the application has. The sentence says what.
    Elsewhere(String),
}

impl HeldProof {
    /// The same, borrowed; fails where only the application has it.
    pub fn as_proof(&self) -> Result<Proof<'_>, Failure> {
        match self {
            Self::Secret(secret) => Ok(Proof::Secret(secret)),
            Self::Assertion(assertion) => Ok(Proof::Assertion(assertion)),
            Self::Nothing => Ok(Proof::Nothing),
            Self::Elsewhere(why) => Err(Failure::new(why.as_str())),
        }
    }
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
        (None, "private_key_jwt") => Ok(HeldProof::Elsewhere(format!(
            "OAuthClient {} signs with a private key, which only the application has, so no token can be requested here; see whether the application gets one",
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

fn missing(session: &Session, object: &Value, account: &str) -> Failure {
    let listed = object.pointer("/spec/serviceAccounts");
    let listed = listed.and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> = listed.map(|one| text(one, "/name")).collect();
    let correct = if names.contains(&account) {
        format!(
            "correct spec.serviceAccounts of OAuthClient {}",
            name(object)
        )
    } else {
        format!(
            "name another one with --service-account; spec.serviceAccounts of OAuthClient {} lists: {}",
            name(object),
            names.join(", ")
        )
    };
    Failure::new(format!(
        "there is no ServiceAccount {account:?} in namespace {0}: create it with `kubectl -n {0} create serviceaccount {account}`, or {correct}",
        session.namespace
    ))
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
        .map_err(|error| match error {
            kube::Error::Api(status) if status.code == 404 => missing(session, object, account),
            error => session.explain(&error, &what),
        })?;
    let token = made.status.map(|status| status.token);
    token.map(HeldProof::Assertion).ok_or_else(|| {
        Failure::new(format!(
            "the API server made no token for ServiceAccount {account}"
        ))
    })
}
