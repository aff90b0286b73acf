//! What a Rust application does for people, by the `openidconnect` crate: discovery, code + PKCE, a verified ID token,
//! userinfo, introspection, refresh with rotation, revocation, sign-out.
//!
//! `ISSUER CLIENT_ID [CLIENT_SECRET] REDIRECT_URI POST_LOGOUT_REDIRECT_URI [CA] cargo run`, by the environment.
//! It has no browser: it writes a line `URL PREFIX`, and reads where the browser was sent. Its last line is
//! `seen` and a JSON object.

mod provider;

use std::env;

use anyhow::{Context, Result, ensure};
use openidconnect::core::{CoreIdToken, CoreIdTokenClaims, CoreTokenResponse, CoreUserInfoClaims};
use openidconnect::{
    AccessToken, AuthorizationCode, CsrfToken, LogoutRequest, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, RefreshToken,
    TokenIntrospectionResponse, TokenResponse, url::Url,
};
use provider::{Provider, refusal};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let provider = Provider::discover()?;
    let first = sign_in(&provider)?;
    let seen = json!({
        "first": looked(&provider, &first)?,
        "codeAgain": refusal(provider.client.exchange_code(first.code.clone())?
            .set_pkce_verifier(verifier(&first.verifier))
            .request(&provider.http))?,
        "afterCodeAgain": alive(&provider, &first.tokens)?,
        "rotation": rotation(&provider)?,
        "revocation": revocation(&provider)?,
        "logout": logout(&provider)?,
    });
    println!("seen {seen}");
    Ok(())
}

/// A person who has come back, with what the code became.
struct SignedIn {
    code: AuthorizationCode,
    verifier: String,
    nonce: Nonce,
    tokens: CoreTokenResponse,
}

impl SignedIn {
    /// The ID token, verified.
    fn claims<'a>(&'a self, provider: &'a Provider) -> Result<&'a CoreIdTokenClaims> {
        Ok(id_token(&self.tokens)?.claims(&provider.client.id_token_verifier(), &self.nonce)?)
    }
}

fn id_token(tokens: &CoreTokenResponse) -> Result<&CoreIdToken> {
    tokens.id_token().context("no ID token")
}

fn verifier(value: &str) -> PkceCodeVerifier {
    PkceCodeVerifier::new(value.to_owned())
}

/// Sends the browser away, and takes the code that it comes back with.
fn sign_in(provider: &Provider) -> Result<SignedIn> {
    let (challenge, pkce) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = provider.authorization_url(challenge);
    let back = browse(&url, &provider.redirect_uri)?;
    ensure!(
        parameter(&back, "state")? == *state.secret(),
        "another state"
    );
    ensure!(
        parameter(&back, "iss")? == provider.issuer,
        "another issuer (RFC 9207)"
    );
    let code = AuthorizationCode::new(parameter(&back, "code")?);
    let tokens = provider
        .client
        .exchange_code(code.clone())?
        .set_pkce_verifier(verifier(pkce.secret()))
        .request(&provider.http)?;
    Ok(SignedIn {
        code,
        verifier: pkce.into_secret(),
        nonce,
        tokens,
    })
}

/// Lets the browser go to a URL, and says to which address, of those that begin with `until`, it was sent.
fn browse(url: &Url, until: &str) -> Result<Url> {
    println!("{url} {until}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim().parse()?)
}

fn parameter(url: &Url, name: &str) -> Result<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    let (_, value) = found.with_context(|| format!("no {name} in the response"))?;
    Ok(value.into_owned())
}

fn looked(provider: &Provider, signed_in: &SignedIn) -> Result<Value> {
    let claims = signed_in.claims(provider)?;
    let userinfo = userinfo(provider, signed_in.tokens.access_token(), claims)?;
    Ok(json!({
        "algorithm": id_token(&signed_in.tokens)?.signing_alg()?,
        "claims": claims,
        "userinfo": userinfo,
        "active": active(provider, signed_in.tokens.access_token())?,
    }))
}

/// The library compares the subject with the ID token's (OIDC Core §5.3.2).
fn userinfo(
    provider: &Provider,
    token: &AccessToken,
    claims: &CoreIdTokenClaims,
) -> Result<CoreUserInfoClaims> {
    let subject = claims.subject().clone();
    Ok(provider
        .client
        .user_info(token.clone(), Some(subject))?
        .request(&provider.http)?)
}

/// Whether the token is in use; unknown to a public client, which may not ask.
fn active(provider: &Provider, token: &AccessToken) -> Result<Option<bool>> {
    if !provider.confidential {
        return Ok(None);
    }
    let answer = provider.client.introspect(token).request(&provider.http)?;
    Ok(Some(answer.active()))
}

fn refresh(provider: &Provider, token: &RefreshToken) -> Result<Result<CoreTokenResponse, String>> {
    let answer = provider
        .client
        .exchange_refresh_token(token)?
        .request(&provider.http);
    match answer {
        Ok(tokens) => Ok(Ok(tokens)),
        refused => Ok(Err(refusal(refused)?)),
    }
}

fn refresh_token(tokens: &CoreTokenResponse) -> Result<&RefreshToken> {
    tokens.refresh_token().context("no refresh token")
}

/// What still works of what the application was given.
fn alive(provider: &Provider, tokens: &CoreTokenResponse) -> Result<Value> {
    let refreshed = refresh(provider, refresh_token(tokens)?)?;
    Ok(json!({
        "active": active(provider, tokens.access_token())?,
        "refresh": refreshed.map_or_else(|code| code, |_| "works".to_owned()),
    }))
}

/// A refresh token works once; one that comes back later ends the grant (RFC 9700 §4.14.2).
fn rotation(provider: &Provider) -> Result<Value> {
    let signed_in = sign_in(provider)?;
    let first = refresh_token(&signed_in.tokens)?;
    let expected = |_| anyhow::anyhow!("a fresh refresh token was refused");
    let second = refresh(provider, first)?.map_err(expected)?;
    let third = refresh(provider, refresh_token(&second)?)?.map_err(expected)?;
    let claims = signed_in.claims(provider)?;
    let still = userinfo(provider, third.access_token(), claims)?;
    let reused = refresh(provider, first)?;
    Ok(json!({
        "subject": still.subject(),
        "different": refresh_token(&third)?.secret() != first.secret(),
        "reused": reused.map_or_else(|code| code, |_| "works".to_owned()),
        "after": alive(provider, &third)?,
    }))
}

fn revocation(provider: &Provider) -> Result<Value> {
    let tokens = sign_in(provider)?.tokens;
    let revoked = refresh_token(&tokens)?.into();
    provider
        .client
        .revoke_token(revoked)?
        .request(&provider.http)?;
    alive(provider, &tokens)
}

fn logout(provider: &Provider) -> Result<Value> {
    let tokens = sign_in(provider)?.tokens;
    let back = PostLogoutRedirectUrl::new(provider.post_logout_redirect_uri.clone())?;
    let state = CsrfToken::new_random();
    let url = LogoutRequest::from(provider.end_session.clone())
        .set_id_token_hint(id_token(&tokens)?)
        .set_post_logout_redirect_uri(back)
        .set_state(state.clone())
        .http_get_url();
    let back = browse(&url, &provider.post_logout_redirect_uri)?;
    Ok(json!({
        "state": parameter(&back, "state")? == *state.secret(),
        "after": alive(provider, &tokens)?,
    }))
}

/// A setting.
fn setting(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("the environment variable {name} is missing"))
}
