//! The connection to the API server by kubectl's flags, and what its refusals mean.

use std::error::Error;

use clientele_api::GROUP;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::Status;
use kube::{Client, Config};

use crate::args::ClusterFlags;
use crate::failure::Failure;

/// A connection, and the namespace that is meant.
pub struct Session {
    /// The connection.
    pub client: Client,
    /// The namespace of the flag, else of the context, else `default`.
    pub namespace: String,
    /// Whether all namespaces are meant.
    pub all: bool,
    /// The address of the API server, for messages.
    pub server: String,
}

/// Makes aws-lc-rs the TLS cryptography of the process.
pub fn install_crypto_provider() {
    // Fails only if a provider is installed already, which then serves as well.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

impl Session {
    /// Reads the kubeconfig and prepares the connection. Nothing is sent yet.
    pub async fn open(flags: &ClusterFlags) -> Result<Self, Failure> {
        let config = config(flags).await?;
        let server = config.cluster_url.to_string();
        let namespace = flags
            .namespace
            .clone()
            .unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|error| {
            Failure::new(format!(
                "the kubeconfig cannot be used for {server}: {}; sign in to the cluster again, or choose another context with --context",
                chain(&error)
            ))
        })?;
        Ok(Self {
            client,
            namespace,
            all: flags.all_namespaces,
            server,
        })
    }

    /// What a refusal means. `what` completes "you may not …", such as "list oauthclients in namespace web".
    pub fn explain(&self, error: &kube::Error, what: &str) -> Failure {
        explain(error, what, &self.server)
    }
}

/// The namespace that is meant: of the flag, else of the context, else `default`. Without a kubeconfig there is no context.
pub async fn namespace(flags: &ClusterFlags) -> Result<String, Failure> {
    if let Some(namespace) = &flags.namespace {
        return Ok(namespace.clone());
    }
    let named = flags.kubeconfig.is_some() || flags.context.is_some();
    match config(flags).await {
        Ok(config) => Ok(config.default_namespace),
        Err(failure) if named => Err(failure),
        Err(_) => Ok("default".to_owned()),
    }
}

async fn config(flags: &ClusterFlags) -> Result<Config, Failure> {
    let options = KubeConfigOptions {
        context: flags.context.clone(),
        cluster: None,
        user: None,
    };
    let read = match &flags.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let kubeconfig = match read {
        Ok(kubeconfig) => kubeconfig,
        // In a pod there is no kubeconfig.
        Err(error) => {
            let usable = flags.kubeconfig.is_none() && flags.context.is_none();
            let inside = usable.then(Config::incluster).and_then(Result::ok);
            return inside.ok_or_else(|| no_kubeconfig(&error));
        }
    };
    let contexts: Vec<String> = kubeconfig.contexts.iter().map(|c| c.name.clone()).collect();
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| bad_context(&error, flags.context.as_deref(), &contexts))
}

fn no_kubeconfig(error: &KubeconfigError) -> Failure {
    Failure::new(format!(
        "no kubeconfig can be read ({}); name one with --kubeconfig or KUBECONFIG, or put one at ~/.kube/config",
        chain(error)
    ))
}

fn bad_context(error: &KubeconfigError, asked: Option<&str>, contexts: &[String]) -> Failure {
    let known = contexts.join(", ");
    match (error, asked) {
        (KubeconfigError::LoadContext(_), Some(asked)) => Failure::new(format!(
            "the kubeconfig has no context {asked:?}; it has: {known}"
        )),
        (KubeconfigError::CurrentContextNotSet | KubeconfigError::LoadContext(_), None) => {
            Failure::new(format!(
                "the kubeconfig has no current context; choose one with --context or `kubectl config use-context`: {known}"
            ))
        }
        _ => Failure::new(format!(
            "the kubeconfig cannot be used: {}; correct it, or choose another context with --context ({known})",
            chain(error)
        )),
    }
}

fn explain(error: &kube::Error, what: &str, server: &str) -> Failure {
    let kube::Error::Api(status) = error else {
        return unreachable_server(error, server);
    };
    Failure::new(match status.code {
        401 => format!(
            "the API server at {server} does not accept the credentials of the kubeconfig, which may have expired; sign in to the cluster again and check with `kubectl auth whoami`"
        ),
        403 => format!(
            "you may not {what}; ask for a Role with that right (`kubectl auth can-i --list` shows what you have): {}",
            status.message
        ),
        404 if status
            .message
            .contains("could not find the requested resource") =>
        {
            format!(
                "the cluster at {server} does not know {GROUP}: the CustomResourceDefinitions are not installed; install the chart, or choose another cluster with --context"
            )
        }
        // Without CustomResourceDefinitions the answer is no Status at all.
        404 if status.details.as_ref().is_none_or(|d| d.name.is_empty()) => format!(
            "the cluster at {server} does not know {GROUP}, or this version of it: install the chart, or choose another cluster with --context"
        ),
        404 => missing(status),
        409 => format!(
            "another client changed it at the same time; try again: {}",
            status.message
        ),
        422 => format!("the API server refuses it: {}", status.message),
        _ => format!(
            "the API server at {server} answered {}: {}",
            status.code, status.message
        ),
    })
}

