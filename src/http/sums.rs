//! What is not recorded singly, once a minute.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::App;

/// Writes sums into the audit log, until the shutdown: of the refusals that were not recorded singly, and of what there was no
/// room for.
pub fn sum_up(app: &App, shutdown: CancellationToken) -> impl Future<Output = ()> + use<> {
    let (refusals, overload) = (app.refusal_counts.clone(), app.metrics.overload.clone());
    let (audit, clock) = (app.audit.clone(), app.clock);
    async move {
        let minutes = async {
            loop {
                tokio::time::sleep(Duration::from_mins(1)).await;
                refusals.record(&audit, clock());
                overload.record(&audit);
            }
        };
        shutdown.run_until_cancelled(minutes).await;
    }
}
