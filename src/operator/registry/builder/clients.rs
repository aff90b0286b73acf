//! Clients as they follow from their objects, judged again only when something about them changed.

use std::sync::Arc;

use clientele_api::OAuthClient;
use clientele_oauth::Client;
use clientele_oauth::client::secret_usage::Uses;
use kube::{Resource, ResourceExt};

use super::RegistryBuilder;
use super::memo::{Memo, kept};
use crate::domain::client::client_id;
use crate::domain::client::identity::ClientObject;
use crate::domain::client::secret_ref::SecretRefEntries;
use crate::domain::client::status::is_ready;
use crate::domain::client::validate::{ClientInputs, validate_client};
use crate::domain::unique_names::{NameReservation, NameReservations};
use crate::domain::verdict::ClientVerdict;
use crate::registry::Inputs;

/// A verdict about an OAuthClient and what it was made of.
pub(super) type ClientMemo = Memo<OAuthClient, Client, (), ClientExtra>;

/// What a verdict about an OAuthClient was made of, beside object, tenant and namespace.
pub(super) struct ClientExtra {
    /// The rebuild that saw the object last.
    pub(super) seen: u64,
    id_holder: Option<Box<str>>,
    secret_ref: Option<Box<SecretRefEntries>>,
    /// The use of its secret, for as long as the object exists, whether or not it is registered meanwhile.
    uses: Option<Arc<Uses>>,
}

impl RegistryBuilder {
    /// Who claims the ID that an object brings, if its tenant lets its namespace bring one: who may not have a
    /// name must not keep others from it.
    pub(super) fn id_claim(&self, object: &OAuthClient) -> Option<NameReservation> {
        let tenant = self.tenant_state(&object.spec.tenant)?;
        let labels = self.labels(object.metadata.namespace.as_deref())?;
        let reservation = NameReservation::of_client_id(object)?;
        let may = client_id::may_have(&ClientObject::parse(object), &tenant.policy, labels);
        may.is_ok().then_some(reservation)
    }

    /// Validates an object again only if it, its tenant, its namespace, the holder of its ID or the secret that it refers
    /// to changed. Returns the verdict and whether it is new.
    pub(super) fn judge(
        &mut self,
        inputs: &Inputs,
        object: &Arc<OAuthClient>,
        reservations: &NameReservations,
    ) -> (Arc<ClientVerdict>, bool) {
        let uid = object.meta().uid.as_deref().unwrap_or_default();
        let seen = self.revision;
        let namespace = object.metadata.namespace.as_deref();
        let now = self.circumstances(&object.spec.tenant, namespace);
        let reservation = NameReservation::of_client_id(object);
        let id_holder = reservation
            .as_ref()
            .and_then(|id| reservations.other_holder(id));
        let secret_ref = inputs.cache.client_secrets.look(object);
        if let Some(memo) = self.memos.get_mut(uid) {
            let extra = &mut memo.extra;
            let same_holder = extra.id_holder.as_deref() == id_holder;
            let same_secret = extra.secret_ref.as_deref() == secret_ref.as_ref();
            if same_holder && same_secret && memo.still_holds(object, &now) {
                memo.extra.seen = seen;
                return (memo.verdict.clone(), false);
            }
        }
        let before = self.memos.get(uid);
        let labels = now.labels(&**object);
        let around = ClientInputs {
            tenant: now.tenant.as_ref().map(|state| &state.policy),
            namespace: &labels,
            id_holder,
            external_secret: secret_ref.as_ref(),
        };
        let uses = before.and_then(|memo| memo.extra.uses.clone());
        let client = validate_client(&ClientObject::parse(object), around);
        let client = client.map(|client| used_before(client, uses.as_ref()));
        let registered = kept(client, before.map(|memo| &*memo.verdict));
        let extra = ClientExtra {
            seen,
            id_holder: id_holder.map(Box::from),
            secret_ref: secret_ref.map(Box::new),
            uses: registered
                .as_ref()
                .map_or(uses, |client| Some(client.uses.clone())),
        };
        let verdict = ClientVerdict {
            object: object.clone(),
            registered,
            tenant: now.tenant,
            superseded: before
                .and_then(|memo| memo.superseded(object))
                .unwrap_or_default(),
            details: (),
        };
        let memo = ClientMemo::new(verdict, labels, extra);
        let verdict = memo.verdict.clone();
        self.memos.insert(key(&verdict), memo);
        (verdict, true)
    }
}

/// A client that goes on with the uses of its former self: a change of the object forgets none.
fn used_before(mut client: Client, before: Option<&Arc<Uses>>) -> Client {
    let published = client.uses.published();
    client.uses = match before {
        Some(before) if before.published() == published => before.clone(),
        Some(before) => Arc::new(before.after(published)),
        None => client.uses,
    };
    client
}

/// The UID of the object: of one that is registered the text that the client has.
pub(super) fn key(verdict: &ClientVerdict) -> Arc<str> {
    match &verdict.registered {
        Ok(client) => client.uid.clone(),
        Err(_) => verdict.object.uid().unwrap_or_default().into(),
    }
}

/// The client of an object, unless the object is going or suspended.
pub(super) fn acceptable(verdict: &ClientVerdict) -> Option<&Arc<Client>> {
    let object = &verdict.object;
    let serves = object.meta().deletion_timestamp.is_none() && !object.spec.suspended;
    verdict.registered.as_ref().ok().filter(|_| serves)
}

/// The client of an object that says that it is suspended: it is served nothing, and its people are told why.
pub(super) fn suspended_client(verdict: &ClientVerdict) -> Option<&Arc<Client>> {
    let object = &verdict.object;
    let suspended = object.meta().deletion_timestamp.is_none() && object.spec.suspended;
    verdict.registered.as_ref().ok().filter(|_| suspended)
}

/// The version of a client that is served, unless its status says already that it is ready.
pub(super) fn unsaid(verdict: &ClientVerdict) -> Option<(String, i64)> {
    let object = &verdict.object;
    acceptable(verdict).filter(|_| !is_ready(object))?;
    Some((object.uid()?, object.meta().generation?))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use clientele_oauth::client::testing::client;

    fn registered(published: u32) -> Client {
        Client {
            uses: Arc::new(Uses::new(published)),
            ..client()
        }
    }

    fn reported(uses: &Uses) -> Vec<u32> {
        uses.unreported("uid").map(|last| last.generation).collect()
    }

    #[test]
    fn a_change_of_the_object_forgets_no_use() {
        let first = registered(1);
        first
            .uses
            .note(1, Timestamp::from_second(1_800_000_000).unwrap());
        let edited = used_before(registered(1), Some(&first.uses));
        assert!(
            Arc::ptr_eq(&edited.uses, &first.uses),
            "a request in flight notes it there too"
        );
        let rotated = used_before(registered(2), Some(&edited.uses));
        assert_eq!(
            (rotated.uses.published(), reported(&rotated.uses)),
            (2, vec![1])
        );
    }
}
