//! Registries that were replaced. A request that still reads one keeps it; what none reads any more is dropped here, so that no
//! request pays for it.

use std::sync::Arc;

use clientele_oauth::{Registry, Tenant};

/// What was replaced and may still be read.
#[derive(Default)]
pub struct Retired {
    registries: Vec<(Arc<Registry>, bool)>,
    tenants: Vec<(Arc<Tenant>, bool)>,
}

/// What no request reads any more and is large: dropping it takes milliseconds.
#[derive(Default)]
pub struct Large {
    _registries: Vec<Arc<Registry>>,
    _tenants: Vec<Arc<Tenant>>,
}

impl Retired {
    /// Takes in a registry that was replaced, and those of its tenants that were. With `whole` it shares nothing with the next.
    pub fn add<'n>(
        &mut self,
        former: Arc<Registry>,
        replaced: impl Iterator<Item = &'n Arc<str>>,
        whole: bool,
    ) {
        let tenants = replaced.filter_map(|name| former.tenants.get(name));
        let tenants = tenants.map(|tenant| (tenant.clone(), whole));
        self.tenants.extend(tenants);
        self.registries.push((former, whole));
    }

    /// Drops what no request reads any more, but for what is large, which is returned.
    pub fn sweep(&mut self) -> Option<Large> {
        // A registry holds its tenants: what it lets go of is found to be unread then.
        let registries = unread(&mut self.registries);
        let (large, small): (Vec<_>, Vec<_>) =
            registries.into_iter().partition(|(_, large)| *large);
        drop(small);
        let tenants = unread(&mut self.tenants);
        let (large_tenants, small): (Vec<_>, Vec<_>) =
            tenants.into_iter().partition(|(_, large)| *large);
        drop(small);
        let is_empty = large.is_empty() && large_tenants.is_empty();
        (!is_empty).then(|| Large {
            _registries: large.into_iter().map(|(it, _)| it).collect(),
            _tenants: large_tenants.into_iter().map(|(it, _)| it).collect(),
        })
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.registries.is_empty() && self.tenants.is_empty()
    }
}

/// Takes those that only this list has. No request can come to read one again: they were swapped out.
fn unread<T>(held: &mut Vec<(Arc<T>, bool)>) -> Vec<(Arc<T>, bool)> {
    held.extract_if(.., |(it, _)| Arc::strong_count(it) == 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> Arc<Tenant> {
        Arc::new(Tenant::new(
            "t".into(),
            "uid".into(),
            "https://id.example".into(),
        ))
    }

    #[test]
    fn what_a_request_still_reads_is_not_dropped_by_the_request() {
        for whole in [false, true] {
            let mut retired = Retired::default();
            let former = Arc::new(Registry::new(1, None, vec![tenant()]));
            let read = former.tenants["t"].clone();
            let registry = Arc::downgrade(&former);
            retired.add(former, ["t".into()].iter(), whole);
            drop(retired.sweep());
            assert!(
                registry.upgrade().is_none(),
                "no request reads the registry"
            );
            assert!(
                !retired.is_empty() && Arc::strong_count(&read) == 2,
                "its tenant is held"
            );
            let tenant = Arc::downgrade(&read);
            drop(read);
            assert!(tenant.upgrade().is_some(), "the request dropped nothing");
            assert_eq!(
                retired.sweep().is_some(),
                whole,
                "what is large is handed out"
            );
            assert!(retired.is_empty() && tenant.upgrade().is_none());
        }
    }
}
