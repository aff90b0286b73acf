//! The watch of Secrets with client secrets that somebody brings.

use clientele_api::secret_ref::CLIENT_SECRET_TYPE;
use kube::ResourceExt;

use super::secrets::Watched;

/// The Secrets with client secrets. The type is how one opts in, so others are not even sent to us.
pub const BROUGHT: Watched = Watched {
    what: "Secrets with client secrets",
    selected: |config| config.fields(&format!("type={CLIENT_SECRET_TYPE}")),
    namespaces: |shared| {
        let objects = shared.clients.state();
        let objects = objects.iter();
        objects
            .filter(|object| object.spec.secret_ref.is_some())
            .filter_map(|object| object.namespace())
            .collect()
    },
    doubted: true,
    names: |shared, namespace| shared.brought.names(namespace),
    put: |shared, secret| {
        if secret.type_.as_deref() == Some(CLIENT_SECRET_TYPE) {
            shared.brought.put(secret);
        }
    },
    forget: |shared, namespace, name| shared.brought.forget(namespace, name),
    set_access: |shared, namespace, access| shared.brought.set_access(namespace, access),
    changed: |shared| shared.changed.notify_one(),
};
