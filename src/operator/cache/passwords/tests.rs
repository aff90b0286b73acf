use std::collections::BTreeMap;

use clientele_oauth::user::password;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use crate::cache::namespace_access::Access;
use crate::cache::passwords::{PasswordIndex, Wanted};
use crate::domain::secret_entry::SecretEntry;
use crate::domain::user::password::{Found, Hash, Password};

fn entry(key: &str) -> SecretEntry {
    SecretEntry {
        namespace: "team-a".into(),
        secret: "alice".into(),
        key: key.into(),
    }
}

fn secret(entries: &[(&str, &[u8])]) -> Secret {
    let mut secret = Secret::default();
    secret.metadata.namespace = Some("team-a".into());
    secret.metadata.name = Some("alice".into());
    let entries = entries.iter();
    let data = entries.map(|(key, value)| ((*key).to_owned(), ByteString(value.to_vec())));
    secret.data = Some(data.collect::<BTreeMap<_, _>>());
    secret
}

/// An index that has seen everything there is: one Secret, of which entry `password` is wanted.
fn seen(value: &[u8]) -> (PasswordIndex, usize) {
    let index = PasswordIndex::default();
    assert!(!index.want(&entry("password")), "nothing to read again");
    let jobs = index.put(&secret(&[("password", value), ("other", b"hunter33")]));
    index.set_access(None, Access::Granted);
    (index, jobs.len())
}

