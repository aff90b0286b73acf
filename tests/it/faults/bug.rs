//! Operators with a bug, made of the right one by what is done to its requests: the wrong orders of writes, and the defects
//! of others (`peers.md` section 5). They exist to show that the exhaustive runs can fail.

use axum::body::Body as AnyBody;
use axum::http::{Method, Request, Response, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clientele_oauth::keys::root_keyring::Registration;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::call::Call;
use super::fault_proxy::FaultProxy;
use super::normalized_snapshot::{looks_like_one, text};
use super::root_keys::{Keys, with_others_withdrawn};
use super::wire::Answer;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Says Ready before the Secret is written.
    StatusFirst,
    /// Replaces a Secret without UID and resource version (kaniop's lease).
    NoPrecondition,
    /// Overwrites a Secret that is there already (kaniop, pocket, zit).
    Overwrites,
    /// Deletes by name alone.
    BlindDelete,
    /// Takes a Secret that could not be created for created (hydra-maester).
    SwallowsFailures,
    /// Does not repair (hydra-maester, vdm).
    NeverRepairs,
    /// Leaves the owner away (zit).
    NoOwner,
    /// Leaves the ledger out of the status.
    LosesTheLedger,
    /// Does not see that an object is going.
    DeafToDeletion,
    /// Deletes and creates instead of replacing (hydra-maester's unregister).
    DeletesThenCreates,
    /// Makes a new value at every write.
    RandomValue,
    /// Says again and again how it is, each time in other words.
    Chatters,
    /// Leaves the Secret of a former name behind.
    ForgetsFormerNames,
    /// Quotes the Secret in a message (EPAM).
    QuotesTheSecret,
    /// Does not write down which request it has answered (kaniop: rotates again).
    ForgetsRequests,
    /// Publishes the generation before the one that was asked for.
    PublishesTheFormer,
    /// Retires the old generation when it asks for the next.
    RetiresFirst,
    /// Withdraws the former root key as soon as it knows of another.
    DropsTheFormerKey,
    /// Withdraws root keys before there is another; what is wrong is the command.
    WithdrawsFirst,
}

impl Bug {
    /// Whether the policies of the chart would stop it, so that it is played by an administrator.
    pub fn needs_all_rights(self) -> bool {
        matches!(self, Self::Overwrites | Self::BlindDelete)
    }

