//! The dashboard in the cluster: people sign in at the issuer, and their ID token is the bearer of every request to the API server. Tokens are in
//! this memory only: no cookie, page, address or log has one.

pub mod challenge;
mod credentials;
mod id_token;
pub mod people;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use clientele_kubectl::Failure;
use clientele_kubectl::shared::{IssuerClient, Proof, Redeemed, claims, plain, text};
use jiff::Timestamp;
use kube::Client;
use kube::config::AuthInfo;
use serde_json::Value;

use crate::cluster::{Cluster, Trusted};
use crate::form::Fields;
use crate::problem::Problem;
use crate::rows::Rows;
use crate::session::NoRandom;
use challenge::{Challenge, Challenger, Unknown};
use credentials::{Credentials, Place};
use id_token::{Expected, Identity, identity};
use people::{Connection, Entered, SignedIn};

/// How long the metadata of the issuer is kept.
const METADATA: Duration = Duration::from_mins(10);

/// How the dashboard signs people in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The origin at which people reach the dashboard.
    pub origin: String,
    /// The folder with the entries `CLIENT_ID`, `CLIENT_SECRET` and `ISSUER` of the dashboard's own OAuthClient.
    pub credentials: PathBuf,
    /// The address of the API server.
    pub api_server: String,
    /// The authority of the API server, as PEM; those of the system without it.
    pub api_server_ca: Option<PathBuf>,
}

/// Signs people in.
pub struct SignIn {
    settings: Settings,
    credentials: Place,
    issuer: IssuerClient,
    metadata: Mutex<Option<(Instant, Arc<Value>)>>,
    challenger: Challenger,
    /// Who is signed in.
    pub people: SignedIn,
}

/// Where to send a browser, and the cookie with which it comes back.
pub struct Departure {
    /// The authorization request.
    pub address: String,
    /// Ties the answer to this browser.
    pub challenge: Challenge,
}

/// What came back from the issuer, with the value of the cookie for its state.
pub struct Arrival<'a> {
    /// The query of the callback.
    pub answer: &'a Fields,
    /// The cookie of the sign-in.
    pub challenge: &'a str,
    /// The session that the browser has already.
    pub session: Option<&'a str>,
}

impl SignIn {
    /// Reads the credentials once, so that a mistake is seen at the start.
    pub fn new(settings: Settings, issuer: IssuerClient) -> Result<Self, Failure> {
        let credentials = Place(settings.credentials.clone());
        let known = credentials.read()?;
        let origin = refuse_origin_of_issuer("--url", &settings.origin, &known.issuer);
        origin.map_err(Failure::new)?;
        let challenger = Challenger::new();
        Ok(Self {
            settings,
            credentials,
            issuer,
            metadata: Mutex::new(None),
            challenger: challenger
                .map_err(|NoRandom| Failure::new("this machine has no random bytes"))?,
            people: SignedIn::default(),
        })
    }

    /// Whether cookies can have the attribute Secure.
    pub fn is_https(&self) -> bool {
        self.settings.origin.starts_with("https://")
    }

    /// Sends a browser to the issuer. If the person is signed in there, it comes back without a question.
    pub async fn depart(&self, path: &str) -> Result<Departure, Problem> {
        let credentials = self.credentials()?;
        let metadata = self.metadata(&credentials.issuer).await?;
        let challenge = self
            .challenger
            .begin(path, seconds_now())
            .map_err(no_random)?;
        let endpoint = text(&metadata, "/authorization_endpoint");
        let address = challenge.address(endpoint, &credentials.client_id, &self.redirect_uri());
        let Some(address) = address else {
            let problem = format!(
                "The issuer {} names no authorization endpoint.",
                credentials.issuer
            );
            return Err(Problem::new(StatusCode::BAD_GATEWAY, problem, UPDATE));
        };
        Ok(Departure {
            address: address.into(),
            challenge,
        })
    }

