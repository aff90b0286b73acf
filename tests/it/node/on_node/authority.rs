//! The certificate of the public Service, and who issued it.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DistinguishedName, IsCa,
    KeyPair,
};
use rustls::pki_types::CertificateDer;

use super::installation::{HOST, SYSTEM};
use super::machine::Node;

/// An authority that clients trust.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(parameters, key).unwrap();
        Self { issuer }
    }

    /// What clients trust.
    pub fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// The same as a file.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A new certificate for this name, with its key.
    pub fn certificate(&self, name: &str) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        // Another than that of the issuer, or OpenSSL takes it for self-signed.
        parameters.distinguished_name = DistinguishedName::new();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        (certificate, key)
    }

    /// Puts a new certificate into the Secret that the chart names; returns it.
    pub fn certify(&self, node: &Node) -> CertificateDer<'static> {
        let (certificate, key) = self.certificate(HOST);
        let files = tempfile::tempdir().unwrap();
        let (crt, pem) = (files.path().join("tls.crt"), files.path().join("tls.key"));
        std::fs::write(&crt, certificate.pem()).unwrap();
        std::fs::write(&pem, key.serialize_pem()).unwrap();
        let crt = format!("--cert={}", crt.display());
        let pem = format!("--key={}", pem.display());
        node.replace(&[
            "-n",
            SYSTEM,
            "create",
            "secret",
            "tls",
            "clientele-tls",
            &crt,
            &pem,
        ]);
        certificate.der().clone()
    }
}
