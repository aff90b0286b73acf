//! Who authenticates by what else than a secret: assertions by a key, and tokens of the cluster's ServiceAccounts.

use std::collections::BTreeSet;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Judged;
use super::ground::ISSUER;
use clientele_oauth::client_auth::assertion::service_account::{Answer, Finding};
use clientele_oauth::client_auth::assertion::{Asserted, Evidence, JWT_BEARER, judge};
use clientele_oauth::{Algorithm, Client, SigningKey, Tenant};

pub const CLUSTER: &str = "https://kubernetes.default.svc";
/// The ServiceAccount of A's pods.
pub const ACCOUNT_OF_A: &str = "pods";
/// The UIDs of the ServiceAccounts of A and of B, whatever their names.
pub const UIDS: [&str; 2] = [
    "0f8fad5b-d9cb-469f-a165-70867728950e",
    "7c9e6679-7425-40de-944b-e07fc1f90ae7",
];
const NOW: i64 = 1_800_000_000;

/// Whose something is.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    A,
    B,
}

/// An EdDSA and an ES256 key of each.
pub struct Keys([[SigningKey; 2]; 2]);

impl Keys {
    /// Fresh ones.
    pub fn new() -> Self {
        Self([pair(), pair()])
    }

    /// The public half of a key.
    pub fn jwk(&self, owner: Owner, which: usize) -> Value {
        serde_json::to_value(self.0[owner as usize][which].jwk()).unwrap()
    }

    fn sign(&self, signer: Owner, which: usize, claims: &Value) -> String {
        let key = &self.0[signer as usize][which];
        key.sign_id_token(claims.to_string().as_bytes()).unwrap()
    }

    /// An assertion of the client of this ID, with any signature.
    fn assertion(&self, signer: Owner, which: usize, id: &str) -> String {
        let claims =
            json!({ "iss": id, "sub": id, "aud": ISSUER, "jti": "the-same", "exp": NOW + 60 });
        self.sign(signer, which, &claims)
    }

    /// The token of a ServiceAccount, as the cluster makes it; only the cluster is asked about the signature.
    fn account_token(&self, of: Owner, account: &str) -> String {
        let (space, uid) = (space(of), UIDS[of as usize]);
        let bound =
            json!({ "namespace": space, "serviceaccount": { "name": account, "uid": uid } });
        let claims = json!({
            "iss": CLUSTER, "sub": format!("system:serviceaccount:{space}:{account}"), "aud": [ISSUER],
            "iat": NOW, "exp": NOW + 600, "kubernetes.io": bound,
        });
        self.sign(Owner::A, 0, &claims)
    }

    /// The client that a token proves when the API server says whose it is.
    fn by_account(&self, tenant: &Tenant, id: &str, of: Owner, account: &str) -> Option<String> {
        let token = self.account_token(of, account);
        let (id, Evidence::Review(review)) = judged(tenant, Some(id), &token)? else {
            return None;
        };
        let answer = Answer {
            authenticated: true,
            audiences: vec![ISSUER.into()],
            username: format!("system:serviceaccount:{}:{account}", space(of)),
            uid: UIDS[of as usize].into(),
        };
        (review.judge(&answer) == Finding::Genuine).then_some(id)
    }
}

fn pair() -> [SigningKey; 2] {
    let random = SystemRandom::new();
    let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    [
        SigningKey::from_pkcs8(Algorithm::EdDsa, ed.as_ref()).unwrap(),
        SigningKey::from_pkcs8(Algorithm::Es256, ec.as_ref()).unwrap(),
    ]
}

fn space(owner: Owner) -> &'static str {
    ["team-a", "team-b"][owner as usize]
}

/// The client that a signed assertion proves when it is used for the first time, and what is remembered of that use.
fn by_key(tenant: &Tenant, client_id: Option<&str>, assertion: &str) -> Option<(String, String)> {
    match judged(tenant, client_id, assertion)? {
        (id, Evidence::FirstUse { digest, .. }) => Some((id, digest)),
        (_, Evidence::Review(_)) => None,
    }
}

fn judged(tenant: &Tenant, client_id: Option<&str>, assertion: &str) -> Option<(String, Evidence)> {
    let asserted = Asserted {
        client_id,
        assertion: Some(assertion),
        assertion_type: Some(JWT_BEARER),
    };
    let now = Timestamp::from_second(NOW).unwrap();
    let (client, evidence) = judge(tenant, asserted, now).ok()?;
    Some((client.id.to_string(), evidence))
}

/// Keys and ServiceAccounts prove the clients of their own namespace and no other, whatever B's manifest names.
pub fn prove_only_their_own<'a>(
    keys: &Keys,
    tenant: &Tenant,
    of_b: Option<&Client>,
    accounts: impl Iterator<Item = &'a str>,
) -> Judged {
    let (signer, pod) = ("team-a.signer", "team-a.pod");
    let of_a = keys.assertion(Owner::A, 0, signer);
    let (proven, remembered) = by_key(tenant, None, &of_a).unwrap();
    prop_assert_eq!(proven, signer);
    let proven = keys.by_account(tenant, pod, Owner::A, ACCOUNT_OF_A);
    prop_assert_eq!(proven.as_deref(), Some(pod));

    let accounts: BTreeSet<&str> = accounts.chain([ACCOUNT_OF_A, "default"]).collect();
    let id_of_b = of_b.map(|client| &*client.id);
    for id in tenant.clients.keys().filter(|id| Some(&***id) != id_of_b) {
        for named in [None, Some(&**id), id_of_b] {
            for which in 0..2 {
                let forged = keys.assertion(Owner::B, which, id);
                prop_assert_eq!(by_key(tenant, named, &forged), None);
            }
        }
        for account in &accounts {
            prop_assert_eq!(keys.by_account(tenant, id, Owner::B, account), None);
        }
    }
    let Some(id) = id_of_b else { return Ok(()) };
    prop_assert_eq!(by_key(tenant, Some(id), &of_a), None);
    for account in &accounts {
        prop_assert_eq!(keys.by_account(tenant, id, Owner::A, account), None);
    }
    // The same jti, used by B first, takes nothing from A.
    for which in 0..2 {
        let own = by_key(tenant, Some(id), &keys.assertion(Owner::B, which, id));
        prop_assert!(own.is_none_or(|(proven, digest)| proven == id && digest != remembered));
    }
    Ok(())
}
