//! The command line: kubectl's flags, and the verbs. The doc comments are the texts of `--help`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::output::Format;

mod write;

pub use write::{
    Create, Import, RotateArgs, Source, TestFlags, User, UserAction, UserName, UserNew,
    UserPassword,
};

/// The flags that every verb has, apart from its own.
const GLOBAL: &str = "Cluster and output";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-clientele",
    bin_name = "kubectl clientele",
    version,
    about = "See, explain and manage OAuth clients of Clientele",
    after_help = "Exit status: 0 done, or yes; 1 it could not be done; 2 asked, and the answer is no.\n\nExamples:\n  kubectl clientele status -A                        # what works, and what to do about the rest\n  kubectl clientele create web --preset web-app --url https://web.example.com\n  kubectl clientele secret web --key CLIENT_SECRET | pbcopy\n  kubectl clientele why web\n  kubectl clientele rotate web --wait"
)]
pub struct CommandLine {
    /// Which cluster and namespace.
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// How to print: text, json, yaml or name
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Text, hide_possible_values = true, help_heading = GLOBAL)]
    pub output: Format,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// kubectl's flags.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterFlags {
    /// The kubeconfig; default: KUBECONFIG, then ~/.kube/config
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub context: Option<String>,
    /// The namespace; default: that of the context
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long, global = true, conflicts_with = "namespace", help_heading = GLOBAL)]
    pub all_namespaces: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// What works, and for everything else the reason and what to do
    ///
    /// In the namespace of the operator, and with --all-namespaces, also the installation, as far as the user may read it: the replica that
    /// leads, the number of root keys, and each replica with its version, the age of its oldest watch and its database. Exit status 2 if an
    /// object does not work.
    #[command(
        after_help = "Examples:\n  kubectl clientele status\n  kubectl clientele status web api\n  kubectl clientele status -A -o name"
    )]
    Status(Names),
    /// Why an object does not work, and what to do about it
    ///
    /// Exit status 2 if it does not work.
    #[command(
        after_help = "Examples:\n  kubectl clientele why web                # the OAuthClient web\n  kubectl clientele why user/alice\n  kubectl clientele why tenant/default\n  kubectl clientele why --reason ClientIdConflict"
    )]
    Why(Why),
    /// Create a client from a preset
    #[command(
        after_help = "Examples:\n  kubectl clientele create --list-presets\n  kubectl clientele create web --preset web-app --url https://web.example.com --wait\n  kubectl clientele create job --preset machine -o yaml --dry-run > job.yaml"
    )]
    Create(Create),
    /// The credentials of a client; masked on a terminal
    #[command(
        after_help = "Examples:\n  kubectl clientele secret web                           # masked on a terminal\n  kubectl clientele secret web --show\n  kubectl clientele secret web --key CLIENT_SECRET | wl-copy"
    )]
    Secret(SecretArgs),
    /// What an application needs to know, in the form that it reads
    #[command(
        after_help = "Examples:\n  kubectl clientele env web --for dotenv > .env\n  kubectl clientele env web --for deployment\n  kubectl clientele env grafana --for grafana"
    )]
    Env(EnvArgs),
    /// A token of a machine client, or of a person who signs in
    ///
    /// A machine client proves itself by its secret or the token of a ServiceAccount. With --sign-in you sign in by the browser, and the client gets
    /// a token of yours: it needs a redirect URI on loopback, such as `http://127.0.0.1`.
    #[command(
        after_help = "Examples:\n  curl -H \"Authorization: Bearer $(kubectl clientele token job)\" https://api.example.com\n  kubectl clientele token job --scope orders.read --resource https://api.example.com\n  kubectl clientele token job --decode\n  kubectl clientele token job --service-account job\n  kubectl clientele token kubectl --sign-in --id-token"
    )]
    Token(TokenArgs),
    /// Try a client from end to end through the public URL
    ///
    /// Discovery, keys, the sign-in page or a machine token, each step with its remedy. Exit status 2 if a step fails.
    #[command(
        after_help = "Examples:\n  kubectl clientele test web\n  kubectl clientele test web --ca-file ca.crt"
    )]
    Test(TestArgs),
    /// Rotate the secret of a client
    #[command(
        after_help = "Examples:\n  kubectl clientele rotate web --wait\n  kubectl clientele rotate web --request-id INC-4711\n  kubectl clientele rotate web --leaked        # the old secret stops at once"
    )]
    Rotate(RotateArgs),
    /// Refuse every request of a client, and keep everything
    #[command(
        after_help = "Examples:\n  kubectl clientele suspend web\n  kubectl clientele resume web"
    )]
    Suspend(Names),
    /// Serve a suspended client again
    #[command(after_help = "Examples:\n  kubectl clientele resume web")]
    Resume(Names),
    /// Which pods use the Secret of a client
    ///
    /// Exit status 2 if none does.
    #[command(after_help = "Examples:\n  kubectl clientele who web")]
    Who(OneName),
    /// Clients that are not used
    #[command(
        after_help = "Examples:\n  kubectl clientele unused -A\n  kubectl clientele unused --days 30 -o name"
    )]
    Unused(Unused),
    /// Create people, set their passwords, disable them
    #[command(
        after_help = "Examples:\n  kubectl clientele user create alice --email alice@example.com --generate\n  kubectl clientele user passwd alice < password.txt\n  kubectl clientele user disable alice"
    )]
    User(User),
    /// Look for what is wrong with the installation
    ///
    /// Exit status 2 if something is.
    #[command(
        after_help = "Examples:\n  kubectl clientele doctor\n  kubectl clientele doctor --context prod --ca-file ca.crt"
    )]
    Doctor(TestFlags),
    /// See and manage clients in the browser, with the rights of your kubeconfig
    ///
    /// Listens on 127.0.0.1 only. A one-time token, valid for 60 seconds, opens it.
    #[command(
        after_help = "Examples:\n  kubectl clientele dashboard --open\n  kubectl clientele dashboard --read-only --context prod"
    )]
    Dashboard(DashboardFlags),
    /// A support bundle without secrets and without personal data
    #[command(after_help = "Examples:\n  kubectl clientele report -A > bundle.json")]
    Report(Report),
    /// Take over clients and people of another server
    ///
    /// Writes a folder: manifests, Secrets apart with mode 0600, report.json. The cluster is changed only with --apply. The
    /// issuer URL can stay for one source (--public-url of the operator may have a path); signing keys, refresh tokens and
    /// consents do not come along. Exit status 2 if anything is lost; the report says what, why, and what to do.
    #[command(
        after_help = "Examples:\n  kubectl get oauth2clients,secrets -A -o yaml | kubectl clientele import maester -f - --out imported\n  kubectl clientele import keycloak -f realm-export.json --out imported -n apps\n  kubectl clientele import keycloak -f realm-export.json --out imported -n apps --apply --prove"
    )]
    Import(Import),
    /// Print the script that completes `kubectl clientele` in your shell
    #[command(
        after_help = "Examples:\n  kubectl clientele completion > ~/.local/bin/kubectl_complete-clientele\n  chmod +x ~/.local/bin/kubectl_complete-clientele    # kubectl runs it, in every shell"
    )]
    Completion(Completion),
    /// What may come next on the command line
    #[command(name = "__complete", hide = true)]
    Complete(Words),
}

