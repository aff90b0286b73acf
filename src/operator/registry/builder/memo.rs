//! A verdict and what it was made of. An object is validated again only when something of that changed.

use std::sync::Arc;

use super::RegistryBuilder;
use crate::domain::kept::{Keep, Kept, is_same_version};
use crate::domain::reason::Refusal;
use crate::domain::tenant::policy::Labels;
use crate::domain::verdict::{Registered, TenantState, Verdict};

/// Where an object stands: its tenant and the labels of its namespace, as far as they are known.
pub(super) struct Circumstances {
    pub(super) tenant: Option<Arc<TenantState>>,
    namespace: Option<Arc<Labels>>,
}

/// A verdict, the labels it was made with, and what else it was made of.
pub(super) struct Memo<K: Keep, T, D, E> {
    pub(super) verdict: Arc<Verdict<K, T, D>>,
    namespace: Arc<Labels>,
    pub(super) extra: E,
}

impl RegistryBuilder {
    pub(super) fn circumstances(&self, tenant: &str, namespace: &str) -> Circumstances {
        Circumstances {
            tenant: self.tenant_state(tenant).cloned(),
            namespace: self.labels(namespace).cloned(),
        }
    }
}

impl Circumstances {
    /// The labels of the namespace. One that is not known has only the label with its name, as each has.
    pub(super) fn labels(&self, namespace: &str) -> Arc<Labels> {
        self.namespace
            .clone()
            .unwrap_or_else(|| Arc::new(own_name(namespace)))
    }
}

impl<K: Keep, T: PartialEq, D, E> Memo<K, T, D, E> {
    pub(super) fn new(verdict: Verdict<K, T, D>, namespace: Arc<Labels>, extra: E) -> Self {
        Self {
            verdict: Arc::new(verdict),
            namespace,
            extra,
        }
    }

    /// Whether version and circumstances are those of the verdict.
    pub(super) fn still_holds(&self, object: &Arc<Kept<K>>, now: &Circumstances) -> bool {
        let same_namespace = now
            .namespace
            .as_ref()
            .is_none_or(|labels| Arc::ptr_eq(labels, &self.namespace));
        is_same_version(&self.verdict.object, object)
            && same_namespace
            && match (&self.verdict.tenant, &now.tenant) {
                (Some(before), Some(now)) => Arc::ptr_eq(before, now),
                (None, None) => true,
                _ => false,
            }
    }
}

impl<K: Keep, T, D: Clone, E> Memo<K, T, D, E> {
    /// The same about another copy of the same version, as a list brings it.
    pub(super) fn move_to(&mut self, object: &Arc<Kept<K>>) {
        let before = &self.verdict;
        object.take_over(&before.object);
        self.verdict = Arc::new(Verdict {
            object: object.clone(),
            registered: before.registered.clone(),
            tenant: before.tenant.clone(),
            details: before.details.clone(),
        });
    }
}

/// Another verdict about what lies in a place.
pub(super) struct Change<V> {
    pub(super) before: Option<Arc<V>>,
    pub(super) after: Option<Arc<V>>,
    /// Whether the object is reconciled because of it: it is another version, or its outcome is another.
    pub(super) matters: bool,
}

impl<K: Keep, T, D> Change<Verdict<K, T, D>> {
    /// The verdict about an object that is not there any more.
    pub(super) fn gone(&self) -> Option<&Arc<Verdict<K, T, D>>> {
        let before = self.before.as_ref()?;
        let stays = |after: &Arc<Verdict<K, T, D>>| after.object.is_same_object(&before.object);
        (!self.after.as_ref().is_some_and(stays)).then_some(before)
    }
}

impl<V> Change<V> {
    /// Whether what is served because of it is another, by this comparison of both verdicts.
    pub(super) fn moves(&self, is_same: impl Fn(&V, &V) -> bool) -> bool {
        let both = self.before.as_deref().zip(self.after.as_deref());
        both.is_none_or(|(before, after)| !is_same(before, after))
    }
}

impl<K: Keep, T: Registered<K>, D: PartialEq> Change<Verdict<K, T, D>> {
    /// Another verdict than before, if there was one.
    pub(super) fn to(after: &Arc<Verdict<K, T, D>>, before: Option<Arc<Verdict<K, T, D>>>) -> Self {
        let matters = before
            .as_deref()
            .is_none_or(|before| is_news(before, after));
        Self {
            before,
            after: Some(after.clone()),
            matters,
        }
    }
}

impl<K: Keep, T, D> Change<Verdict<K, T, D>> {
    /// Nothing lies in the place any more.
    pub(super) fn end<E>(gone: Memo<K, T, D, E>) -> Self {
        Self {
            before: Some(gone.verdict),
            after: None,
            matters: false,
        }
    }
}

/// Whether a reconcile would write something else. What a tenant is beside this concerns none of its objects.
fn is_news<K: Keep, T: Registered<K>, D: PartialEq>(
    before: &Verdict<K, T, D>,
    after: &Verdict<K, T, D>,
) -> bool {
    let shows_the_same = match (&before.registered, &after.registered) {
        (Ok(before), Ok(now)) => {
            Arc::ptr_eq(before, now) || before.shows_the_same(now, &after.object)
        }
        (Err(before), Err(now)) => before == now,
        _ => false,
    };
    let outcome = |verdict: &Verdict<K, T, D>| {
        let tenant = verdict.tenant.as_ref();
        tenant.map(|tenant| (tenant.policy.issuer.clone(), tenant.problem.clone()))
    };
    !is_same_version(&before.object, &after.object)
        || !shows_the_same
        || before.details != after.details
        || outcome(before) != outcome(after)
}

/// What is registered mostly stays the same: one copy of it is kept.
pub(super) fn shared<K: Keep, T: PartialEq, D>(
    new: Result<T, Refusal>,
    before: Option<&Verdict<K, T, D>>,
) -> Result<Arc<T>, Refusal> {
    let new = new?;
    match before.map(|before| &before.registered) {
        Some(Ok(old)) if **old == new => Ok(old.clone()),
        _ => Ok(Arc::new(new)),
    }
}

/// Every namespace has the label of its name, also one that has not been seen yet.
fn own_name(namespace: &str) -> Labels {
    let key = "kubernetes.io/metadata.name".to_owned();
    Labels::from([(key, namespace.to_owned())])
}
