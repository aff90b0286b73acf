//! Sets the password of a person. It is hashed here: the API server stores the hash.

use axum::extract::Path;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_api::user::PASSWORD_TYPE;
use clientele_kubectl::shared::{generated, name, password_entry_of, password_secret_of, phc};
use serde_json::{Value, json};

use super::page;
use crate::cluster::{Kind, Mode};
use crate::form::Form;
use crate::person::Caller;
use crate::problem::Problem;

/// What became of a password, for the page of the person.
#[derive(Clone, Debug, Default)]
pub struct PasswordView {
    /// The generated password, which only this response holds.
    pub generated: Option<String>,
    /// Whether it was set.
    pub done: bool,
    /// Why not; empty if it was, or if nothing was asked.
    pub wrong: String,
}

/// `POST /users/{namespace}/{name}/password`
pub async fn submit(
    person: Caller,
    Path(of): Path<(String, String)>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    person.must_write()?;
    let user = person.cluster.get(Kind::User, &of.0, &of.1).await?;
    let generate = fields.has("generate");
    let password = if generate {
        generated().map_err(|failure| failure.to_string())
    } else {
        Ok(fields.get("password").to_owned())
    };
    let view = match hashed(password).await {
        Ok((password, hash)) => {
            store(&person, &of.0, &user, &hash).await?;
            PasswordView {
                generated: generate.then_some(password),
                done: true,
                wrong: String::new(),
            }
        }
        Err(wrong) => PasswordView {
            wrong,
            ..PasswordView::default()
        },
    };
    let user = person.cluster.get(Kind::User, &of.0, &of.1).await?;
    page(&person, &user, view).await
}

/// The password with its hash, which takes a moment, off the threads that answer requests.
async fn hashed(password: Result<String, String>) -> Result<(String, String), String> {
    let password = password?;
    let hashing = tokio::task::spawn_blocking(move || {
        let hash = phc(&password).map_err(|failure| format!("{failure}."));
        hash.map(|hash| (password, hash))
    });
    hashing.await.map_err(|error| error.to_string())?
}

/// Writes the hash into the person's Secret, and the reference to it if there is none yet.
async fn store(person: &Caller, namespace: &str, user: &Value, hash: &str) -> Result<(), Problem> {
    let cluster = &person.cluster;
    let (secret, is_new) = password_secret_of(user);
    // A type cannot change, so the API server refuses a Secret that is not one for passwords.
    let entry = password_entry_of(user);
    let data = json!({ "type": PASSWORD_TYPE, "data": { entry: STANDARD.encode(hash) } });
    let patched = cluster
        .patch(Kind::Secret, namespace, &secret, &data, Mode::Store)
        .await;
    match patched {
        Err(problem) if problem.status == axum::http::StatusCode::NOT_FOUND => {
            let object = json!({
                "apiVersion": "v1", "kind": "Secret", "type": PASSWORD_TYPE,
                "metadata": { "name": secret, "namespace": namespace }, "data": data["data"],
            });
            cluster
                .create(Kind::Secret, namespace, &object, Mode::Store)
                .await?;
        }
        patched => {
            patched?;
        }
    }
    if is_new {
        let reference = json!({ "spec": { "passwordSecretRef": { "name": secret } } });
        cluster
            .patch(Kind::User, namespace, name(user), &reference, Mode::Store)
            .await?;
    }
    Ok(())
}
