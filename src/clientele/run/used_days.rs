//! Records on which days clients were used here, and reads what the other replicas have recorded.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use jiff::Timestamp;

use clientele_oauth::Registry;
use clientele_oauth::client::secret_usage::Uses;
use clientele_store::{Store, StoreError, UsedDay};

/// How many days one transaction records.
const BATCH: usize = 200;
/// How many days one statement reads.
const PAGE: u32 = 1000;
/// What was recorded this long before the last look is read again: the clocks of replicas differ, and a transaction takes
/// a while to be visible.
const AGAIN: Duration = Duration::from_mins(10);

/// When the days of other replicas were read.
#[derive(Clone, Default)]
pub struct UsedDaysExchange {
    /// In milliseconds since 1970; 0 for never.
    read_at: Arc<AtomicI64>,
}

/// The uses of the clients that are served, by the UID of the client.
pub type UsesByUid<'r> = HashMap<&'r str, &'r Uses>;

/// The uses of every client of a registry.
pub fn uses_by_uid(registry: &Registry) -> UsesByUid<'_> {
    let tenants = registry.tenants.values();
    let clients = tenants.flat_map(|tenant| tenant.clients.values());
    clients
        .map(|client| (&*client.uid, &*client.uses))
        .collect()
}

impl UsedDaysExchange {
    /// Records what is new here. A replica that serves also reads what others have recorded; before that its registry is
    /// not complete, and days of clients that it lacks would be lost.
    pub async fn exchange(
        &self,
        store: &Store,
        uses: &UsesByUid<'_>,
        serving: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        record(store, uses, now).await?;
        if serving {
            self.read(store, uses).await?;
            self.read_at.store(now.as_millisecond(), Relaxed);
        }
        Ok(())
    }

    async fn read(&self, store: &Store, uses: &UsesByUid<'_>) -> Result<(), StoreError> {
        let read_at = Timestamp::from_millisecond(self.read_at.load(Relaxed)).ok();
        let since = read_at.and_then(|at| at.checked_sub(AGAIN).ok());
        let mut after = (since.unwrap_or(Timestamp::UNIX_EPOCH), String::new());
        loop {
            let page = store.used_days(after, PAGE).await?;
            for row in &page {
                if let Some(uses) = uses.get(&*row.client_uid) {
                    uses.days().learn(row.day);
                }
            }
            match page.into_iter().nth(PAGE as usize - 1) {
                Some(last) => after = (last.recorded_at, last.client_uid),
                None => return Ok(()),
            }
        }
    }
}

/// Records what no replica may have recorded.
async fn record(store: &Store, uses: &UsesByUid<'_>, now: Timestamp) -> Result<(), StoreError> {
    let unreported = uses.iter().filter_map(|(client_uid, uses)| {
        let row = UsedDay {
            client_uid: (*client_uid).to_owned(),
            day: uses.unreported_day()?,
            recorded_at: now,
        };
        Some((*uses, row))
    });
    let unreported: Vec<(&Uses, UsedDay)> = unreported.collect();
    for batch in unreported.chunks(BATCH) {
        let days = batch.iter().map(|(_, row)| row.clone()).collect();
        store.record_used_days(days).await?;
        for (uses, row) in batch {
            uses.days().is_reported(row.day);
            uses.days().learn(row.day);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
