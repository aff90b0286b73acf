//! What a reader is told beside the documents.

/// What a reader is told beside the documents.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The namespace of what has none.
    pub namespace: String,
    /// The tenant that issues tokens from now on.
    pub tenant: String,
    /// The entry of Secrets with the client ID, where it has another name.
    pub client_id_key: Option<String>,
    /// The entry of Secrets with the client secret, where it has another name.
    pub client_secret_key: Option<String>,
}
