//! What the platform gives to A alone, what A has, and what the server makes of all that is written.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::proofs::{ACCOUNT_OF_A, CLUSTER, Keys, Owner};
use crate::cache::client_secrets::ClientSecretIndex;
use crate::cache::namespace_access::Access;
use crate::cache::passwords::PasswordIndex;
use crate::domain::client::identity::ClientObject;
use crate::domain::client::plan::{Plan, Situation, plan};
use crate::domain::client::secret::DesiredSecret;
use crate::domain::client::secret::digest::{DigestKey, SecretDigest};
use crate::domain::client::validate::{ClientInputs, validate_client};
use crate::domain::reason::Refusal;
use crate::domain::tenant::policy::TenantPolicy;
use crate::domain::unique_names::{NameReservation, NameReservations};
use crate::domain::user::validate;
use crate::domain::user::validate::{ValidatedUser, validate_user};
use crate::tests::{keyring, namespace, object, tenant, user as person};
use clientele_api::{OAuthClient, OAuthUser};
use clientele_oauth::client_auth::{Attempt, AuthParameters, authenticate};
use clientele_oauth::grant::Authorization;
use clientele_oauth::{Client, Keyring, Tenant, User, Users};

pub const ISSUER: &str = "https://id.example";
pub const BROUGHT_BY_A: &str = "of-a-0123456789abcdef0123456789abcdef";
pub const BROUGHT_BY_B: &str = "of-b-0123456789abcdef0123456789abcdef";
/// The subject that A provided for a person.
pub const SUBJECT: &str = "b7e0c1d2";
const TENANT: &str = "uid-of-default";
const HASH_OF_A: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const HASH_OF_B: &str = "$argon2id$v=19$m=19456,t=2,p=1$BBBBBBBBBBBBBBBBBBBBBA$BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA";

/// Both namespaces before B wrote anything.
pub struct TenancyModel {
    policy: TenantPolicy,
    external_secret: ClientSecretIndex,
    keyring: Keyring,
    /// The keys with which clients of both sign.
    pub keys: Keys,
    /// A's clients.
    pub clients: Vec<OAuthClient>,
    /// A's people.
    pub users: Vec<OAuthUser>,
}

/// What the server makes of everybody, by UID.
pub struct Seen {
    clients: HashMap<String, Result<Client, Refusal>>,
    users: HashMap<String, Result<ValidatedUser, Refusal>>,
}

/// An OAuthClient of a namespace, created this many seconds after the epoch.
pub fn client(space: &str, name: &str, seconds: i64, spec: Value) -> OAuthClient {
    let mut object = object(name, spec);
    object.metadata.namespace = Some(space.into());
    object.metadata.uid = Some(format!("uid-of-{space}-{name}"));
    object.metadata.creation_timestamp = Some(Time(Timestamp::from_second(seconds).unwrap()));
    object
}

/// An OAuthUser likewise.
pub fn user(space: &str, name: &str, seconds: i64, spec: Value) -> OAuthUser {
    let mut user = person(name, spec);
    user.metadata.namespace = Some(space.into());
    user.metadata.uid = Some(format!("uid-of-user-{space}-{name}"));
    user.metadata.creation_timestamp = Some(Time(Timestamp::from_second(seconds).unwrap()));
    user
}

/// What the platform gives to A alone, and what both have.
fn policy() -> TenantPolicy {
    let a = json!({ "matchLabels": { "kubernetes.io/metadata.name": "team-a" } });
    let b = json!({ "matchLabels": { "kubernetes.io/metadata.name": "team-b" } });
    tenant(json!({
        "firstParty": { "namespaces": a },
        "customClientIds": { "namespaces": {} },
        "users": { "namespaces": {} },
        "redirectHosts": [
            { "hosts": ["a.example", "*.a.example"], "namespaces": a },
            { "hosts": ["b.example"], "namespaces": b },
        ],
        "scopes": [{ "name": "of.a", "namespaces": a }, { "name": "of.both" }],
        "audiences": [{ "uri": "https://api.a.example", "namespaces": a }, { "uri": "https://api.both.example" }],
    }))
}

