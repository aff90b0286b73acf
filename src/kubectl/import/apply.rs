//! Manifests → the cluster: a dry run of each, and with `--apply` the writes.

use futures::{StreamExt, stream};
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::{Api, core::ApiResource};
use serde_json::Value;

use super::folder::Manifest;
use super::model::{Field, Verdict};
use crate::connect::Session;
use crate::failure::Failure;
use crate::objects::{Kind, name, namespace, resource, text};

/// The manager of the fields that an import writes.
const IMPORTER: &str = "kubectl-clientele-import";
/// How many requests are on their way at once.
const AT_ONCE: usize = 16;

/// Asks the API server about each manifest; what it refuses is returned.
pub async fn check(session: &Session, manifests: &[Manifest]) -> Result<Vec<Field>, Failure> {
    send(session, manifests, true).await
}

/// Writes each manifest; what the API server refuses is returned.
pub async fn apply(session: &Session, manifests: &[Manifest]) -> Result<Vec<Field>, Failure> {
    // Secrets come first in the list, and everything else refers to them.
    let (secrets, others): (Vec<Manifest>, Vec<Manifest>) = manifests
        .iter()
        .cloned()
        .partition(|manifest| manifest.secret);
    let mut refused = send(session, &secrets, false).await?;
    refused.extend(send(session, &others, false).await?);
    Ok(refused)
}

async fn send(
    session: &Session,
    manifests: &[Manifest],
    dry_run: bool,
) -> Result<Vec<Field>, Failure> {
    let requests = manifests
        .iter()
        .map(|manifest| one(session, manifest, dry_run));
    let answers: Vec<Result<Option<Field>, Failure>> =
        stream::iter(requests).buffered(AT_ONCE).collect().await;
    let mut refused = Vec::new();
    for answer in answers {
        refused.extend(answer?);
    }
    Ok(refused)
}

async fn one(
    session: &Session,
    manifest: &Manifest,
    dry_run: bool,
) -> Result<Option<Field>, Failure> {
    let object = &manifest.object;
    let of = resource_of(object);
    let api: Api<DynamicObject> =
        Api::namespaced_with(session.client.clone(), namespace(object), &of);
    let mut params = PatchParams::apply(IMPORTER).validation_strict();
    if dry_run {
        params = params.dry_run();
    }
    let answer = api
        .patch(name(object), &params, &Patch::Apply(object))
        .await;
    match answer {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 404 | 409 | 422) => {
            let todo = match status.code {
                404 if status.message.contains("namespaces") => {
                    format!("kubectl create namespace {}", namespace(object))
                }
                404 => "install the definitions of Clientele (the chart)".to_owned(),
                409 => "another field manager owns these fields: delete that object, or import under another name".to_owned(),
                _ => "correct the manifest as the API server says".to_owned(),
            };
            Ok(Some(Field {
                field: manifest.path.clone(),
                verdict: Verdict::Lost,
                to: None,
                why: status.message.clone(),
                todo,
            }))
        }
        Err(error) => {
            let what = format!("patch {} in namespace {}", of.plural, namespace(object));
            Err(session.explain(&error, &what))
        }
    }
}

fn resource_of(object: &Value) -> ApiResource {
    match Kind::parse(text(object, "/kind")) {
        Some(kind) => resource(clientele_api::GROUP, "v1alpha1", kind.name(), kind.plural()),
        None => resource("", "v1", "Secret", "secrets"),
    }
}
