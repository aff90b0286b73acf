//! What one run of the dashboard consists of.

use std::sync::Arc;

use crate::cluster::Cluster;
use crate::person::Caller;
use crate::rows::Rows;
use crate::session::{Session, Sessions};

/// Local mode: one person, whose kubeconfig it is.
pub struct App {
    /// The only `Host` that is served, such as `127.0.0.1:8090`.
    pub authority: String,
    /// The name of the session cookie. It has the port in it, because cookies do not know ports (RFC 6265 section 8.5).
    pub cookie: String,
    /// The one-time token and the sessions.
    pub sessions: Sessions,
    /// The API server.
    pub cluster: Cluster,
    /// The namespace that forms propose.
    pub namespace: String,
    /// The context, for the top of each page.
    pub place: String,
    /// Whether every write is refused.
    pub read_only: bool,
    /// The query of the addresses of assets.
    pub version: Arc<str>,
    /// The rows of the list.
    pub rows: Arc<Rows>,
}

impl App {
    /// The person of a session.
    pub fn person(&self, session: &Session, fragment: bool) -> Caller {
        Caller {
            cluster: self.cluster.clone(),
            namespace: self.namespace.clone(),
            place: self.place.clone(),
            read_only: self.read_only,
            form_token: session.form_token.clone(),
            fragment,
            version: self.version.clone(),
            rows: self.rows.clone(),
        }
    }

    /// The only `Origin` from which a write is accepted.
    pub fn origin(&self) -> String {
        format!("http://{}", self.authority)
    }
}
