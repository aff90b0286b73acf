//! Clients as they follow from their objects, judged again only when something about them changed.

use std::sync::Arc;

use kube::{Resource, ResourceExt};

use super::World;
use crate::cache::client_secrets::Looked;
use crate::context::{Shared, TenantState, Verdict};
use crate::domain::client::status::is_ready;
use crate::domain::client::validate::{Surroundings, register};
use crate::domain::tenant::policy::Labels;
use crate::domain::unique_names::{Claim, Claims};
use clientele_api::OAuthClient;
use clientele_oauth::Client;
use clientele_oauth::client::secret_usage::Uses;

/// A judgement and what it was made of, to be made again only when that changes.
pub(super) struct Memo {
    pub(super) verdict: Arc<Verdict>,
    /// The rebuild that saw the object last.
    pub(super) seen: u64,
    namespace: Arc<Labels>,
    id_holder: Option<Box<str>>,
    brought: Option<Box<Looked>>,
    /// The use of its secret, for as long as the object exists, whether or not it is registered meanwhile.
    uses: Option<Arc<Uses>>,
}

impl World {
    /// Who claims the ID that an object brings, if its tenant lets its namespace bring one: who may not have a
    /// name must not keep others from it.
    pub(super) fn id_claim(&self, object: &OAuthClient) -> Option<Claim> {
        let tenant = self.tenant_state(&object.spec.tenant)?;
        let labels = self.labels(object.metadata.namespace.as_deref())?;
        let may = tenant.policy.custom_client_ids.contains(labels);
        Claim::of_client_id(object).filter(|_| may)
    }

    /// Judges an object again only if it, its tenant, its namespace or the holder of its ID changed. Returns the verdict
    /// and whether it is new.
    pub(super) fn judge(
        &mut self,
        shared: &Shared,
        object: &Arc<OAuthClient>,
        claims: &Claims,
    ) -> (Arc<Verdict>, bool) {
        let uid = object.meta().uid.as_deref().unwrap_or_default();
        let seen = self.revision;
        let tenant = self.tenant_state(&object.spec.tenant).cloned();
        let namespace = self.labels(object.metadata.namespace.as_deref()).cloned();
        let claim = Claim::of_client_id(object);
        let id_holder = claim.as_ref().and_then(|claim| claims.other_holder(claim));
        let brought = shared.brought.look(object);
        let before = self.memos.get_mut(uid);
        if let Some(memo) = before {
            let same = Arc::ptr_eq(&memo.verdict.object, object)
                && same_tenant(memo.verdict.tenant.as_ref(), tenant.as_ref())
                && is_same_or_gone(namespace.as_ref(), &memo.namespace);
            let brings_same = memo.brought.as_deref() == brought.as_ref();
            if same && memo.id_holder.as_deref() == id_holder && brings_same {
                memo.seen = seen;
                return (memo.verdict.clone(), false);
            }
        }
        let before = self.memos.get(uid);
        let superseded = before
            .filter(|memo| Arc::ptr_eq(&memo.verdict.object, object))
            .map(|memo| memo.verdict.superseded.clone())
            .unwrap_or_default();
        let namespace = namespace.unwrap_or_else(|| Arc::new(own_name(&**object)));
        let around = Surroundings {
            tenant: tenant.as_ref().map(|state| &state.policy),
            namespace: &namespace,
            id_holder,
            brought: brought.as_ref(),
        };
        let uses = before.and_then(|memo| memo.uses.clone());
        let client =
            register(object, around).map(|client| Arc::new(used_before(client, uses.as_ref())));
        // The registration itself mostly stays the same; keep one copy of it.
        let client = match (client, before.map(|memo| memo.verdict.client.clone())) {
            (Ok(new), Some(Ok(old))) if new == old => Ok(old),
            (new, _) => new,
        };
        let uses = client
            .as_ref()
            .map_or(uses, |client| Some(client.uses.clone()));
        let verdict = Arc::new(Verdict {
            object: object.clone(),
            client,
            tenant,
            superseded,
        });
        let memo = Memo {
            verdict: verdict.clone(),
            seen,
            namespace,
            id_holder: id_holder.map(Box::from),
            brought: brought.map(Box::new),
            uses,
        };
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

/// Whether the tenant is what it was.
pub(super) fn same_tenant(a: Option<&Arc<TenantState>>, b: Option<&Arc<TenantState>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}

/// Whether the labels of the namespace are what they were; a namespace that is gone changes nothing.
pub(super) fn is_same_or_gone(now: Option<&Arc<Labels>>, before: &Arc<Labels>) -> bool {
    now.is_none_or(|labels| Arc::ptr_eq(labels, before))
}

/// The UID of the object: of one that is registered the text that the client has.
pub(super) fn key(verdict: &Verdict) -> Arc<str> {
    match &verdict.client {
        Ok(client) => client.uid.clone(),
        Err(_) => verdict.object.uid().unwrap_or_default().into(),
    }
}

/// The client of an object, unless the object is going or suspended.
pub(super) fn acceptable(verdict: &Verdict) -> Option<&Arc<Client>> {
    let object = &verdict.object;
    let serves = object.meta().deletion_timestamp.is_none() && !object.spec.suspended;
    verdict.client.as_ref().ok().filter(|_| serves)
}

/// The version of a client that is served, unless its status says already that it is ready.
pub(super) fn unsaid(verdict: &Verdict) -> Option<(String, i64)> {
    let object = &verdict.object;
    acceptable(verdict).filter(|_| !is_ready(object))?;
    Some((object.uid()?, object.meta().generation?))
}

/// Every namespace has the label of its name, also one that has not been seen yet.
pub(super) fn own_name<K: Resource>(object: &K) -> Labels {
    let name = object.namespace().unwrap_or_default();
    Labels::from([("kubernetes.io/metadata.name".to_owned(), name)])
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
