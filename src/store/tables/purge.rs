//! Purges expired rows in small steps, so that no other write waits long for one.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, query};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::Store;
use crate::backend::operation::{Operation, millis};
use crate::error::StoreError;

/// How many rows go at once: a few milliseconds of the one writer that SQLite has.
const STEP: u32 = 200;
/// Between steps while there is more to remove; others write meanwhile.
const BREATH: Duration = Duration::from_millis(50);
/// Between rounds; half of it is random, so that replicas do not purge together.
const PAUSE: Duration = Duration::from_mins(2);

impl Store {
    /// Deletes up to `limit` rows that expired before `now`, each kind in a transaction of its own. Returns how many; call
    /// again while it is `limit`. Codes and revoked tokens stay an hour longer than they live, so that a second use is
    /// recognised; used assertions five minutes; families and sessions a day.
    pub async fn purge(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut left = limit;
        for kind in KINDS {
            let limit = left;
            let gone = self.write(Purge { kind, now, limit }).await?;
            left = left.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
            if left == 0 {
                break;
            }
        }
        let gone = u64::from(limit - left);
        self.metrics.purged.inc_by(gone);
        Ok(gone)
    }
}

/// Purges expired rows now and every few minutes, until the shutdown.
pub async fn purge_forever(store: Store, clock: fn() -> Timestamp, shutdown: CancellationToken) {
    let round = async {
        loop {
            let pause = match store.purge(clock(), STEP).await {
                Ok(gone) if gone >= u64::from(STEP) => BREATH,
                Ok(_) => with_jitter(PAUSE),
                Err(error) => {
                    tracing::warn!(%error, "could not purge expired rows from the store, will retry");
                    with_jitter(PAUSE)
                }
            };
            sleep(pause).await;
        }
    };
    shutdown.run_until_cancelled(round).await;
}

/// Half of it, and up to half of it more.
fn with_jitter(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without chance the pause is the shortest.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    pause.mul_f64(0.5 + f64::from(byte[0]) / 512.0)
}

/// A kind of row, and how long it is kept after its end.
#[derive(Clone, Copy, Debug)]
struct Kind {
    delete: &'static str,
    keep: SignedDuration,
}

/// Removes the rows of a table that ended first, by its key and the column that says when.
#[rustfmt::skip]
macro_rules! delete {
    ($table:literal, $key:literal, $end:literal) => {
        concat!(
            "DELETE FROM ", $table, " WHERE (", $key, ") IN (SELECT ", $key, " FROM ", $table,
            " WHERE ", $end, " < $1 ORDER BY ", $end, " LIMIT $2)"
        )
    };
}

/// Codes stay for a while, so that a second use is recognised; revoked tokens and used assertions, so that a replica
/// whose clock is behind does not take one for valid; last uses for longer than any quiet period, because what is not
/// known counts as use only if it could have been one; days of use until the status of the client has them; subjects until another registration may
/// have them; upgraded hashes a year, after which the next sign-in makes another; failures until they
/// are forgotten.
#[rustfmt::skip]
const KINDS: [Kind; 10] = [
    Kind { delete: delete!("codes", "tenant, digest", "expires_at"), keep: SignedDuration::from_hours(1) },
    Kind { delete: delete!("revoked_tokens", "tenant, jti", "expires_at"), keep: SignedDuration::from_hours(1) },
    Kind { delete: delete!("families", "tenant, id", "ends_at"), keep: SignedDuration::from_hours(24) },
    Kind { delete: delete!("sessions", "tenant, digest", "expires_at"), keep: SignedDuration::from_hours(24) },
    Kind { delete: delete!("used_assertions", "tenant, digest", "expires_at"), keep: SignedDuration::from_mins(5) },
    Kind { delete: delete!("last_uses", "registration_id, generation", "used_at"), keep: SignedDuration::from_hours(24 * 366) },
    Kind { delete: delete!("used_days", "client_uid", "recorded_at"), keep: SignedDuration::from_hours(24 * 31) },
    Kind { delete: delete!("subjects", "tenant, subject", "used_at"), keep: SignedDuration::from_hours(24 * 400) },
    Kind { delete: delete!("upgraded_hashes", "person", "upgraded_at"), keep: SignedDuration::from_hours(24 * 366) },
    Kind { delete: delete!("failed_logins", "account", "busy_until"), keep: SignedDuration::ZERO },
];

/// Deletes up to `limit` rows of a kind.
struct Purge {
    kind: Kind,
    now: Timestamp,
    limit: u32,
}

impl Operation for Purge {
    type Output = u64;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<u64> {
        let before = self.now.checked_sub(self.kind.keep);
        let done = query(self.kind.delete)
            .bind(millis(before.unwrap_or(Timestamp::MIN)))
            .bind(i64::from(self.limit))
            .execute(db)
            .await?;
        Ok(done.rows_affected())
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub(crate) const SEARCHES: &[&str] = &[
    KINDS[0].delete,
    KINDS[1].delete,
    KINDS[2].delete,
    KINDS[3].delete,
    KINDS[4].delete,
    KINDS[5].delete,
    KINDS[6].delete,
    KINDS[7].delete,
    KINDS[8].delete,
    KINDS[9].delete,
];
