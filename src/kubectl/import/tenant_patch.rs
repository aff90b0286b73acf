//! `tenant-patch.yaml`: what the tenant must allow. A merge patch replaces selectors and lists, so it repeats what the
//! tenant admits now. Where the tenant was not read, the API server refuses the patch until a person completes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt};
use serde_json::{Value, json};

use super::needs::{Namespaces, TenantNeeds};
use crate::failure::Failure;

/// The name of the file.
pub const FILE: &str = "tenant-patch.yaml";
/// The label of a namespace with its own name.
const NAME: &str = "kubernetes.io/metadata.name";
/// Valid in no place of the patch, so that the API server refuses it and names the place.
const COMPLETE: &str = "add what the tenant has here now, then remove this entry";

/// The tenant and the namespaces as they are now.
#[derive(Debug, Default)]
pub struct Present {
    /// `spec` of the OAuthTenant.
    pub spec: Value,
    /// The labels of every namespace.
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
}

/// The content of the file; `None` if the tenant may stay as it is. `present`: the tenant, if it was read.
pub fn text(
    needs: &TenantNeeds,
    tenant: &str,
    present: Option<&Present>,
) -> Result<Option<String>, Failure> {
    let mut patch = Patch {
        present,
        spec: json!({}),
        labels: String::new(),
    };
    patch.fill(needs);
    if patch.spec == json!({}) {
        return Ok(None);
    }
    let yaml = serde_yaml::to_string(&json!({ "spec": patch.spec }))
        .map_err(|error| Failure::new(format!("no YAML: {error}")))?;
    let head = match present {
        Some(_) => known(tenant, &patch.labels),
        None => unknown(tenant),
    };
    Ok(Some(head + &yaml))
}

fn command(tenant: &str) -> String {
    format!("#   kubectl patch oauthtenant {tenant} --type=merge --patch-file {FILE}\n")
}

fn known(tenant: &str, labels: &str) -> String {
    let mut head = format!(
        "# What the OAuthTenant {tenant} must allow, so that these objects work. It is never applied by itself. What the tenant\n# admitted when this file was written is in it and stays admitted:\n{}# If the tenant or the labels of namespaces changed since, run the import with --check again first.\n",
        command(tenant)
    );
    if !labels.is_empty() {
        head += "# A selector that lists namespaces does not admit one that is labelled later. To keep the selector of the tenant, run\n# the command of its field instead, and remove the field here:\n";
        head += labels;
    }
    head
}

fn unknown(tenant: &str) -> String {
    format!(
        "# What the OAuthTenant {tenant} must allow, so that these objects work. The tenant was not read, so this is not complete,\n# and the API server refuses it as it is: selectors and lists here take the place of those of the tenant, and whatever\n# they do not list would be locked out. Run the same import with --check, which reads the tenant and completes this file;\n# or do what the entries say that begin with \"add what the tenant has here now\". Then\n{}",
        command(tenant)
    )
}

struct Patch<'a> {
    present: Option<&'a Present>,
    spec: Value,
    /// Commands that admit the namespaces without a change of the selector, as comments.
    labels: String,
}

impl Patch<'_> {
    fn fill(&mut self, needs: &TenantNeeds) {
        // Without a selector every namespace may have clients, so only a tenant that was read can lack one.
        if self.present.is_some() {
            self.selector("/namespaces", &needs.clients, true);
        }
        let custom = &needs.custom_client_ids;
        self.selector("/customClientIds/namespaces", custom, false);
        self.uri_characters(needs.uri_characters);
        self.reserved(&needs.reserved);
        self.selector("/firstParty/namespaces", &needs.first_party, false);
        self.selector("/users/namespaces", &needs.users, false);
        self.schemes(&needs.redirect_schemes);
        self.entries("scopes", "name", &needs.scopes);
        self.entries("audiences", "uri", &needs.audiences);
    }

    /// What the tenant has in a place now.
    fn now(&self, pointer: &str) -> Option<&Value> {
        self.present?.spec.pointer(pointer)
    }

    fn list(&self, field: &str) -> Vec<Value> {
        let list = self.now(field).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    }

    fn put(&mut self, pointer: &str, value: Value) {
        let mut at = &mut self.spec;
        for part in pointer.split('/').skip(1) {
            at = &mut at[part];
        }
        *at = value;
    }

    /// Admits the namespaces, and what the selector admits now. `all`: without a selector every namespace is admitted.
    fn selector(&mut self, pointer: &str, wanted: &Namespaces, all: bool) {
        if wanted.is_empty() {
            return;
        }
        let Some(present) = self.present else {
            let mut selector = listing(wanted);
            selector["matchLabels"] = Value::Null;
            if let Some(expressions) = selector["matchExpressions"].as_array_mut() {
                expressions.push(json!({ "operator": COMPLETE }));
            }
            self.put(pointer, selector);
            return;
        };
        let now = present.spec.pointer(pointer);
        if let Some(names) = present.widened(now, wanted, all) {
            self.labels += &label_command(pointer, now, wanted);
            let mut selector = listing(&names);
            // A merge patch keeps what it does not name, and both would have to hold.
            selector["matchLabels"] = Value::Null;
            self.put(pointer, selector);
        }
    }

    fn uri_characters(&mut self, needed: bool) {
        let pointer = "/customClientIds/uriCharacters";
        if needed && self.now(pointer) != Some(&Value::Bool(true)) {
            self.put(pointer, true.into());
        }
    }

    fn reserved(&mut self, needed: &BTreeSet<(String, String)>) {
        let pointer = "/customClientIds/reserved";
        let now = self.list(pointer);
        let pairs = needed
            .iter()
            .map(|(id, namespace)| json!({ "id": id, "namespace": namespace }));
        let new = pairs.filter(|pair| !now.contains(pair)).collect();
        let complete = json!({ "id": COMPLETE, "namespace": COMPLETE });
        self.append(pointer, now, new, complete);
    }

    fn schemes(&mut self, needed: &BTreeMap<String, Namespaces>) {
        let now = self.list("/redirectSchemes");
        let mut new = Vec::new();
        for (scheme, wanted) in needed {
            let admitted = self.present.map(|present| {
                let of_scheme = now.iter().filter(|entry| lists(entry, "schemes", scheme));
                let names = of_scheme
                    .flat_map(|entry| present.admitted(entry.get("namespaces"), wanted, false));
                names.collect::<Namespaces>()
            });
            let missing: Namespaces = wanted - &admitted.unwrap_or_default();
            if !missing.is_empty() {
                new.push(json!({ "schemes": [scheme], "namespaces": listing(&missing) }));
            }
        }
        let complete = json!({ "schemes": [COMPLETE], "namespaces": {} });
        self.append("/redirectSchemes", now, new, complete);
    }

    /// Scopes or audiences, each with its namespaces.
    fn entries(&mut self, field: &str, key: &str, needed: &BTreeMap<String, Namespaces>) {
        let pointer = format!("/{field}");
        let before = self.list(&pointer);
        let mut now = before.clone();
        let mut new = Vec::new();
        for (value, wanted) in needed {
            let known = now.iter_mut().find(|entry| entry[key] == *value);
            match (known, self.present) {
                (Some(entry), Some(present)) => {
                    if let Some(names) = present.widened(entry.get("namespaces"), wanted, true) {
                        entry["namespaces"] = listing(&names);
                    }
                }
                _ => new.push(json!({ key: value })),
            }
        }
        if now == before {
            self.append(&pointer, now, new, json!({ key: COMPLETE }));
        } else {
            now.extend(new);
            self.put(&pointer, now.into());
        }
    }

    /// Puts a list with what is there and what is new, if anything is.
    fn append(&mut self, pointer: &str, now: Vec<Value>, new: Vec<Value>, complete: Value) {
        if new.is_empty() {
            return;
        }
        let rest = self.present.is_none().then_some(complete);
        let all = now.into_iter().chain(new).chain(rest);
        self.put(pointer, all.collect());
    }
}

