//! API errors: what the API server answered, and what happens next.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use kube::core::Status;

use super::domain::reason::{Reason, Refusal};

/// An error of the API server; the reconcile is tried again later.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server answered with an error or not at all.
    #[error("{doing}: {}", error_chain(source.as_ref()))]
    Api {
        /// What was tried.
        doing: &'static str,
        /// What came of it.
        source: Box<kube::Error>,
    },
    /// Another client wrote in between; the next pass sees what.
    #[error("{0}: changed by another client in between")]
    Conflict(&'static str),
    /// The API server did not answer in time; what became of it, the next look tells.
    #[error("{0}: no answer")]
    NoAnswer(&'static str),
    /// A key could not be made.
    #[error("{0}")]
    Key(&'static str),
    /// A reconcile panicked.
    #[error("reconcile panicked; see the previous log line")]
    Panicked,
}

impl Error {
    /// Wraps an answer of the API server.
    pub fn api(doing: &'static str) -> impl FnOnce(kube::Error) -> Self {
        move |source| match &source {
            kube::Error::Api(status) if status.is_conflict() => Self::Conflict(doing),
            _ => Self::Api {
                doing,
                source: Box::new(source),
            },
        }
    }

    /// Whether trying again at once is likely to help.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

/// An error and its causes in one line, each said once, the API server in its own words: many an error repeats its
/// cause, and that of an answer prints the whole of it.
pub fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let answer = match error.downcast_ref() {
            Some(kube::Error::Api(status)) => Some(status),
            _ => None,
        };
        let own = answer.map_or_else(
            || error.to_string(),
            |status| format!("{} ({} {})", status.message, status.code, status.reason),
        );
        if !text.contains(&own) {
            let between = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{between}{own}");
        }
        next = error.source().filter(|_| answer.is_none());
    }
    text
}

/// Why a Secret could not be written.
pub enum SecretError {
    /// One of that name exists already.
    Exists,
    /// The namespace is going; there is nothing to do any more.
    Terminating,
    /// A person must act.
    Refused(Refusal),
    /// Try again.
    Retry(Error),
}

/// Sorts the answer to a write of a Secret by what happens next.
pub fn secret_error(
    error: kube::Error,
    doing: &'static str,
    not_enabled: impl FnOnce() -> String,
) -> SecretError {
    let kube::Error::Api(status) = &error else {
        return SecretError::Retry(Error::api(doing)(error));
    };
    if status.is_already_exists() {
        return SecretError::Exists;
    }
    if is_terminating(status) {
        return SecretError::Terminating;
    }
    let message = status.message.clone();
    match status.code {
        403 if is_quota(&message) => refused(
            Reason::QuotaExceeded,
            format!(
                "the quota of the namespace does not allow the Secret: {message}; raise the quota, or delete objects that are not needed"
            ),
        ),
        403 if is_missing_right(&message) => refused(Reason::NamespaceNotEnabled, not_enabled()),
        403 => refused(
            Reason::SecretRefused,
            format!(
                "an admission rule of the cluster refused the Secret: {message}; correct spec.secret, or ask the cluster's administrator"
            ),
        ),
        400 | 413 | 422 => refused(
            Reason::SecretRefused,
            format!("the API server refused the Secret: {message}; correct spec.secret"),
        ),
        404 => SecretError::Terminating,
        _ => SecretError::Retry(Error::api(doing)(error)),
    }
}

fn refused(reason: Reason, message: String) -> SecretError {
    SecretError::Refused(Refusal::new(reason, message))
}

/// The sentences of the quota plugin; a quota that was just made has no usage yet.
fn is_quota(message: &str) -> bool {
    [
        "exceeded quota:",
        "status unknown for quota:",
        "failed quota:",
        "insufficient quota to consume:",
    ]
    .iter()
    .any(|sentence| message.contains(sentence))
}

/// The sentence of authorization, as opposed to those of admission, which have other remedies.
fn is_missing_right(message: &str) -> bool {
    message.contains(": User \"") && message.contains("\" cannot ")
}

fn is_terminating(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .into_iter()
        .any(|cause| cause.reason == "NamespaceTerminating")
}

/// When an object whose pass failed is tried again: soon at first, then less and less often.
#[derive(Debug, Default)]
pub struct Retries(Mutex<HashMap<(String, bool), (u32, Instant)>>);

impl Retries {
    const LONGEST: Duration = Duration::from_mins(1);

    /// This many conflicts are settled by the next event of the watch; after more of them the watch must be late.
    const AT_ONCE: u32 = 20;

    /// The pause before the next try. A quiet time of twice the longest pause forgives what was before.
    pub fn next(&self, uid: &str, error: &Error) -> Duration {
        let now = Instant::now();
        let mut failures = self.0.lock().expect("no holder of this lock panics");
        failures.retain(|_, (_, last)| now.duration_since(*last) < 2 * Self::LONGEST);
        let kind = (uid.to_owned(), error.is_conflict());
        let (count, last) = failures.entry(kind).or_insert((0, now));
        *count += 1;
        *last = now;
        if error.is_conflict() {
            let is_late = *count > Self::AT_ONCE;
            return Duration::from_millis(if is_late { 1000 } else { 50 });
        }
        let pause = Duration::from_millis(250) * 2_u32.saturating_pow((*count).min(9));
        let jitter =
            f64::from(u8::try_from(RandomState::new().hash_one(uid) % 256).unwrap_or(0)) / 512.0;
        pause.min(Self::LONGEST).mul_f64(0.75 + jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: u16, message: &str) -> Option<Reason> {
        let mut status = Status::failure(message, "Forbidden");
        status.code = code;
        let error = kube::Error::Api(Box::new(status));
        match secret_error(error, "create the credentials Secret", String::new) {
            SecretError::Refused(refusal) => Some(refusal.reason),
            _ => None,
        }
    }

    #[test]
    fn who_hears_late_does_not_ask_all_the_time() {
        let (retries, conflict) = (Retries::default(), Error::Conflict("write"));
        let pauses = (0..25).map(|_| retries.next("uid", &conflict).as_millis());
        let pauses: Vec<u128> = pauses.collect();
        assert_eq!((pauses[..20].iter().max(), pauses[20]), (Some(&50), 1000));
        assert_eq!(retries.next("other", &conflict).as_millis(), 50);
        let delay = retries.next("uid", &Error::Panicked);
        assert!(delay < Duration::from_secs(1), "{delay:?}");
    }

    #[test]
    fn f08_a_refused_write_says_what_refused_it() {
        let table = [
            (
                403,
                r#"secrets is forbidden: User "system:serviceaccount:clientele-system:clientele" cannot create resource "secrets" in API group "" in the namespace "quota""#,
                Some(Reason::NamespaceNotEnabled),
            ),
            (
                403,
                r#"secrets "a-oauth" is forbidden: exceeded quota: few, requested: secrets=1, used: secrets=0, limited: secrets=0"#,
                Some(Reason::QuotaExceeded),
            ),
            (
                403,
                r#"secrets "a-oauth" is forbidden: status unknown for quota: few, resources: secrets"#,
                Some(Reason::QuotaExceeded),
            ),
            (
                403,
                r#"secrets "a-oauth" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no"#,
                Some(Reason::SecretRefused),
            ),
            (
                403,
                r#"admission webhook "validate.kyverno.svc-fail" denied the request: no"#,
                Some(Reason::SecretRefused),
            ),
            (
                422,
                "Secret \"a-oauth\" is invalid: data: Too long",
                Some(Reason::SecretRefused),
            ),
            (429, "too many requests", None),
            (500, "etcdserver: request timed out", None),
        ];
        for (code, message, expected) in table {
            assert_eq!(reason(code, message), expected, "{message}");
        }
    }
}
