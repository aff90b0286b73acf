//! The clients that have time series of their own: as many as a registration of thousands may fill memory with.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;

/// How many clients have a label of their own. Later ones share [`OTHERS`] until the process restarts.
const MAX_CLIENTS: usize = 500;
/// The label of all further clients.
const OTHERS: &str = "(others)";

/// The client that is counted.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ClientLabels {
    /// Its ID.
    pub client_id: String,
}

/// The clients that were labelled. Only registered clients are, so that strangers add none.
#[derive(Debug, Default)]
pub(super) struct LabelledClients(Mutex<HashSet<Arc<str>>>);

impl LabelledClients {
    /// The label of a registered client; empty where no client is known.
    pub fn label(&self, client_id: &str) -> String {
        let mut labelled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if client_id.is_empty() || labelled.contains(client_id) {
            return client_id.to_owned();
        }
        if labelled.len() >= MAX_CLIENTS {
            return OTHERS.to_owned();
        }
        labelled.insert(client_id.into());
        client_id.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_clients_adds_labels_without_bound() {
        let clients = LabelledClients::default();
        let labels = || -> Vec<String> {
            let ids = (0..MAX_CLIENTS + 50).map(|n| format!("team-{n}.web"));
            ids.map(|id| clients.label(&id)).collect()
        };
        let (first, again) = (labels(), labels());
        assert_eq!(first, again);
        assert_eq!(first.iter().filter(|label| *label == OTHERS).count(), 50);
        assert_eq!(clients.label(""), "");
    }
}
