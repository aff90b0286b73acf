//! What people do to an installation, step by step. Each step comes to rest before the next.

use std::time::Duration;

use clientele_api::user::PASSWORD_TYPE;
use clientele_operator::domain::client::secret::{CLIENT_LABEL, PROOF_ANNOTATION};
use serde_json::{Value, json};

use super::act::Action::{
    self, Create, CreateSecret, CreateUser, Delete, DeleteNamespace, DeleteSecret, DeleteUser,
    Edit, EditSecret, EditTenant, EditUser, RotateRootKey,
};
use super::normalized_snapshot::{looks_like_one, text, values};
use super::root_keys::{Keys, key_of};
use super::run::Run;

/// What has not come within this does not come.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// What shall have come of a step.
#[derive(Clone, Debug)]
pub enum Then {
    /// The OAuthClient is Ready in its present generation, and its Secret is right.
    Ready(&'static str),
    /// The same, and its Secret holds this generation.
    Rotated(&'static str, u32),
    /// The OAuthClient is refused for this reason in its present generation.
    Refused(&'static str, &'static str),
    /// Neither the OAuthClient nor this Secret is there any more.
    Gone(&'static str, &'static str),
    /// The OAuthClient is not there any more, and the Secret is.
    Left(&'static str, &'static str),
    /// It is still there, and goes.
    Going(&'static str),
    /// Nothing is left in the namespace.
    Nothing,
    /// The OAuthUser says this reason in its present generation; nothing if it is not there any more.
    Person(&'static str, Option<&'static str>),
    /// Every client is Ready with a Secret from the root key that derives now, and there are this many root keys.
    Moved(usize),
}

/// Acts, and what comes of them.
#[derive(Clone, Debug)]
pub struct Step {
    pub acts: Vec<Action>,
    pub then: Then,
}

impl Step {
    fn new(acts: impl Into<Vec<Action>>, then: Then) -> Self {
        let acts = acts.into();
        Self { acts, then }
    }
}

/// A sequence of steps. Faults happen in `steps`; `before` only prepares.
pub struct Workload {
    pub name: &'static str,
    /// The spec of a tenant of its own.
    pub tenant: Option<Value>,
    pub before: Vec<Step>,
    pub steps: Vec<Step>,
    /// How many acts of one step follow each other so quickly that one pass may answer several of them.
    pub hasty: usize,
    /// Whether the operator may have begun to follow when the last comes of several writes of which an act consists, or
    /// of what Kubernetes does about it.
    pub raced: bool,
    /// Whether it has root keys of its own.
    pub own_keys: bool,
}

impl Workload {
    fn new(name: &'static str, before: impl Into<Vec<Step>>, steps: impl Into<Vec<Step>>) -> Self {
        Self {
            name,
            tenant: None,
            before: before.into(),
            steps: steps.into(),
            hasty: 1,
            raced: false,
            own_keys: false,
        }
    }

    /// Whether every run without a fault makes the same writes.
    pub fn is_exact(&self) -> bool {
        self.hasty == 1 && !self.raced
    }
}

impl Then {
    /// Whether it has come.
    pub fn met(&self, run: &Run) -> Result<(), String> {
        let live = run.history.live();
        let object = |name: &str| live.get(&format!("OAuthClient/{name}"));
        let absent = |name: &str| !live.contains_key(&format!("Secret/{name}"));
        match self {
            Self::Ready(name) => is_ready(run, name).map(drop),
            Self::Rotated(name, generation) => {
                let holds = is_ready(run, name)?;
                let right = holds == Some(*generation);
                right
                    .then_some(())
                    .ok_or(format!("{name} has generation {holds:?}"))
            }
            Self::Refused(name, reason) => is_refused(object(name).map(|object| &**object), reason),
            Self::Gone(name, secret) => {
                let gone = object(name).is_none() && absent(secret);
                gone.then_some(())
                    .ok_or(format!("{name} or {secret} is there"))
            }
            Self::Left(name, secret) => {
                let left = object(name).is_none() && !absent(secret);
                left.then_some(())
                    .ok_or(format!("{name} is there or {secret} is not"))
            }
            Self::Nothing => {
                let left: Vec<&String> = live
                    .keys()
                    .filter(|key| !key.starts_with("OAuthTenant/"))
                    .collect();
                left.is_empty()
                    .then_some(())
                    .ok_or(format!("{left:?} are there"))
            }
            Self::Person(name, reason) => {
                let person = live.get(&format!("OAuthUser/{name}"));
                let ready = person.and_then(|person| ready_condition(person));
                let said = ready.map(|ready| text(&ready["reason"]));
                let right = said.as_deref() == *reason && person.is_some() == reason.is_some();
                right.then_some(()).ok_or(format!("{name}: {said:?}"))
            }
            Self::Moved(keys) => have_moved(run, *keys),
            Self::Going(name) => {
                let going = object(name)
                    .is_some_and(|object| object["metadata"]["deletionTimestamp"].is_string());
                going.then_some(()).ok_or(format!("{name} does not go"))
            }
        }
    }
}

fn have_moved(run: &Run, keys: usize) -> Result<(), String> {
    let live = run.history.live();
    let known = Keys::of(&live);
    if known.live.len() != keys || !known.derive() || keys > 1 && !known.is_dated {
        return Err(format!("the root keys are {known:?}"));
    }
    let clients = live
        .iter()
        .filter_map(|(key, object)| Some((key.strip_prefix("OAuthClient/")?, object)));
    for (name, object) in clients {
        is_ready(run, name)?;
        let generation = &object["status"]["secretGeneration"];
        let older = generation["oldestAccepted"] != generation["requested"];
        if generation["published"] != generation["requested"] || older != (keys > 1) {
            return Err(format!("{name} has generations {generation}"));
        }
        let secret = format!("Secret/{}", text(&object["status"]["secretName"]));
        let values = live.get(&secret).map(|secret| values(secret));
        let from = |value: &String| looks_like_one(value) && key_of(value) == known.current;
        if !values.is_some_and(|values| values.values().any(from)) {
            return Err(format!("{secret} is not from root key {}", known.current));
        }
    }
    Ok(())
}

fn ready_condition(object: &Value) -> Option<&Value> {
    let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let conditions = object["status"]["conditions"]
        .as_array()
        .filter(|_| current)?;
    conditions
        .iter()
        .find(|condition| condition["type"] == "Ready")
}

fn is_refused(object: Option<&Value>, reason: &str) -> Result<(), String> {
    let condition = object.and_then(ready_condition);
    let refused =
        condition.is_some_and(|ready| ready["status"] == "False" && ready["reason"] == reason);
    refused
        .then_some(())
        .ok_or(format!("not refused for {reason}: {condition:?}"))
}

/// The generation that is in its Secret, when all is well.
fn is_ready(run: &Run, name: &str) -> Result<Option<u32>, String> {
    let live = run.history.live();
    let object = live
        .get(&format!("OAuthClient/{name}"))
        .ok_or(format!("{name} is not there"))?;
    let condition = ready_condition(object);
    if condition.is_none_or(|ready| ready["status"] != "True") {
        return Err(format!("{name} is not Ready: {condition:?}"));
    }
    let uid = text(&object["metadata"]["uid"]);
    let secret = text(&object["status"]["secretName"]);
    let wrong = |what: &str| Err(format!("Secret {secret} of {name}: {what}"));
    let Some(found) = live.get(&format!("Secret/{secret}")) else {
        return wrong("is not there");
    };
    let meta = &found["metadata"];
    let proof = text(&meta["annotations"][PROOF_ANNOTATION]);
    if meta["uid"] != object["status"]["secretUid"] {
        return wrong("is not the one in the status");
    }
    if meta["labels"][CLIENT_LABEL] != *name {
        return wrong("has lost its label");
    }
    if !run
        .keyring()
        .verify_proof(&proof, &run.namespace, &secret, &uid)
    {
        return wrong("has lost its proof");
    }
    let owned = meta["ownerReferences"][0]["uid"] == *uid;
    if owned == (object["spec"]["deletionPolicy"] == "Retain") {
        return wrong("has the wrong owner");
    }
    let registered = run.registered();
    let values = values(found);
    let credentials = values.values().filter(|value| looks_like_one(value));
    let mut generations = credentials.map(|value| {
        let known = run.recognize(value, &registered)?;
        (known.whose.uid == uid).then_some(known.generation)
    });
    let confidential = object["spec"]["type"] != "Public";
    match (generations.next(), confidential) {
        (Some(Some(generation)), true) => Ok(Some(generation)),
        (None, false) => Ok(None),
        _ => Err(format!(
            "Secret {secret} of {name}: has the wrong credential"
        )),
    }
}

/// A client of another team beside every workload. Nothing may happen to it.
pub fn neighbor() -> Step {
    Step::new(
        [Create("neighbor", json!({ "tenant": "TENANT" }))],
        Then::Ready("neighbor"),
    )
}

fn created(spec: Value) -> Step {
    Step::new([Create("web", spec)], Then::Ready("web"))
}

/// Changes the spec of `web`, which stays Ready.
fn edited(spec: Value) -> Step {
    Step::new([Edit("web", json!({ "spec": spec }))], Then::Ready("web"))
}

fn tampered(patch: Value) -> Step {
    Step::new([EditSecret("web-oauth", patch)], Then::Ready("web"))
}

const CALLBACK: &str = "https://app.example/callback";

pub fn create() -> Workload {
    Workload::new("create", [], [created(json!({}))])
}

/// Each field that changes the Secret.
pub fn edit_the_secret() -> Workload {
    let secret = |secret: Value| edited(json!({ "secret": secret }));
    Workload::new(
        "edit the Secret",
        [created(json!({}))],
        [
            secret(json!({ "entries": { "clientSecret": "password", "issuer": "OIDC_ISSUER" } })),
            secret(
                json!({ "labels": { "reloader.stakater.com/team": "a" }, "annotations": { "reloader.stakater.com/note": "b" } }),
            ),
            secret(
                json!({ "entries": null, "labels": { "reloader.stakater.com/team": null, "reloader.stakater.com/tier": "c" } }),
            ),
        ],
    )
}

/// Each field that changes the registration, and none of them the Secret.
pub fn edit_the_registration() -> Workload {
    Workload::new(
        "edit the registration",
        [created(json!({}))],
        [
            edited(json!({ "displayName": "The Web", "firstParty": false })),
            edited(
                json!({ "redirectUris": [CALLBACK], "postLogoutRedirectUris": ["https://app.example/"] }),
            ),
            edited(json!({ "grantTypes": ["authorization_code", "client_credentials"] })),
            edited(json!({ "scopes": ["openid", "email"], "requirePkce": false })),
            edited(
                json!({ "lifetimes": { "accessToken": "5m" }, "idTokenSignedResponseAlg": "ES256" }),
            ),
            edited(json!({ "tokenEndpointAuthMethod": "client_secret_basic" })),
            edited(
                json!({ "allowedOrigins": ["https://app.example"], "allowedGroups": ["staff"] }),
            ),
        ],
    )
}

/// Two edits at once, and a third that takes the first back.
pub fn edit_quickly() -> Workload {
    let name = |name: &str| json!({ "spec": { "secret": { "entries": { "clientId": name } } } });
    let both = [Edit("web", name("ONE")), Edit("web", name("TWO"))];
    Workload {
        hasty: 2,
        ..Workload::new(
            "edit quickly",
            [created(json!({}))],
            [Step::new(both, Then::Ready("web"))],
        )
    }
}

pub fn change_the_type() -> Workload {
    let spec = json!({ "redirectUris": [CALLBACK], "grantTypes": ["authorization_code"] });
    Workload::new(
        "change the type both ways",
        [created(spec)],
        [
            edited(json!({ "type": "Public" })),
            edited(json!({ "type": "Confidential" })),
        ],
    )
}

pub fn rename() -> Workload {
    Workload::new(
        "rename the Secret",
        [created(json!({}))],
        [
            edited(json!({ "secret": { "name": "web-login" } })),
            edited(json!({ "secret": { "name": "web-credentials" } })),
        ],
    )
}

pub fn delete() -> Workload {
    let gone = Step::new([Delete("web")], Then::Gone("web", "web-oauth"));
    Workload::new("create and delete", [], [created(json!({})), gone])
}

pub fn delete_and_recreate() -> Workload {
    let again = Step::new(
        [Delete("web"), Create("web", json!({}))],
        Then::Ready("web"),
    );
    // Whether the former Secret is still in the way, and is said to be, is a matter of how fast Kubernetes collects it.
    Workload {
        raced: true,
        ..Workload::new("delete and recreate", [created(json!({}))], [again])
    }
}

pub fn lose_the_secret() -> Workload {
    let lost = Step::new([DeleteSecret("web-oauth")], Then::Ready("web"));
    Workload::new(
        "lose the Secret",
        [created(json!({}))],
        [lost.clone(), lost],
    )
}

pub fn tamper() -> Workload {
    Workload::new(
        "tamper with the Secret",
        [created(json!({}))],
        [
            tampered(json!({ "stringData": { "CLIENT_SECRET": "mine" } })),
            tampered(json!({ "data": { "CLIENT_ID": null, "CLIENT_SECRET": null } })),
            tampered(json!({ "metadata": { "labels": { (CLIENT_LABEL): null } } })),
            tampered(json!({ "metadata": { "annotations": { (PROOF_ANNOTATION): "forged" } } })),
            tampered(json!({ "metadata": { "ownerReferences": null } })),
        ],
    )
}

/// The tenant stops to admit the namespace, and admits it again; then its lifetimes change.
pub fn change_the_tenant() -> Workload {
    let admits = |name: &str| {
        let labels = json!({ "kubernetes.io/metadata.name": name });
        json!({ "spec": { "namespaces": { "matchLabels": labels } } })
    };
    Workload {
        tenant: Some(json!({})),
        ..Workload::new(
            "change the tenant",
            [created(
                json!({ "tenant": "TENANT", "lifetimes": { "accessToken": "1h" } }),
            )],
            [
                Step::new(
                    [EditTenant(admits("elsewhere"))],
                    Then::Refused("web", "NamespaceNotAllowed"),
                ),
                Step::new([EditTenant(admits("NAMESPACE"))], Then::Ready("web")),
                Step::new(
                    [EditTenant(
                        json!({ "spec": { "lifetimes": { "maximum": { "accessToken": "30m" } } } }),
                    )],
                    Then::Ready("web"),
                ),
            ],
        )
    }
}

pub fn delete_the_namespace() -> Workload {
    let gone = Step::new([DeleteNamespace], Then::Nothing);
    Workload::new("delete the namespace", [], [created(json!({})), gone])
}

pub fn suspend() -> Workload {
    let suspended = Step::new(
        [Edit("web", json!({ "spec": { "suspended": true } }))],
        Then::Refused("web", "Suspended"),
    );
    let edit = json!({ "spec": { "secret": { "entries": { "clientId": "ID" } } } });
    Workload::new(
        "suspend and take back",
        [created(json!({}))],
        [
            suspended,
            Step::new([Edit("web", edit)], Then::Refused("web", "Suspended")),
            edited(json!({ "suspended": false })),
        ],
    )
}

/// Retained, owned again, retained; then the Secret outlives the client.
pub fn retain() -> Workload {
    Workload::new(
        "retain",
        [created(json!({}))],
        [
            edited(json!({ "deletionPolicy": "Retain" })),
            edited(json!({ "deletionPolicy": "Delete" })),
            edited(json!({ "deletionPolicy": "Retain" })),
            Step::new([Delete("web")], Then::Left("web", "web-oauth")),
        ],
    )
}

/// The same while the client lives. A Secret whose client goes before the operator has heard that it shall be retained
/// goes as well: nothing holds the client back.
pub fn retain_and_live() -> Workload {
    let mut workload = retain();
    workload.steps.pop();
    workload
}

/// A Secret of another owner is in the way, until another name is chosen.
pub fn find_the_name_taken() -> Workload {
    let theirs = json!({ "stringData": { "CLIENT_SECRET": "theirs" } });
    Workload::new(
        "find the name taken",
        [Step::new(
            [CreateSecret("web-oauth", theirs)],
            Then::Ready("neighbor"),
        )],
        [
            Step::new(
                [Create("web", json!({}))],
                Then::Refused("web", "SecretNotOwned"),
            ),
            edited(json!({ "secret": { "name": "web-login" } })),
        ],
    )
}

/// A foreign finalizer holds the object; its Secret, once deleted, does not come back.
pub fn hold_by_a_finalizer() -> Workload {
    let hold = |finalizers: Value| json!({ "metadata": { "finalizers": finalizers } });
    Workload::new(
        "hold by a finalizer",
        [
            created(json!({})),
            Step::new(
                [Edit("web", hold(json!(["example.com/hold"])))],
                Then::Ready("web"),
            ),
        ],
        [
            edited(json!({ "displayName": "Last Words" })),
            Step::new([Delete("web")], Then::Going("web")),
            Step::new([DeleteSecret("web-oauth")], Then::Going("web")),
            Step::new(
                [Edit("web", hold(json!(null)))],
                Then::Gone("web", "web-oauth"),
            ),
        ],
    )
}

/// The same when nothing was edited before: the status of a client that is going says what it said.
pub fn hold_what_was_said() -> Workload {
    let mut workload = hold_by_a_finalizer();
    workload.steps.remove(0);
    workload
}

/// Two clients want one Secret.
pub fn want_one_secret() -> Workload {
    let same = json!({ "secret": { "name": "shared" } });
    Workload::new(
        "want one Secret",
        [Step::new([Create("web", same.clone())], Then::Ready("web"))],
        [
            Step::new(
                [Create("other", same)],
                Then::Refused("other", "SecretNotOwned"),
            ),
            Step::new(
                [Edit(
                    "other",
                    json!({ "spec": { "secret": { "name": "of-other" } } }),
                )],
                Then::Ready("other"),
            ),
        ],
    )
}

/// A rotation that is asked for, and the generation that comes of it.
fn rotated(rotation: Value, generation: u32) -> Step {
    let spec = json!({ "spec": { "rotation": rotation } });
    Step::new([Edit("web", spec)], Then::Rotated("web", generation))
}

/// Rotated on request, and once more.
pub fn rotate() -> Workload {
    Workload::new(
        "rotate",
        [created(json!({}))],
        [
            rotated(json!({ "requestId": "one" }), 2),
            rotated(json!({ "requestId": "two" }), 3),
        ],
    )
}

/// The same when requests that were not heard of in time are answered together.
pub fn rotate_unheard() -> Workload {
    Workload {
        hasty: 2,
        ..rotate()
    }
}

/// The old generation stops at once.
pub fn rotate_after_a_leak() -> Workload {
    let rotation = json!({ "requestId": "leak", "maxOverlap": "0s" });
    Workload::new(
        "rotate after a leak",
        [created(json!({}))],
        [rotated(rotation, 2)],
    )
}

/// Two requests, the second before the first can be answered.
pub fn rotate_quickly() -> Workload {
    let request = |id: &str| {
        Edit(
            "web",
            json!({ "spec": { "rotation": { "requestId": id } } }),
        )
    };
    Workload {
        hasty: 2,
        ..Workload::new(
            "rotate twice at once",
            [created(json!({}))],
            [Step::new(
                [request("one"), request("two")],
                Then::Ready("web"),
            )],
        )
    }
}

/// A Secret is lost and another tampered with after a rotation: what comes back is the new generation.
pub fn rotate_and_lose() -> Workload {
    Workload::new(
        "rotate and lose",
        [created(json!({}))],
        [
            rotated(json!({ "requestId": "one" }), 2),
            Step::new([DeleteSecret("web-oauth")], Then::Rotated("web", 2)),
        ],
    )
}

/// Another root key derives, and the clients move to it; when no old secret works any more, the former one leaves.
pub fn rotate_the_root_key() -> Workload {
    let at_once = json!({ "spec": { "rotation": { "maxOverlap": "0s" } } });
    let both = ["web", "neighbor"].map(|name| Edit(name, at_once.clone()));
    Workload {
        own_keys: true,
        ..Workload::new(
            "rotate the root key",
            [created(json!({}))],
            [
                Step::new([RotateRootKey { emergency: false }], Then::Moved(2)),
                Step::new(both, Then::Moved(1)),
            ],
        )
    }
}

/// The root key has leaked: whatever it made stops at once.
pub fn withdraw_the_root_key() -> Workload {
    Workload {
        own_keys: true,
        raced: true,
        ..Workload::new(
            "withdraw the root key",
            [created(json!({}))],
            [Step::new(
                [RotateRootKey { emergency: true }],
                Then::Moved(1),
            )],
        )
    }
}

/// A person comes, has another password, is kept out and let in again, and goes.
pub fn have_a_person() -> Workload {
    let password = |name: &'static str| {
        let hash = format!("$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01{name}");
        let secret = json!({ "type": PASSWORD_TYPE, "stringData": { "password": hash } });
        CreateSecret(name, secret)
    };
    let spec = json!({
        "username": "alice", "subject": "of-alice", "passwordSecretRef": { "name": "222" },
    });
    let edited = |spec: Value, reason| {
        let edit = EditUser("alice", json!({ "spec": spec }));
        Step::new([edit], Then::Person("alice", Some(reason)))
    };
    let comes = Then::Person("alice", Some("Registered"));
    let passwords = [password("222"), password("666")];
    Workload::new(
        "have a person",
        [Step::new(passwords, Then::Ready("neighbor"))],
        [
            Step::new([CreateUser("alice", spec)], comes),
            edited(
                json!({ "passwordSecretRef": { "name": "666" } }),
                "Registered",
            ),
            edited(json!({ "disabled": true }), "Disabled"),
            edited(json!({ "disabled": false }), "Registered"),
            Step::new([DeleteUser("alice")], Then::Person("alice", None)),
        ],
    )
}

/// The same without being kept out: who has not heard of it cannot end what began before.
pub fn have_a_person_unheard() -> Workload {
    let mut workload = have_a_person();
    workload.steps.drain(2..4);
    workload
}
