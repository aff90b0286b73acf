//! Gives clients that were used their turn to record it in their status.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use clientele_oauth::Client;
use jiff::Timestamp;

use crate::cache::last_use_turns::LastUseTurns;
use crate::cache::leadership::Leader;
use crate::cache::place::Place;
use crate::cache::verdicts::Verdicts;
use crate::cache::work_queues::WorkQueues;
use crate::domain::client::last_use::{TURNS_A_MINUTE, choose, is_due, share};
use crate::domain::verdict::ClientVerdict;

/// What the turns are given by.
pub struct LastUseSchedule {
    /// Whether this replica writes.
    pub leader: Arc<Leader>,
    /// The clients, with the days of their use.
    pub verdicts: Arc<Verdicts>,
    /// Where a client that has a turn is reconciled.
    pub queues: Arc<WorkQueues>,
    /// Where the reconcile finds the turn.
    pub turns: Arc<LastUseTurns>,
}

/// The UIDs of clients that had a turn since the last time when no other client was due. A client whose status cannot be
/// written stays due, and must not take the turns of the others.
type Tried = HashSet<Arc<str>>;

/// Gives turns until the end of the program.
pub async fn spread(schedule: LastUseSchedule) {
    let pause = Duration::from_mins(1) / TURNS_A_MINUTE;
    let (mut tried, mut turn) = (Tried::new(), 0_u32);
    loop {
        tokio::time::sleep(pause).await;
        turn = turn.wrapping_add(1) % TURNS_A_MINUTE;
        if !schedule.leader.is_ours() {
            continue;
        }
        let clients = schedule.verdicts.clients.all();
        let share = share(clients.len(), turn);
        let chosen = next(&clients, share, &mut tried, Timestamp::now());
        let uids = chosen.iter().map(|(_, client)| client.uid.clone());
        schedule.turns.give(uids);
        for (verdict, _) in chosen {
            let object = Place::of_kept(&verdict.object);
            schedule.queues.clients.enqueue(object);
        }
    }
}

type Registered<'v> = (&'v ClientVerdict, &'v Client);

/// The clients that get the next turn.
fn next<'v>(
    clients: &'v [Arc<ClientVerdict>],
    share: usize,
    tried: &mut Tried,
    now: Timestamp,
) -> Vec<Registered<'v>> {
    let registered = clients.iter().filter_map(|verdict| {
        let client = verdict.registered.as_deref().ok()?;
        Some((&**verdict, client))
    });
    let due = registered.filter_map(|(verdict, client)| {
        // A client without a status waits for its first reconcile.
        let known = verdict.object.last_use()?;
        let used = client.uses.days().last();
        let is_due = is_due(known, used, verdict.object.is_ready(), now);
        let known = known.last_used_at.as_ref().map(|time| time.0);
        (is_due && !tried.contains(&client.uid)).then_some((known, (verdict, client)))
    });
    let due: Vec<_> = due.collect();
    if due.is_empty() {
        tried.clear();
    }
    let chosen = choose(due, share);
    tried.extend(chosen.iter().map(|(_, client)| client.uid.clone()));
    chosen
}

#[cfg(test)]
mod tests;
