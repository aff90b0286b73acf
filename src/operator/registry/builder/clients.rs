//! Clients as they follow from their objects, judged again only when something about them changed.

use std::sync::Arc;

use clientele_api::OAuthClient;
use clientele_oauth::Client;
use clientele_oauth::client::secret_usage::Uses;

use super::RegistryBuilder;
use super::asker::Asker;
use super::memo::{Change, Circumstances, Memo, shared};
use super::memos::Memos;
use crate::cache::place::Place;
use crate::domain::client::client_id;
use crate::domain::client::identity::ClientObject;
use crate::domain::client::secret_ref::SecretRefEntries;
use crate::domain::client::validate::{ClientInputs, validate_client};
use crate::domain::kept::{Head, Kept};
use crate::domain::unique_names::{NameReservation, Wish};
use crate::domain::verdict::ClientVerdict;
use crate::registry::Inputs;

/// A verdict about an OAuthClient and what it was made of.
pub(super) type ClientMemo = Memo<OAuthClient, Client, (), ClientExtra>;

/// What a verdict about an OAuthClient was made of, beside object, tenant and namespace.
pub(super) struct ClientExtra {
    id_holder: Option<Box<str>>,
    secret_ref: Option<Box<SecretRefEntries>>,
    /// The use of its secret, for as long as the object exists, whether or not it is registered meanwhile.
    uses: Option<Arc<Uses>>,
}

/// The verdicts about OAuthClients.
pub(super) type ClientMemos = Memos<OAuthClient, Client, (), ClientExtra>;

impl RegistryBuilder {
    /// The ID that an object brings, and whether its tenant lets its namespace bring it: who may not have a name must not
    /// keep others from it.
    pub(super) fn id_wish(&self, object: &OAuthClient) -> Option<Wish> {
        let reservation = NameReservation::of_client_id(object)?;
        let tenant = self.tenant_state(&object.spec.tenant);
        let namespace = object.metadata.namespace.as_deref();
        let labels = self.labels(namespace.unwrap_or_default());
        let may = tenant.zip(labels).is_some_and(|(tenant, labels)| {
            client_id::may_have(&ClientObject::parse(object), &tenant.policy, labels).is_ok()
        });
        Some(Wish { reservation, may })
    }

    /// Judges what lies in a place. Returns whether that is another verdict.
    pub(super) fn judge(
        &mut self,
        inputs: &Inputs,
        place: &Place,
    ) -> Option<Change<ClientVerdict>> {
        self.work.looked_at += 1;
        let Some(kept) = self.clients.get(place) else {
            return self.memos.remove(place).map(Change::end);
        };
        let object = kept.object();
        let known = self.memos.get(place);
        let before = known.map(|memo| memo.verdict.clone());
        let now = self.circumstances(kept.tenant(), kept.namespace());
        let extra = ClientExtra {
            id_holder: self.other_holder(&object),
            secret_ref: inputs.cache.client_secrets.look(&object).map(Box::new),
            uses: known.and_then(|memo| memo.uses_of(&kept)),
        };
        if known.is_some_and(|memo| memo.is_made_of(&extra) && memo.still_holds(&kept, &now)) {
            return self.memos.keep(place, &kept);
        }
        self.work.judged += 1;
        let memo = make(&kept, &object, now, extra, known);
        let change = Change::to(&memo.verdict, before);
        self.memos.insert(place, memo);
        Some(change)
    }

    /// Who has the ID that an object brings, if it is another one.
    fn other_holder(&self, object: &OAuthClient) -> Option<Box<str>> {
        let reservation = NameReservation::of_client_id(object)?;
        self.names.other_holder(&reservation).map(Box::from)
    }

