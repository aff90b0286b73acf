//! Compares the definitions in the cluster with those of this program, now and every few minutes.
//!
//! The API server publishes their schemas for everyone who may talk to it, so no right is needed. Where they cannot be
//! read, nothing is concluded.

use std::sync::Arc;
use std::time::Duration;

use kube::api::{ListParams, Request};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::cache::Cache;
use crate::context::Context;
use crate::domain::definitions::{Age, REMEDY, age};

/// The schemas of our group (`OpenAPI` 3).
const SCHEMAS: &str = "/openapi/v3/apis/clientele.dev/v1alpha1";
/// How often they are read.
const EVERY: Duration = Duration::from_mins(5);
/// How soon they are read again while they are old, or cannot be read.
const SOON: Duration = Duration::from_secs(10);
/// The API server publishes a new definition a moment after it serves it: old ones are believed at the second look.
const CONFIRM: Duration = Duration::from_secs(3);
/// The API server has so much time to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How many fields a message names.
const NAMED: usize = 5;

/// Compares until the end.
pub async fn compare(context: Arc<Context>, cache: Arc<Cache>) {
    let mut said = Age::Current;
    loop {
        let Some(age) = confirmed(&context.kube).await else {
            sleep(SOON).await;
            continue;
        };
        let is_outdated = age != Age::Current;
        context.metrics.definitions_outdated.set(is_outdated.into());
        cache.definitions.judged(match &age {
            Age::Older(fields) => Some(too_old(fields)),
            _ => None,
        });
        if !is_outdated {
            cache.definitions.are_current();
        }
        if said != age {
            report(&age);
            said = age;
        }
        sleep(if is_outdated { SOON } else { EVERY }).await;
    }
}

async fn confirmed(kube: &kube::Client) -> Option<Age> {
    let first = read(kube).await?;
    if first == Age::Current {
        return Some(first);
    }
    sleep(CONFIRM).await;
    let second = read(kube).await?;
    (first == second || second == Age::Current).then_some(second)
}

async fn read(kube: &kube::Client) -> Option<Age> {
    let request = Request::new(SCHEMAS).list(&ListParams::default()).ok()?;
    let document: Value = match timeout(ANSWER, kube.request(request)).await {
        Ok(Ok(document)) => document,
        Ok(Err(error)) => {
            tracing::debug!(%error, "the schemas of our kinds cannot be read");
            return None;
        }
        Err(_) => return None,
    };
    let schemas = &document["components"]["schemas"];
    age(|kind| schemas.get(format!("dev.clientele.v1alpha1.{kind}")))
}

fn too_old(fields: &[String]) -> String {
    format!(
        "the CustomResourceDefinitions in the cluster are older than this version can work with (without {}): {REMEDY}",
        named(fields)
    )
}

fn report(age: &Age) {
    match age {
        Age::Current => tracing::info!("the CustomResourceDefinitions are those of this version"),
        Age::OneBefore(fields) => tracing::warn!(
            "the CustomResourceDefinitions are those of the release before: these fields cannot be used and are not written: {}; {REMEDY}",
            named(fields)
        ),
        Age::Older(fields) => tracing::error!("{}", too_old(fields)),
    }
}

fn named(fields: &[String]) -> String {
    let shown = &fields[..fields.len().min(NAMED)];
    match fields.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
