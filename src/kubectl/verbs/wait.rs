//! Waiting until an object is as wanted.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::connect::Session;
use crate::failure::Failure;
use crate::objects::{Kind, message, reason};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks until the object is as wanted, or the time is over; then says what it last saw.
pub async fn wait_until(
    session: &Session,
    (kind, name): (Kind, &str),
    seconds: u64,
    wanted: impl Fn(&Value) -> bool,
) -> Result<Value, Failure> {
    let began = Instant::now();
    loop {
        let object = session.get(kind, name).await?;
        if wanted(&object) {
            return Ok(object);
        }
        if began.elapsed() >= Duration::from_secs(seconds) {
            let said = match message(&object) {
                "" => String::new(),
                message => format!(" ({message})"),
            };
            return Err(Failure::new(format!(
                "not within {seconds} s: {} {name} is {}{said}. `kubectl clientele why {}/{name}` says more; --timeout waits longer",
                kind.name(),
                reason(&object),
                kind.name().to_lowercase()
            )));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
