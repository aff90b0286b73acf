//! A hash of a manifest with other parameters than ours is replaced at the first success: the store keeps one of ours,
//! beside a digest of the manifest's, and counts for as long as the manifest's stays the same.

use zeroize::Zeroizing;

use super::request::BrowserRequest;
use clientele_oauth::User;
use clientele_oauth::digest::digest_of;
use clientele_oauth::user::{PasswordHash, password};
use clientele_store::UpgradedHash;

/// What the password of a person is verified against. Without the store it is the manifest's hash. The store is read also for
/// an unknown name and for a hash of ours, so that the time of an answer does not tell them apart.
pub(super) async fn hash_of(
    browser_request: &BrowserRequest<'_>,
    user: Option<&User>,
) -> Option<PasswordHash> {
    let store = &browser_request.app.store;
    let user_uid = user.map_or("", |user| &user.uid);
    let kept = match store.upgraded_hash(user_uid).await {
        Ok(kept) => kept,
        Err(error) => {
            tracing::warn!(%error, "the upgraded hash of a password could not be read; using the hash of the Secret");
            None
        }
    };
    let manifest = user?.password.clone()?;
    if password::is_own(&manifest) {
        return Some(manifest);
    }
    let kept = kept.filter(|kept| kept.manifest == digest_of(&manifest.0));
    let kept = kept.map(|kept| PasswordHash(kept.hash.into()));
    Some(kept.filter(password::is_own).unwrap_or(manifest))
}

/// Keeps a hash of ours in place of the one that has just been verified. If that fails, the next success tries again.
pub(super) async fn upgrade(
    browser_request: &BrowserRequest<'_>,
    user: &User,
    password: Zeroizing<String>,
) {
    let (app, Some(manifest)) = (browser_request.app, &user.password) else {
        return;
    };
    let mut salt = [0; 16];
    if (app.random)(&mut salt).is_none() {
        return;
    }
    let Some(hash) = app.password_authenticator.hash(password, salt).await else {
        return;
    };
    let upgraded = UpgradedHash {
        user_uid: user.uid.to_string(),
        manifest: digest_of(&manifest.0),
        hash: hash.0.to_string(),
        upgraded_at: browser_request.now,
    };
    if let Err(error) = app.store.keep_upgraded_hash(upgraded).await {
        tracing::warn!(%error, username = %user.username, "could not store the upgraded hash of a password; will retry at the next sign-in");
    }
}
