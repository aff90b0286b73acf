//! `doctor`: what is wrong with the installation, from the kubeconfig to the public URL.

mod root_key;

use std::collections::BTreeMap;

use jiff::fmt::rfc2822;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;
use reqwest::Client;
use serde_json::Value;

use super::test::{Step, print};
use crate::args::{ClusterFlags, TestFlags};
use crate::connect::Session;
use crate::failure::{Answer, Failure};
use crate::issuer::{discover, http};
use crate::objects::{Kind, is_ready, name, namespace, reason, text};
use crate::output::Output;
use crate::remedies::remedy;
use crate::severity::{Severity, severity};

/// The most that two clocks may differ, in seconds: what the server allows to assertions.
const SKEW: i64 = 60;

/// Looks at everything; what cannot be looked at is a step that failed, with its remedy.
pub async fn run(args: &TestFlags, flags: &ClusterFlags, output: &mut Output<'_>) -> Answer {
    let mut flags = flags.clone();
    flags.all_namespaces = flags.namespace.is_none();
    let session = match Session::open(&flags).await {
        Ok(session) => session,
        Err(failure) => return print(&[failed("kubeconfig", failure)], output),
    };
    let mut steps = Vec::new();
    if cluster(&session, &mut steps).await {
        let issuers = objects(&session, &mut steps).await;
        public(args, &issuers, &mut steps).await?;
    }
    print(&steps, output)
}

/// Adds a step; whether it went well.
fn add(steps: &mut Vec<Step>, name: &'static str, result: Result<String, Failure>) -> bool {
    let well = result.is_ok();
    steps.push(Step::tried(name, result));
    well
}

/// The API server and what it knows of Clientele; whether there is more to look at.
async fn cluster(session: &Session, steps: &mut Vec<Step>) -> bool {
    let version = session.client.apiserver_version().await;
    let version = version
        .map(|version| format!("{} is Kubernetes {}", session.server, version.git_version))
        .map_err(|error| session.explain(&error, "read the version of the API server"));
    if !add(steps, "API server", version) {
        return false;
    }
    let group = "clientele.dev/v1alpha1";
    let definitions = session.client.list_api_group_resources(group).await;
    let definitions = definitions
        .map(|list| format!("{} resources of {group}", list.resources.len()))
        .map_err(|error| session.explain(&error, "read the definitions"));
    add(steps, "definitions", definitions)
}

/// Rights, tenants, clients and people; the issuers of the tenants.
async fn objects(session: &Session, steps: &mut Vec<Step>) -> Vec<String> {
    add(steps, "rights", rights(session).await);
    steps.extend(root_key::steps(session).await);
    let tenants = session.list(Kind::Tenant).await;
    let listed = tenants.iter().flatten();
    let issuers = listed.map(|tenant| text(tenant, "/status/issuer").to_owned());
    let issuers = issuers.filter(|issuer| !issuer.is_empty()).collect();
    steps.push(all_ready("tenants", Kind::Tenant, tenants));
    for (name, kind) in [("clients", Kind::Client), ("people", Kind::User)] {
        steps.push(all_ready(name, kind, session.list(kind).await));
    }
    issuers
}

/// What people and applications reach.
async fn public(
    args: &TestFlags,
    issuers: &[String],
    steps: &mut Vec<Step>,
) -> Result<(), Failure> {
    let http = http(args)?;
    for issuer in issuers {
        let served = discover(&http, issuer).await;
        let served = served.map(|_| format!("{issuer} is served"));
        if add(steps, "public URL", served) {
            add(steps, "clock", clock(&http, issuer).await);
        }
    }
    Ok(())
}

fn failed(name: &'static str, failure: Failure) -> Step {
    Step::tried(name, Err(failure))
}

/// Whether everything of a kind works; what was suspended on purpose does.
fn all_ready(name_of: &'static str, kind: Kind, listed: Result<Vec<Value>, Failure>) -> Step {
    let result = listed.and_then(|objects| {
        let off = |object: &Value| matches!(reason(object), "Suspended" | "Disabled");
        let broken: Vec<&Value> = objects.iter().filter(|o| !is_ready(o) && !off(o)).collect();
        if broken.is_empty() {
            return Ok(format!(
                "{} of kind {}, all as they should be",
                objects.len(),
                kind.name()
            ));
        }
        let (broken, all) = (by_reason(&broken), objects.len());
        Err(Failure::new(format!("of {all} do not work: {broken}")))
    });
    Step::tried(name_of, result)
}

