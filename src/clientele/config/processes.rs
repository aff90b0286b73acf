//! The settings of the processes beside the server: the dashboard, and the probe of a server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clientele_dashboard::server::ForPeople;
use clientele_kubectl::args::ClusterFlags;
use clientele_kubectl::probe::ProbeTarget;

use super::values::{dashboard_url, duration, public_url};

/// Which server is asked.
#[derive(Debug, Args)]
pub struct Probe {
    /// The issuer that the server must be, such as <https://login.example.com>
    #[arg(value_parser = public_url)]
    pub issuer: String,
    /// Where the server is asked, such as <http://clientele.clientele-system.svc>. Default: at the issuer
    #[arg(long, value_name = "URL")]
    pub at: Option<String>,
    /// A PEM file whose first certificate the server must present, such as tls.crt of a mounted Secret. Default: one of an
    /// authority that this machine trusts
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// How long to go on trying, such as 30s
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
}

impl Probe {
    /// The server.
    pub fn target(&self) -> ProbeTarget {
        ProbeTarget {
            issuer: self.issuer.clone(),
            at: self.at.clone(),
            certificate: self.certificate.clone(),
            patience: self.timeout,
        }
    }
}

/// Which cluster, and how the dashboard is served.
#[derive(Debug, Args)]
pub struct Dashboard {
    /// kubectl's flags
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// How it is served
    #[command(flatten)]
    pub dashboard: clientele_kubectl::args::DashboardFlags,
    /// For many people, as the chart runs it
    #[command(flatten)]
    pub service: DashboardForPeople,
}

/// The dashboard as a service to which people sign in.
#[derive(Debug, Args)]
#[command(next_help_heading = "As a service (the chart)")]
pub struct DashboardForPeople {
    /// The URL at which people reach it: --dashboard-url of the operator. It has no path
    #[arg(long, requires = "credentials", conflicts_with_all = ["open", "port"], value_parser = dashboard_url)]
    pub url: Option<String>,
    /// The folder with `CLIENT_ID`, `CLIENT_SECRET` and ISSUER of its OAuthClient, clientele-dashboard: the Secret that the operator makes, mounted
    #[arg(long, requires = "url", value_name = "DIR")]
    pub credentials: Option<PathBuf>,
    /// Where it listens, without TLS
    #[arg(long, requires = "url", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// The address of the API server
    #[arg(
        long,
        requires = "url",
        value_name = "URL",
        default_value = "https://kubernetes.default.svc"
    )]
    pub api_server: String,
    /// The certificate authority of the API server (PEM). Default: those of the system
    #[arg(long, requires = "url", value_name = "FILE")]
    pub api_server_ca_file: Option<PathBuf>,
    /// Trust this certificate authority (PEM) of the issuer beside those of the system
    #[arg(long, requires = "url", value_name = "FILE")]
    pub issuer_ca_file: Option<PathBuf>,
}

impl Dashboard {
    /// How it serves people who sign in; `None` on a person's own machine.
    pub fn for_people(&self) -> Option<ForPeople> {
        let service = &self.service;
        let (url, credentials) = service.url.as_ref().zip(service.credentials.as_ref())?;
        Some(ForPeople {
            listen: service.listen,
            read_only: self.dashboard.read_only,
            sign_in: clientele_dashboard::SignInSettings {
                origin: url.clone(),
                credentials: credentials.clone(),
                api_server: service.api_server.clone(),
                api_server_ca: service.api_server_ca_file.clone(),
            },
            issuer_ca: service.issuer_ca_file.clone(),
        })
    }
}
