//! A resource server in miniature: verifies an access token by what the issuer publishes. Nothing of Clientele is used.
//!
//! The token comes by standard input, because anybody may read the arguments of a process:
//! `curl … | jq -r .access_token | cargo run --example verify -- --issuer http://127.0.0.1:8080`

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

/// Verifies an access token (RFC 9068 section 4), which is read from standard input.
#[derive(Parser)]
struct Arguments {
    /// Who must have issued the token
    #[arg(long)]
    issuer: String,
    /// Whom the token must be for; the issuer itself by default
    #[arg(long)]
    audience: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments { issuer, audience } = Arguments::parse();
    let mut token = String::new();
    std::io::stdin().read_to_string(&mut token)?;
    let jwks = published_keys(&issuer).await?;
    let claims = verify(
        token.trim(),
        &jwks,
        &issuer,
        &audience.unwrap_or(issuer.clone()),
    )?;
    println!("{claims:#}");
    Ok(())
}

/// Issuer → metadata → keys (RFC 8414 section 3).
async fn published_keys(issuer: &str) -> anyhow::Result<JwkSet> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok()
        .context("another cryptographic provider is installed")?;
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .build()?;
    let metadata = format!("{issuer}/.well-known/openid-configuration");
    let metadata: Value = http
        .get(metadata)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    ensure!(
        metadata["issuer"] == issuer,
        "the metadata is of another issuer: {}",
        metadata["issuer"]
    );
    let jwks = metadata["jwks_uri"]
        .as_str()
        .context("the metadata has no jwks_uri")?;
    Ok(http
        .get(jwks)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?)
}

/// Signature, type, issuer, audience and time (RFC 9068 section 4).
fn verify(token: &str, jwks: &JwkSet, issuer: &str, audience: &str) -> anyhow::Result<Value> {
    let header = decode_header(token).context("this is no JWT")?;
    ensure!(
        header.typ.as_deref() == Some("at+jwt"),
        "not an access token: its type is {:?}",
        header.typ
    );
    let key_id = header.kid.context("the token names no key")?;
    let key = jwks
        .find(&key_id)
        .context("the token was signed by a key that is not published")?;
    let mut rules = Validation::new(header.alg);
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[audience]);
    rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    let verified = decode::<Value>(token, &DecodingKey::from_jwk(key)?, &rules)
        .context("the token is not valid")?;
    eprintln!(
        "verified: {:?} signature by key {key_id}, typ at+jwt, issuer {issuer}, audience {audience}",
        header.alg
    );
    Ok(verified.claims)
}
