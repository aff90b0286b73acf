//! Values to keep.

use clientele_oauth::grant::{Authorization, Code, Consent, Family, Session};
use clientele_store::{Redemption, Store};
use jiff::Timestamp;

/// A time: this many seconds after the tests' beginning.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// The tenant of most tests.
pub const TENANT: &str = "tenant-1";

pub fn authorization() -> Authorization {
    Authorization {
        tenant: TENANT.to_owned(),
        client_id: "shop.web".to_owned(),
        client_uid: "registration-1".to_owned(),
        subject: "ada".to_owned(),
        user_uid: "person-1".to_owned(),
        credential: "credential-1".to_owned(),
        sid: "sid-1".to_owned(),
        auth_time: at(-10),
        scope: "openid profile".to_owned(),
        resources: "https://api.example https://b.example".to_owned(),
        claims: String::new(),
    }
}

/// A code of a minute; its family is named after it.
pub fn code(name: &str) -> Code {
    Code {
        digest: format!("digest-{name}"),
        transaction: format!("transaction-{name}"),
        authorization: authorization(),
        redirect_uri: "https://shop.example/callback".to_owned(),
        code_challenge: Some("challenge".to_owned()),
        nonce: None,
        family: format!("fam_{name}"),
        issued_at: at(0),
        expires_at: at(60),
        redeemed_at: None,
    }
}

/// The family that a code begins: an hour, half an hour if it is not used.
pub fn family(code: &Code) -> Family {
    Family {
        id: code.family.clone(),
        authorization: code.authorization.clone(),
        sequence: 1,
        rotated_at: at(1),
        issued_at: at(1),
        expires_at: at(3600),
        idle_expires_at: at(1800),
        revoked_at: None,
    }
}

pub fn session(name: &str) -> Session {
    Session {
        tenant: TENANT.to_owned(),
        digest: format!("cookie-{name}"),
        sid: format!("sid-{name}"),
        subject: "ada".to_owned(),
        user_uid: "person-1".to_owned(),
        credential: "credential-1".to_owned(),
        auth_time: at(-10),
        last_used: at(0),
        expires_at: at(36_000),
    }
}

pub fn consent(registration: &str) -> Consent {
    Consent {
        tenant: TENANT.to_owned(),
        subject: "ada".to_owned(),
        user_uid: "person-1".to_owned(),
        client_uid: registration.to_owned(),
        client_id: "shop.web".to_owned(),
        scope: "openid".to_owned(),
        resources: String::new(),
        granted_at: at(0),
    }
}

/// Redeems a code for the family that was set aside for it.
pub async fn redeem(store: &Store, code: &Code, now: Timestamp) -> Redemption {
    let family = family(code);
    let tenant = &code.authorization.tenant;
    let redeemed = store.redeem(tenant, &code.digest, Some(&family), now);
    redeemed.await.unwrap()
}

/// Keeps a code and redeems it.
pub async fn begin(store: &Store, code: &Code) -> Family {
    assert!(store.insert_code(code).await.unwrap());
    assert_eq!(redeem(store, code, at(1)).await, Redemption::First);
    family(code)
}
