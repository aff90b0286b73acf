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
}

impl HeldProof {
    /// The same, borrowed.
    pub fn as_proof(&self) -> Proof<'_> {
        match self {
            Self::Secret(secret) => Proof::Secret(secret),
            Self::Assertion(assertion) => Proof::Assertion(assertion),
            Self::Nothing => Proof::Nothing,
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