fn known(index: &PasswordIndex) -> Password {
    match index.find(&entry("password")) {
        Found::Known(password) => (*password).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plaintext_is_hashed_in_the_background_and_once() {
    let index = PasswordIndex::default();
    index.want(&entry("password"));
    index.set_access(None, Access::Granted);
    let mut jobs = index.put(&secret(&[("password", b"hunter22\n")]));
    let job = jobs.pop().unwrap();
    assert_eq!(
        *job.plaintext, "hunter22",
        "without the line break of the file"
    );
    assert_eq!(known(&index).hash, Hash::Pending);
    assert!(!index.is_settled());
    let hash = password::hash(&job.plaintext, &[1; 16]).unwrap();
    index.hashed(&job.entry, job.fingerprint, Hash::Ready(hash.clone()));
    assert_eq!(known(&index).hash, Hash::Ready(hash.clone()));
    assert!(index.is_settled());
    assert!(
        index
            .put(&secret(&[("password", b"hunter22\n")]))
            .is_empty()
    );
    assert_eq!(
        known(&index).hash,
        Hash::Ready(hash),
        "the same value again"
    );
}

#[test]
fn q06_who_is_not_admitted_is_not_hashed_and_delays_no_start() {
    let (index, jobs) = seen(b"hunter22");
    let entry = entry("password");
    assert_eq!((jobs, index.is_wanted(&entry)), (1, Wanted::Later));
    assert!(!index.is_settled(), "who is admitted is not known yet");
    index.admit_only([entry.clone()].into_iter());
    assert_eq!(index.is_wanted(&entry), Wanted::Now);
    assert!(!index.is_settled());
    index.admit_only(std::iter::empty());
    assert_eq!(index.is_wanted(&entry), Wanted::Later);
    assert!(index.is_settled());
    index.want_only(std::iter::empty());
    assert_eq!(index.is_wanted(&entry), Wanted::Never);
}

#[test]
fn a_value_that_changed_while_it_was_hashed_is_not_mistaken_for_the_new_one() {
    let (index, jobs) = seen(b"old password");
    assert_eq!(jobs, 1);
    let old = known(&index).fingerprint;
    assert_eq!(
        index.put(&secret(&[("password", b"new password")])).len(),
        1
    );
    let hash = password::hash("old password", &[1; 16]).unwrap();
    index.hashed(&entry("password"), old, Hash::Ready(hash));
    assert_eq!(known(&index).hash, Hash::Pending);
    assert_ne!(known(&index).fingerprint, old);
}

#[test]
fn a_brought_hash_is_used_as_it_is_and_a_bad_one_is_said() {
    let hash = password::hash("hunter22", &[1; 16]).unwrap();
    let (index, jobs) = seen(hash.0.as_bytes());
    assert_eq!((jobs, known(&index).hash), (0, Hash::Ready(hash)));
    for bad in [b"".as_slice(), b"\n", b"$2b$x", b"\xff\xfe", &[b'x'; 1025]] {
        let (index, jobs) = seen(bad);
        assert_eq!(jobs, 0);
        assert!(matches!(known(&index).hash, Hash::Unusable(_)), "{bad:?}");
    }
}

#[test]
fn what_is_missing_is_told_from_what_was_not_looked_at() {
    let index = PasswordIndex::default();
    index.want(&entry("password"));
    assert_eq!(index.find(&entry("password")), Found::Pending);
    assert!(!index.is_settled());
    index.set_access(None, Access::Denied("no".into()));
    assert_eq!(index.find(&entry("password")), Found::Denied("no".into()));
    index.set_access(None, Access::Granted);
    assert_eq!(index.find(&entry("password")), Found::NoSecret);
    index.put(&secret(&[("other", b"x")]));
    assert_eq!(index.find(&entry("password")), Found::NoEntry);
}

#[test]
fn an_entry_that_somebody_needs_later_is_read_once_more() {
    let (index, _) = seen(b"hunter22");
    assert_eq!(index.find(&entry("other")), Found::Pending);
    assert!(index.want(&entry("other")));
    let read = secret(&[("password", b"hunter22"), ("other", b"xylophone")]);
    assert_eq!(index.put_again(&read).len(), 1);
    assert!(matches!(index.find(&entry("other")), Found::Known(_)));
}

#[test]
fn an_entry_that_nobody_refers_to_any_more_is_not_looked_at() {
    let (index, _) = seen(b"hunter22");
    index.want_only(std::iter::empty());
    assert!(index.namespaces().is_empty());
    assert!(index.put(&secret(&[("password", b"hunter33")])).is_empty());
    assert!(index.want(&entry("password")), "it is to be read again");
    let read = secret(&[("password", b"hunter33")]);
    assert_eq!(index.put_again(&read).len(), 1);
}

#[test]
fn what_is_read_once_more_is_no_news_when_the_watch_has_told_of_a_newer_version() {
    let version = |version: &str, value: &[u8]| {
        let mut secret = secret(&[("password", value)]);
        secret.metadata.resource_version = Some(version.to_owned());
        secret
    };
    let (index, _) = seen(b"old password");
    let jobs = index.put(&version("11", b"new password"));
    assert_eq!(index.put_again(&version("10", b"old password")).len(), 0);
    assert_eq!(known(&index).fingerprint, jobs[0].fingerprint);
    index.forget("team-a", "alice");
    assert_eq!(index.put_again(&version("11", b"new password")).len(), 0);
    assert_eq!(index.find(&entry("password")), Found::NoSecret);
}

#[test]
fn a_secret_that_is_forgotten_is_gone() {
    let (index, _) = seen(b"hunter22");
    assert_eq!(index.names(Some("team-b")), []);
    for (namespace, name) in index.names(Some("team-a")) {
        index.forget(&namespace, &name);
    }
    assert_eq!(index.find(&entry("password")), Found::NoSecret);
}

#[test]
fn nobody_reads_a_password_in_a_debug_form() {
    let (index, _) = seen(b"hunter22");
    let hash = password::hash("hunter22", &[1; 16]).unwrap();
    let fingerprint = known(&index).fingerprint;
    index.hashed(&entry("password"), fingerprint, Hash::Ready(hash));
    let text = format!("{index:?} {:?}", known(&index));
    assert!(
        !text.contains("hunter") && !text.contains("argon2"),
        "{text}"
    );
}