impl Present {
    /// The names that admit what a selector admits now and what is wanted; `None` if it admits that.
    fn widened(&self, now: Option<&Value>, wanted: &Namespaces, all: bool) -> Option<Namespaces> {
        let admitted = self.admitted(now, wanted, all);
        (!wanted.is_subset(&admitted)).then(|| &admitted | wanted)
    }

    /// Which namespaces a selector admits: of those that exist, those that are wanted, and those that it names.
    fn admitted(&self, now: Option<&Value>, wanted: &Namespaces, all: bool) -> Namespaces {
        let now = now.filter(|now| !now.is_null());
        let selector = now.map(|now| serde_json::from_value::<LabelSelector>(now.clone()));
        let selector =
            selector.map(|read| read.ok().and_then(|read| Selector::try_from(read).ok()));
        let admits = |labels: &BTreeMap<String, String>| match &selector {
            None => all,
            // The operator admits nothing by a selector that it cannot read.
            Some(None) => false,
            Some(Some(selector)) => selector.matches(labels),
        };
        let existing = self.namespaces.keys().cloned();
        let names = existing.chain(wanted.iter().cloned()).chain(named(now));
        names
            .filter(|name| {
                let own = BTreeMap::from([(NAME.to_owned(), name.clone())]);
                admits(self.namespaces.get(name).unwrap_or(&own))
            })
            .collect()
    }
}

/// The namespaces that a selector names, whether they exist or not.
fn named(selector: Option<&Value>) -> Vec<String> {
    let label = selector.and_then(|selector| selector.pointer("/matchLabels")?.get(NAME));
    let expressions = selector.and_then(|selector| selector.get("matchExpressions")?.as_array());
    let expressions = expressions.into_iter().flatten();
    let values = expressions
        .filter(|expression| expression["key"] == NAME && expression["operator"] == "In")
        .filter_map(|expression| expression.get("values")?.as_array())
        .flatten();
    let names = label.into_iter().chain(values);
    names
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect()
}

/// A selector of these namespaces.
fn listing(names: &Namespaces) -> Value {
    json!({ "matchExpressions": [{ "key": NAME, "operator": "In", "values": names }] })
}

fn lists(entry: &Value, field: &str, wanted: &str) -> bool {
    let list = entry.get(field).and_then(Value::as_array);
    list.is_some_and(|list| list.iter().any(|value| value == wanted))
}

/// The command that gives the namespaces the labels of a selector that asks for nothing else.
fn label_command(pointer: &str, selector: Option<&Value>, wanted: &Namespaces) -> String {
    let labels = selector.and_then(|selector| selector.get("matchLabels")?.as_object());
    let expressions = selector.and_then(|selector| selector.get("matchExpressions")?.as_array());
    let plain = expressions.is_none_or(Vec::is_empty);
    let Some(labels) = labels.filter(|labels| plain && !labels.contains_key(NAME)) else {
        return String::new();
    };
    let mut command = String::from("kubectl label namespace");
    for name in wanted {
        let _ = write!(command, " {name}");
    }
    for (key, value) in labels {
        let _ = write!(command, " {key}={}", value.as_str().unwrap_or_default());
    }
    let field = pointer.trim_start_matches('/').replace('/', ".");
    format!("#   {field}: {command}\n")
}

#[cfg(test)]
mod tests;
