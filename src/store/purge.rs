//! Removes what has ended, in small steps, so that nobody has to wait for it.

use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, query};

use super::operation::{Operation, millis};

/// A kind of row, and how long it is kept after its end.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    delete: &'static str,
    keep: SignedDuration,
}

/// Codes stay for a while, so that a second use is recognised; revoked tokens, so that a replica whose clock is
/// behind does not take one for valid.
pub const KINDS: [Kind; 4] = [
    Kind {
        delete: "DELETE FROM codes WHERE (tenant, digest) IN
            (SELECT tenant, digest FROM codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        keep: SignedDuration::from_hours(1),
    },
    Kind {
        delete: "DELETE FROM revoked_tokens WHERE (tenant, jti) IN
            (SELECT tenant, jti FROM revoked_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        keep: SignedDuration::from_hours(1),
    },
    Kind {
        delete: "DELETE FROM families WHERE (tenant, id) IN
            (SELECT tenant, id FROM families WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)",
        keep: SignedDuration::from_hours(24),
    },
    Kind {
        delete: "DELETE FROM sessions WHERE (tenant, digest) IN
            (SELECT tenant, digest FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        keep: SignedDuration::from_hours(24),
    },
];

/// Removes up to so many rows of a kind.
pub struct Purge {
    pub kind: Kind,
    pub now: Timestamp,
    pub limit: u32,
}

impl Operation for Purge {
    type Output = u64;

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<u64> {
        let before = self
            .now
            .checked_sub(self.kind.keep)
            .unwrap_or(Timestamp::MIN);
        let done = query(self.kind.delete)
            .bind(millis(before))
            .bind(i64::from(self.limit))
            .execute(db)
            .await?;
        Ok(done.rows_affected())
    }
}
