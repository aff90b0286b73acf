//! The command line: flags and environment variables → settings. Only this file names them.

mod processes;
#[cfg(test)]
mod tests;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::traces::TraceSettings;
use clientele_api::allowed_keys::{AllowedKeys, DEFAULT_KEYS};
use clientele_dashboard::refuse_origin_of_issuer;
use clientele_http::server::trusted_proxies::{ForwardingHeader, Network, TrustedProxies};
use clientele_operator::settings::{SecretsScope, Settings};
use clientele_telemetry::audit::WhenFull;
pub use processes::{Dashboard, DashboardForPeople, Probe};
pub use values::{AuditLog, DatabaseUrl};
use values::{allowed_key, dashboard_url, duration, log_filter, otlp_endpoint, public_url, ratio};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "clientele",
    version,
    about = "A Kubernetes operator with an OAuth 2.1 / OpenID Connect server inside",
    long_about = "A Kubernetes operator with an OAuth 2.1 / OpenID Connect server inside.\n\nApply an OAuthClient; a moment later a Secret with its client ID and secret exists in its namespace, and this server already accepts it.",
    after_help = "Try it:\n  clientele run                               # with your kubeconfig, on loopback\n  kubectl apply -f - <<< '{\"apiVersion\":\"clientele.dev/v1alpha1\",\"kind\":\"OAuthClient\",\"metadata\":{\"name\":\"hello\"},\"spec\":{}}'\n  kubectl get oauthclients\n  kubectl get secret hello-oauth -o yaml"
)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl CommandLine {
    /// What `clientele --version` prints.
    pub fn version() -> String {
        let command = Self::command();
        command.get_version().unwrap_or_default().to_owned()
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the operator and the server
    Run(Box<Run>),
    /// Print the CustomResourceDefinitions, for `kubectl apply --server-side -f -`
    Crds {
        /// As the template of the Helm chart
        #[arg(long)]
        helm: bool,
    },
    /// Print a Secret with a fresh root key, for `kubectl create -f -`. Or rotate the root key
    ///
    /// Another root key is for a new installation, or for one whose root key is lost for good: every client gets a new secret. There, first delete
    /// what is left of the Secret, and then the ConfigMap clientele-installation: as long as it names the lost key, no other one is used
    RootKey(RootKey),
    /// Ask a server whether it is ready and answers as this issuer; for `helm test` and for scripts
    ///
    /// Reads /healthz, the metadata and the JWK Set. Needs no cluster and no rights. Exit status 1 says what is wrong.
    Probe(Probe),
    /// See and manage clients in the browser, with the rights of your kubeconfig
    ///
    /// Listens on 127.0.0.1 only, in a process of its own. A one-time token, valid for 60 seconds, opens it. With --url it is a service for many:
    /// people sign in at the issuer, and each acts with their own ID token
    Dashboard(Box<Dashboard>),
}

/// The root key, from which every client secret is derived.
#[derive(Debug, Args)]
pub struct RootKey {
    /// The action
    #[command(subcommand)]
    pub action: Option<RootKeyAction>,
    /// The operator's namespace
    #[arg(
        long,
        global = true,
        env = "CLIENTELE_NAMESPACE",
        default_value = "clientele-system"
    )]
    pub namespace: String,
    /// The name of the Secret
    #[arg(
        long,
        global = true,
        env = "CLIENTELE_ROOT_KEY_SECRET",
        default_value = "clientele-root-key"
    )]
    pub name: String,
}

/// What to do with the root key.
#[derive(Debug, Subcommand)]
pub enum RootKeyAction {
    /// Add a root key by your kubeconfig, from which every further secret is derived. Clients move to it one after the
    /// other, each with an overlap; the operator removes the former key when no client and no session needs it
    Rotate {
        /// Withdraw every other root key at once: every client secret, refresh token and session issued before stops,
        /// and every credentials Secret is written again
        #[arg(long)]
        emergency: bool,
    },
}

/// The settings of `clientele run`. Each can be given as a flag or as an environment variable.
#[derive(Debug, Args)]
#[allow(rustdoc::invalid_html_tags, reason = "the texts of --help")]
pub struct Run {
    /// The operator's own namespace, which holds the root key and the signing keys
    #[arg(long, env = "CLIENTELE_NAMESPACE", default_value = "clientele-system")]
    pub namespace: String,

    /// The issuer of the tenant `default`; others are at <URL>/t/<name>. https, or http on loopback
    #[arg(long, env = "CLIENTELE_PUBLIC_URL", default_value = "http://127.0.0.1:8080", value_parser = public_url)]
    pub public_url: String,

    /// The address on which the public server listens
    #[arg(long, env = "CLIENTELE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// The address for probes and metrics: /livez, /readyz, /metrics
    #[arg(long, env = "CLIENTELE_ADMIN_LISTEN", default_value = "127.0.0.1:8081")]
    pub admin_listen: SocketAddr,

