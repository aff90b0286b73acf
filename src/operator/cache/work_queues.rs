//! The objects that wait to be reconciled.

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::credentials::CredentialsIndex;
use super::objects::Objects;
use super::place::Place;
use crate::domain::kept::Keep;

/// The objects of one kind that wait to be reconciled.
pub struct WorkQueue<K: Keep> {
    objects: Objects<K>,
    requests: UnboundedSender<Place>,
}

impl<K: Keep> WorkQueue<K> {
    /// The queue of these objects, and its end that is read.
    pub fn new(objects: Objects<K>) -> (Self, UnboundedReceiver<Place>) {
        let (requests, receiver) = unbounded_channel();
        (Self { objects, requests }, receiver)
    }

    /// Adds an object.
    pub fn enqueue(&self, object: Place) {
        // Fails only when the operator has stopped, and then there is nothing left to do.
        let _ = self.requests.send(object);
    }

    /// Adds every object of a namespace, or of all.
    pub fn enqueue_all(&self, namespace: Option<&str>) {
        for object in self.objects.within(namespace) {
            self.enqueue(Place::of_kept(&object));
        }
    }

    /// The end that is written, for a task of its own.
    pub fn sender(&self) -> UnboundedSender<Place> {
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
        for client in self.clients.objects.all() {
            if credentials.is_listed(client.namespace()) {
                self.clients.enqueue(Place::of_kept(&client));
            }
        }
    }
}