/// A client of each kind.
fn clients_of_a(keys: &Keys) -> Vec<OAuthClient> {
    let web = json!({
        "redirectUris": ["https://web.a.example/cb"], "firstParty": true, "scopes": ["openid", "of.a"],
        "grantTypes": ["authorization_code", "client_credentials"], "audiences": ["https://api.a.example"],
        "rotation": { "every": "720h" },
    });
    let keys = json!({ "keys": [keys.jwk(Owner::A, 0)] });
    let accounts = json!([{ "name": ACCOUNT_OF_A }]);
    vec![
        client("team-a", "web", 1, web),
        client("team-a", "legacy", 2, json!({ "clientId": "legacy" })),
        client(
            "team-a",
            "brought",
            3,
            json!({ "secretRef": { "name": "mine" } }),
        ),
        client(
            "team-a",
            "signer",
            4,
            json!({ "tokenEndpointAuthMethod": "private_key_jwt", "jwks": keys }),
        ),
        client(
            "team-a",
            "pod",
            5,
            json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": accounts }),
        ),
    ]
}

fn users_of_a() -> Vec<OAuthUser> {
    let password = json!({ "name": "alice" });
    let alice = json!({
        "username": "alice", "subject": SUBJECT, "email": "alice@a.example", "groups": ["staff"], "passwordSecretRef": password,
    });
    vec![
        user("team-a", "alice", 1, alice),
        user("team-a", "carol", 2, json!({ "username": "carol" })),
    ]
}

fn secret(space: &str, name: &str, key: &str, value: &str) -> Secret {
    let mut secret = Secret::default();
    secret.metadata.namespace = Some(space.into());
    secret.metadata.name = Some(name.into());
    let value = ByteString(value.as_bytes().into());
    secret.data = Some([(key.to_owned(), value)].into());
    secret
}

impl TenancyModel {
    /// A Secret of each name that A's objects refer to lies in both namespaces.
    pub fn new() -> Self {
        let keys = Keys::new();
        let brought = ClientSecretIndex::new(&[9; 32]);
        brought.put(&secret("team-a", "mine", "client-secret", BROUGHT_BY_A));
        brought.put(&secret("team-b", "mine", "client-secret", BROUGHT_BY_B));
        brought.set_access(None, Access::Granted);
        Self {
            policy: policy(),
            external_secret: brought,
            keyring: keyring(),
            clients: clients_of_a(&keys),
            keys,
            users: users_of_a(),
        }
    }

    /// What the server makes of what A has, and of what B writes beside it, without memory of what was before.
    pub fn seen(&self, theirs: Option<(&OAuthClient, &OAuthUser)>) -> Seen {
        let clients: Vec<_> = self
            .clients
            .iter()
            .chain(theirs.map(|(client, _)| client))
            .collect();
        let users: Vec<_> = self
            .users
            .iter()
            .chain(theirs.map(|(_, user)| user))
            .collect();
        let ids = clients
            .iter()
            .filter_map(|client| NameReservation::of_client_id(client));
        let subjects = users
            .iter()
            .filter_map(|user| NameReservation::of_subject(user));
        let ids = NameReservations::decide(ids.chain(subjects));
        let usernames =
            NameReservations::decide(users.iter().map(|user| NameReservation::of_username(user)));
        let passwords = passwords(&users);
        let clients = clients
            .iter()
            .map(|object| (object.uid().unwrap(), self.register(object, &ids)));
        let users = users.iter().map(|user| {
            (
                user.uid().unwrap(),
                self.validate_user(user, &ids, &usernames, &passwords),
            )
        });
        Seen {
            clients: clients.collect(),
            users: users.collect(),
        }
    }

    fn register(&self, object: &OAuthClient, ids: &NameReservations) -> Result<Client, Refusal> {
        let claim = NameReservation::of_client_id(object);
        let looked = self.external_secret.look(object);
        let around = ClientInputs {
            tenant: (object.spec.tenant == "default").then_some(&self.policy),
            namespace: &namespace(&object.namespace().unwrap()),
            id_holder: claim.as_ref().and_then(|claim| ids.other_holder(claim)),
            external_secret: looked.as_ref(),
        };
        validate_client(&ClientObject::parse(object), around)
    }

    fn validate_user(
        &self,
        user: &OAuthUser,
        ids: &NameReservations,
        usernames: &NameReservations,
        passwords: &PasswordIndex,
    ) -> Result<ValidatedUser, Refusal> {
        let subject = NameReservation::of_subject(user);
        let password = validate::password_entry(user).map(|entry| passwords.find(&entry));
        let around = validate::UserInputs {
            tenant: (user.spec.tenant == "default").then_some((&self.policy, TENANT)),
            namespace: &namespace(&user.namespace().unwrap()),
            username_holder: usernames.other_holder(&NameReservation::of_username(user)),
            subject_holder: subject.as_ref().and_then(|claim| ids.other_holder(claim)),
            password: password.as_ref(),
            keyring: &self.keyring,
            valid_from: Timestamp::UNIX_EPOCH,
        };
        validate_user(user, around)
    }

