//! Who judges a run: the invariants I1 to I4 of fault-cases.md, over every version that was ever stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clientele_api::DEFAULT_TENANT;
use clientele_oauth::Registry;
use clientele_oauth::client_auth::{Attempt, AuthParameters, Authentication, authenticate};
use clientele_operator::domain::client::secret::{
    CLIENT_LABEL, MANAGED_FIELDS_ANNOTATION, PROOF_ANNOTATION,
};
use serde_json::{Value, json};

use super::call::Call;
use super::fault_cluster::OWN;
use super::fault_proxy::FaultProxy;
use super::normalized_snapshot::{
    NormalizedSnapshot, Published, Registered, looks_like_one, text, values,
};
use super::object_history::{Change, Seen};
use super::root_keys::{Keys, key_of};
use super::run::Run;
use crate::support::test_server::basic;

/// How often each object was created, changed and deleted by a program.
pub type Summary = BTreeMap<String, BTreeMap<Change, usize>>;

/// Whether a registry takes this credential for what it is.
pub fn accepts(registry: &Registry, credential: &Published) -> bool {
    let (Some(keyring), Some(tenant)) = (
        registry.keyring.as_deref(),
        registry.tenants.get(&*credential.whose.tenant),
    ) else {
        return false;
    };
    let (id, value) = (credential.whose.client_id.as_str(), &*credential.value);
    let form = AuthParameters {
        client_id: Some(id.into()),
        client_secret: Some(value.into()),
        ..AuthParameters::default()
    };
    // A client may be registered for either method, or for both.
    let header = basic(id, value);
    [
        Attempt::from(form, None),
        Attempt::from(AuthParameters::default(), Some(header.as_bytes())),
    ]
    .iter()
    .any(
        |attempt| match authenticate(tenant, keyring, attempt, jiff::Timestamp::now()) {
            Ok(Authentication::Authenticated(client)) => *client.uid == credential.whose.uid,
            _ => false,
        },
    )
}

/// By which hash a person signs in, if anybody may.
fn sign_in(registry: &Registry, username: &str) -> Option<String> {
    let tenant = registry.tenants.get(DEFAULT_TENANT)?;
    let person = tenant.users.by_username(username)?;
    let hash = person.password.as_ref().filter(|_| !person.disabled)?;
    Some(hash.0.to_string())
}

/// I4, and I2a at the moment of the promise: an operator that reports Ready would serve what is in the Secret.
pub fn before_write(proxy: &FaultProxy, call: &Call, body: &[u8]) {
    let run = &proxy.run;
    let tenant = &run.tenant;
    let own = [
        format!("clientele-signing-{tenant}"),
        run.root_key.clone(),
        run.marks.clone(),
    ];
    let keys = call.namespace == OWN && own.contains(&call.name);
    let own = call.namespace == run.namespace || keys;
    let its_tenant = call.kind == "oauthtenants" && call.name == *tenant;
    if !own && !its_tenant {
        run.object(format!("I4: {call} in namespace {:?}", call.namespace));
    }
    let object: Value = serde_json::from_slice(body).unwrap_or_default();
    if !(call.is_status() && call.kind == "oauthclients" && is_ready(&object)) {
        return;
    }
    let key = format!("Secret/{}", text(&object["status"]["secretName"]));
    let objects = run.history.live();
    // Another Secret of the name is not what is promised; the history may not have heard yet that it was deleted.
    let promised = &object["status"]["secretUid"];
    let found = objects.get(&key);
    let Some(secret) = found.filter(|secret| secret["metadata"]["uid"] == *promised) else {
        return;
    };
    let public = |client: &Arc<Value>| client["spec"]["type"] == "Public";
    if objects
        .get(&format!("OAuthClient/{}", call.name))
        .is_none_or(public)
    {
        return;
    }
    let registered = run.registered();
    let registry = proxy.registry.load();
    let keys = Keys::of(&objects);
    let stands = |value: &str| !run.is_emergency() || keys.know(key_of(value));
    for value in values(secret)
        .values()
        .filter(|value| looks_like_one(value) && stands(value))
    {
        if let Some(credential) = run.recognize(value, &registered)
            && !accepts(&registry, &credential)
        {
            run.object(format!(
                "I2a: {call} says Ready, and its own registry refuses the credential"
            ));
        }
    }
}

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.is_some_and(|conditions| {
        conditions
            .iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    })
}

impl Run {
    /// Objects and verdicts as they are, normalized. Replicas that disagree are a snapshot of their own.
    pub fn snapshot(&self, registries: &[Arc<Registry>]) -> NormalizedSnapshot {
        let mut snapshot = self.objects();
        for credential in self.published() {
            let name = format!(
                "generation {} of {}",
                credential.generation, credential.whose.label
            );
            let verdicts: Vec<bool> = registries
                .iter()
                .map(|registry| accepts(registry, &credential))
                .collect();
            let verdict = match verdicts.iter().filter(|accepted| **accepted).count() {
                0 => json!("refused"),
                all if all == verdicts.len() => json!("accepted"),
                _ => json!("accepted by some"),
            };
            snapshot.insert(name, verdict);
        }
        for (key, object) in self.history.live() {
            if let Some(name) = key.strip_prefix("OAuthUser/") {
                let username = text(&object["spec"]["username"]);
                let served = registries.iter().map(|known| sign_in(known, &username));
                snapshot.insert(
                    format!("person {name}"),
                    served.collect::<BTreeSet<_>>().into_iter().collect(),
                );
            }
        }
        snapshot
    }

