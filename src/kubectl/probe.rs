//! Whether a server answers as an issuer: what `clientele probe` asks, and with it `helm test`. It needs no cluster and no
//! rights.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::tls::TlsInfo;
use reqwest::{Certificate, Client, ClientBuilder, Response, redirect};
use serde_json::Value;

use crate::connect::{chain, install_crypto_provider};
use crate::failure::Failure;
use crate::objects::text;

/// The timeout of a request.
const ANSWER: Duration = Duration::from_secs(5);
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Which server.
#[derive(Clone, Debug)]
pub struct ProbeTarget {
    /// The issuer identifier that its metadata must have.
    pub issuer: String,
    /// Where it is asked, such as `http://clientele:8080`; the issuer itself if there is none.
    pub at: Option<String>,
    /// A PEM file; the server must present its first certificate, and no authority is asked.
    pub certificate: Option<PathBuf>,
    /// How long it is tried again.
    pub patience: Duration,
}

/// Asks on a runtime of its own, and says what answered.
pub fn run_to_completion(target: &ProbeTarget) -> Result<String, Failure> {
    install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(probe(target))
}

/// Asks until everything is right, or until patience ends with the last reason.
pub async fn probe(target: &ProbeTarget) -> Result<String, Failure> {
    let probe = Probe::new(target)?;
    let began = Instant::now();
    loop {
        match probe.once().await {
            Err(_) if began.elapsed() < target.patience => tokio::time::sleep(PAUSE).await,
            done => return done,
        }
    }
}

struct Probe<'a> {
    issuer: &'a str,
    origin: &'a str,
    http: Client,
    /// What the server must present, in DER.
    certificate: Option<Vec<u8>>,
}

impl<'a> Probe<'a> {
    fn new(target: &'a ProbeTarget) -> Result<Self, Failure> {
        let issuer = target.issuer.trim_end_matches('/');
        let origin = target.at.as_deref().unwrap_or_else(|| origin_of(issuer));
        let certificate = target.certificate.as_deref().map(first_of).transpose()?;
        let builder = Client::builder()
            .timeout(ANSWER)
            .redirect(redirect::Policy::none())
            .user_agent("clientele-probe");
        let http = pinned(builder, certificate.is_some()).build();
        let http = http.map_err(|error| {
            Failure::new(format!("no HTTPS client can be made: {}", chain(&error)))
        })?;
        Ok(Self {
            issuer,
            origin: origin.trim_end_matches('/'),
            http,
            certificate,
        })
    }

    async fn once(&self) -> Result<String, Failure> {
        let health = format!("{}/healthz", self.origin);
        let answer = self.get(&health).await?;
        if !answer.status().is_success() {
            return Err(Failure::new(format!(
                "{health} answered {}: no replica is ready; see the log of the pods, and `/readyz` of the admin port, which says what is missing",
                answer.status()
            )));
        }
        let base = format!(
            "{}{}",
            self.origin,
            &self.issuer[origin_of(self.issuer).len()..]
        );
        let url = format!("{base}/.well-known/openid-configuration");
        let metadata = json(self.get(&url).await?).await;
        let named = text(&metadata, "/issuer");
        if named != self.issuer {
            return Err(Failure::new(format!(
                "{url} says that the issuer is {named:?} and not {:?}: correct publicUrl, or ask the right server",
                self.issuer
            )));
        }
        let url = format!("{base}/jwks");
        let keys = json(self.get(&url).await?).await;
        let keys = keys.pointer("/keys").and_then(Value::as_array);
        match keys.map_or(0, Vec::len) {
            0 => Err(Failure::new(format!(
                "{url} has no keys: `kubectl get oauthtenants` says why"
            ))),
            count => Ok(format!(
                "{} is ready: issuer {}, {count} keys\n",
                self.origin, self.issuer
            )),
        }
    }

    async fn get(&self, url: &str) -> Result<Response, Failure> {
        let answer = self.http.get(url).send().await.map_err(|error| {
            Failure::new(format!(
                "{url} cannot be reached ({}): does the Service have endpoints, and does a NetworkPolicy let this pod in?",
                chain(&error)
            ))
        })?;
        let info = answer.extensions().get::<TlsInfo>();
        let presented = info.and_then(TlsInfo::peer_certificate);
        match &self.certificate {
            Some(wanted) if presented != Some(&**wanted) => Err(Failure::new(format!(
                "{url} presents another certificate than the file: it is replaced within a minute after the Secret changed, or another server answers"
            ))),
            _ => Ok(answer),
        }
    }
}

/// A server whose very certificate is known needs no authority.
fn pinned(builder: ClientBuilder, is_known: bool) -> ClientBuilder {
    if is_known {
        builder.tls_danger_accept_invalid_certs(true).tls_info(true)
    } else {
        builder
    }
}

/// Scheme, host and port.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url[host..].find('/').map_or(url.len(), |at| host + at);
    &url[..path]
}

async fn json(answer: Response) -> Value {
    answer.json().await.unwrap_or_default()
}

/// The first certificate of a PEM file, in DER.
fn first_of(path: &Path) -> Result<Vec<u8>, Failure> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let bad = |why: String| {
        Failure::new(format!(
            "--certificate {} is no PEM file of certificates: {why}",
            path.display()
        ))
    };
    let first = CertificateDer::from_pem_file(path).map_err(|error| bad(error.to_string()))?;
    // reqwest judges the form, so that a damaged file is named and not the server.
    Certificate::from_der(&first).map_err(|error| bad(error.to_string()))?;
    Ok(first.to_vec())
}
