//! Rotation between manifest, status and the rules of [`clientele_oauth::client::secret_rotation`]: what is asked for, what is due, and what
//! the status remembers afterwards.

mod settings;

use std::time::Duration;

use clientele_api::condition::{READY, in_whole_seconds};
use clientele_api::{
    DurationString, OAuthClient, OverlapStatus, RotationSpec, RotationStatus, SecretGeneration,
};
use clientele_oauth::client::secret_generations::Ledger;
use clientele_oauth::client::secret_rotation::{
    Cause, End, Observed, Overlap, RootKeyState, Settings, Situation, Step, due_at, later, next,
};
use clientele_oauth::{Client, Keyring};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::secret::digest::SecretDigest;
use crate::domain::client::identity::ClientObject;

pub use settings::settings;

/// What is due for a client, and what the status needs to know to record it.
#[derive(Clone, Debug)]
pub struct RotationStep {
    /// What is due.
    pub step: Step,
    /// The ID of the root key that the requested generation is derived from.
    pub root_key: Option<String>,
    /// The ID of the root key that derives now.
    pub current_key: Option<String>,
    /// Whether generations from before the published one can still authenticate.
    pub older_work: bool,
    /// What is known of the use of the secret.
    pub observed: Option<Observed>,
}

impl Default for RotationStep {
    /// Nothing is due, and nothing is known of root keys.
    fn default() -> Self {
        Self {
            step: Step::Rest(None),
            root_key: None,
            current_key: None,
            older_work: true,
            observed: None,
        }
    }
}

/// What is due for a registered client whose Secret is ours, or not there.
pub fn turn(
    object: &ClientObject<'_>,
    client: &Client,
    secret: Option<&SecretDigest>,
    keyring: &Keyring,
    observed: Option<Observed>,
    now: Timestamp,
) -> RotationStep {
    let root_key = root_key(object, secret, keyring);
    let current_key = keyring.current_id().to_owned();
    let known = recorded(object);
    let mut turn = RotationStep {
        step: Step::Rest(None),
        older_work: known.is_none_or(|known| older_work(object, known, keyring)),
        root_key: Some(root_key),
        current_key: Some(current_key),
        observed,
    };
    if !client.holds_secret() {
        return turn;
    }
    turn.step = match known {
        // The first generation answers whatever was asked for before there was one.
        None => Step::Publish,
        Some(known) => next(&situation(object, known, &turn, keyring, now)),
    };
    turn
}

/// Whether there can be an overlap: not after the root key of every older generation was withdrawn. All of them are from
/// other root keys if it was the root key for which the secret rotated last.
fn older_work(object: &OAuthClient, known: &SecretGeneration, keyring: &Keyring) -> bool {
    let rotation = object
        .status
        .as_ref()
        .and_then(|status| status.rotation.as_ref());
    let cause = rotation.and_then(|rotation| rotation.last_cause.as_deref());
    let lives = |id: &String| keyring.keys().iter().any(|key| key.id() == *id);
    let moved = [Cause::RootKeyRotated, Cause::RootKeyWithdrawn].map(|cause| Some(cause.as_str()));
    !moved.contains(&cause) || known.older_root_keys.iter().any(lives)
}

fn situation<'a>(
    object: &'a ClientObject<'_>,
    known: &SecretGeneration,
    turn: &RotationStep,
    keyring: &Keyring,
    now: Timestamp,
) -> Situation<'a> {
    let id = turn.root_key.as_deref();
    let root_key = if id == Some(keyring.current_id()) {
        RootKeyState::Current
    } else if keyring.keys().iter().any(|key| Some(key.id()) == id) {
        RootKeyState::Superseded
    } else {
        RootKeyState::Withdrawn
    };
    Situation {
        ledger: object.ledger,
        settings: settings(object).unwrap_or(Settings::DEFAULT),
        requested: request(object).is_some_and(|id| Some(id) != handled(object)),
        root_key,
        published_at: known.published_at.as_ref().map(|time| time.0),
        overlap: known.overlap.as_ref().map(|overlap| Overlap {
            before: u32::try_from(overlap.before.max(0)).unwrap_or(u32::MAX),
            since: overlap.since.0,
        }),
        serving_since: serving_since(object),
        observed: turn.observed,
        client_uid: object.metadata.uid.as_deref().unwrap_or_default(),
        now,
    }
}

