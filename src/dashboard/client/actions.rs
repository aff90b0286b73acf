//! Rotate, suspend and resume.

use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::shared::{can_rotate, is_published, rotation_patch};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::frame::read;
use super::owner::{Owner, owner};
use super::spec;
use crate::cluster::{Kind, Mode};
use crate::form::{Fields, Form};
use crate::page::{client_path, see_other};
use crate::person::Caller;
use crate::problem::Problem;

/// How long a leaked secret is waited for, so that `maxOverlap` can be set back.
const PATIENCE: Duration = Duration::from_secs(15);

/// Requests a rotation; with the field `leaked` the old secret stops at once.
pub async fn rotate(
    person: Caller,
    Path(of): Path<(String, String)>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    person.must_write()?;
    let client = read(&person, &of).await?;
    can_rotate(&client).map_err(|failure| {
        Problem::bad_request(format!("{failure}."), "Go back to the page of the client.")
    })?;
    let leaked = fields.has("leaked");
    let now = jiff::Timestamp::now();
    let request = now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    let done = if leaked {
        let replacing = replace(person.clone(), of.clone(), request.clone(), client);
        // A task, because a browser that goes away ends the request.
        let replaced = tokio::spawn(replacing).await;
        replaced.unwrap_or(Ok("leaked-pending"))?
    } else {
        patch(&person, &of, &rotation_patch(&request, false)).await?;
        "rotate"
    };
    person.rows.forget();
    let rest = format!("/credentials?done={done}&request={request}");
    Ok(see_other(&person, &client_path(&of.0, &of.1, &rest)))
}

/// Requests a new secret without an overlap and waits for it, then sets `maxOverlap` as it was. Returns what the page says about it.
async fn replace(
    person: Caller,
    of: (String, String),
    request: String,
    client: Value,
) -> Result<&'static str, Problem> {
    patch(&person, &of, &rotation_patch(&request, true)).await?;
    if !published(&person, &of, &request).await {
        return Ok("leaked-pending");
    }
    // 0s may be what an earlier press has left: then the former value is not known.
    if spec::has_no_overlap(&client) {
        return Ok("leaked");
    }
    let former = client.pointer("/spec/rotation/maxOverlap");
    let former = json!({ "spec": { "rotation": { "maxOverlap": former } } });
    match patch(&person, &of, &former).await {
        Ok(_) => Ok("leaked"),
        Err(_) => Ok("leaked-kept"),
    }
}

/// Waits until the request is answered and the new secret is in the Secret.
async fn published(person: &Caller, of: &(String, String), request: &str) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match read(person, of).await {
            Ok(client) if is_published(&client, request) => return true,
            _ => sleep(Duration::from_millis(200)).await,
        }
    }
    false
}

/// Refuses every request of the client and keeps everything.
pub async fn suspend(
    person: Caller,
    Path(of): Path<(String, String)>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    set_suspended(&person, &of, &fields, true).await
}

/// Ends that.
pub async fn resume(
    person: Caller,
    Path(of): Path<(String, String)>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    set_suspended(&person, &of, &fields, false).await
}

async fn set_suspended(
    person: &Caller,
    of: &(String, String),
    fields: &Fields,
    suspended: bool,
) -> Result<Response, Problem> {
    person.must_write()?;
    let client = read(person, of).await?;
    let guard = owner(&client).filter(|owner| owner.owns("suspended"));
    if let (Some(owner), false) = (guard, fields.has("anyway")) {
        return Err(must_confirm(&owner, suspended));
    }
    // Without the field the client is not suspended.
    let value = if suspended { json!(true) } else { Value::Null };
    patch(person, of, &json!({ "spec": { "suspended": value } })).await?;
    person.rows.forget();
    Ok(see_other(person, &client_path(&of.0, &of.1, "")))
}

fn must_confirm(owner: &Owner, suspended: bool) -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_REQUIRED,
        format!(
            "{} writes spec.suspended of this client: {}. Nothing was changed.",
            owner.name(),
            owner.reverts
        ),
        format!(
            "Set `spec.suspended: {suspended}` in the manifest that {} applies, or go back and tick “Change it here anyway”.",
            owner.tool
        ),
    )
}

async fn patch(person: &Caller, of: &(String, String), patch: &Value) -> Result<Value, Problem> {
    let cluster = &person.cluster;
    cluster
        .patch(Kind::Client, &of.0, &of.1, patch, Mode::Store)
        .await
}