    /// The certificate chain of the server (PEM), such as tls.crt of a mounted Secret; reloaded when it changes
    #[arg(long, env = "CLIENTELE_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The private key of the server (PEM), such as tls.key of a mounted Secret
    #[arg(long, env = "CLIENTELE_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// The networks of reverse proxies whose forwarding headers are trusted, such as 10.20.30.0/24. Default:
    /// none, and the peer of the connection is the client
    #[arg(long, env = "CLIENTELE_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,

    /// How many reverse proxies stand in front, as an alternative to their networks: this number of addresses from the end
    /// of the header is believed. The server must be reachable through all of them only
    #[arg(
        long,
        env = "CLIENTELE_TRUSTED_PROXY_HOPS",
        conflicts_with = "trusted_proxies",
        value_parser = clap::value_parser!(u8).range(1..=16)
    )]
    pub trusted_proxy_hops: Option<u8>,

    /// The header in which the proxies say from where a request comes. The other one is never read
    #[arg(long, env = "CLIENTELE_FORWARDING_HEADER", value_enum, default_value_t = Forwarding::XForwardedFor)]
    pub forwarding_header: Forwarding,

    /// The database that keeps sessions and grants: sqlite:<path>, or postgres://<user>:<password>@<host>/<name>, which
    /// several replicas can share. A password is better given by the environment or by --database-url-file
    #[arg(
        long,
        env = "CLIENTELE_DATABASE_URL",
        default_value = "sqlite:clientele.db",
        hide_env_values = true
    )]
    pub database_url: DatabaseUrl,

    /// A file that holds the database URL, such as an entry of a mounted Secret
    #[arg(
        long,
        env = "CLIENTELE_DATABASE_URL_FILE",
        conflicts_with = "database_url"
    )]
    pub database_url_file: Option<PathBuf>,

    /// Where credentials Secrets may be written: `cluster`, or only in `namespaces` whose Role admits it
    #[arg(long, env = "CLIENTELE_SECRETS_SCOPE", value_enum, default_value_t = Scope::Cluster)]
    pub secrets_scope: Scope,

    /// The keys that labels and annotations of credentials Secrets may have, such as example.com/team, or example.com/* for
    /// every key below. OAuthTenants make the list narrower. The admission policy of the chart needs the same list
    #[arg(
        long,
        env = "CLIENTELE_SECRETS_ALLOWED_KEYS",
        value_delimiter = ',',
        default_values = DEFAULT_KEYS,
        value_parser = allowed_key
    )]
    pub secrets_allowed_keys: Vec<String>,

    /// The Secret with the root key in the operator's namespace; created at the first start if it does not exist
    #[arg(
        long,
        env = "CLIENTELE_ROOT_KEY_SECRET",
        default_value = "clientele-root-key"
    )]
    pub root_key_secret: String,

    /// The minimum time that a former root key is kept after `clientele root-key rotate`, such as 24h. It is kept longer while a
    /// client or a signed-in person needs it
    #[arg(long, env = "CLIENTELE_ROOT_KEY_GRACE", default_value = "24h", value_parser = duration)]
    pub root_key_grace: Duration,

    /// The name of the operator's ServiceAccount, for the commands in messages
    #[arg(long, env = "CLIENTELE_SERVICE_ACCOUNT", default_value = "clientele")]
    pub service_account: String,

    /// How many OAuthClients are reconciled at once
    #[arg(long, env = "CLIENTELE_WORKERS", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,

    /// The number of writes about one object without a pause; each is available again after a second. Changes of
    /// the object take effect at once regardless
    #[arg(long, env = "CLIENTELE_WRITE_BURST", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub write_burst: u32,

    /// How long a signing key is published before it signs, such as 15m; verifiers refresh their copy within it
    #[arg(long, env = "CLIENTELE_SIGNING_KEY_PUBLISH_AHEAD", default_value = "15m", value_parser = duration)]
    pub signing_key_publish_ahead: Duration,

    /// How often the use of clients and of their secrets is recorded in the database, such as 60s. An old secret that is not used retires
    /// that much later; a replica that is silent for five times as long counts as gone
    #[arg(long, env = "CLIENTELE_USAGE_REPORT_INTERVAL", default_value = "60s", value_parser = duration)]
    pub usage_report_interval: Duration,

    /// A unique name of this replica, such as the name of its pod. The Lease shows the name of the replica that
    /// writes, and a replica that returns under its name is not waited for twice
    #[arg(long, env = "CLIENTELE_REPLICA_NAME")]
    pub replica_name: Option<String>,

    /// Create the tenant `default` and its first client, once per installation
    #[arg(long, env = "CLIENTELE_BOOTSTRAP", default_value_t = true, action = clap::ArgAction::Set)]
    pub bootstrap: bool,

    /// The URL at which people reach the dashboard: https, or http on loopback, without a path, and never the origin of the issuer. The
    /// operator makes the OAuthClient with which they sign in to it, once per installation. Default: there is no dashboard
    #[arg(long, env = "CLIENTELE_DASHBOARD_URL", value_parser = dashboard_url)]
    pub dashboard_url: Option<String>,

    /// Install the CustomResourceDefinitions and the namespace if they are missing, and update definitions that are older.
    /// Default: only outside a cluster, where no chart installed them
    #[arg(long, env = "CLIENTELE_INSTALL_CRDS", action = clap::ArgAction::Set)]
    pub install_crds: Option<bool>,

    /// Log output format
    #[arg(long, env = "CLIENTELE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// A file for the audit log, as lines of JSON, or - for standard output. Default: its lines are part of the log, with
    /// the target `clientele::audit`
    #[arg(long, env = "CLIENTELE_AUDIT_LOG")]
    pub audit_log: Option<AuditLog>,

    /// What happens while the destination of --audit-log accepts no lines and 4 MiB of them wait: refuse answers new
    /// requests with 503 and Retry-After, drop loses lines and counts them in `clientele_audit_lines_lost_total`
    #[arg(long, env = "CLIENTELE_AUDIT_WHEN_FULL", value_enum, default_value_t = AuditWhenFull::Refuse)]
    pub audit_when_full: AuditWhenFull,

    /// Record every issued token and every introspection in the audit log. This costs throughput
    #[arg(long, env = "CLIENTELE_AUDIT_TOKENS", default_value_t = false, action = clap::ArgAction::Set)]
    pub audit_tokens: bool,

    /// The base URL of a collector that receives traces by OTLP over HTTP (protobuf), such as <http://otel-collector:4318>; /v1/traces is
    /// appended. Default: there are no traces
    #[arg(long, env = "CLIENTELE_OTLP_ENDPOINT", value_parser = otlp_endpoint)]
    pub otlp_endpoint: Option<String>,

    /// The share of HTTP requests, reconciles and writes to the API server that are traced, from 0 to 1. Beside them at most 10 requests a
    /// second whose header `traceparent` says that their caller records the trace
    #[arg(long, env = "CLIENTELE_OTLP_SAMPLE_RATIO", default_value_t = 0.1, value_parser = ratio)]
    pub otlp_sample_ratio: f64,

    /// Log level: error, warn, info, debug, trace, or a filter such as info,clientele=debug
    #[arg(long, env = "CLIENTELE_LOG_LEVEL", default_value = "info", value_parser = log_filter)]
    pub log_level: String,
}

