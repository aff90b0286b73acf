//! `suspend` and `resume`.

use serde_json::{Value, json};

use crate::args::Names;
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::objects::Kind;
use crate::output::Output;

/// Sets `spec.suspended`.
pub async fn run(
    session: &Session,
    args: &Names,
    suspended: bool,
    output: &mut Output<'_>,
) -> Answer {
    if args.names.is_empty() {
        return Err(Failure::new(
            "which OAuthClient? Name at least one, such as `kubectl clientele suspend web`",
        ));
    }
    let done = if suspended { "suspended" } else { "resumed" };
    for name in &args.names {
        let patch = json!({ "spec": { "suspended": suspended } });
        let object = session.patch(Kind::Client, name, &patch).await?;
        if let Some(owner) = git_owner(&object) {
            output.warn(&format!(
                "{owner} writes OAuthClient {name} and may put spec.suspended back; change it there, too"
            ));
        }
        let value = json!({ "name": name, "suspended": suspended });
        output.value(
            &value,
            &[format!("oauthclient/{name}")],
            &format!("oauthclient/{name} {done}\n"),
        )?;
    }
    Ok(Outcome::Yes)
}

/// Who writes the object from elsewhere and will put back what is changed here.
pub fn git_owner(object: &Value) -> Option<&'static str> {
    let has = |map: &str, key: &str| {
        let map = object.pointer(map).and_then(Value::as_object);
        map.is_some_and(|map| map.contains_key(key))
    };
    let (labels, annotations) = ("/metadata/labels", "/metadata/annotations");
    if has(labels, "kustomize.toolkit.fluxcd.io/name") || has(labels, "helm.toolkit.fluxcd.io/name")
    {
        return Some("Flux");
    }
    if has(labels, "argocd.argoproj.io/instance")
        || has(annotations, "argocd.argoproj.io/tracking-id")
    {
        return Some("Argo CD");
    }
    has(annotations, "meta.helm.sh/release-name").then_some("Helm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_the_object_from_git_is_told_by_labels() {
        let with = |metadata: Value| git_owner(&json!({ "metadata": metadata }));
        assert_eq!(with(json!({})), None);
        let flux = json!({ "labels": { "kustomize.toolkit.fluxcd.io/name": "apps" } });
        assert_eq!(with(flux), Some("Flux"));
        let argo = json!({ "annotations": { "argocd.argoproj.io/tracking-id": "a" } });
        assert_eq!(with(argo), Some("Argo CD"));
        let helm = json!({ "annotations": { "meta.helm.sh/release-name": "a" } });
        assert_eq!(with(helm), Some("Helm"));
    }
}