/// Each reason with the number of objects, one of them and the remedy; the worst first.
fn by_reason(broken: &[&Value]) -> String {
    let mut reasons: BTreeMap<(Severity, &str), Vec<&Value>> = BTreeMap::new();
    for object in broken {
        let reason = reason(object);
        let of_reason = reasons.entry((severity(reason), reason)).or_default();
        of_reason.push(object);
    }
    let each = reasons.iter().map(|((_, reason), objects)| {
        let place = match namespace(objects[0]) {
            "" => String::new(),
            namespace => format!("{namespace}/"),
        };
        let todo = remedy(reason).map_or("", |found| found.todo);
        let name = name(objects[0]);
        let (count, todo) = (objects.len(), todo.replace("NAME", name));
        format!("{count} by {reason}, such as {place}{name}: {todo}")
    });
    each.collect::<Vec<String>>().join("\n       ")
}

/// Whether this person may do what the other verbs need.
async fn rights(session: &Session) -> Result<String, Failure> {
    let reviews: Api<SelfSubjectAccessReview> = Api::all(session.client.clone());
    let namespace = (!session.all).then(|| session.namespace.clone());
    let needed = [
        ("list", "clientele.dev", "oauthclients"),
        ("patch", "clientele.dev", "oauthclients"),
        ("list", "clientele.dev", "oauthtenants"),
        ("get", "", "secrets"),
        ("list", "", "pods"),
    ];
    let mut missing = Vec::new();
    for (verb, group, resource) in needed {
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    namespace: namespace.clone(),
                    verb: Some(verb.to_owned()),
                    group: Some(group.to_owned()),
                    resource: Some(resource.to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let answer = reviews.create(&PostParams::default(), &review).await;
        let answer = answer.map_err(|error| session.explain(&error, "review your own rights"))?;
        if !answer.status.is_some_and(|status| status.allowed) {
            missing.push(format!("{verb} {resource}"));
        }
    }
    if missing.is_empty() {
        return Ok("you may list, change and read what the verbs need".to_owned());
    }
    Err(Failure::new(format!(
        "you may not {}; some verbs will say so. With a Role in one namespace, name it with -n",
        missing.join(", ")
    )))
}

/// Whether the clocks of the server and of this machine agree.
async fn clock(http: &Client, issuer: &str) -> Result<String, Failure> {
    let url = format!("{issuer}/.well-known/openid-configuration");
    let answer = http.get(&url).send().await;
    let answer = answer.map_err(|error| crate::issuer::unreachable_url(&url, &error))?;
    let date = answer
        .headers()
        .get("date")
        .and_then(|date| date.to_str().ok());
    let Some(server) =
        date.and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok())
    else {
        return Ok("the server tells no time".to_owned());
    };
    let apart = (jiff::Timestamp::now().as_second() - server.as_second()).abs();
    if apart <= SKEW {
        return Ok(format!("{apart} s apart"));
    }
    Err(Failure::new(format!(
        "the clocks of the server and of this machine are {apart} s apart; tokens and assertions are refused beyond {SKEW} s: correct the one that is wrong (NTP)"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_worst_reason_comes_first_and_each_has_its_remedy() {
        let client = |name: &str, reason: &str| {
            json!({
                "metadata": { "name": name, "namespace": "apps", "generation": 1 },
                "status": { "observedGeneration": 1, "conditions": [{ "type": "Ready", "status": "False", "reason": reason }] },
            })
        };
        let objects = vec![
            client("a", "ReplicasPending"),
            client("b", "ScopeNotFound"),
            client("c", "NamespaceNotAllowed"),
            client("d", "RootKeyUnavailable"),
            client("e", "ScopeNotFound"),
            client("f", "Suspended"),
        ];
        let step = all_ready("clients", Kind::Client, Ok(objects));
        let said = step.result.unwrap_err().to_string();
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            lines[0].starts_with("of 6 do not work: 1 by RootKeyUnavailable"),
            "{said}"
        );
        assert!(lines[1].contains("1 by NamespaceNotAllowed"), "{said}");
        assert!(
            lines[2].contains("2 by ScopeNotFound, such as apps/b: Correct"),
            "{said}"
        );
        assert!(lines[3].contains("ReplicasPending"), "{said}");
        assert_eq!(lines.len(), 4, "{said}");
    }
}
