//! The clients of each tenant as the server finds them. They share with the registry what has not changed since.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_oauth::Client;
use clientele_oauth::shared_map::SharedMap;
use clientele_oauth::tenant::Clients;

use super::RegistryBuilder;
use super::clients::{acceptable, suspended_client};
use super::memo::Change;
use super::slices::Slices;
use crate::domain::verdict::ClientVerdict;

/// The clients of a tenant, by ID.
#[derive(Clone, Default)]
pub(super) struct TenantClients {
    /// Those that are served.
    pub served: Clients,
    /// Those that are suspended.
    pub suspended: SharedMap<Arc<str>, Arc<Client>>,
}

impl TenantClients {
    fn is_empty(&self) -> bool {
        self.served.is_empty() && self.suspended.is_empty()
    }
}

/// Where a client stands.
#[derive(PartialEq, Eq)]
enum Table {
    Served,
    Suspended,
}

/// Which table of its tenant has a client, if one has.
fn place(verdict: &ClientVerdict) -> Option<(&Arc<str>, Table, &Arc<Client>)> {
    let tenant = &verdict.tenant.as_ref()?.policy.name;
    let served = acceptable(verdict).map(|client| (tenant, Table::Served, client));
    served.or_else(|| suspended_client(verdict).map(|client| (tenant, Table::Suspended, client)))
}

/// Whether both stand in the same table with the same client.
fn is_same(before: &ClientVerdict, after: &ClientVerdict) -> bool {
    match (place(before), place(after)) {
        (Some((tenant, table, client)), Some((other_tenant, other_table, other))) => {
            tenant == other_tenant && table == other_table && Arc::ptr_eq(client, other)
        }
        (None, None) => true,
        _ => false,
    }
}

/// Whether the second is put where the first was.
fn stays(before: &ClientVerdict, after: &ClientVerdict) -> bool {
    match (place(before), place(after)) {
        (Some((tenant, table, client)), Some((other_tenant, other_table, other))) => {
            tenant == other_tenant && table == other_table && client.id == other.id
        }
        (None, None) => true,
        _ => false,
    }
}

impl RegistryBuilder {
    /// Moves clients to where their verdicts say. Returns the tenants whose tables changed.
    pub(super) async fn move_clients(
        &mut self,
        changes: &[Change<ClientVerdict>],
        slices: &mut Slices,
    ) -> HashSet<Arc<str>> {
        let mut touched = HashSet::new();
        // An ID may pass from one client to another: first all leave, then all come.
        for change in changes {
            if change.moves(stays) {
                touched.extend(change.before.as_ref().and_then(|it| self.take_out(it)));
            }
            slices.turn().await;
        }
        for change in changes {
            if change.moves(is_same) {
                touched.extend(change.after.as_ref().and_then(|it| self.put_in(it)));
            }
            slices.turn().await;
        }
        for change in changes {
            let refused = |verdict: &Option<Arc<ClientVerdict>>| {
                let verdict = verdict.as_ref();
                usize::from(verdict.is_some_and(|verdict| verdict.registered.is_err()))
            };
            self.refused += refused(&change.after);
            self.refused -= refused(&change.before);
            slices.turn().await;
        }
        touched
    }

    /// Fills the tables with everybody, from nothing.
    pub(super) async fn fill_tables(&mut self, slices: &mut Slices) {
        let verdicts: Vec<_> = self
            .memos
            .iter()
            .map(|(_, memo)| memo.verdict.clone())
            .collect();
        for verdict in verdicts {
            self.refused += usize::from(verdict.registered.is_err());
            self.put_in(&verdict);
            slices.turn().await;
        }
    }

    fn take_out(&mut self, verdict: &ClientVerdict) -> Option<Arc<str>> {
        let (name, table, client) = place(verdict)?;
        let tables = self.tables.get_mut(name)?;
        let is_there = |known: Option<&Arc<Client>>| known.is_some_and(|it| it.uid == client.uid);
        match table {
            Table::Served if is_there(tables.served.get(&client.id)) => {
                tables.served.remove(&client.id);
                self.served -= 1;
            }
            Table::Suspended if is_there(tables.suspended.get(&client.id)) => {
                tables.suspended.remove(&client.id);
            }
            _ => return None,
        }
        if tables.is_empty() {
            self.tables.remove(name);
        }
        Some(name.clone())
    }

    fn put_in(&mut self, verdict: &ClientVerdict) -> Option<Arc<str>> {
        let (name, table, client) = place(verdict)?;
        let tables = self.tables.entry(name.clone()).or_default();
        let (id, client) = (client.id.clone(), client.clone());
        match table {
            Table::Served => {
                let before = tables.served.insert(id, client);
                self.served += usize::from(before.is_none());
            }
            Table::Suspended => drop(tables.suspended.insert(id, client)),
        }
        Some(name.clone())
    }

    /// Whether the tables have the client of a verdict where it says, and nowhere else.
    pub(super) fn has_its_place(&self, verdict: &ClientVerdict) -> bool {
        let Some((name, table, client)) = place(verdict) else {
            return true;
        };
        let is_it = |known: Option<&Arc<Client>>| known.is_some_and(|it| Arc::ptr_eq(it, client));
        self.tables.get(name).is_some_and(|tables| {
            let served = is_it(tables.served.get(&client.id));
            let suspended = is_it(tables.suspended.get(&client.id));
            served == (table == Table::Served) && suspended == (table == Table::Suspended)
        })
    }
}
