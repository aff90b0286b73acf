//! A request to rebuild the registry.

use tokio::sync::Notify;

/// Asks the observer to rebuild the registry, because something outside its own watches changed.
#[derive(Debug, Default)]
pub struct RebuildRequest(Notify);

impl RebuildRequest {
    /// Asks for a rebuild. Several requests before the next one are one.
    pub fn request(&self) {
        self.0.notify_one();
    }

    /// Until a rebuild is asked for.
    pub async fn requested(&self) {
        self.0.notified().await;
    }
}