    /// Whether the verdict about what lies in a place is what it would be if nothing was remembered. Looks at one object.
    pub(super) fn is_right(&self, inputs: &Inputs, place: &Place) -> Result<(), &'static str> {
        let memo = self.memos.get(place);
        let kept = self.clients.get(place);
        let (Some(memo), Some(kept)) = (memo, kept) else {
            return Err(
                "an OAuthClient that exists has no verdict, or one that was deleted has one",
            );
        };
        if !Arc::ptr_eq(&memo.verdict.object, &kept) {
            return Err("the verdict is about another version");
        }
        let object = kept.object();
        let wished: Vec<Wish> = self.id_wish(&object).into_iter().collect();
        if self.names.wishes(&Asker::Client(place.clone())) != wished {
            return Err("the client ID is claimed otherwise than the object says");
        }
        let now = self.circumstances(kept.tenant(), kept.namespace());
        let extra = ClientExtra {
            id_holder: self.other_holder(&object),
            secret_ref: inputs.cache.client_secrets.look(&object).map(Box::new),
            uses: memo.extra.uses.clone(),
        };
        let fresh = make(&kept, &object, now, extra, None);
        if fresh.verdict.registered != memo.verdict.registered {
            return Err("the verdict is another");
        }
        if !self.has_its_place(&memo.verdict) {
            return Err("the registry has another client");
        }
        Ok(())
    }
}

impl ClientMemo {
    /// What is known of the use of the secret of this object.
    fn uses_of(&self, object: &Head) -> Option<Arc<Uses>> {
        let is_same = self.verdict.object.is_same_object(object);
        self.extra.uses.clone().filter(|_| is_same)
    }

    fn is_made_of(&self, extra: &ClientExtra) -> bool {
        let known = &self.extra;
        known.id_holder == extra.id_holder && known.secret_ref == extra.secret_ref
    }
}

/// Validates an object. What it shares with the verdict before is kept.
fn make(
    kept: &Arc<Kept<OAuthClient>>,
    object: &OAuthClient,
    now: Circumstances,
    mut extra: ClientExtra,
    before: Option<&ClientMemo>,
) -> ClientMemo {
    let before = before.filter(|memo| memo.verdict.object.is_same_object(kept));
    let labels = now.labels(kept.namespace());
    let around = ClientInputs {
        tenant: now.tenant.as_ref().map(|state| &state.policy),
        namespace: &labels,
        id_holder: extra.id_holder.as_deref(),
        external_secret: extra.secret_ref.as_deref(),
    };
    let client = validate_client(&ClientObject::parse(object), around);
    let former = before.and_then(|memo| memo.verdict.registered.as_ref().ok());
    let client = client.map(|client| named_as(client, kept, former));
    let client = client.map(|client| used_before(client, extra.uses.as_ref()));
    let registered = shared(client, before.map(|memo| &*memo.verdict));
    if let Ok(client) = &registered {
        extra.uses = Some(client.uses.clone());
    }
    if let Some(before) = before {
        kept.take_over(&before.verdict.object);
    }
    let verdict = ClientVerdict {
        object: kept.clone(),
        registered,
        tenant: now.tenant,
        details: (),
    };
    ClientMemo::new(verdict, labels, extra)
}

/// A client that has one copy of its names with its object and its former self.
fn named_as(mut client: Client, object: &Head, former: Option<&Arc<Client>>) -> Client {
    let share = |text: &mut Arc<str>, known: &Arc<str>| {
        if *text == *known {
            text.clone_from(known);
        }
    };
    share(&mut client.uid, object.uid());
    share(&mut client.namespace, object.namespace());
    share(&mut client.display_name, object.name());
    if let Some(former) = former {
        share(&mut client.id, &former.id);
    }
    client
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

/// The client of an object, unless the object is going or suspended.
pub(super) fn acceptable(verdict: &ClientVerdict) -> Option<&Arc<Client>> {
    let object = &verdict.object;
    let serves = !object.is_going() && !object.is_suspended();
    verdict.registered.as_ref().ok().filter(|_| serves)
}

/// The client of an object that says that it is suspended: it is served nothing, and its people are told why.
pub(super) fn suspended_client(verdict: &ClientVerdict) -> Option<&Arc<Client>> {
    let object = &verdict.object;
    let suspended = !object.is_going() && object.is_suspended();
    verdict.registered.as_ref().ok().filter(|_| suspended)
}

/// The version of a client that is served, unless its status says already that it is ready.
pub(super) fn unsaid(verdict: &ClientVerdict) -> Option<(String, i64)> {
    let object = &verdict.object;
    acceptable(verdict).filter(|_| !object.is_ready())?;
    Some((object.uid().to_string(), object.generation()?))
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
