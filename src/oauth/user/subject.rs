//! `sub`, the name by which applications know a person (OIDC Core §2): stable, never reassigned, never a client ID
//! (RFC 9700 §4.15).

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::grant::FAMILY_PREFIX;
use crate::uri::name_key;

/// What every derived subject begins with. No client ID and no audience does, in whatever case, which is what keeps the
/// two apart: both may contain a colon. A `sub` with a colon must be a URI (RFC 7519 §2), which this makes it.
pub const PREFIX: &str = "usr:";
/// What no subject that is brought, no client ID and no audience begins with, in whatever case: derived subjects,
/// identities of the cluster, and families of refresh tokens.
pub const RESERVED_PREFIXES: [&str; 3] = [PREFIX, "system:", FAMILY_PREFIX];
/// The longest subject (OIDC Core §2).
pub const MAX_LEN: usize = 255;

/// How long a brought subject stays with the registration of a person that signed in under it last. Nothing that a sign-in
/// began lives for longer than a year (`session.absolute`, `lifetimes.refreshToken`), so when another registration gets
/// the subject, nothing of the former one has been valid for a month.
pub const QUARANTINE: Duration = Duration::from_hours(24 * 400);

/// Whether a subject was derived, so that no other registration can have it.
pub fn is_derived(subject: &str) -> bool {
    subject.starts_with(PREFIX)
}

/// The subject that belongs to a registration of a person in a registration of a tenant: 128 random-looking bits
/// that no later person or tenant of the same name gets again.
pub fn derived(tenant_registration: &str, user_uid: &str) -> String {
    let parts = ["clientele subject v1", tenant_registration, user_uid];
    let digest = digest(&SHA256, parts.join("\n").as_bytes());
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]))
}

/// Checks a subject that is brought from elsewhere; the error completes the sentence "the subject …".
pub fn check(subject: &str) -> Result<(), &'static str> {
    if subject.is_empty() || subject.len() > MAX_LEN {
        return Err("must have 1 to 255 characters");
    }
    if !subject.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("must consist of printable ASCII characters without spaces");
    }
    let key = name_key(subject);
    if has_reserved_prefix(&key) {
        return Err("must not begin with usr:, system: or fam_, which are reserved");
    }
    if has_form_of_default_id(&key) {
        return Err("must not have the form <namespace>.<name>, which is the form of client IDs");
    }
    Ok(())
}

/// Whether a name, by its [key](name_key), begins with what is reserved.
pub fn has_reserved_prefix(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let mut reserved = RESERVED_PREFIXES.iter();
    reserved.any(|prefix| key.starts_with(prefix))
}

/// Whether this could be the default ID of some client, `<namespace>.<name>`.
fn has_form_of_default_id(subject: &str) -> bool {
    let is_id = subject
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b));
    let Some((namespace, _)) = subject.split_once('.') else {
        return false;
    };
    let is_namespace = !namespace.is_empty()
        && !namespace.starts_with('-')
        && !namespace.ends_with('-')
        && namespace
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    is_id && is_namespace
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g03_a_derived_subject_is_stable_unique_and_never_a_client_id() {
        let subject = derived("tenant-1", "user-1");
        assert_eq!(subject, derived("tenant-1", "user-1"));
        assert_eq!(subject.len(), 26);
        assert!(subject.is_ascii() && subject.contains(':'));
        for (tenant, user) in [
            ("tenant-2", "user-1"),
            ("tenant-1", "user-2"),
            ("tenant-1\nuser-1", ""),
        ] {
            assert_ne!(subject, derived(tenant, user), "{tenant} {user}");
        }
    }

    #[test]
    fn g03_a_brought_subject_that_could_be_a_client_id_or_a_user_of_the_cluster_is_refused() {
        for bad in [
            "",
            "team-a.web",
            "a.b.c",
            "0.x",
            "system:admin",
            "usr:AAAA",
            "USR:AAAA",
            "%75sr:AAAA",
            "System:admin",
            "fam_AAAA",
            "Fam_AAAA",
            "team%2Da.web",
            "team-a%2Eweb",
            "with space",
            "tab\t",
            "ümlaut",
            &"x".repeat(256),
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for good in [
            "b7e0c1d2-4f53-4a7e-9a51-0d6f3f1b2c3d",
            "alice",
            "first.last@example.com",
            "Upper.case",
            "auth0|5f7c8ec7c33c6c004bbafe82",
            "-a.b",
        ] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
    }
}
