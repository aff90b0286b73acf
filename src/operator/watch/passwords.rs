//! The watch of Secrets with passwords, and the hashing of those that are plaintexts.

use std::sync::Arc;
use std::time::Duration;

use clientele_api::user::PASSWORD_TYPE;
use clientele_oauth::user::password;
use clientele_oauth::user::password::memory::HashingMemory;
use clientele_telemetry::workers::Workers;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use tokio::sync::mpsc::UnboundedReceiver;

use super::secrets::{SecretHandles, Watched};
use crate::cache::hash_queue::HashQueue;
use crate::cache::password_requests::{PasswordRequests, SecretName};
use crate::cache::passwords::Job;
use crate::cache::progress::Readiness;
use crate::domain::user::password::Hash;

/// How soon a read that failed is repeated.
const RETRY: Duration = Duration::from_secs(3);

/// The Secrets with passwords. The type is how one opts in, so others are not even sent to us.
pub const PASSWORDS: Watched = Watched {
    what: "Secrets with passwords",
    selected: |params| params.fields(&format!("type={PASSWORD_TYPE}")),
    namespaces: |handles| handles.cache.passwords.namespaces(),
    doubted: true,
    names: |handles, namespace| handles.cache.passwords.names(namespace),
    put: |handles, secret| {
        if secret.type_.as_deref() == Some(PASSWORD_TYPE) {
            handles
                .passwords
                .hash_later(handles.cache.passwords.put(secret));
        }
    },
    forget: |handles, namespace, name| handles.cache.passwords.forget(namespace, name),
    set_access: |handles, namespace, access| handles.cache.passwords.set_access(namespace, access),
    // Their verdict is another one then.
    concerned: |_, _| Vec::new(),
    changed: |handles| handles.rebuild.request(),
};

/// Keeps the index of passwords true, for ever.
pub async fn watch(handles: Arc<SecretHandles>, readiness: Arc<Readiness>) {
    let mut progress = readiness.subscribe();
    // Which entries of a Secret are read follows from who refers to it.
    let _ = progress.wait_for(|progress| progress.users).await;
    super::secrets::watch(handles, &PASSWORDS).await;
}

/// Reads Secrets once more of which another entry is needed, for ever.
pub async fn reread(handles: Arc<SecretHandles>, mut reads: UnboundedReceiver<SecretName>) {
    while let Some((namespace, name)) = reads.recv().await {
        let api: Api<Secret> = Api::namespaced(handles.context.kube.clone(), &namespace);
        match api.get_opt(&name).await {
            Ok(Some(secret)) => handles
                .passwords
                .hash_later(handles.cache.passwords.put_again(&secret)),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, namespace, name, "could not read a Secret with a password, will retry");
                tokio::spawn(ask_later(handles.passwords.clone(), (namespace, name)));
                continue;
            }
        }
        handles.rebuild.request();
    }
}

/// Others need not wait for a Secret that cannot be read.
async fn ask_later(requests: Arc<PasswordRequests>, name: SecretName) {
    tokio::time::sleep(RETRY).await;
    requests.read_later(name);
}

/// How many plaintexts are hashed at once. People who sign in have threads of their own.
const MAX_HASHING_THREADS: usize = 2;

/// Hashes plaintexts, one or two at once and not on the threads that serve, until the end.
pub async fn hash(handles: Arc<SecretHandles>, jobs: Arc<HashQueue>) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (processors / 2).clamp(1, MAX_HASHING_THREADS);
    let workers = Workers::new("hash-manifests", threads);
    let loops = (0..threads).map(|_| async {
        loop {
            let wanted = |entry: &_| handles.cache.passwords.is_wanted(entry);
            let job = jobs.next(wanted).await;
            hash_one(&handles, &workers, job).await;
        }
    });
    futures::future::join_all(loops).await;
}

async fn hash_one(handles: &SecretHandles, workers: &Workers<HashingMemory>, job: Job) {
    let Job {
        entry,
        fingerprint,
        plaintext,
    } = job;
    let hashed = workers.run(move |memory| {
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).ok()?;
        password::hash_with(memory, &plaintext, &salt)
    });
    let hash = match hashed.await {
        Some(Some(hash)) => Hash::Ready(hash),
        _ => Hash::Unusable("could not be hashed"),
    };
    handles.cache.passwords.hashed(&entry, fingerprint, hash);
    handles.rebuild.request();
}
