//! What identifies a client: its ID, the name of its credentials Secret, and its ledger of secret generations.

use clientele_api::OAuthClient;
use clientele_oauth::client::secret_generations::Ledger;
use kube::ResourceExt;

/// The client ID of an object: its own, or `<namespace>.<name>`.
pub fn client_id(object: &OAuthClient) -> String {
    object.spec.client_id.clone().unwrap_or_else(|| {
        format!(
            "{}.{}",
            object.namespace().unwrap_or_default(),
            object.name_any()
        )
    })
}

/// The ledger that the status holds; none means that generation 1 is asked for.
pub fn ledger(object: &OAuthClient) -> Ledger {
    let number = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
    object
        .status
        .as_ref()
        .and_then(|status| status.secret_generation.as_ref())
        .map_or(Ledger::FIRST, |generation| {
            Ledger::from_status(
                number(generation.requested),
                number(generation.published),
                number(generation.oldest_accepted),
            )
        })
}

/// The name of the credentials Secret of an object.
pub fn name_of(object: &OAuthClient) -> String {
    object
        .spec
        .secret
        .as_ref()
        .and_then(|secret| secret.name.clone())
        .unwrap_or_else(|| format!("{}-oauth", object.name_any()))
}
