//! A certificate authority of one's own, as a company has it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use crate::support::DEADLINE;

/// The authority, and a folder with what it issued last.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    /// A new one, with a certificate for 127.0.0.1 issued.
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters
            .distinguished_name
            .push(DnType::CommonName, "Journey CA");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer =
            CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let authority = Self { issuer, folder };
        std::fs::write(authority.ca(), authority.issuer.pem()).unwrap();
        authority.issue();
        authority
    }

    /// Its own certificate, which clients trust.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// The same in DER.
    pub fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// An HTTP client that trusts it only.
    pub fn http(&self) -> reqwest::Client {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let ca = reqwest::Certificate::from_der(&self.der()).unwrap();
        let builder = reqwest::Client::builder().tls_certs_only([ca]).no_proxy();
        builder.timeout(DEADLINE).build().unwrap()
    }

    /// The files of the server.
    pub fn server(&self) -> (PathBuf, PathBuf) {
        (
            self.folder.path().join("tls.crt"),
            self.folder.path().join("tls.key"),
        )
    }

    /// Issues a certificate for 127.0.0.1, puts it into place, and returns it.
    pub fn issue(&self) -> CertificateDer<'static> {
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = vec![SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let (chain_file, key_file) = self.server();
        replace(&key_file, &key.serialize_pem());
        replace(&chain_file, &certificate.pem());
        certificate.der().clone()
    }
}

/// Never half a file.
fn replace(path: &Path, content: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, content).unwrap();
    std::fs::rename(new, path).unwrap();
}