    /// The person for the answer of the issuer, and the path to which they wanted to go.
    pub async fn arrive(&self, arrival: &Arrival<'_>) -> Result<(Entered, String), Problem> {
        let state = arrival.answer.get("state");
        let resumed = self
            .challenger
            .resume(arrival.challenge, state, seconds_now());
        let challenge = resumed.map_err(|unknown| not_begun(&unknown))?;
        let credentials = self.credentials()?;
        let named = arrival.answer.filled("iss");
        if named.is_some_and(|named| named != credentials.issuer) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "The answer is of another issuer (RFC 9207).",
                "Sign in again, from the page of the dashboard.",
            ));
        }
        let Some(code) = arrival.answer.filled("code") else {
            return Err(declined(arrival.answer));
        };
        let (identity, token) = self.redeem(&credentials, code, &challenge).await?;
        let connection = self.connect(&credentials, &identity, &token)?;
        let who = (identity.subject.as_str(), identity.name.as_str());
        let entered = self
            .people
            .enter(arrival.session, who, connection, Instant::now());
        Ok((entered.map_err(no_random)?, challenge.path().to_owned()))
    }

    /// Where a person can end the session at the issuer as well; `None` if the issuer does not say so.
    pub async fn sign_out_address(&self) -> Option<String> {
        let credentials = self.credentials().ok()?;
        let metadata = self.metadata(&credentials.issuer).await.ok()?;
        let mut url = url::Url::parse(text(&metadata, "/end_session_endpoint")).ok()?;
        let back = format!("{}/", self.settings.origin);
        url.query_pairs_mut().extend_pairs([
            ("client_id", credentials.client_id.as_str()),
            ("post_logout_redirect_uri", &back),
        ]);
        Some(url.into())
    }

    async fn redeem(
        &self,
        credentials: &Credentials,
        code: &str,
        challenge: &Challenge,
    ) -> Result<(Identity, String), Problem> {
        let metadata = self.metadata(&credentials.issuer).await?;
        let redeemed = Redeemed {
            client_id: &credentials.client_id,
            proof: credentials
                .secret
                .as_deref()
                .map_or(Proof::Nothing, Proof::Secret),
            code,
            redirect_uri: &self.redirect_uri(),
            verifier: challenge.verifier(),
        };
        let endpoint = text(&metadata, "/token_endpoint");
        let tokens = self
            .issuer
            .redeem(endpoint, &redeemed)
            .await
            .map_err(|failure| unreachable(&failure))?;
        let token = text(&tokens, "/id_token");
        let expected = Expected {
            issuer: &credentials.issuer,
            client_id: &credentials.client_id,
            nonce: challenge.nonce(),
        };
        let claims = claims(token).unwrap_or_default();
        let identity = identity(&claims, &expected, seconds_now()).map_err(|claim| {
            Problem::new(
                StatusCode::BAD_GATEWAY,
                format!("The ID token of the issuer {} cannot be used: its claim {claim} is not as expected.", credentials.issuer),
                "Sign in again. If it stays, compare the clocks of the dashboard and of the issuer.",
            )
        })?;
        Ok((identity, token.to_owned()))
    }

    /// The API server with the rights of the person, until the token ends.
    fn connect(
        &self,
        credentials: &Credentials,
        identity: &Identity,
        token: &str,
    ) -> Result<Connection, Problem> {
        let server = &self.settings.api_server;
        let client = client(&self.settings, token).map_err(|failure| {
            Problem::new(
                StatusCode::BAD_GATEWAY,
                format!("The API server at {server} cannot be asked: {failure}."),
                "Correct --api-server and --api-server-ca-file of the dashboard.",
            )
        })?;
        let trusted = Trusted {
            issuer: credentials.issuer.clone(),
            client_id: credentials.client_id.clone(),
        };
        let lasts = Duration::from_secs(identity.seconds);
        let now = Instant::now();
        let rows = Rows::new();
        let (of_token, ends) = (rows.clone(), tokio::time::Instant::now() + lasts);
        // A watch that was opened with the token would go on without it.
        tokio::spawn(async move {
            tokio::time::sleep_until(ends).await;
            of_token.end();
        });
        Ok(Connection {
            cluster: Cluster::new(client, server).trusting(trusted),
            rows,
            ends: now + lasts,
            renews: now + lasts / 2,
        })
    }

    fn credentials(&self) -> Result<Credentials, Problem> {
        self.credentials.read().map_err(|failure| {
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                failure.to_string(),
                "See `kubectl get oauthclient clientele-dashboard` in the namespace of the operator.",
            )
        })
    }

    async fn metadata(&self, issuer: &str) -> Result<Arc<Value>, Problem> {
        let kept = self.kept_metadata().clone();
        if let Some((read, metadata)) = kept
            && read.elapsed() < METADATA
            && text(&metadata, "/issuer") == issuer
        {
            return Ok(metadata);
        }
        let metadata = self
            .issuer
            .discover(issuer)
            .await
            .map_err(|failure| unreachable(&failure))?;
        let metadata = Arc::new(metadata);
        *self.kept_metadata() = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }

    fn kept_metadata(&self) -> MutexGuard<'_, Option<(Instant, Arc<Value>)>> {
        self.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn redirect_uri(&self) -> String {
        format!("{}/callback", self.settings.origin)
    }
}