/// What is not there, and how to see or make it.
fn missing(status: &Status) -> String {
    let details = status.details.as_ref();
    let (kind, group, name) = details.map_or(("", "", ""), |details| {
        (&*details.kind, &*details.group, &*details.name)
    });
    let remedy = match kind {
        "namespaces" => {
            format!("create it with `kubectl create namespace {name}`, or name another one with -n")
        }
        _ if group == GROUP || kind.is_empty() => {
            "`kubectl get clientele --all-namespaces` lists what there is".to_owned()
        }
        _ => format!("`kubectl get {kind} --all-namespaces` lists what there is"),
    };
    format!("there is none of that name ({}); {remedy}", status.message)
}

fn unreachable_server(error: &kube::Error, server: &str) -> Failure {
    let said = chain(error);
    let lower = said.to_lowercase();
    let remedy = if lower.contains("certificate") {
        "the certificate of the server or of the kubeconfig is not accepted, or has expired; sign in to the cluster again"
    } else if lower.contains("exec") || lower.contains("auth") {
        "signing in as the kubeconfig says failed; sign in to the cluster again"
    } else {
        "check that it is running and that the network or VPN is up, with `kubectl cluster-info`"
    };
    Failure::new(format!(
        "the API server at {server} cannot be reached ({said}); {remedy}"
    ))
}

/// An error with everything behind it, each once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::response::StatusDetails;

    fn answered(code: u16, message: &str) -> String {
        let status = Status {
            code,
            message: message.to_owned(),
            ..Status::default()
        };
        let error = kube::Error::Api(Box::new(status));
        explain(&error, "list oauthclients in namespace web", "https://k8s").to_string()
    }

    #[test]
    fn what_the_api_server_refuses_has_a_remedy() {
        for (code, message, expected) in [
            (401, "Unauthorized", "kubectl auth whoami"),
            (
                403,
                "forbidden",
                "you may not list oauthclients in namespace web",
            ),
            (404, "404 page not found", "install the chart"),
            (
                404,
                "the server could not find the requested resource",
                "CustomResourceDefinitions",
            ),
            (409, "conflict", "try again"),
            (422, "spec.type: Unsupported", "spec.type"),
            (500, "oh", "answered 500"),
        ] {
            let said = answered(code, message);
            assert!(said.contains(expected), "{code}: {said}");
        }
    }

    #[test]
    fn what_is_not_there_is_listed_or_made_by_a_command_of_its_kind() {
        for (group, kind, expected) in [
            ("", "namespaces", "kubectl create namespace x"),
            ("", "serviceaccounts", "kubectl get serviceaccounts"),
            (GROUP, "oauthclients", "kubectl get clientele"),
        ] {
            let details = StatusDetails {
                name: "x".to_owned(),
                group: group.to_owned(),
                kind: kind.to_owned(),
                uid: String::new(),
                causes: Vec::new(),
                retry_after_seconds: 0,
            };
            let status = Status {
                code: 404,
                message: format!("{kind} \"x\" not found"),
                details: Some(details),
                ..Status::default()
            };
            let error = kube::Error::Api(Box::new(status));
            let said = explain(&error, "create it", "https://k8s").to_string();
            assert!(said.contains(expected), "{said}");
        }
    }

    #[tokio::test]
    async fn the_namespace_is_that_of_the_flag_the_context_or_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let text = "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: u, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: u, namespace: apps}}]\n";
        std::fs::write(&path, text).unwrap();
        let mut flags = ClusterFlags {
            kubeconfig: Some(path),
            ..ClusterFlags::default()
        };
        assert_eq!(namespace(&flags).await.unwrap(), "apps");
        flags.context = Some("unknown".to_owned());
        assert!(namespace(&flags).await.is_err());
        flags.namespace = Some("web".to_owned());
        assert_eq!(namespace(&flags).await.unwrap(), "web");
    }

    #[tokio::test]
    async fn a_kubeconfig_that_cannot_be_used_is_explained() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let flags = |context: Option<&str>| ClusterFlags {
            kubeconfig: Some(path.clone()),
            context: context.map(str::to_owned),
            ..ClusterFlags::default()
        };
        let said = async |flags: ClusterFlags| match Session::open(&flags).await {
            Ok(_) => panic!("it opens"),
            Err(failure) => failure.to_string(),
        };
        assert!(said(flags(None)).await.contains("--kubeconfig"));
        std::fs::write(&path, "apiVersion: v1\nkind: Config\ncontexts: []\n").unwrap();
        assert!(said(flags(None)).await.contains("no current context"));
        let one = "apiVersion: v1\nkind: Config\ncontexts: [{name: prod, context: {cluster: c, user: u}}]\n";
        std::fs::write(&path, one).unwrap();
        let unknown = said(flags(Some("dev"))).await;
        assert!(unknown.contains("\"dev\"; it has: prod"), "{unknown}");
        assert!(said(flags(Some("prod"))).await.contains("cannot be used"));
    }
}
