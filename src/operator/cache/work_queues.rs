//! The objects that wait to be reconciled.

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use kube::Resource;
use kube::runtime::reflector::{ObjectRef, ObjectRefExtra, Store};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::credentials::CredentialsIndex;

/// The objects of one kind that wait to be reconciled.
pub struct WorkQueue<K: Resource<DynamicType = ()> + 'static> {
    objects: Store<K>,
    requests: UnboundedSender<ObjectRef<K>>,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> WorkQueue<K> {
    /// The queue of the objects in a store, and its end that is read.
    pub fn new(objects: Store<K>) -> (Self, UnboundedReceiver<ObjectRef<K>>) {
        let (requests, receiver) = unbounded_channel();
        (Self { objects, requests }, receiver)
    }

    /// Adds an object.
    pub fn enqueue(&self, mut object: ObjectRef<K>) {
        // Thousands wait at times; their UIDs and versions are not read.
        object.extra = ObjectRefExtra::default();
        // Fails only when the operator has stopped, and then there is nothing left to do.
        let _ = self.requests.send(object);
    }

    /// Adds every object of a namespace, or of all.
    pub fn enqueue_all(&self, namespace: Option<&str>) {
        for object in self.objects.state() {
            if namespace.is_none() || object.meta().namespace.as_deref() == namespace {
                self.enqueue(ObjectRef::from_obj(&*object));
            }
        }
    }

    /// The end that is written, for a task of its own.
    pub fn sender(&self) -> UnboundedSender<ObjectRef<K>> {
        self.requests.clone()
    }
}

/// A queue for each kind.
pub struct WorkQueues {
    /// OAuthClients.
    pub clients: WorkQueue<OAuthClient>,
    /// OAuthTenants.
    pub tenants: WorkQueue<OAuthTenant>,
    /// OAuthUsers.
    pub users: WorkQueue<OAuthUser>,
}

impl WorkQueues {
    /// Adds every object of every kind, but for the clients of namespaces whose Secrets have not been listed yet: nothing is
    /// written there, and once they are listed each is added.
    pub fn enqueue_everything(&self, credentials: &CredentialsIndex) {
        self.tenants.enqueue_all(None);
        self.users.enqueue_all(None);
        for client in self.clients.objects.state() {
            if credentials.is_listed(client.metadata.namespace.as_deref()) {
                self.clients.enqueue(ObjectRef::from_obj(&*client));
            }
        }
    }
}
