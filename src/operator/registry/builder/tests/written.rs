//! What a reconcile of a client writes: its Secret and its status, by the functions that a reconcile calls.

use std::collections::BTreeMap;

use clientele_api::{OAuthClient, OAuthClientStatus};
use clientele_oauth::Client;
use jiff::Timestamp;
use k8s_openapi::ByteString;

use super::stage::Stage;
use crate::domain::client::identity::ClientObject;
use crate::domain::client::plan::{SecretStep, Situation, plan};
use crate::domain::client::status::{Published, status};

/// A Secret and a status.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    marks: (String, BTreeMap<String, String>, BTreeMap<String, String>),
    data: BTreeMap<String, ByteString>,
    status: OAuthClientStatus,
}

impl Written {
    /// What is written where there is no Secret yet.
    pub fn of(stage: &Stage, object: &OAuthClient, client: &Client, issuer: &str) -> Self {
        let keys = stage.inputs.root_keys.load();
        let (object, now) = (&ClientObject::parse(object), Timestamp::UNIX_EPOCH);
        let plan = plan(&Situation {
            object,
            client: Ok(client),
            issuer,
            tenant_problem: None,
            keyring: keys.deriving(),
            namespace_problem: None,
            secret: None,
            secret_owner: None,
            former: &[],
            digests: &stage.inputs.cache.digest_key,
            observed: None,
            now,
        });
        let SecretStep::Create(secret) = plan.secret else {
            panic!("there is no Secret yet");
        };
        let published = Published {
            name: secret.name.clone(),
            uid: "secret".to_owned(),
            at: None,
        };
        let registered = Some((client, issuer));
        let (verdict, turn) = (&plan.verdict, &plan.turn);
        let status = status(object, registered, Some(published), verdict, turn, now);
        Self {
            marks: (secret.type_, secret.labels, secret.annotations),
            data: secret.data,
            status,
        }
    }
}