/// The root key of the requested generation: the one that the status names; before there was such a field, the one
/// that the Secret was written with; else the one that derives.
fn root_key(object: &OAuthClient, secret: Option<&SecretDigest>, keyring: &Keyring) -> String {
    let named = recorded(object).and_then(|known| known.root_key.clone());
    let written = || {
        let id = secret?.proof_key()?;
        keyring.keys().iter().find(|key| key.id() == id)?;
        Some(id.to_owned())
    };
    named
        .or_else(written)
        .unwrap_or_else(|| keyring.current_id().to_owned())
}

/// The ID of the root key that the status names.
pub fn recorded_key(object: &OAuthClient) -> Option<&str> {
    recorded(object)?.root_key.as_deref()
}

fn recorded(object: &OAuthClient) -> Option<&SecretGeneration> {
    object.status.as_ref()?.secret_generation.as_ref()
}

fn request(object: &OAuthClient) -> Option<&str> {
    object.spec.rotation.as_ref()?.request_id.as_deref()
}

fn handled(object: &OAuthClient) -> Option<&str> {
    let rotation = object.status.as_ref()?.rotation.as_ref()?;
    rotation.last_handled_request_id.as_deref()
}

/// Since when the client is served; what the status says of a suspended one may be from before.
fn serving_since(object: &OAuthClient) -> Option<Timestamp> {
    let conditions = &object.status.as_ref()?.conditions;
    let ready = conditions.iter().find(|c| c.type_ == READY)?;
    let serves = ready.status == "True" && !object.spec.suspended;
    serves.then_some(ready.last_transition_time.0)
}

/// The ledger and its times after a reconcile that found or wrote the requested generation at `written_at`.
pub fn published(
    object: &ClientObject<'_>,
    turn: &RotationStep,
    written_at: Option<Timestamp>,
    now: Timestamp,
) -> SecretGeneration {
    let (before, settings) = (object.ledger, settings(object).unwrap_or(Settings::DEFAULT));
    let mut after = before.found(before.requested);
    if settings.max_overlap.is_zero() || !turn.older_work {
        after = after.retire_old();
    }
    if let Step::Retire(generation, _) = turn.step {
        after = after.retire_before(generation);
    }
    let known = recorded(object);
    let since = known.and_then(|known| known.published_at.clone());
    let published_at = match before.published {
        _ if after.published == before.published => since,
        0 => written_at.map(Time),
        _ => Some(in_whole_seconds(now)),
    };
    let overlap = overlap(
        known,
        after,
        published_at.as_ref(),
        settings,
        turn.observed,
        now,
    );
    let mut record = numbers(after);
    if after.oldest_accepted < after.requested {
        record.older_root_keys = known.map(|k| k.older_root_keys.clone()).unwrap_or_default();
    }
    record.root_key.clone_from(&turn.root_key);
    record.published_at = published_at;
    record.overlap = overlap;
    record
}

/// The ledger after the next generation was asked for; it comes from the root key that derives now.
pub fn asked(object: &ClientObject<'_>, turn: &RotationStep) -> SecretGeneration {
    let known = recorded(object).cloned().unwrap_or_default();
    let mut keys = known.older_root_keys.clone();
    if turn.root_key != turn.current_key {
        keys.extend(turn.root_key.clone().filter(|key| !keys.contains(key)));
    }
    keys.retain(|key| Some(key) != turn.current_key.as_ref());
    // The newest are those that still matter; more than two have never been at once.
    let older_root_keys = keys.split_off(keys.len().saturating_sub(8));
    SecretGeneration {
        older_root_keys,
        root_key: turn.current_key.clone(),
        published_at: known.published_at,
        overlap: known.overlap,
        ..numbers(object.ledger.request_next())
    }
}

fn numbers(ledger: Ledger) -> SecretGeneration {
    SecretGeneration {
        requested: i64::from(ledger.requested),
        published: i64::from(ledger.published),
        oldest_accepted: i64::from(ledger.oldest_accepted),
        ..SecretGeneration::default()
    }
}