/// Names of OAuthClients.
#[derive(Debug, Args)]
pub struct Names {
    /// The names of OAuthClients
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// The name of an OAuthClient.
#[derive(Debug, Args)]
pub struct OneName {
    /// The name of the OAuthClient
    pub name: String,
}

/// What is to be explained.
#[derive(Debug, Args)]
pub struct Why {
    /// The name of an OAuthClient, or user/NAME, or tenant/NAME
    #[arg(required_unless_present = "reason")]
    pub object: Option<String>,
    /// Explain a reason, without an object
    #[arg(long)]
    pub reason: Option<String>,
}

/// Which credentials.
#[derive(Debug, Args)]
pub struct SecretArgs {
    /// The name of the OAuthClient
    pub name: String,
    /// Print this entry alone, without a line break where a program reads it
    #[arg(long, value_name = "ENTRY")]
    pub key: Option<String>,
    /// Print secrets on a terminal, too
    #[arg(long)]
    pub show: bool,
}

/// For which application.
#[derive(Debug, Args)]
pub struct EnvArgs {
    /// The name of the OAuthClient
    pub name: String,
    /// The application or format
    #[arg(long = "for", value_enum, default_value_t = Consumer::Dotenv)]
    pub consumer: Consumer,
    /// Print secrets on a terminal, too
    #[arg(long)]
    pub show: bool,
}

/// What reads the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Consumer {
    /// KEY=value lines with the values
    Dotenv,
    /// `envFrom` of a Deployment
    Deployment,
    /// Spring Boot
    SpringBoot,
    /// Auth.js
    Authjs,
    /// oauth2-proxy
    Oauth2Proxy,
    /// Grafana
    Grafana,
    /// Argo CD
    ArgoCd,
    /// Envoy Gateway
    EnvoyGateway,
    /// curl
    Curl,
}

/// Which client is tried.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// The name of the OAuthClient
    pub name: String,
    /// Where the issuer is reached.
    #[command(flatten)]
    pub http: TestFlags,
}

/// Which token.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// The name of the OAuthClient
    pub name: String,
    /// The scopes; default: those that the client may have, with --sign-in without `offline_access`
    #[arg(long)]
    pub scope: Option<String>,
    /// The API that the token is for (RFC 8707); default: the first of its audiences, or the issuer; with --sign-in what
    /// the server takes for a request without one
    #[arg(long)]
    pub resource: Option<String>,
    /// Prove the client by the token of this ServiceAccount
    #[arg(long, conflicts_with = "sign_in")]
    pub service_account: Option<String>,
    /// Sign in by the browser, at the address that is printed
    #[arg(long)]
    pub sign_in: bool,
    /// The ID token, not the access token
    #[arg(long, requires = "sign_in")]
    pub id_token: bool,
    /// Print the claims, not the token
    #[arg(long)]
    pub decode: bool,
    /// Where the issuer is reached.
    #[command(flatten)]
    pub http: TestFlags,
}

/// How the dashboard is served.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct DashboardFlags {
    /// The port on 127.0.0.1; 0: a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Open it in the browser
    #[arg(long)]
    pub open: bool,
    /// Refuse every change
    #[arg(long)]
    pub read_only: bool,
}

/// For how long it was not used.
#[derive(Debug, Args)]
pub struct Unused {
    /// Not used for this number of days
    #[arg(long, default_value_t = 90)]
    pub days: u32,
}

/// What the bundle holds.
#[derive(Debug, Args)]
pub struct Report {}

/// The shell.
#[derive(Debug, Args)]
pub struct Completion {}

/// The words so far.
#[derive(Debug, Args)]
pub struct Words {
    /// The words
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}
