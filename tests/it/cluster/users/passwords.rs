//! The Secret with the password: that it opts in, that a change is noticed, that what is wrong with it is said.

use clientele_oauth::user::PasswordHash;
use clientele_oauth::user::password;
use std::time::Duration;

use serde_json::json;

use crate::cluster::documented::obey;
use crate::support::replica::Replica;
use crate::support::test_namespace::{TestNamespace, promptly, when};
use crate::support::users::PASSWORD;

/// A space with a tenant of its own and the spec of a person whose password is in Secret `secret`.
async fn space_with(secret: &str) -> (TestNamespace, String, serde_json::Value) {
    let space = TestNamespace::new("passwords").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let spec = json!({
        "tenant": tenant, "username": "anna", "passwordSecretRef": { "name": secret },
    });
    (space, tenant, spec)
}

#[tokio::test]
async fn f09_c17_a_new_password_is_a_new_credential_everywhere() {
    let space = TestNamespace::new("passwords").await;
    let tenant = space.tenant_with_people(json!({})).await;
    space.person(&tenant, "anna", "first words").await;
    let (one, other) = (Replica::start().await, Replica::start().await);
    let before = one.person(&tenant, "anna").unwrap();
    let beside = other.person(&tenant, "anna").unwrap();
    assert_eq!(before.credential, beside.credential);
    assert_ne!(
        before.password, beside.password,
        "hashed with a salt of its own"
    );
    other.stop().await;

    space.write_password("anna", "second words").await;
    let opens_to = |word: &'static str| {
        move |person: Option<&clientele_oauth::User>| {
            person.is_some_and(|person| password::verify(person.password.as_ref(), word))
        }
    };
    let after = one
        .wait_person(
            &tenant,
            "anna",
            "the new password",
            opens_to("second words"),
        )
        .await
        .unwrap();
    assert_ne!(before.credential, after.credential);
    assert_eq!(before.subject, after.subject);
    assert!(!password::verify(after.password.as_ref(), "first words"));
    one.stop().await;

    let restarted = Replica::start().await;
    let again = restarted.person(&tenant, "anna").unwrap();
    assert_eq!(
        after.credential, again.credential,
        "a restart signs no person out"
    );
    restarted.stop().await;
}

#[tokio::test]
async fn hashes_of_argon2id_and_bcrypt_are_brought_as_they_are() {
    let space = TestNamespace::new("passwords").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let argon2 = password::hash("horse and cart", &[7; 16]).unwrap();
    let bcrypt = bcrypt::non_truncating_hash_with_salt("horse and cart", 8, [3; 16]).unwrap();
    space.person(&tenant, "argon", &argon2.0).await;
    space.person(&tenant, "blow", &bcrypt.to_string()).await;
    let replica = Replica::start().await;
    let brought = |name| replica.person(&tenant, name).unwrap().password.clone();
    assert_eq!(brought("argon"), Some(argon2));
    let bcrypt = PasswordHash(bcrypt.to_string().into());
    assert_eq!(brought("blow"), Some(bcrypt));
    replica.stop().await;
}

#[tokio::test]
async fn the_order_of_secret_and_person_does_not_matter() {
    let (space, _, spec) = space_with("anna-password").await;
    space.create_user("anna", spec).await;
    let said = space.not_enrolled("anna", "PasswordSecretNotFound").await;
    obey(&space, &said).await;
    space.enrolled("anna").await;
    space.delete_secret("anna-password").await;
    space.not_enrolled("anna", "PasswordSecretNotFound").await;
}

#[tokio::test]
async fn a_secret_that_did_not_opt_in_is_not_read() {
    let (space, tenant, spec) = space_with("of-another-owner").await;
    let entries = [("password", "guess this")];
    space
        .write_secret("of-another-owner", "Opaque", &entries)
        .await;
    space.create_user("anna", spec).await;
    let said = space.not_enrolled("anna", "PasswordSecretWrongType").await;
    assert!(said.contains("clientele.dev/password"), "{said}");
    assert!(!said.contains("guess this"), "{said}");
    let replica = Replica::start().await;
    assert!(replica.person(&tenant, "anna").is_none());
    replica.stop().await;

    space.delete_secret("of-another-owner").await;
    space.write_password("of-another-owner", "mine now").await;
    space.enrolled("anna").await;
}

