//! How often signing in has failed, over all replicas: the rule of [`clientele_oauth::user::login_throttle`] as one statement.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{AnyConnection, query};

use crate::Store;
use crate::backend::operation::{Operation, column, millis};
use crate::error::StoreError;
use clientele_oauth::user::login_throttle::{Key, Rate};

/// Charges a try, unless the account is as busy as it may be.
const CHARGE: &str = "INSERT INTO failed_logins (account, busy_until) VALUES ($1, $2 + $3)
    ON CONFLICT (account) DO UPDATE SET busy_until =
        CASE WHEN failed_logins.busy_until > $2 THEN failed_logins.busy_until + $3 ELSE $2 + $3 END
    WHERE failed_logins.busy_until <= $4 - $3";
const BUSY: &str = "SELECT busy_until FROM failed_logins WHERE account = $1";
const REFUND: &str = "UPDATE failed_logins SET busy_until = busy_until - $2 WHERE account = $1";

impl Store {
    /// Charges one try of an account at a rate, or says how long to wait for the next.
    pub async fn charge_login(
        &self,
        account: Key,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Result<(), Duration>, StoreError> {
        let account = text(&account);
        self.write(ChargeLogin { account, rate, now }).await
    }

    /// Gives back a try that did not fail.
    pub async fn refund_login(&self, account: Key, rate: Rate) -> Result<(), StoreError> {
        let account = text(&account);
        self.write(RefundLogin { account, rate }).await
    }
}

fn text(account: &Key) -> String {
    account.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn length(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

/// Charges a try.
struct ChargeLogin {
    account: String,
    rate: Rate,
    now: Timestamp,
}

impl Operation for ChargeLogin {
    type Output = Result<(), Duration>;
    const SINGLE: bool = false;

    async fn at_once(&self, db: &mut AnyConnection) -> sqlx::Result<Option<Self::Output>> {
        Ok(self.charge(db).await?.then_some(Ok(())))
    }

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<Self::Output> {
        if self.charge(db).await? {
            return Ok(Ok(()));
        }
        let row = query(BUSY).bind(&*self.account).fetch_one(db).await?;
        // A clock that went back locks no person out for longer than all failures that count.
        let busy = column::<i64>(&row, "busy_until")?.min(self.free());
        let wait = busy + length(self.rate.every) - self.free();
        Ok(Err(Duration::from_millis(wait.max(1).unsigned_abs())))
    }
}

impl ChargeLogin {
    async fn charge(&self, db: &mut AnyConnection) -> sqlx::Result<bool> {
        let done = query(CHARGE)
            .bind(&*self.account)
            .bind(millis(self.now))
            .bind(length(self.rate.every))
            .bind(self.free())
            .execute(db)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Who is busy until then has no try left.
    fn free(&self) -> i64 {
        millis(self.now) + length(self.rate.every.saturating_mul(self.rate.burst))
    }
}

/// Gives a try back.
struct RefundLogin {
    account: String,
    rate: Rate,
}

impl Operation for RefundLogin {
    type Output = ();

    async fn run(&self, db: &mut AnyConnection) -> sqlx::Result<()> {
        let statement = query(REFUND)
            .bind(&*self.account)
            .bind(length(self.rate.every));
        statement.execute(db).await.map(drop)
    }
}

/// What searches, for the test of the indexes.
#[cfg(test)]
pub const SEARCHES: &[&str] = &[BUSY, REFUND];
