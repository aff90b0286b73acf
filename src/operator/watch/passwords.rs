//! The watch of Secrets with passwords, and the hashing of those that are plaintexts.

use std::sync::Arc;
use std::time::Duration;

use clientele_api::user::PASSWORD_TYPE;
use clientele_oauth::user::password;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::secrets::Watched;
use crate::cache::passwords::Job;
use crate::context::Shared;
use crate::domain::user::password::Hash;

/// How soon a read that failed is repeated.
const RETRY: Duration = Duration::from_secs(3);

/// The Secrets with passwords. The type is how one opts in, so others are not even sent to us.
pub const PASSWORDS: Watched = Watched {
    what: "Secrets with passwords",
    selected: |config| config.fields(&format!("type={PASSWORD_TYPE}")),
    namespaces: |shared| shared.passwords.namespaces(),
    doubted: true,
    names: |shared, namespace| shared.passwords.names(namespace),
    put: |shared, secret| {
        if secret.type_.as_deref() == Some(PASSWORD_TYPE) {
            hash_all(shared, shared.passwords.put(secret));
        }
    },
    forget: |shared, namespace, name| shared.passwords.forget(namespace, name),
    set_access: |shared, namespace, access| shared.passwords.set_access(namespace, access),
    changed: |shared| shared.changed.notify_one(),
};

/// Keeps the index of passwords true, for ever.
pub async fn watch(shared: Arc<Shared>) {
    let mut progress = shared.progress.subscribe();
    // What is looked at in a Secret follows from who refers to it.
    let _ = progress.wait_for(|progress| progress.users).await;
    super::secrets::watch(shared, &PASSWORDS).await;
}

fn hash_all(shared: &Shared, jobs: Vec<Job>) {
    for job in jobs {
        // Fails only when the controller has ended, and then nobody signs in.
        let _ = shared.password_jobs.send(job);
    }
}

/// Reads Secrets once more of which another entry is needed, for ever.
pub async fn read_again(shared: Arc<Shared>, mut reads: UnboundedReceiver<(String, String)>) {
    while let Some((namespace, name)) = reads.recv().await {
        let api: Api<Secret> = Api::namespaced(shared.kube.clone(), &namespace);
        match api.get_opt(&name).await {
            Ok(Some(secret)) => hash_all(&shared, shared.passwords.put_again(&secret)),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, namespace, name, "a Secret with a password could not be read; trying again");
                tokio::spawn(ask_later(shared.password_reads.clone(), (namespace, name)));
                continue;
            }
        }
        shared.changed.notify_one();
    }
}

/// Others need not wait for a Secret that cannot be read.
async fn ask_later(reads: UnboundedSender<(String, String)>, name: (String, String)) {
    tokio::time::sleep(RETRY).await;
    // Fails only when the controller has ended, and then nobody signs in.
    let _ = reads.send(name);
}

/// Hashes plaintexts, a few at once and not on the threads that serve, for ever.
pub async fn hash(shared: Arc<Shared>, mut jobs: UnboundedReceiver<Job>) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    futures::stream::poll_fn(move |context| jobs.poll_recv(context))
        .for_each_concurrent((processors / 2).max(1), |job| hash_one(&shared, job))
        .await;
}

async fn hash_one(shared: &Shared, job: Job) {
    let Job {
        place,
        fingerprint,
        plaintext,
    } = job;
    let hashed = tokio::task::spawn_blocking(move || {
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).ok()?;
        password::hash(&plaintext, &salt)
    });
    let hash = match hashed.await {
        Ok(Some(hash)) => Hash::Ready(hash),
        _ => Hash::Unusable("could not be hashed"),
    };
    shared.passwords.hashed(&place, fingerprint, hash);
    shared.changed.notify_one();
}