const UPDATE: &str = "Update Clientele, or correct what answers at the address of the issuer.";

/// A connection of its own for each person and token.
fn client(settings: &Settings, token: &str) -> Result<Client, String> {
    let server = settings.api_server.parse();
    let server: axum::http::Uri = server.map_err(|_| "its address is not a URL".to_owned())?;
    let mut config = kube::Config::new(server);
    config.root_cert_file.clone_from(&settings.api_server_ca);
    config.auth_info = AuthInfo {
        token: Some(token.to_owned().into()),
        ..AuthInfo::default()
    };
    let client = Client::try_from(config);
    client.map_err(|error| clientele_kubectl::connect::chain(&error))
}

/// Refuses a URL for the dashboard under which its scripts may do what those of the issuer may (RFC 6454 section 4). `flag` is what names
/// the URL.
pub fn refuse_origin_of_issuer(flag: &str, url: &str, issuer: &str) -> Result<(), String> {
    let origin = |text: &str| url::Url::parse(text).ok().map(|url| url.origin());
    if origin(url).is_none_or(|ours| origin(issuer) != Some(ours)) {
        return Ok(());
    }
    Err(format!(
        "{flag} {url} has the origin of the issuer ({issuer}): a script of the one could act as the other; give the dashboard a host name of its own, such as https://dashboard.example.com"
    ))
}

fn seconds_now() -> u64 {
    u64::try_from(Timestamp::now().as_second()).unwrap_or(0)
}

fn no_random(NoRandom: NoRandom) -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "This machine has no random bytes.",
        "Restart the dashboard.",
    )
}

fn unreachable(failure: &Failure) -> Problem {
    Problem::new(
        StatusCode::BAD_GATEWAY,
        format!("You cannot be signed in: {failure}."),
        "An administrator corrects it: the pods of the dashboard must reach the issuer at its public URL, and trust its certificate (--issuer-ca-file).",
    )
}

fn not_begun(unknown: &Unknown) -> Problem {
    let message = match unknown {
        Unknown::NotOurs => {
            "This sign-in was not begun in this browser, or the dashboard was restarted meanwhile."
        }
        Unknown::Late => "This sign-in took longer than ten minutes.",
    };
    Problem::new(StatusCode::BAD_REQUEST, message, "Sign in again.")
}

fn declined(answer: &Fields) -> Problem {
    let (error, description) = (
        plain(answer.get("error")),
        plain(answer.get("error_description")),
    );
    Problem {
        answer: format!("{error} {description}"),
        ..Problem::new(
            StatusCode::FORBIDDEN,
            "The issuer has not signed you in.",
            "Sign in again. If it stays, show the answer of the issuer to an administrator.",
        )
    }
}

#[cfg(test)]
mod tests;