    /// A write of an operator with this bug.
    pub async fn write(self, proxy: &FaultProxy, call: Call, request: Request<Bytes>) -> Answer {
        let published = call.is_secret("create") || call.is_secret("replace");
        let ours = call.kind == "oauthclients" && call.is_status();
        match self {
            Self::StatusFirst if published => {
                let answer = pretended(&call, request.body());
                proxy.run.stash((call, request));
                answer
            }
            Self::StatusFirst if ours => {
                let answer = proxy.numbered(&call, request).await;
                if let Some((call, request)) = proxy.run.stashed() {
                    proxy.numbered(&call, request).await?;
                }
                answer
            }
            Self::Overwrites if call.is_secret("create") => overwrite(proxy, &call, request).await,
            Self::SwallowsFailures if call.is_secret("create") => {
                let pretended = pretended(&call, request.body());
                let answer = proxy.numbered(&call, request).await?;
                if answer.status().is_server_error() { pretended } else { Ok(answer) }
            }
            Self::NeverRepairs if call.is_secret("replace") => pretended(&call, request.body()),
            Self::ForgetsFormerNames if call.is_secret("delete") => {
                Ok(Response::new(AnyBody::from(json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success" }).to_string())))
            }
            Self::DeletesThenCreates if call.is_secret("replace") => delete_then_create(proxy, &call, request).await,
            Self::Chatters if ours => {
                let again = changed(&request, |status| {
                    let message = &mut status["status"]["conditions"][0]["message"];
                    *message = json!(text(message) + ", really");
                });
                proxy.numbered(&call, request).await?;
                proxy.numbered(&call, again).await
            }
            _ => proxy.numbered(&call, self.altered(proxy, &call, request)).await,
        }
    }

    /// What is written in place of what is right.
    fn altered(self, proxy: &FaultProxy, call: &Call, request: Request<Bytes>) -> Request<Bytes> {
        let published = call.is_secret("create") || call.is_secret("replace");
        let ours = call.kind == "oauthclients" && call.is_status();
        match self {
            Self::NoPrecondition if published => changed(&request, |secret| {
                let meta = secret["metadata"].as_object_mut().unwrap();
                meta.remove("uid");
                meta.remove("resourceVersion");
            }),
            Self::BlindDelete if call.verb == "delete" => {
                changed(&request, |options| *options = json!({}))
            }
            Self::NoOwner if published => changed(&request, |secret| {
                secret["metadata"]
                    .as_object_mut()
                    .unwrap()
                    .remove("ownerReferences");
            }),
            Self::LosesTheLedger if ours => changed(&request, |status| {
                status["status"]
                    .as_object_mut()
                    .unwrap()
                    .remove("secretGeneration");
            }),
            Self::RandomValue if published => changed(&request, |secret| {
                for (_, value) in secret["data"].as_object_mut().unwrap() {
                    if looks_like_one(&decoded(value)) {
                        *value =
                            json!(STANDARD.encode(format!("clt_{:?}", std::time::Instant::now())));
                    }
                }
            }),
            Self::QuotesTheSecret if ours => changed(&request, |status| {
                let published = proxy.run.published();
                let value = published.last().map(|known| known.value.clone());
                status["status"]["conditions"][0]["message"] = json!(value.unwrap_or_default());
            }),
            Self::ForgetsRequests if ours => changed(&request, |status| {
                if let Some(rotation) = status["status"]["rotation"].as_object_mut() {
                    rotation.remove("lastHandledRequestId");
                }
            }),
            Self::PublishesTheFormer if published => changed(&request, |secret| {
                for (_, value) in secret["data"].as_object_mut().unwrap() {
                    if let Some(former) = former(proxy, &decoded(value)) {
                        *value = json!(STANDARD.encode(former));
                    }
                }
            }),
            Self::DropsTheFormerKey if call.kind == "configmaps" => changed(&request, |marks| {
                let current = Keys::of(&proxy.run.history.live()).current;
                *marks = with_others_withdrawn(marks, &current);
            }),
            Self::RetiresFirst if ours => changed(&request, |status| {
                let ledger = &mut status["status"]["secretGeneration"];
                if ledger.is_object() {
                    ledger["oldestAccepted"] = ledger["requested"].clone();
                }
            }),
            _ => request,
        }
    }

    /// What an operator with this bug takes a list or an object for.
    pub async fn read(self, response: Response<AnyBody>) -> Answer {
        if self != Self::DeafToDeletion {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut object: Value = serde_json::from_slice(&body)?;
        for item in object["items"].as_array_mut().into_iter().flatten() {
            forget_deletion(item);
        }
        forget_deletion(&mut object);
        Ok(Response::from_parts(
            parts,
            AnyBody::from(object.to_string()),
        ))
    }

    /// What an operator with this bug takes an event for.
    pub fn hear(self, event: String) -> String {
        if self != Self::DeafToDeletion {
            return event;
        }
        let mut event: Value = serde_json::from_str(&event).unwrap();
        forget_deletion(&mut event["object"]);
        event.to_string()
    }
}

/// The credential of the same client in the generation before.
fn former(proxy: &FaultProxy, value: &str) -> Option<String> {
    let run = &proxy.run;
    let known = run.recognize(value, &run.registered())?;
    let registration = Registration {
        client_id: &known.whose.client_id,
        client_uid: &known.whose.uid,
    };
    let generation = known
        .generation
        .checked_sub(1)
        .filter(|generation| *generation > 0)?;
    let keyring = run.keyring();
    Some(keyring.derive(registration, generation).expose().to_owned())
}

fn forget_deletion(object: &mut Value) {
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("deletionTimestamp");
    }
}

fn decoded(value: &Value) -> String {
    let bytes = STANDARD.decode(value.as_str().unwrap_or_default());
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

/// The request with another body.
fn changed(request: &Request<Bytes>, change: impl FnOnce(&mut Value)) -> Request<Bytes> {
    let mut body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    change(&mut body);
    let mut other = request.clone();
    *other.body_mut() = body.to_string().into();
    other.headers_mut().remove("content-length");
    other
}

/// An answer that no server gave: it was written.
fn pretended(call: &Call, body: &[u8]) -> Answer {
    let mut object: Value = serde_json::from_slice(body).map_err(BoxError::from)?;
    let meta = &mut object["metadata"];
    if call.verb == "create" {
        meta["uid"] = json!("00000000-0000-0000-0000-000000000000");
        meta["resourceVersion"] = json!("1");
        meta["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    }
    Ok(Response::new(AnyBody::from(object.to_string())))
}

/// The same object by another verb at another place.
fn moved(request: &Request<Bytes>, method: Method, name: &str) -> Request<Bytes> {
    let mut other = request.clone();
    let path = request.uri().path();
    let collection = path.split("/secrets").next().unwrap_or_default();
    let place = if name.is_empty() {
        String::new()
    } else {
        format!("/{name}")
    };
    *other.method_mut() = method;
    *other.uri_mut() = format!("{collection}/secrets{place}")
        .parse::<Uri>()
        .unwrap();
    other
}

async fn overwrite(proxy: &FaultProxy, call: &Call, request: Request<Bytes>) -> Answer {
    let over = moved(&request, Method::PUT, &call.name);
    let created = proxy.numbered(call, request).await?;
    if created.status() != 409 {
        return Ok(created);
    }
    let call = Call {
        verb: "replace",
        ..call.clone()
    };
    proxy.numbered(&call, over).await
}

async fn delete_then_create(proxy: &FaultProxy, call: &Call, request: Request<Bytes>) -> Answer {
    let mut delete = moved(&request, Method::DELETE, &call.name);
    *delete.body_mut() = Bytes::from_static(b"{}");
    let create = changed(&moved(&request, Method::POST, ""), |secret| {
        let meta = secret["metadata"].as_object_mut().unwrap();
        for stored in ["uid", "resourceVersion", "creationTimestamp"] {
            meta.remove(stored);
        }
    });
    proxy
        .numbered(
            &Call {
                verb: "delete",
                ..call.clone()
            },
            delete,
        )
        .await?;
    proxy
        .numbered(
            &Call {
                verb: "create",
                ..call.clone()
            },
            create,
        )
        .await
}
