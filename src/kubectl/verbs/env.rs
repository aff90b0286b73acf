//! `env`: what an application needs to know, in the form that it reads. Values only in `dotenv`; everything else refers to
//! the Secret, so that it can be committed.

use serde_json::json;

use super::credentials::{Credentials, MASK};
use super::token::may_have_tokens;
use crate::args::{Consumer, EnvArgs};
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::objects::{name, namespace, text};
use crate::output::Output;

/// Prints the snippet.
pub async fn run(session: &Session, args: &EnvArgs, output: &mut Output<'_>) -> Answer {
    let credentials = Credentials::read(session, &args.name).await?;
    if args.consumer == Consumer::Curl {
        sends_a_secret(&credentials)?;
    }
    let masked = output.terminal && !args.show;
    let shown = snippet(&credentials, args.consumer, masked);
    let value = json!({ "for": format!("{:?}", args.consumer), "text": shown });
    output.value(
        &value,
        std::slice::from_ref(&credentials.secret_name),
        &shown,
    )?;
    if masked && args.consumer == Consumer::Dotenv {
        output.warn("masked on a terminal; add --show, or write it into a file: > .env");
    }
    Ok(Outcome::Yes)
}

/// Whether the client gets tokens for itself by its secret, which is what the command for curl does.
fn sends_a_secret(credentials: &Credentials) -> Result<(), Failure> {
    let object = &credentials.object;
    may_have_tokens(object)?;
    match text(object, "/spec/tokenEndpointAuthMethod") {
        method @ ("private_key_jwt" | "service_account") => Err(Failure::new(format!(
            "OAuthClient {0} proves itself by {method} and has no secret that curl could send; `kubectl clientele test {0} -n {1}` tries what can be tried from here",
            name(object),
            namespace(object)
        ))),
        _ => Ok(()),
    }
}

fn snippet(credentials: &Credentials, consumer: Consumer, masked: bool) -> String {
    if consumer == Consumer::Dotenv {
        return dotenv(credentials, masked);
    }
    let entry = |value: &str, default: &'static str| {
        let mut entries = credentials.entries.iter();
        let found = entries.find(|(_, held)| held.as_str() == value);
        found.map_or(default, |(name, _)| name.as_str())
    };
    let secret_key = credentials
        .client_secret()
        .map_or("CLIENT_SECRET", |(name, _)| name);
    let reference = Reference {
        name: name(&credentials.object),
        namespace: namespace(&credentials.object),
        secret_name: &credentials.secret_name,
        id_key: entry(credentials.client_id(), "CLIENT_ID"),
        secret_key,
        issuer: credentials.issuer(),
        client_id: credentials.client_id(),
    };
    refer(consumer, &reference)
}

/// Where the credentials of a client are, without a secret value.
pub struct Reference<'a> {
    /// The name of the OAuthClient.
    pub name: &'a str,
    /// The namespace of both.
    pub namespace: &'a str,
    /// The name of the credentials Secret.
    pub secret_name: &'a str,
    /// Its entry with the client ID.
    pub id_key: &'a str,
    /// Its entry with the client secret.
    pub secret_key: &'a str,
    /// The issuer.
    pub issuer: &'a str,
    /// The client ID.
    pub client_id: &'a str,
}

/// The snippet for an application, which refers to the Secret; empty for `dotenv`, which consists of values.
pub fn refer(consumer: Consumer, to: &Reference<'_>) -> String {
    let key = |key: &str| match consumer {
        // A JSONPath takes a dot for the next field.
        Consumer::Curl => key.replace('.', "\\."),
        _ => key.to_owned(),
    };
    template(consumer)
        .replace("$SECRET_KEY", &key(to.secret_key))
        .replace("$ID_KEY", &key(to.id_key))
        .replace("$SECRET", to.secret_name)
        .replace("$ISSUER", to.issuer)
        .replace("$ID", to.client_id)
        .replace("$NAMESPACE", to.namespace)
        .replace("$NAME", to.name)
}

fn dotenv(credentials: &Credentials, masked: bool) -> String {
    let lines = credentials.entries.iter().map(|(name, value)| {
        let shown = if masked && !credentials.is_public(value) {
            MASK
        } else {
            value.as_str()
        };
        format!("{name}={}\n", quoted(shown))
    });
    lines.collect()
}

/// In single quotes no shell and no dotenv library replaces anything.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@+=,".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', "'\\''"))
}