/// The overlap that lasts, or the next one: generations that were superseded by a later rotation than those of the
/// first have a time of their own.
fn overlap(
    known: Option<&SecretGeneration>,
    after: Ledger,
    published_at: Option<&Time>,
    settings: Settings,
    observed: Option<Observed>,
    now: Timestamp,
) -> Option<Box<OverlapStatus>> {
    if after.oldest_accepted >= after.published {
        return None;
    }
    let supervisor = known.and_then(|known| known.overlap.clone());
    // What was known before a restart stays true.
    let seen = observed.and_then(|seen| seen.old).map(whole_hour);
    let told = supervisor
        .as_ref()
        .and_then(|overlap| overlap.last_used.clone());
    let last_used = seen.max(told.map(|time| time.0)).map(Time);
    let supervisor = supervisor.filter(|overlap| overlap.before > i64::from(after.oldest_accepted));
    let (before, since) = supervisor.map_or_else(
        || {
            let since = published_at.cloned();
            let since = since.unwrap_or_else(|| in_whole_seconds(now));
            (i64::from(after.published), since)
        },
        |overlap| (overlap.before, overlap.since),
    );
    Some(Box::new(OverlapStatus {
        before,
        retires_at: Time(later(since.0, settings.max_overlap)),
        since,
        last_used,
    }))
}

/// What the status says about `spec.rotation`; nothing when there is nothing to say.
pub fn rotation_status(
    object: &ClientObject<'_>,
    generation: Option<&SecretGeneration>,
    turn: &RotationStep,
) -> Option<Box<RotationStatus>> {
    let before = object
        .status
        .as_ref()
        .and_then(|status| status.rotation.clone());
    let mut status = before.unwrap_or_default();
    let begins = matches!(turn.step, Step::Ask(_));
    if let Step::Ask(cause) = turn.step {
        status.last_cause = Some(cause.as_str().to_owned());
    }
    // What was asked for before the first generation is answered by it.
    let first = recorded(object).is_none() && generation.is_some();
    if let (true, Some(id)) = (begins || first, request(object)) {
        status.last_handled_request_id = Some(id.to_owned());
    }
    let published_at = generation.and_then(|generation| generation.published_at.as_ref());
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    let settings = settings(object).unwrap_or(Settings::DEFAULT);
    status.next_at = due_at(settings, published_at.map(|time| time.0), uid).map(Time);
    (*status != RotationStatus::default()).then_some(status)
}

/// The clause about a rotation in progress, for the message of the condition.
pub fn progress(object: &OAuthClient, generation: Option<&SecretGeneration>) -> Option<String> {
    let generation = generation?;
    if generation.published > 0 && generation.requested > generation.published {
        return Some(
            "rotation in progress: a new client secret is being written, and the old one works"
                .to_owned(),
        );
    }
    let overlap = generation.overlap.as_ref()?;
    let quiet = settings(object).unwrap_or(Settings::DEFAULT).quiet_period;
    Some(format!(
        "rotation in progress: the old client secret works until {}, or until the new one is used and the old one was unused for {}",
        overlap.retires_at.0,
        spoken(quiet)
    ))
}

/// Why old generations retired.
pub fn why(end: End, spec: Option<&RotationSpec>) -> String {
    let quiet = spec.and_then(|spec| spec.quiet_period.as_ref());
    let most = spec.and_then(|spec| spec.max_overlap.as_ref());
    let or = |text: Option<&DurationString>, default: &str| {
        text.map_or_else(|| default.to_owned(), |text| text.0.clone())
    };
    match end {
        End::Unused => format!(
            "the new one is used, and the old one was unused for {}",
            or(quiet, "24h")
        ),
        End::Expired => format!("its maximum overlap of {} ended", or(most, "168h")),
        End::AtOnce => {
            "there is no overlap (maxOverlap: 0s, or its root key was withdrawn)".to_owned()
        }
    }
}

fn whole_hour(time: Timestamp) -> Timestamp {
    let second = time.as_second();
    Timestamp::from_second(second - second.rem_euclid(3600)).unwrap_or(time)
}

/// A duration as manifests write it.
fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests;