    /// The writes after a revision, by object.
    pub fn summary(&self, since: u64) -> Summary {
        let mut summary = Summary::new();
        let theirs = self.made_by_persons();
        for seen in self.history.events() {
            let by_a_person = self.is_by_a_person(&seen.object, seen.change == Change::Deleted);
            let uid = text(&seen.object["metadata"]["uid"]);
            // What is done to Secrets of persons is judged with the history.
            if seen.revision > since && !by_a_person && !theirs.contains(&uid) {
                let changes = summary.entry(self.named(&seen.key)).or_default();
                *changes.entry(seen.change).or_default() += 1;
            }
        }
        summary
    }

    /// What the whole history says against the operator.
    pub fn judge_history(&self) -> Vec<String> {
        let mut replay = Replay::new(self);
        for seen in self.history.events() {
            replay.see(&seen);
        }
        replay.objections.extend(self.leftovers());
        replay.objections
    }

    /// F41: a client has one Secret, the one that its status names.
    fn leftovers(&self) -> Option<String> {
        let live = self.history.live();
        live.iter().find_map(|(key, object)| {
            let client = key.strip_prefix("OAuthClient/")?;
            let uid = text(&object["metadata"]["uid"]);
            let named = text(&object["status"]["secretName"]);
            let ours = |key: &&String, secret: &Value| {
                let name = key.strip_prefix("Secret/").unwrap_or_default();
                let proof = text(&secret["metadata"]["annotations"][PROOF_ANNOTATION]);
                let keyring = self.keyring();
                name != named && keyring.verify_proof(&proof, &self.namespace, name, &uid)
            };
            let left = live.iter().find(|(key, secret)| ours(key, secret))?;
            Some(format!(
                "F41: {} of {client} is left behind; its Secret is {named}",
                left.0
            ))
        })
    }
}

/// The objects at one moment of the history.
struct Replay<'a> {
    run: &'a Run,
    registered: Vec<Registered>,
    theirs: Vec<String>,
    now: BTreeMap<String, Arc<Value>>,
    /// The Secrets that a person changed or deleted last; the operator has not had its turn.
    touched: BTreeMap<String, bool>,
    objections: Vec<String>,
}

impl<'a> Replay<'a> {
    fn new(run: &'a Run) -> Self {
        Self {
            registered: run.registered(),
            theirs: run.made_by_persons(),
            run,
            now: BTreeMap::new(),
            touched: BTreeMap::new(),
            objections: Vec::new(),
        }
    }

    fn see(&mut self, seen: &Seen) {
        let deleted = seen.change == Change::Deleted;
        let by_a_person = self.run.is_by_a_person(&seen.object, deleted);
        let before = if deleted {
            self.now.remove(&seen.key)
        } else {
            self.now.insert(seen.key.clone(), seen.object.clone())
        };
        if seen.key.starts_with("Secret/") {
            self.touched.insert(seen.key.clone(), by_a_person);
            let terminating = self.run.is_terminating();
            if !by_a_person && !terminating {
                self.judge_secret(seen, before.as_deref());
            }
        }
        if !self.run.is_terminating() {
            self.judge_root_keys(seen.revision);
            self.judge_promises(seen.revision);
        }
    }

    /// I4: objects of other owners are left alone; what others added stays. I3: what is published is a credential of the
    /// client, of no generation that the ledger did not ask for.
    fn judge_secret(&mut self, seen: &Seen, before: Option<&Value>) {
        let uid = text(&seen.object["metadata"]["uid"]);
        let at = format!("revision {}, {:?} {}", seen.revision, seen.change, seen.key);
        if self.theirs.contains(&uid) {
            self.objections
                .push(format!("I4: {at}: a Secret of another owner"));
        }
        if seen.change == Change::Deleted {
            return;
        }
        let name = text(&seen.object["metadata"]["labels"][CLIENT_LABEL]);
        let owner = self.now.get(&format!("OAuthClient/{name}"));
        if owner.is_some_and(|owner| owner["metadata"]["deletionTimestamp"].is_string()) {
            self.objections
                .push(format!("F32: {at}: written for a client that is going"));
        }
        if let Some(before) = before.filter(|before| text(&before["metadata"]["uid"]) == uid) {
            let listed = text(&before["metadata"]["annotations"][MANAGED_FIELDS_ANNOTATION]);
            let ours: Vec<&str> = listed.split([',', ';']).collect();
            let after = values(&seen.object);
            let lost = values(before)
                .into_keys()
                .find(|name| !ours.contains(&&**name) && !after.contains_key(name));
            if let Some(lost) = lost {
                self.objections
                    .push(format!("F50: {at}: entry {lost} of others was lost"));
            }
        }
        for value in values(&seen.object)
            .values()
            .filter(|value| looks_like_one(value))
        {
            match self.run.recognize(value, &self.registered) {
                None => self
                    .objections
                    .push(format!("I3: {at}: what is published is no credential")),
                Some(credential) => {
                    self.judge_generation(&at, &seen.object, &credential);
                    self.judge_switch(&at, before, &credential);
                }
            }
        }
    }

