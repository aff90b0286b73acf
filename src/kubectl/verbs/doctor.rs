//! `doctor`: what is wrong with the installation, from the kubeconfig to the public URL.

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
use crate::objects::{Kind, is_ready, name, reason, text};
use crate::output::Output;
use crate::remedies::remedy;

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
    steps.push(Step { name, result });
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
    Step {
        name,
        result: Err(failure),
    }
}

/// Whether everything of a kind works; what was suspended on purpose does.
fn all_ready(name_of: &'static str, kind: Kind, listed: Result<Vec<Value>, Failure>) -> Step {
    let result = listed.and_then(|objects| {
        let off = |object: &Value| matches!(reason(object), "Suspended" | "Disabled");
        let broken: Vec<&Value> = objects.iter().filter(|o| !is_ready(o) && !off(o)).collect();
        let Some(first) = broken.first() else {
            return Ok(format!(
                "{} of kind {}, all as they should be",
                objects.len(),
                kind.name()
            ));
        };
        let remedy = remedy(reason(first)).map_or("", |found| found.todo);
        Err(Failure::new(format!(
            "{} of {} do not work, such as {} ({}): {}",
            broken.len(),
            objects.len(),
            name(first),
            reason(first),
            remedy.replace("NAME", name(first))
        )))
    });
    Step {
        name: name_of,
        result,
    }
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