    /// The credentials Secret of a client that is registered.
    pub fn desired(&self, object: &OAuthClient, seen: &Seen) -> Option<Secret> {
        let client = seen.client(object).as_ref().ok()?;
        Some(
            DesiredSecret::new(&ClientObject::parse(object), client, ISSUER, &self.keyring)
                .to_create(),
        )
    }

    /// What would be done about a client if this Secret were found.
    pub fn planned(
        &self,
        object: &OAuthClient,
        client: &Result<Client, Refusal>,
        found: Option<&Secret>,
    ) -> Plan {
        let digests = DigestKey::default();
        let facts = found.map(|secret| SecretDigest::new(secret, &digests));
        let former = found.zip(facts.clone());
        let former: Vec<(String, SecretDigest)> = former
            .map(|(secret, facts)| (secret.name_any(), facts))
            .into_iter()
            .collect();
        plan(&Situation {
            object: &ClientObject::parse(object),
            client: client.as_ref(),
            issuer: ISSUER,
            tenant_problem: None,
            keyring: Ok(&self.keyring),
            namespace_problem: None,
            secret: facts.as_ref(),
            secret_owner: None,
            former: &former,
            digests: &digests,
            observed: None,
            now: Timestamp::UNIX_EPOCH,
        })
    }

    /// Whether a secret proves the client of this ID.
    pub fn accepts(&self, tenant: &Tenant, id: &str, secret: &str) -> bool {
        let form = AuthParameters {
            client_id: Some(id.into()),
            client_secret: Some(secret.into()),
            ..AuthParameters::default()
        };
        let attempt = Attempt::from(form, None);
        authenticate(tenant, &self.keyring, &attempt, Timestamp::UNIX_EPOCH).is_ok()
    }
}

impl Seen {
    pub fn client(&self, object: &OAuthClient) -> &Result<Client, Refusal> {
        &self.clients[&object.uid().unwrap()]
    }

    pub fn user(&self, user: &OAuthUser) -> &Result<ValidatedUser, Refusal> {
        &self.users[&user.uid().unwrap()]
    }

    /// The tenant as the server has it.
    pub fn tenant(&self) -> Tenant {
        let clients = self
            .clients
            .values()
            .filter_map(|client| client.as_ref().ok());
        let clients = clients.map(|client| (client.id.clone(), Arc::new(client.clone())));
        let people = self
            .users
            .values()
            .filter_map(|enrolled| enrolled.as_ref().ok());
        let people = people.map(|enrolled| Arc::new(enrolled.person.clone()));
        Tenant {
            clients: clients.collect(),
            users: Arc::new(Users::new(people)),
            cluster_issuer: Some(CLUSTER.into()),
            ..Tenant::new("default".into(), TENANT.into(), ISSUER.into())
        }
    }
}

/// The passwords of both namespaces.
fn passwords(users: &[&OAuthUser]) -> PasswordIndex {
    let index = PasswordIndex::default();
    for entry in users
        .iter()
        .filter_map(|user| validate::password_entry(user))
    {
        index.want(&entry);
    }
    let hashes = [("team-a", HASH_OF_A), ("team-b", HASH_OF_B)];
    for (space, hash) in hashes {
        let jobs = index.put(&secret(space, "alice", "password", hash));
        assert!(jobs.is_empty(), "it is a hash already");
    }
    index.set_access(None, Access::Granted);
    index
}

/// What a person allowed a client: what a code, a refresh token and an access token of people stand for.
pub fn allowed(client: &Client, person: &User) -> Authorization {
    Authorization {
        tenant: TENANT.into(),
        client_id: client.id.to_string(),
        client_uid: client.uid.to_string(),
        subject: person.subject.to_string(),
        user_uid: person.uid.to_string(),
        credential: person.credential.to_string(),
        sid: "sid".into(),
        auth_time: Timestamp::UNIX_EPOCH,
        scope: "openid".into(),
        resources: String::new(),
        claims: String::new(),
    }
}