#[tokio::test]
async fn what_cannot_be_used_as_a_password_is_said() {
    let (space, _, spec) = space_with("anna-password").await;
    space.write_password("anna-password", "").await;
    space.create_user("anna", spec).await;
    let said = space.not_enrolled("anna", "PasswordInvalid").await;
    assert!(said.contains("is empty"), "{said}");
    let long = "x".repeat(1025);
    let costly = bcrypt::non_truncating_hash_with_salt("horse and cart", 8, [3; 16]).unwrap();
    let costly = costly.to_string().replace("$08$", "$14$");
    for (value, problem) in [
        (long.as_str(), "longer than 1024 bytes"),
        (
            "$argon2i$v=19$m=19456,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ$xh3cNsHfQ0RQ0zPWkjPHrPvxz0Ypo4NL3KWhKcPcaSE",
            "make it argon2id",
        ),
        (costly.as_str(), "cost above 13"),
    ] {
        space.write_password("anna-password", value).await;
        space
            .wait_user("anna", problem, |user| {
                crate::support::users::user_message(user).contains(problem)
            })
            .await;
        let said = space.not_enrolled("anna", "PasswordInvalid").await;
        assert!(!said.contains(value), "{said}");
    }
    let said = space.not_enrolled("anna", "PasswordInvalid").await;
    obey(&space, &said).await;
    space.enrolled("anna").await;
}

#[tokio::test]
async fn an_entry_of_another_name_is_found_and_a_missing_one_is_said() {
    let (space, tenant, mut spec) = space_with("people").await;
    let entries = [("anna", "horse and cart"), ("bert", "paper staple")];
    space
        .write_secret("people", crate::support::users::PASSWORD, &entries)
        .await;
    spec["passwordSecretRef"] = json!({ "name": "people", "key": "unknown" });
    space.create_user("anna", spec).await;
    let said = space.not_enrolled("anna", "PasswordInvalid").await;
    assert!(
        said.contains(r#"entry "unknown""#) && said.contains("is missing"),
        "{said}"
    );
    obey(&space, &said).await;
    space.enrolled("anna").await;
    let reference = json!({ "passwordSecretRef": { "name": "of-anna", "key": "own" } });
    space.patch_user("anna", reference).await;
    let said = space.not_enrolled("anna", "PasswordSecretNotFound").await;
    obey(&space, &said).await;
    space.enrolled("anna").await;
    for (key, word) in [("anna", "horse and cart"), ("bert", "paper staple")] {
        let reference = json!({ "passwordSecretRef": { "name": "people", "key": key } });
        space.patch_user("anna", reference).await;
        space.enrolled("anna").await;
        let replica = Replica::start().await;
        let person = replica.person(&tenant, "anna").unwrap();
        assert!(password::verify(person.password.as_ref(), word));
        replica.stop().await;
    }
}

/// How many passwords a namespace rewrites in a second, all in one Secret.
const REWRITES: usize = 100;

/// Writes all of them.
async fn rewrite(hog: &TestNamespace, round: usize) {
    let words: Vec<(String, String)> = (0..REWRITES)
        .map(|number| {
            (
                format!("of-{number}"),
                format!("word {number} of round {round}"),
            )
        })
        .collect();
    let entries = words.iter().map(|(key, word)| (&**key, &**word));
    let entries: Vec<(&str, &str)> = entries.collect();
    hog.write_secret("everybody", PASSWORD, &entries).await;
}

#[tokio::test]
async fn q06_a_password_counts_within_2s_beside_100_rewrites() {
    let hog = TestNamespace::new("hog").await;
    let crowd = hog.tenant_with_people(json!({})).await;
    rewrite(&hog, 0).await;
    let people = (0..REWRITES).map(|number| {
        let key = format!("of-{number}");
        let spec = json!({
            "tenant": crowd, "username": key, "passwordSecretRef": { "name": "everybody", "key": key },
        });
        let hog = &hog;
        async move { hog.create_user(&key, spec).await }
    });
    futures::future::join_all(people).await;
    let space = TestNamespace::new("passwords").await;
    let tenant = space.tenant_with_people(json!({})).await;
    space.person(&tenant, "anna", "first words").await;
    let replica = Replica::start().await;

    rewrite(&hog, 1).await;
    let rewriting = async {
        let mut every = tokio::time::interval(Duration::from_secs(1));
        for round in 2.. {
            every.tick().await;
            rewrite(&hog, round).await;
        }
    };
    let changing = async {
        for words in ["second words", "third words"] {
            let before = replica.person(&tenant, "anna").unwrap().credential.clone();
            space.write_password("anna", words).await;
            promptly(Duration::from_secs(2), "the new password", || async {
                let anna = replica.person(&tenant, "anna").unwrap();
                let is_new =
                    anna.credential != before && password::verify(anna.password.as_ref(), words);
                when(is_new, (), || format!("{anna:?}"))
            })
            .await;
        }
    };
    tokio::select! { () = rewriting => (), () = changing => () }
    replica.stop().await;
}
