//! When a former root key leaves: when no client has a secret from it and no session is older than the rotation.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use clientele_api::{ClientType, OAuthClient, TokenEndpointAuthMethod};
use clientele_oauth::Keyring;
use clientele_oauth::client::secret_rotation::later;
use clientele_oauth::client::secret_usage::Usage;
use clientele_oauth::keys::root_keyring::RootKey;
use clientele_telemetry::audit::AuditEvent;
use jiff::Timestamp;

use super::installation::{change_marks, read_marks};
use super::rotate::{Place, withdraw};
use super::{RootKeyReader, SINCE};
use crate::cache::verdicts::Verdicts;
use crate::error::Error;

/// So long after another key derives, a replica may still not know it.
const LAG: Duration = Duration::from_mins(10);

/// What decides whether a former root key can leave.
#[derive(Clone, Copy, Debug)]
pub struct Needed<'a> {
    /// Clients with an accepted generation from it, by name.
    pub by_clients: &'a [String],
    /// Since when another key derives.
    pub superseded_at: Option<Timestamp>,
    /// How long it stays at least.
    pub grace: Duration,
    /// When the oldest sign-in that still counts was; the outer `None` if that is not known.
    pub oldest_sign_in: Option<Option<Timestamp>>,
    /// Until when that is known.
    pub known_until: Timestamp,
    /// The time.
    pub now: Timestamp,
}

/// Why a former root key has to stay, if it has to.
pub fn keeps(needed: &Needed<'_>) -> Option<String> {
    let Some(superseded_at) = needed.superseded_at else {
        return Some("the time of the last root key rotation is unknown".to_owned());
    };
    let until = later(superseded_at, needed.grace);
    if until > needed.now {
        return Some(format!("it must stay until {until} at least"));
    }
    if let Some(first) = needed.by_clients.first() {
        let count = needed.by_clients.len();
        return Some(format!(
            "client secrets are still derived from it: {count}, such as {first}"
        ));
    }
    let known_since = later(superseded_at, LAG.min(needed.grace));
    match needed.oldest_sign_in {
        None => Some("the oldest valid session is unknown".to_owned()),
        _ if needed.known_until < known_since => {
            Some("the oldest valid session is unknown".to_owned())
        }
        Some(Some(oldest)) if oldest < known_since => {
            Some(format!("a session from {oldest} is still valid"))
        }
        Some(_) => None,
    }
}

/// What decides whether a former root key is retired.
pub struct Retirement {
    /// Reads the keys again after a change.
    pub reader: Arc<RootKeyReader>,
    /// What is served, also of objects that a list lacked.
    pub verdicts: Arc<Verdicts>,
    /// When the oldest sign-in that still counts was.
    pub usage: Arc<ArcSwapOption<Usage>>,
}

/// Looks again and again, for ever.
pub async fn leave(retirement: Retirement) {
    let reader = &*retirement.reader;
    let grace = reader.context.settings.root_key_grace;
    let pause = (grace / 10).clamp(Duration::from_secs(1), Duration::from_mins(10));
    let mut said = None;
    loop {
        tokio::time::sleep(pause).await;
        if !reader.leader.is_ours() {
            continue;
        }
        match look(&retirement).await {
            Ok(kept) => {
                if let Some((id, why)) = kept.as_ref().filter(|_| kept != said) {
                    tracing::info!(root_key = id, "keeping a former root key: {why}");
                }
                said = kept;
            }
            Err(error) => {
                tracing::warn!(%error, "could not remove a former root key, will retry");
            }
        }
    }
}

/// Removes keys that are not needed; says of the first key that stays why it does.
async fn look(retirement: &Retirement) -> Result<Option<(String, String)>, Error> {
    let reader = &*retirement.reader;
    let root_keys = reader.root_keys.load();
    let Ok(keyring) = root_keys.deriving() else {
        return Ok(None);
    };
    let former = |key: &&Arc<RootKey>| key.id() != keyring.current_id();
    let mut kept = None;
    if !root_keys.left.is_empty() {
        withdraw(&reader.context.kube, place(reader), |id| {
            root_keys.left.iter().any(|left| left == id)
        })
        .await?;
        super::look(reader).await?;
    }
    if keyring.keys().len() < 2 {
        return Ok(None);
    }
    let superseded_at = superseded_at(reader, keyring).await?;
    let usage = retirement.usage.load();
    let usage = usage.as_ref();
    for key in keyring.keys().iter().filter(former) {
        let by_clients = holders(retirement, key.id());
        let needed = Needed {
            by_clients: &by_clients,
            superseded_at,
            grace: reader.context.settings.root_key_grace,
            oldest_sign_in: usage.and_then(|usage| usage.oldest_sign_in),
            known_until: usage.map_or(Timestamp::MIN, |usage| usage.until),
            now: Timestamp::now(),
        };
        match keeps(&needed) {
            Some(why) => kept = kept.or(Some((key.id().to_owned(), why))),
            None => remove(reader, key).await?,
        }
    }
    Ok(kept)
}