    fn judge_generation(&mut self, at: &str, secret: &Value, credential: &Published) {
        let name = text(&secret["metadata"]["labels"][CLIENT_LABEL]);
        let Some(object) = self.now.get(&format!("OAuthClient/{name}")) else {
            return;
        };
        let ledger = &object["status"]["secretGeneration"];
        let requested = ledger["requested"].as_u64().unwrap_or(1);
        let oldest = ledger["oldestAccepted"].as_u64().unwrap_or(1);
        let generation = u64::from(credential.generation);
        if generation > requested || generation < oldest {
            self.objections.push(format!(
                "I3: {at}: generation {generation}, and the ledger has {oldest} to {requested}"
            ));
        }
    }

    /// I2b: at the moment of a switch the value that stood there before still works.
    fn judge_switch(&mut self, at: &str, before: Option<&Value>, credential: &Published) {
        let before = before
            .into_iter()
            .flat_map(|before| values(before).into_values());
        let former = before
            .filter_map(|value| self.run.recognize(&value, &self.registered))
            .find(|former| former.whose == credential.whose);
        let client = credential.whose.label.split('#').next().unwrap_or_default();
        let ledger = self
            .now
            .get(client)
            .map(|object| &object["status"]["secretGeneration"]);
        let oldest = ledger
            .and_then(|ledger| ledger["oldestAccepted"].as_u64())
            .unwrap_or(1);
        if let Some(former) = former.filter(|former| u64::from(former.generation) < oldest) {
            let generation = former.generation;
            self.objections.push(format!(
                "I2b: {at}: generation {generation} stopped before the next was there"
            ));
        }
    }

    /// F89: there is always a root key that derives, and unless a person withdraws them, those stay of which a client has
    /// a generation that works.
    fn judge_root_keys(&mut self, revision: u64) {
        let keys = Keys::of(&self.now);
        if !keys.derive() {
            self.objections
                .push(format!("F89: revision {revision}: no root key derives"));
        }
        if self.run.is_emergency() {
            return;
        }
        let clients = self.now.iter();
        for (client, object) in clients.filter(|(key, _)| key.starts_with("OAuthClient/")) {
            let generation = &object["status"]["secretGeneration"];
            let older = generation["olderRootKeys"].as_array().into_iter().flatten();
            let named = older.chain(Some(&generation["rootKey"]));
            for id in named.filter_map(Value::as_str).filter(|id| !keys.know(id)) {
                self.objections.push(format!(
                    "F89: revision {revision}: root key {id} was lost, and {client} needs it"
                ));
            }
        }
    }

    /// I2a: a client that is Ready in the present generation has a Secret whose credential authenticates.
    fn judge_promises(&mut self, revision: u64) {
        let clients: Vec<Arc<Value>> = self
            .now
            .iter()
            .filter(|(key, _)| key.starts_with("OAuthClient/"))
            .map(|(_, object)| object.clone())
            .collect();
        for object in clients {
            if let Err(broken) = self.promise(&object) {
                let name = text(&object["metadata"]["name"]);
                self.objections.push(format!(
                    "I2a: revision {revision}: {name} is Ready, and {broken}"
                ));
            }
        }
    }

    fn promise(&self, object: &Value) -> Result<(), String> {
        let meta = &object["metadata"];
        let current = object["status"]["observedGeneration"] == meta["generation"];
        if !is_ready(object) || !current || meta.get("deletionTimestamp").is_some() {
            return Ok(());
        }
        let key = format!("Secret/{}", text(&object["status"]["secretName"]));
        if self.touched.get(&key) == Some(&true) {
            return Ok(());
        }
        let secret = self.now.get(&key).ok_or(format!("{key} is not there"))?;
        if object["spec"]["type"] == "Public" {
            return Ok(());
        }
        let uid = text(&meta["uid"]);
        let oldest = object["status"]["secretGeneration"]["oldestAccepted"]
            .as_u64()
            .unwrap_or(1);
        let keys = Keys::of(&self.now);
        let good = values(secret).values().any(|value| {
            if !keys.know(key_of(value)) {
                return self.run.is_emergency();
            }
            let known = self.run.recognize(value, &self.registered);
            known.is_some_and(|known| {
                known.whose.uid == uid && u64::from(known.generation) >= oldest
            })
        });
        good.then_some(())
            .ok_or(format!("{key} does not hold its credential"))
    }
}
