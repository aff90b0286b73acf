//! The clients of a tenant, and what is asked about all of them at once.

use std::ops::Deref;
use std::sync::Arc;

use crate::Client;
use crate::shared_map::SharedMap;

/// How many clients say the same.
type Counts = SharedMap<Arc<str>, usize>;

/// The clients of a tenant by `client_id`. A copy shares what is equal.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    by_id: SharedMap<Arc<str>, Arc<Client>>,
    /// Every origin that some client lists in its `allowed_origins`.
    origins: Counts,
    /// What stands before the first colon of every client ID that has one: what is read of it in an `Authorization` header
    /// in which it is not form-encoded.
    before_colons: Counts,
}

impl Clients {
    /// Takes in a client under this ID. Returns the one that had it.
    pub fn insert(&mut self, id: Arc<str>, client: Arc<Client>) -> Option<Arc<Client>> {
        for origin in &*client.allowed_origins {
            count(&mut self.origins, origin);
        }
        if let Some((start, _)) = id.split_once(':')
            && !self.by_id.contains_key(&id)
        {
            count(&mut self.before_colons, start);
        }
        let before = self.by_id.insert(id, client);
        if let Some(before) = &before {
            self.forget_origins(before);
        }
        before
    }

    /// Removes the client with this ID.
    pub fn remove(&mut self, id: &str) -> Option<Arc<Client>> {
        let gone = self.by_id.remove(id)?;
        self.forget_origins(&gone);
        if let Some((start, _)) = id.split_once(':') {
            uncount(&mut self.before_colons, start);
        }
        Some(gone)
    }

    fn forget_origins(&mut self, client: &Client) {
        for origin in &*client.allowed_origins {
            uncount(&mut self.origins, origin);
        }
    }

    /// Whether some client lists the origin in its `allowed_origins`.
    pub fn list_origin(&self, origin: &str) -> bool {
        self.origins.contains_key(origin)
    }

    /// Whether this stands before the first colon of some client ID.
    pub fn begin_with(&self, start: &str) -> bool {
        self.before_colons.contains_key(start)
    }
}

fn count(counts: &mut Counts, of: &str) {
    let known = counts.get(of).copied().unwrap_or_default();
    counts.insert(of.into(), known + 1);
}

fn uncount(counts: &mut Counts, of: &str) {
    let known = counts.remove(of).unwrap_or_default();
    if known > 1 {
        counts.insert(of.into(), known - 1);
    }
}

impl Deref for Clients {
    type Target = SharedMap<Arc<str>, Arc<Client>>;

    fn deref(&self) -> &Self::Target {
        &self.by_id
    }
}

impl FromIterator<(Arc<str>, Arc<Client>)> for Clients {
    fn from_iter<T: IntoIterator<Item = (Arc<str>, Arc<Client>)>>(clients: T) -> Self {
        let mut all = Self::default();
        for (id, client) in clients {
            all.insert(id, client);
        }
        all
    }
}

impl<const N: usize> From<[(Arc<str>, Arc<Client>); N]> for Clients {
    fn from(clients: [(Arc<str>, Arc<Client>); N]) -> Self {
        clients.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing::client;

    fn named(id: &str, origins: &[&str]) -> (Arc<str>, Arc<Client>) {
        let mut client = client();
        client.id = id.into();
        client.allowed_origins = origins.iter().map(|&origin| Arc::from(origin)).collect();
        (id.into(), Arc::new(client))
    }

    fn add(clients: &mut Clients, (id, client): (Arc<str>, Arc<Client>)) {
        clients.insert(id, client);
    }

    #[test]
    fn an_origin_is_listed_while_some_client_lists_it() {
        let (one, two) = ("https://one.example", "https://two.example");
        let mut clients = Clients::from([named("a", &[one, one]), named("b", &[one, two])]);
        let former = clients.clone();
        let listed = |clients: &Clients| [one, two].map(|origin| clients.list_origin(origin));
        assert_eq!(listed(&clients), [true, true]);
        add(&mut clients, named("b", &[]));
        assert_eq!(listed(&clients), [true, false]);
        clients.remove("a");
        assert_eq!(listed(&clients), [false, false]);
        add(&mut clients, named("b", &[two]));
        assert_eq!(listed(&clients), [false, true]);
        assert_eq!(listed(&former), [true, true], "a copy is what it was");
    }

    #[test]
    fn what_stands_before_a_colon_is_known_while_an_id_begins_so() {
        let mut clients =
            Clients::from([named("urn:a", &[]), named("urn:b", &[]), named("c", &[])]);
        for (id, known) in [("urn:a", true), ("urn:b", false), ("c", false)] {
            clients.remove(id);
            assert_eq!(clients.begin_with("urn"), known, "{id}");
        }
        add(&mut clients, named("urn:a", &[]));
        add(&mut clients, named("urn:a", &[]));
        clients.remove("urn:a");
        assert!(!clients.begin_with("urn") && clients.is_empty());
    }
}