fn place(reader: &RootKeyReader) -> Place<'_> {
    Place {
        namespace: &reader.context.settings.namespace,
        name: &reader.context.settings.root_key_secret,
    }
}

async fn remove(reader: &RootKeyReader, key: &RootKey) -> Result<(), Error> {
    withdraw(&reader.context.kube, place(reader), |id| id == key.id()).await?;
    // Known before the next look, which would withdraw it again.
    super::look(reader).await?;
    tracing::info!(
        root_key = key.id(),
        "removed a former root key: no client and no session needs it"
    );
    super::record(
        reader,
        AuditEvent::RootKeyAccepted,
        "removed a former root key: no client and no session needs it",
    );
    Ok(())
}

/// Since when the present key derives, as the marks say; they are told if they do not know.
async fn superseded_at(
    reader: &RootKeyReader,
    keyring: &Keyring,
) -> Result<Option<Timestamp>, Error> {
    let marks = read_marks(&reader.context).await?;
    let known = marks.get(SINCE).and_then(|mark| mark.split_once(' '));
    if let Some((id, since)) = known
        && id == keyring.current_id()
    {
        return Ok(since.parse().ok());
    }
    let mark = format!("{} {}", keyring.current_id(), Timestamp::now());
    let note = |data: &mut std::collections::BTreeMap<String, String>| {
        data.insert(SINCE.to_owned(), mark.clone());
    };
    change_marks(
        &reader.context.kube,
        &reader.context.settings.namespace,
        note,
    )
    .await?;
    Ok(None)
}

/// The clients with an accepted generation from a root key: those that are listed, and those that are served although a
/// list lacked them. What is taken away here never comes back.
fn holders(retirement: &Retirement, id: &str) -> Vec<String> {
    let served = retirement.verdicts.clients.all();
    let served = served.into_iter().map(|verdict| verdict.object.clone());
    let listed = retirement.reader.cache.clients.all();
    let objects = listed.into_iter().chain(served);
    let holding = objects.filter(|object| object.may_derive_from(id) && derives(&object.object()));
    let names = holding.map(|object| format!("{}/{}", object.namespace(), object.name()));
    let names: BTreeSet<String> = names.collect();
    names.into_iter().collect()
}

/// A client without a secret needs no key.
fn derives(object: &OAuthClient) -> bool {
    let spec = &object.spec;
    let secretless = matches!(
        spec.token_endpoint_auth_method,
        Some(TokenEndpointAuthMethod::PrivateKeyJwt | TokenEndpointAuthMethod::ServiceAccount)
    );
    spec.type_ != ClientType::Public && !secretless
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_former_key_stays_as_long_as_anybody_may_need_it() {
        let unneeded = Needed {
            by_clients: &[],
            superseded_at: Some(at(0)),
            grace: Duration::from_hours(24),
            oldest_sign_in: Some(Some(at(601))),
            known_until: at(600),
            now: at(90_000),
        };
        assert_eq!(keeps(&unneeded), None);
        let none = Needed {
            oldest_sign_in: Some(None),
            ..unneeded
        };
        assert_eq!(keeps(&none), None);
        let clients = ["team-a/web".to_owned()];
        let stays = [
            Needed {
                now: at(86_399),
                ..unneeded
            },
            Needed {
                by_clients: &clients,
                ..unneeded
            },
            Needed {
                oldest_sign_in: Some(Some(at(599))),
                ..unneeded
            },
            Needed {
                oldest_sign_in: None,
                ..unneeded
            },
            Needed {
                known_until: at(599),
                ..unneeded
            },
            Needed {
                superseded_at: None,
                ..unneeded
            },
        ];
        for needed in stays {
            assert!(keeps(&needed).is_some(), "{needed:?}");
        }
    }
}
