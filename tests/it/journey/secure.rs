//! Clientele on https under a company's own CA, beside an API server that was told to trust one client of it: what the
//! cookies of a browser and the OIDC authenticator of Kubernetes need. One for all tests that do.

use std::sync::OnceLock;

use super::authority::Authority;
use crate::support::cluster::Cluster;
use crate::support::operator::{Options, RunningOperator, free_address};

/// The file that docs/how-to/kubectl-login.md tells to hand to kube-apiserver.
const AUTHENTICATION: &str = include_str!("../../../docs/authentication-config.yaml");

/// All of it.
pub struct Secure {
    /// The control plane.
    pub cluster: Cluster,
    /// The operator.
    pub operator: RunningOperator,
    /// Who signed the operator's certificate.
    pub authority: Authority,
    /// Where the dashboard in the cluster listens, once a test starts it.
    pub dashboard: String,
    _files: tempfile::TempDir,
}

/// The one that tests share; the first that asks starts it. Blocks.
pub fn secure() -> &'static Secure {
    static SECURE: OnceLock<Secure> = OnceLock::new();
    SECURE.get_or_init(start)
}

fn start() -> Secure {
    let authority = Authority::new();
    let listen = free_address();
    let issuer = format!("https://{listen}");
    let files = tempfile::tempdir().unwrap();
    let configuration = files.path().join("authentication-config.yaml");
    let ca = std::fs::read_to_string(authority.ca()).unwrap();
    std::fs::write(&configuration, authentication(&issuer, &ca)).unwrap();
    let cluster =
        Cluster::start_with(&["--authentication-config", configuration.to_str().unwrap()]);
    cluster.install_chart(&[]);
    let (certificate, key) = authority.server();
    let tls = [certificate, key].map(|path| path.to_str().unwrap().to_owned());
    let dashboard = free_address();
    let url = format!("http://{dashboard}");
    let flags = [
        "--tls-cert",
        &tls[0],
        "--tls-key",
        &tls[1],
        "--dashboard-url",
        &url,
    ];
    let mut options = Options::flags(&flags).at(&listen);
    options.issuer = Some(issuer);
    let operator = RunningOperator::start(&cluster, &options);
    Secure {
        cluster,
        operator,
        authority,
        dashboard,
        _files: files,
    }
}

/// The documented configuration with this issuer and CA.
fn authentication(issuer: &str, ca: &str) -> String {
    let mut document: serde_json::Value = serde_yaml::from_str(AUTHENTICATION).unwrap();
    let trusted = &mut document["jwt"][0]["issuer"];
    assert_eq!(trusted["url"], "https://login.example.com");
    trusted["url"] = issuer.into();
    trusted["certificateAuthority"] = ca.into();
    document.to_string()
}
