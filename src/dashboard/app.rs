//! What one run of the dashboard consists of.

use std::sync::Arc;

use clientele_kubectl::shared::IssuerClient;

use crate::cluster::Cluster;
use crate::guard::head::Here;
use crate::person::Caller;
use crate::rows::Rows;
use crate::session::{Session, Sessions};
use crate::sign_in::SignIn;
use crate::sign_in::people::Entered;

/// A dashboard.
pub struct App {
    /// The only `Host` that is served, such as `127.0.0.1:8090`.
    pub authority: String,
    /// The only `Origin` from which a write is accepted.
    pub origin: String,
    /// The name of the session cookie.
    pub cookie: String,
    /// The context or the host, for the top of each page.
    pub place: String,
    /// Whether every write is refused.
    pub read_only: bool,
    /// The query of the addresses of assets.
    pub version: Arc<str>,
    /// Asks issuers, for the tab that tests a client.
    pub issuer: IssuerClient,
    /// How people get in.
    pub door: Door,
}

/// How people get in, and with whose rights they act.
pub enum Door {
    /// On their own machine: a one-time token, and the rights of the kubeconfig.
    Token(Box<Local>),
    /// In the cluster: they sign in, and their ID token is the bearer.
    People(Box<SignIn>),
}

/// Local mode: one person, whose kubeconfig it is.
pub struct Local {
    /// The one-time token and the sessions.
    pub sessions: Sessions,
    /// The API server.
    pub cluster: Cluster,
    /// The namespace that forms propose.
    pub namespace: String,
    /// The rows of the list.
    pub rows: Arc<Rows>,
}

impl App {
    /// How requests are judged.
    pub fn here(&self) -> Here<'_> {
        Here {
            authority: &self.authority,
            origin: &self.origin,
            people: matches!(self.door, Door::People(_)),
        }
    }

    /// The person whose kubeconfig it is.
    pub fn owner(&self, local: &Local, session: &Session, fragment: bool) -> Caller {
        Caller {
            namespace: local.namespace.clone(),
            form_token: session.form_token.clone(),
            ..self.caller(fragment, local.cluster.clone(), local.rows.clone())
        }
    }

    /// A person who signed in.
    pub fn guest(&self, entered: &Entered, fragment: bool) -> Caller {
        let connection = &entered.connection;
        Caller {
            form_token: entered.form_token.clone(),
            who: Some(entered.name.clone()),
            ..self.caller(
                fragment,
                connection.cluster.clone(),
                connection.rows.clone(),
            )
        }
    }

    fn caller(&self, fragment: bool, cluster: Cluster, rows: Arc<Rows>) -> Caller {
        Caller {
            cluster,
            namespace: String::new(),
            place: self.place.clone(),
            read_only: self.read_only,
            form_token: "".into(),
            fragment,
            version: self.version.clone(),
            rows,
            who: None,
            issuer: self.issuer.clone(),
        }
    }
}
