//! TLS with a certificate that may change while we serve.

mod validity;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate file holds no certificate chain in PEM.
    #[error("{} holds no certificate chain in PEM", .0.display())]
    NoCertificate(PathBuf),
    /// The key file holds no private key in PEM.
    #[error("{} holds no private key in PEM", .0.display())]
    NoKey(PathBuf),
    /// Certificate and key do not belong together, or the key is of an unknown kind.
    #[error("certificate and private key cannot be used together: {0}")]
    Mismatch(rustls::Error),
    /// The TLS library refused the settings.
    #[error("TLS cannot be set up: {0}")]
    Settings(rustls::Error),
}

/// Where certificate and key lie.
#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What was read: the parsed pair, and a digest that tells one content from another.
struct Loaded {
    content: Vec<u8>,
    pair: Result<Arc<CertifiedKey>, TlsError>,
}

/// The server's side of TLS 1.2 and 1.3. Cloning shares the certificate.
#[derive(Clone)]
pub struct Tls {
    files: Files,
    content: Vec<u8>,
    config: Arc<ServerConfig>,
    current: Arc<Current>,
}

impl Tls {
    /// Loads certificate chain and private key in PEM, as a `kubernetes.io/tls` Secret holds them.
    pub async fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        let Loaded { content, pair } = files.load().await?;
        let current = Arc::new(Current(ArcSwap::new(pair?)));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(TlsError::Settings)?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            files,
            content,
            config: Arc::new(config),
            current,
        })
    }

    /// Accepts handshakes, each with the certificate of its moment.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// When the certificate ends that the next handshake gets; `None` if that cannot be read.
    pub fn certificate_ends(&self) -> Option<Timestamp> {
        validity::not_after(self.current.0.load().cert.first()?)
    }

    /// Looks at the files every so often and takes a new certificate. A broken one changes nothing.
    ///
    /// The content is compared, not the time of change: a mounted Secret changes by a swapped link.
    pub async fn watch(self, every: Duration, shutdown: CancellationToken) {
        let mut seen = self.content.clone();
        let mut readable = true;
        while shutdown
            .run_until_cancelled(tokio::time::sleep(every))
            .await
            .is_some()
        {
            // A failure is said once, not at every look.
            match self.files.load().await {
                Ok(loaded) => {
                    readable = true;
                    if std::mem::replace(&mut seen, loaded.content.clone()) != loaded.content {
                        self.take(loaded.pair);
                    }
                }
                Err(error) if std::mem::take(&mut readable) => keep(&error),
                Err(_) => {}
            }
        }
    }

    fn take(&self, pair: Result<Arc<CertifiedKey>, TlsError>) {
        match pair {
            Ok(pair) => {
                self.current.0.store(pair);
                let file = self.files.certificate.display();
                tracing::info!(%file, "serving the new TLS certificate");
            }
            Err(error) => keep(&error),
        }
    }
}

fn keep(error: &TlsError) {
    tracing::warn!(%error, "cannot load the new TLS certificate, keeping the old one: provide a matching pair of certificate and key");
}

impl Files {
    async fn load(&self) -> Result<Loaded, TlsError> {
        let chain = read(&self.certificate).await?;
        let key = read(&self.key).await?;
        let mut content = digest::Context::new(&digest::SHA256);
        content.update(digest::digest(&digest::SHA256, &chain).as_ref());
        content.update(&key);
        Ok(Loaded {
            content: content.finish().as_ref().to_vec(),
            pair: self.parse(&chain, &key),
        })
    }

    fn parse(&self, chain: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, TlsError> {
        let no_chain = || TlsError::NoCertificate(self.certificate.clone());
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| no_chain())?;
        if chain.is_empty() {
            return Err(no_chain());
        }
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey(self.key.clone()))?;
        let provider = default_provider();
        CertifiedKey::from_der(chain, key, &provider)
            .map(Arc::new)
            .map_err(TlsError::Mismatch)
    }
}

async fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let bytes = tokio::fs::read(path).await;
    bytes.map(Zeroizing::new).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The certificate that the next handshake gets.
struct Current(ArcSwap<CertifiedKey>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current([redacted])")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}
