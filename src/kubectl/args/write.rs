//! The verbs that write.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Where the issuer is reached.
#[derive(Clone, Debug, Default, Args)]
pub struct TestFlags {
    /// Trust this certificate authority (PEM) beside those of the machine
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// Which client is created.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Create {
    /// The name of the OAuthClient
    #[arg(required_unless_present = "list_presets")]
    pub name: Option<String>,
    /// The kind of application; --list-presets lists them
    #[arg(long, default_value = "machine")]
    pub preset: String,
    /// List the presets
    #[arg(long)]
    pub list_presets: bool,
    /// Where the application is; takes the place of https://….example.com in the redirect URIs of the preset
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A redirect URI, in place of those of the preset; may be repeated
    #[arg(long, value_name = "URI")]
    pub redirect_uri: Vec<String>,
    /// The address of an API that its access tokens are for, one of the audiences of the tenant, in place of those of the preset; may be repeated
    #[arg(long, value_name = "URI")]
    pub audience: Vec<String>,
    /// The name that people see
    #[arg(long)]
    pub display_name: Option<String>,
    /// The tenant
    #[arg(long)]
    pub tenant: Option<String>,
    /// People are not asked for consent; the tenant must allow it
    #[arg(long)]
    pub first_party: bool,
    /// Print the manifest and create nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Wait until it works
    #[arg(long)]
    pub wait: bool,
    /// How long to wait, in seconds
    #[arg(long, default_value_t = 60)]
    pub timeout: u64,
}

impl Create {
    /// Whether it is answered without an API server.
    pub const fn needs_no_cluster(&self) -> bool {
        self.list_presets || self.dry_run
    }
}

/// Which secret rotates.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// The name of the OAuthClient
    pub name: String,
    /// The secret has leaked: the old one stops at once, and maxOverlap is put back afterwards
    #[arg(long)]
    pub leaked: bool,
    /// Wait until the new secret is published
    #[arg(long)]
    pub wait: bool,
    /// Why, such as the number of a ticket; default: the time. Rotates nothing if it is the same as last time
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
    /// How long to wait, in seconds
    #[arg(long, default_value_t = 60)]
    pub timeout: u64,
}

/// People.
#[derive(Debug, Args)]
pub struct User {
    /// What to do.
    #[command(subcommand)]
    pub action: UserAction,
}

/// What to do with a person.
#[derive(Debug, Subcommand)]
pub enum UserAction {
    /// Create an OAuthUser, with a password if one is given
    ///
    /// Exit status 2 if the operator does not let the person sign in; the reason is on standard error.
    Create(UserNew),
    /// Set the password: read from standard input, or generated
    ///
    /// Exit status 2 if the operator does not let the person sign in; the reason is on standard error.
    Passwd(UserPassword),
    /// Refuse to let the person in, and end what began before
    Disable(UserName),
    /// Let a disabled person in again
    ///
    /// Exit status 2 if the operator does not let the person sign in; the reason is on standard error.
    Enable(UserName),
}

/// A person by name.
#[derive(Debug, Args)]
pub struct UserName {
    /// The name of the OAuthUser
    pub name: String,
}

/// Where a password comes from. It is hashed here; the cluster never sees it.
#[derive(Debug, Args)]
pub struct UserPassword {
    /// The name of the OAuthUser
    pub name: String,
    /// Generate a password and print it once; otherwise it is read from standard input
    #[arg(long)]
    pub generate: bool,
}

/// A new person.
#[derive(Debug, Args)]
pub struct UserNew {
    /// The name of the OAuthUser
    pub name: String,
    /// What the person types to sign in; default: the name
    #[arg(long)]
    pub username: Option<String>,
    /// The email address
    #[arg(long)]
    pub email: Option<String>,
    /// The full name
    #[arg(long)]
    pub full_name: Option<String>,
    /// A group; may be repeated
    #[arg(long)]
    pub group: Vec<String>,
    /// The tenant
    #[arg(long)]
    pub tenant: Option<String>,
    /// Generate a password and print it once
    #[arg(long, conflicts_with = "password_stdin")]
    pub generate: bool,
    /// Read the password from standard input
    #[arg(long)]
    pub password_stdin: bool,
}

/// Where clients come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// `OAuth2Client` of ORY hydra-maester, with its Secret
    Maester,
    /// A realm as `kc.sh export` writes it
    Keycloak,
    /// Clients of Keycloak operators (EPAM, vriesdemichael, Hostzero, the official `KeycloakRealmImport`), with their Secrets
    KeycloakCr,
    /// The configuration of Dex, or its `OAuth2Client` and Password resources
    Dex,
    /// `KanidmOAuth2Client` of kaniop, with its Secret
    Kaniop,
    /// `PocketIDOIDCClient` of the Pocket ID operator, with its Secret
    PocketId,
    /// A blueprint of authentik
    Authentik,
    /// The users and clients of Authelia
    Authelia,
}

/// What is taken over.
#[derive(Debug, Args)]
pub struct Import {
    /// Where the clients come from
    #[arg(value_enum)]
    pub source: Source,
    /// A file, a folder of files, or - for standard input: YAML or JSON, lists of kubectl too; may be repeated
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The folder to write
    #[arg(long, value_name = "DIR", default_value = "imported")]
    pub out: PathBuf,
    /// The tenant that issues tokens from now on
    #[arg(long, default_value = "default")]
    pub tenant: String,
    /// Create and change the objects in the cluster, after a dry run of each
    #[arg(long)]
    pub apply: bool,
    /// Ask the API server for a dry run of each manifest, and write nothing there; reads the tenant, so that tenant-patch.yaml is complete
    #[arg(long, conflicts_with = "apply")]
    pub check: bool,
    /// Request a token with the original secret for each machine client
    #[arg(long)]
    pub prove: bool,
    /// The issuer for --prove; default: what the status of the OAuthClient says
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// The entry of maester's Secrets with the client ID, where it has another name (`CLIENT_ID_KEY`)
    #[arg(long, value_name = "ENTRY")]
    pub client_id_key: Option<String>,
    /// The entry of maester's Secrets with the client secret, where it has another name (`CLIENT_SECRET_KEY`)
    #[arg(long, value_name = "ENTRY")]
    pub client_secret_key: Option<String>,
    /// Where the issuer is reached.
    #[command(flatten)]
    pub http: TestFlags,
}
