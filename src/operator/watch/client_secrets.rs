//! The watch of Secrets with client secrets that application teams provide.

use clientele_api::secret_ref::CLIENT_SECRET_TYPE;

use super::secrets::Watched;

/// The Secrets with client secrets. The type is how one opts in, so others are not even sent to us.
pub const CLIENT_SECRETS: Watched = Watched {
    what: "Secrets with client secrets",
    selected: |params| params.fields(&format!("type={CLIENT_SECRET_TYPE}")),
    namespaces: |handles| {
        let clients = &handles.cache.clients;
        clients.namespaces(|client| client.secret_ref().is_some())
    },
    doubted: true,
    names: |handles, namespace| handles.cache.client_secrets.names(namespace),
    put: |handles, secret| {
        if secret.type_.as_deref() == Some(CLIENT_SECRET_TYPE) {
            handles.cache.client_secrets.put(secret);
        }
    },
    forget: |handles, namespace, name| handles.cache.client_secrets.forget(namespace, name),
    set_access: |handles, namespace, access| {
        handles.cache.client_secrets.set_access(namespace, access)
    },
    // Their verdict is another one then.
    concerned: |_, _| Vec::new(),
    changed: |handles| handles.rebuild.request(),
};
