//! The folder: manifests, Secrets apart, and the report.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use clientele_api::secret_ref::CLIENT_SECRET_TYPE;
use clientele_api::user::PASSWORD_TYPE;
use serde_json::{Value, json};

use super::model::{Field, Import, ImportedClient, ImportedUser, Verdict};
use super::tenant_patch;
use crate::failure::Failure;

/// What is the same for every source, and is to be known first.
const FIRST: [&str; 3] = [
    "The issuer URL can stay for one source: --public-url of the operator may have a path, such as that of a realm.",
    "Signing keys, refresh tokens, sessions and consents do not come along: people sign in once more.",
    "Nothing is guessed: what is not exact is listed with the reason and what to do.",
];

/// A file of the folder.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// The content.
    pub text: String,
    /// Whether no other user may read it.
    pub secret: bool,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "File({} bytes)", self.text.len())
    }
}

/// A manifest in the order in which manifests are applied.
#[derive(Clone)]
pub struct Manifest {
    /// Its path in the folder.
    pub path: String,
    /// The object.
    pub object: Value,
    /// Whether no other user may read it.
    pub secret: bool,
}

/// Every manifest: Secrets first, so that what refers to them works at once.
pub fn manifests(import: &Import) -> Vec<Manifest> {
    let written = import.clients.iter().filter(|client| client.spec.is_some());
    let secrets = written.clone().filter_map(client_secret);
    let passwords = import.users.iter().filter_map(password_secret);
    let clients = written.map(client_manifest);
    let users = import
        .users
        .iter()
        .filter(|user| user.spec.is_some())
        .map(user_manifest);
    secrets
        .chain(passwords)
        .chain(clients)
        .chain(users)
        .collect()
}

fn client_manifest(client: &ImportedClient) -> Manifest {
    Manifest {
        path: format!("clients/{}.{}.yaml", client.namespace, client.name),
        object: json!({
            "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
            "metadata": { "name": client.name, "namespace": client.namespace },
            "spec": client.spec,
        }),
        secret: false,
    }
}

fn client_secret(client: &ImportedClient) -> Option<Manifest> {
    let secret = client.secret.as_ref()?;
    let mut data = json!({ "client-secret": secret.current });
    if let Some(previous) = &secret.previous {
        data["previous-client-secret"] = previous.as_str().into();
    }
    Some(Manifest {
        path: format!("secrets/{}.{}.yaml", client.namespace, secret.name),
        object: json!({
            "apiVersion": "v1", "kind": "Secret", "type": CLIENT_SECRET_TYPE,
            "metadata": { "name": secret.name, "namespace": client.namespace },
            "stringData": data,
        }),
        secret: true,
    })
}

fn user_manifest(user: &ImportedUser) -> Manifest {
    Manifest {
        path: format!("users/{}.{}.yaml", user.namespace, user.name),
        object: json!({
            "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthUser",
            "metadata": { "name": user.name, "namespace": user.namespace },
            "spec": user.spec,
        }),
        secret: false,
    }
}

fn password_secret(user: &ImportedUser) -> Option<Manifest> {
    let hash = user.hash.as_ref()?;
    let name = format!("{}-password", user.name);
    Some(Manifest {
        path: format!("secrets/{}.{name}.yaml", user.namespace),
        object: json!({
            "apiVersion": "v1", "kind": "Secret", "type": PASSWORD_TYPE,
            "metadata": { "name": name, "namespace": user.namespace },
            "stringData": { "password": hash },
        }),
        secret: true,
    })
}

/// Every file by its path. The same for the same import. `tenant_patch`: what the tenant must allow, if anything.
pub fn files(
    import: &Import,
    tenant_patch: Option<String>,
    more: &[Field],
) -> Result<BTreeMap<String, File>, Failure> {
    let yaml = |value: &Value| {
        serde_yaml::to_string(value).map_err(|error| Failure::new(format!("no YAML: {error}")))
    };
    let mut files = BTreeMap::new();
    for manifest in manifests(import) {
        let file = File {
            text: yaml(&manifest.object)?,
            secret: manifest.secret,
        };
        files.insert(manifest.path, file);
    }
    if let Some(text) = tenant_patch {
        files.insert(
            tenant_patch::FILE.to_owned(),
            File {
                text,
                secret: false,
            },
        );
    }
    let report = serde_json::to_string_pretty(&report(import, more))
        .map_err(|error| Failure::new(format!("no JSON: {error}")))?;
    let text = report + "\n";
    files.insert(
        "report.json".to_owned(),
        File {
            text,
            secret: false,
        },
    );
    Ok(files)
}

/// The report. No secret is in it.
pub fn report(import: &Import, more: &[Field]) -> Value {
    let object = |origin: &str, to: Option<String>, id: Option<String>, fields: &[Field]| json!({ "from": origin, "to": to, "clientId": id, "fields": fields });
    let clients = import.clients.iter().map(|client| {
        let to = client
            .spec
            .as_ref()
            .map(|_| format!("clients/{}.{}.yaml", client.namespace, client.name));
        let id = to.is_some().then(|| client.client_id());
        object(&client.origin, to, id, &client.fields)
    });
    let users = import.users.iter().map(|user| {
        let to = user
            .spec
            .as_ref()
            .map(|_| format!("users/{}.{}.yaml", user.namespace, user.name));
        object(&user.origin, to, None, &user.fields)
    });
    let count = |verdict| {
        let more = more.iter().filter(|field| field.verdict == verdict).count();
        import.count(verdict) + more
    };
    json!({
        "source": import.source,
        "first": FIRST,
        "summary": {
            "clients": import.clients.iter().filter(|client| client.spec.is_some()).count(),
            "users": import.users.iter().filter(|user| user.spec.is_some()).count(),
            "exact": count(Verdict::Exact), "changed": count(Verdict::Changed), "lost": count(Verdict::Lost),
        },
        "skipped": import.skipped,
        "notes": import.notes.iter().chain(more).collect::<Vec<_>>(),
        "tenant": import.needs,
        "objects": clients.chain(users).collect::<Vec<_>>(),
    })
}

/// The folders that hold manifests.
const FOLDERS: [&str; 3] = ["clients", "secrets", "users"];

/// Writes the files. A folder that this program wrote before is replaced; another one is left alone.
pub fn write(folder: &Path, files: &BTreeMap<String, File>) -> Result<(), Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::new(format!("{} cannot be written: {error}", path.display()))
    };
    let is_ours = folder.join("report.json").exists();
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_ours && !is_empty {
        return Err(Failure::new(format!(
            "{} is not empty, and no report.json says that it is of an earlier import; name another folder with --out",
            folder.display()
        )));
    }
    let make = |path: &Path| {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| failed(path, error))
    };
    make(folder)?;
    for below in FOLDERS {
        let below = folder.join(below);
        for entry in fs::read_dir(&below).into_iter().flatten().flatten() {
            if entry
                .path()
                .extension()
                .is_some_and(|ending| ending == "yaml")
            {
                fs::remove_file(entry.path()).map_err(|error| failed(&entry.path(), error))?;
            }
        }
    }
    // An earlier import may have needed one.
    let _ = fs::remove_file(folder.join(tenant_patch::FILE));
    for (path, file) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            make(parent)?;
        }
        let _ = fs::remove_file(&path);
        let mode = if file.secret { 0o600 } else { 0o644 };
        let opened = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path);
        let written = opened.and_then(|mut to| to.write_all(file.text.as_bytes()));
        written.map_err(|error| failed(&path, error))?;
    }
    Ok(())
}