const fn template(consumer: Consumer) -> &'static str {
    match consumer {
        Consumer::Dotenv => "",
        Consumer::Deployment => "envFrom:\n  - secretRef:\n      name: $SECRET\n",
        Consumer::SpringBoot => {
            "# OAuthClient: spec.secret.format: SpringBoot. Deployment:\nenvFrom:\n  - secretRef:\n      name: $SECRET\n# redirect URI: {baseUrl}/login/oauth2/code/oidc\n"
        }
        Consumer::Authjs => {
            "env:\n  - name: AUTH_OIDC_ISSUER\n    value: $ISSUER\n  - name: AUTH_OIDC_ID\n    valueFrom:\n      secretKeyRef: {name: $SECRET, key: $ID_KEY}\n  - name: AUTH_OIDC_SECRET\n    valueFrom:\n      secretKeyRef: {name: $SECRET, key: $SECRET_KEY}\n# auth.ts: providers: [{ id: \"oidc\", name: \"Clientele\", type: \"oidc\", checks: [\"pkce\", \"state\"] }]\n# redirect URI: <application>/api/auth/callback/oidc\n"
        }
        Consumer::Oauth2Proxy => {
            "# OAuthClient: spec.secret.format: OAuth2Proxy. Values of the chart:\nconfig:\n  existingSecret: $SECRET\nextraArgs:\n  provider: oidc\n  oidc-issuer-url: $ISSUER\n  code-challenge-method: S256\n"
        }
        Consumer::Grafana => {
            "# OAuthClient: spec.secret.format: Grafana. Values of the chart:\nenvFromSecret: $SECRET\n# redirect URI: <Grafana>/login/generic_oauth\n"
        }
        Consumer::ArgoCd => {
            "# OAuthClient: spec.secret.format: ArgoCD, in the namespace of Argo CD. ConfigMap argocd-cm:\noidc.config: |\n  name: Clientele\n  issuer: $ISSUER\n  clientID: $ID\n  clientSecret: $$SECRET:$SECRET_KEY\n  enablePKCEAuthentication: true\n  requestedScopes: [openid, profile, email, groups]\n"
        }
        Consumer::EnvoyGateway => {
            "# OAuthClient: spec.secret.format: EnvoyGateway. SecurityPolicy:\noidc:\n  provider:\n    issuer: $ISSUER\n  clientID: $ID\n  clientSecret:\n    name: $SECRET\n"
        }
        Consumer::Curl => {
            "# kubectl clientele token $NAME -n $NAMESPACE, or by hand:\ncurl $ISSUER/token -u \"$(kubectl -n $NAMESPACE get secret $SECRET -o jsonpath='{.data.$ID_KEY}' | base64 -d):$(kubectl -n $NAMESPACE get secret $SECRET -o jsonpath='{.data.$SECRET_KEY}' | base64 -d)\" -d grant_type=client_credentials\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    fn credentials() -> Credentials {
        let entries = [
            ("CLIENT_ID", "apps.web"),
            ("CLIENT_SECRET", "clt_canary"),
            ("ISSUER", "https://id.example"),
            ("odd", "it's $(x)"),
        ];
        Credentials {
            object: json!({
                "metadata": { "name": "web", "namespace": "apps" },
                "status": { "clientId": "apps.web", "issuer": "https://id.example" },
            }),
            secret_name: "web-oauth".to_owned(),
            entries: entries.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
        }
    }

    #[test]
    fn only_dotenv_holds_the_secret() {
        for consumer in Consumer::value_variants() {
            let shown = snippet(&credentials(), *consumer, false);
            assert_eq!(
                shown.contains("canary"),
                *consumer == Consumer::Dotenv,
                "{shown}"
            );
            let filled = shown
                .replace("$(kubectl", "")
                .replace("$web-oauth", "")
                .replace("$(x)", "");
            assert!(!filled.contains('$'), "{shown}");
            assert!(!snippet(&credentials(), *consumer, true).contains("canary"));
        }
        let env = snippet(&credentials(), Consumer::Dotenv, false);
        assert!(env.contains("odd='it'\\''s $(x)'\n"), "{env}");
        let argo = snippet(&credentials(), Consumer::ArgoCd, false);
        assert!(
            argo.contains("clientSecret: $web-oauth:CLIENT_SECRET"),
            "{argo}"
        );
    }

    #[test]
    fn the_command_for_curl_is_only_for_clients_that_send_a_secret() {
        for (spec, fits) in [
            (json!({}), true),
            (json!({ "redirectUris": ["https://a"] }), false),
            (json!({ "type": "Public" }), false),
            (
                json!({ "tokenEndpointAuthMethod": "private_key_jwt" }),
                false,
            ),
            (
                json!({ "tokenEndpointAuthMethod": "service_account" }),
                false,
            ),
        ] {
            let mut credentials = credentials();
            credentials.object["spec"] = spec;
            let judged = sends_a_secret(&credentials);
            assert_eq!(judged.is_ok(), fits, "{}", credentials.object["spec"]);
        }
    }

    #[test]
    fn a_dot_in_the_name_of_an_entry_is_no_field_of_a_jsonpath() {
        let reference = Reference {
            name: "web",
            namespace: "apps",
            secret_name: "web-oauth",
            id_key: "oidc.clientID",
            secret_key: "oidc.clientSecret",
            issuer: "https://id.example",
            client_id: "apps.web",
        };
        let curl = refer(Consumer::Curl, &reference);
        assert!(curl.contains("{.data.oidc\\.clientID}"), "{curl}");
        assert!(curl.contains("{.data.oidc\\.clientSecret}"), "{curl}");
        let commands = ["token web -n apps", "kubectl -n apps get secret web-oauth"];
        assert!(commands.iter().all(|part| curl.contains(part)), "{curl}");
        let auth = refer(Consumer::Authjs, &reference);
        assert!(auth.contains("key: oidc.clientSecret}"), "{auth}");
    }
}