/// Where credentials Secrets may be written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Scope {
    /// Everywhere
    Cluster,
    /// In namespaces whose Role admits it
    Namespaces,
}

/// The header in which proxies say from where a request comes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Forwarding {
    /// `X-Forwarded-For`
    XForwardedFor,
    /// `Forwarded` (RFC 7239)
    Forwarded,
}

/// Log output format.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object per line
    Json,
}

/// What happens when the audit log accepts no lines.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AuditWhenFull {
    /// No request is answered without its line
    Refuse,
    /// Lines are lost and counted
    Drop,
}

impl From<AuditWhenFull> for WhenFull {
    fn from(setting: AuditWhenFull) -> Self {
        match setting {
            AuditWhenFull::Refuse => Self::Refuse,
            AuditWhenFull::Drop => Self::Drop,
        }
    }
}

impl Run {
    /// Refuses settings that are right each by itself and wrong together.
    pub fn check(&self) -> Result<(), String> {
        let url = self.dashboard_url.as_deref();
        url.map_or(Ok(()), |url| {
            refuse_origin_of_issuer("--dashboard-url", url, &self.public_url)
        })
    }

    /// Whose forwarding headers are believed.
    pub fn trusted_proxies(&self) -> TrustedProxies {
        TrustedProxies::new(&self.trusted_proxies)
            .with_hops(self.trusted_proxy_hops.unwrap_or_default().into())
            .with_header(match self.forwarding_header {
                Forwarding::XForwardedFor => ForwardingHeader::XForwardedFor,
                Forwarding::Forwarded => ForwardingHeader::Forwarded,
            })
    }

    /// The settings of the traces, if there are any.
    pub fn traces(&self) -> Option<TraceSettings> {
        let endpoint = self.otlp_endpoint.clone()?;
        // Two processes on one host have different IDs, and containers different hosts.
        let process = || format!("process-{}", std::process::id());
        Some(TraceSettings {
            endpoint,
            ratio: self.otlp_sample_ratio,
            version: CommandLine::version(),
            instance: self.replica_name.clone().unwrap_or_else(process),
        })
    }

    /// The settings of the Kubernetes side.
    pub fn settings(&self) -> Settings {
        Settings {
            namespace: self.namespace.clone(),
            service_account: self.service_account.clone(),
            public_url: self.public_url.clone(),
            secrets_scope: match self.secrets_scope {
                Scope::Cluster => SecretsScope::Cluster,
                Scope::Namespaces => SecretsScope::Namespaces,
            },
            root_key_secret: self.root_key_secret.clone(),
            root_key_grace: self.root_key_grace,
            workers: self.workers,
            write_burst: self.write_burst,
            publish_ahead: self.signing_key_publish_ahead,
            lease: None,
            shares_store: false,
            allowed_keys: Arc::new(AllowedKeys::new(self.secrets_allowed_keys.clone())),
            bootstrap: self.bootstrap,
            dashboard_url: self.dashboard_url.clone(),
        }
    }
}
