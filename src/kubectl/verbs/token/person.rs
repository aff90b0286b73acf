//! A person signs in by the browser, and the answer comes to this machine (RFC 8252 section 7.3).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Client;
use serde_json::Value;
use url::Url;

use super::held::{HeldProof, claims, proof};
use super::loopback::{Loopback, redirect_uri};
use super::scopes;
use crate::args::TokenArgs;
use crate::connect::Session;
use crate::failure::Failure;
use crate::issuer::{AuthorizationRequest, Redeemed, discover, redeem};
use crate::objects::{name, text};
use crate::output::Output;
use crate::random::random;

/// A sign-in takes no longer.
const PATIENCE: Duration = Duration::from_mins(5);

/// The tokens of the person who signs in.
pub async fn sign_in(
    session: &Session,
    object: &Value,
    args: &TokenArgs,
    http: &Client,
    output: &mut Output<'_>,
) -> Result<Value, Failure> {
    let uri = registered(object)?;
    let held = match text(object, "/spec/type") {
        "Public" => HeldProof::Nothing,
        _ => proof(session, object, None).await?,
    };
    let proof = held.as_proof()?;
    let scope = match &args.scope {
        Some(scope) => scope.clone(),
        None => scopes::of_sign_in(session, object, args.resource.as_deref()).await,
    };
    let document = discover(http, text(object, "/status/issuer")).await?;
    let loopback = Loopback::bind(&uri).await?;
    let (state, nonce, verifier) = (unguessable()?, unguessable()?, unguessable()?);
    let client_id = text(object, "/status/clientId");
    let request = AuthorizationRequest {
        client_id,
        redirect_uri: loopback.uri(),
        scope: &scope,
        state: &state,
        nonce: &nonce,
        verifier: &verifier,
    };
    let endpoint = text(&document, "/authorization_endpoint");
    let mut url = request.address(endpoint).ok_or_else(|| {
        Failure::new(format!(
            "the authorization endpoint {endpoint:?} is not a URL"
        ))
    })?;
    let resources = args.resource.iter().map(|one| ("resource", one));
    url.query_pairs_mut().extend_pairs(resources);
    output.warn(&format!("Open this address in the browser:\n  {url}"));
    let code = tokio::time::timeout(PATIENCE, loopback.code(&state)).await;
    let code =
        code.map_err(|_| Failure::new("no person signed in within five minutes; try again"))??;
    let redeemed = Redeemed {
        client_id,
        proof,
        code: &code,
        redirect_uri: loopback.uri(),
        verifier: &verifier,
    };
    let answer = redeem(http, text(&document, "/token_endpoint"), &redeemed).await?;
    let token = text(&answer, "/id_token");
    let of_this_sign_in = claims(token).is_some_and(|claims| text(&claims, "/nonce") == nonce);
    if args.id_token && !of_this_sign_in {
        return Err(Failure::new(
            "the answer has no ID token of this sign-in; ask for the scope openid",
        ));
    }
    Ok(answer)
}

/// The redirect URI of the client to which a browser on this machine can come back.
fn registered(object: &Value) -> Result<Url, Failure> {
    let uris = object.pointer("/spec/redirectUris");
    let uris = uris.and_then(Value::as_array).into_iter().flatten();
    redirect_uri(uris.filter_map(Value::as_str)).ok_or_else(|| {
        Failure::new(format!(
            "OAuthClient {} has no redirect URI on loopback, so the answer cannot come to this machine; add http://127.0.0.1 to spec.redirectUris",
            name(object)
        ))
    })
}

/// A value that cannot be guessed.
fn unguessable() -> Result<String, Failure> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}
