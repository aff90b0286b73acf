//! Which labels and annotations the credentials Secret of a client may have: those that the installation allows, and of
//! these those that the tenant allows. The admission policy of the chart enforces the list of the installation again.

use clientele_api::OAuthClient;

use super::entries::Shape;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::policy::TenantPolicy;
use crate::domain::tenant::secret_keys::SecretKeys;

/// Checks the keys that the manifest asks for, and those that its format brings.
pub fn check(object: &OAuthClient, tenant: &TenantPolicy) -> Result<(), Refusal> {
    let spec = object.spec.secret.as_deref().cloned().unwrap_or_default();
    let labels = Shape::new(&spec).labels;
    let labels = labels.keys().map(|key| ("labels", key));
    let annotations = spec.annotations.keys().map(|key| ("annotations", key));
    for (field, key) in labels.chain(annotations) {
        check_key(field, key, tenant)?;
    }
    Ok(())
}

fn check_key(field: &str, key: &str, tenant: &TenantPolicy) -> Result<(), Refusal> {
    let SecretKeys {
        installation,
        tenant: own,
    } = &tenant.secret_keys;
    let name = &*tenant.name;
    let remedy = if !installation.admits(key) {
        format!(
            "the installation allows {}; remove it, or ask the cluster's administrator to add it to secrets.allowedKeys of the chart",
            installation.to_text()
        )
    } else if let Some(own) = own.as_ref().filter(|own| !own.admits(key)) {
        format!(
            "OAuthTenant {name:?} allows {}; remove it, or ask the tenant's administrator to add it to spec.secrets.allowedKeys",
            own.to_text()
        )
    } else {
        return Ok(());
    };
    Err(Refusal::new(
        Reason::SecretKeyNotAllowed,
        format!("secret.{field} must not have the key {key:?}: {remedy}"),
    ))
}

#[cfg(test)]
mod tests {
    use clientele_api::allowed_keys::AllowedKeys;
    use serde_json::{Value, json};

    use crate::domain::reason::Reason;
    use crate::tests::{judged, object, tenant};

    fn allowed(tenant_spec: &Value, secret: &Value) -> Result<(), String> {
        let tenant = tenant(tenant_spec.clone());
        let object = object("web", json!({ "secret": secret }));
        judged(&object, &tenant).map(drop).map_err(|refusal| {
            assert_eq!(refusal.reason, Reason::SecretKeyNotAllowed);
            refusal.message
        })
    }

    #[test]
    fn n03_keys_that_the_definition_lets_pass_are_refused_here() {
        for key in [
            "replicator.v1.mittwald.de/replicate-to",
            "reflector.v1.k8s.emberstack.com/reflection-allowed",
            "grafana_datasource",
            "istio/multiCluster",
            "cluster.x-k8s.example/cluster-name",
            "team",
        ] {
            for field in ["labels", "annotations"] {
                let said = allowed(&json!({}), &json!({ field: { key: "x" } })).unwrap_err();
                let expected = format!("secret.{field} must not have the key {key:?}");
                assert!(said.starts_with(&expected), "{said}");
                assert!(said.contains("secrets.allowedKeys of the chart"), "{said}");
            }
        }
        let usual = json!({
            "labels": { "app.kubernetes.io/part-of": "argocd" },
            "annotations": { "reloader.stakater.com/match": "true" },
        });
        assert_eq!(allowed(&json!({}), &usual), Ok(()));
        assert_eq!(allowed(&json!({}), &json!({ "format": "ArgoCD" })), Ok(()));
    }

    #[test]
    fn n03_a_tenant_makes_the_list_narrower_and_never_wider() {
        let narrow = |keys: Value| json!({ "secrets": { "allowedKeys": keys } });
        let reloader = json!({ "annotations": { "reloader.stakater.com/match": "true" } });
        let part_of = json!({ "labels": { "app.kubernetes.io/part-of": "x" } });
        let only = narrow(json!(["reloader.stakater.com/match"]));
        assert_eq!(allowed(&only, &reloader), Ok(()));
        let said = allowed(&only, &part_of).unwrap_err();
        assert!(said.contains("spec.secrets.allowedKeys"), "{said}");
        let none = narrow(json!([]));
        assert!(
            allowed(&none, &reloader)
                .unwrap_err()
                .contains("allows none")
        );
        assert!(
            allowed(&none, &json!({ "format": "ArgoCD" })).is_err(),
            "labels of a format"
        );
        let wide = narrow(json!(["team", "*", "example.com/*"]));
        for key in ["team", "example.com/team"] {
            let said = allowed(&wide, &json!({ "labels": { key: "x" } })).unwrap_err();
            assert!(said.contains("secrets.allowedKeys of the chart"), "{said}");
        }
    }

    #[test]
    fn an_installation_may_allow_more() {
        let keys = AllowedKeys::new(["team".to_owned()]);
        let tenant = tenant(json!({})).with_installation_keys(keys.into());
        let labels = |key: &str| object("web", json!({ "secret": { "labels": { key: "x" } } }));
        assert!(judged(&labels("team"), &tenant).is_ok());
        assert!(judged(&labels("app.kubernetes.io/part-of"), &tenant).is_err());
    }
}
