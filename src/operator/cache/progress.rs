//! What has been listed and built at least once.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::watch;

/// Which parts have been seen completely at least once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each seen on its own"
)]
pub struct LoadState {
    /// The list of OAuthClients.
    pub clients: bool,
    /// The list of OAuthTenants.
    pub tenants: bool,
    /// The list of OAuthUsers.
    pub users: bool,
    /// The list of namespaces.
    pub namespaces: bool,
    /// The signing keys.
    pub signing_keys: bool,
    /// The registry was built from all of them, with the root keys and the passwords.
    pub registry: bool,
    /// The tenant `default` was made, or need not be.
    pub bootstrap: bool,
}

impl LoadState {
    /// Whether everything was listed that the registry is built from.
    pub fn is_listed(&self) -> bool {
        self.clients && self.tenants && self.users && self.namespaces && self.signing_keys
    }
}

/// What has been seen so far, and whether the installation was bootstrapped.
#[derive(Debug, Default)]
pub struct Readiness {
    progress: watch::Sender<LoadState>,
    /// The mark of it outlives its ConfigMap here.
    bootstrapped: AtomicBool,
}

impl Readiness {
    /// What has been seen so far.
    pub fn progress(&self) -> LoadState {
        *self.progress.borrow()
    }

    /// Notifies of every change.
    pub fn subscribe(&self) -> watch::Receiver<LoadState> {
        self.progress.subscribe()
    }

    /// Records what has been seen.
    pub fn note(&self, note: impl FnOnce(&mut LoadState)) {
        self.progress.send_if_modified(|progress| {
            let before = *progress;
            note(progress);
            *progress != before
        });
    }

    /// Whether the tenant `default` was created, now or by an earlier start.
    pub fn is_bootstrapped(&self) -> bool {
        self.bootstrapped.load(Relaxed)
    }

    /// Records that the tenant `default` was created.
    pub fn set_bootstrapped(&self) {
        self.bootstrapped.store(true, Relaxed);
    }
}
