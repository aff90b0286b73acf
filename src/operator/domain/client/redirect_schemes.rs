//! Whether a tenant lets the clients of a namespace return to the private-use schemes without a dot that a manifest names.

use clientele_api::OAuthClient;
use clientele_oauth::client::redirect_uri::bare_scheme;
use kube::ResourceExt;

use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::policy::{Labels, TenantPolicy};

/// Checks every place to which people may go.
pub fn check(object: &OAuthClient, tenant: &TenantPolicy, labels: &Labels) -> Result<(), Refusal> {
    let spec = &object.spec;
    let fields = [
        ("redirectUris", &spec.redirect_uris),
        ("postLogoutRedirectUris", &spec.post_logout_redirect_uris),
    ];
    for (field, uris) in fields {
        for (at, uri) in uris.iter().enumerate() {
            let Some(scheme) = bare_scheme(uri) else {
                continue;
            };
            let entries = tenant.redirect_schemes.iter();
            let mut entries = entries.filter(|entry| entry.namespaces.contains(labels));
            if !entries.any(|entry| entry.schemes.iter().any(|known| **known == *scheme)) {
                return Err(Refusal::new(
                    Reason::RedirectSchemeNotAllowed,
                    format!(
                        "{field}[{at}]: OAuthTenant {:?} does not allow the clients of namespace {:?} to redirect to the scheme {scheme:?}, which has no dot and so any application can register it; use a scheme in reverse-DNS form such as com.example.app, or ask the tenant's administrator to add it to spec.redirectSchemes for this namespace",
                        &*tenant.name,
                        object.namespace().unwrap_or_default(),
                    ),
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::{judged, object, tenant};

    #[test]
    fn k04_a_scheme_without_a_dot_needs_a_tenant_that_lists_it() {
        let tenant = tenant(json!({ "redirectSchemes": [
            {
                "schemes": ["vscode", "cursor", "javascript"],
                "namespaces": { "matchLabels": { "kubernetes.io/metadata.name": "team-a" } },
            },
            {
                "schemes": ["other"],
                "namespaces": { "matchLabels": { "kubernetes.io/metadata.name": "team-b" } },
            },
        ] }));
        let reason = |field: &str, uri: &str| {
            let mut spec = json!({ "type": "Public", "redirectUris": ["https://app.example/cb"] });
            spec[field] = json!([uri]);
            let refused = judged(&object("native", spec), &tenant).err();
            refused.map(|refusal| refusal.reason.as_str())
        };
        for field in ["redirectUris", "postLogoutRedirectUris"] {
            for (uri, refused) in [
                ("vscode://publisher.extension/cb", None),
                ("cursor:/cb", None),
                ("com.example.app:/cb", None),
                ("other:/cb", Some("RedirectSchemeNotAllowed")),
                ("zed:/cb", Some("RedirectSchemeNotAllowed")),
                ("vscode-insiders:/cb", Some("RedirectSchemeNotAllowed")),
                ("javascript:/cb", Some("InvalidSpec")),
                ("VSCode:/cb", Some("InvalidSpec")),
            ] {
                assert_eq!(reason(field, uri), refused, "{field} {uri}");
            }
        }
    }
}
