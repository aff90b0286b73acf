//! `create`: a client from a preset.

pub mod presets;

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use serde::Deserialize;
use serde_json::{Value, json};

use super::wait::wait_until;
use crate::args::Create;
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::objects::{Kind, is_ready, text};
use crate::output::{Format, Output, table};
use presets::{PRESETS, Preset};

/// Creates the client.
pub async fn run(session: &Session, args: &Create, output: &mut Output<'_>) -> Answer {
    let manifest = manifest(args, Some(&session.namespace))?;
    let name = args.name.as_deref().unwrap_or_default();
    let mut object = session.create(Kind::Client, &manifest).await?;
    for account in accounts(&manifest) {
        if !exists(session, account).await {
            output.warn(&needs_account(name, account, Some(&session.namespace)));
        }
    }
    if args.wait {
        object = wait_until(session, (Kind::Client, name), args.timeout, is_ready).await?;
    }
    let shown = format!(
        "oauthclient/{name} created{}\n",
        if args.wait {
            format!(
                "; its credentials are in Secret {}",
                text(&object, "/status/secretName")
            )
        } else {
            format!("; `kubectl clientele secret {name}` shows its credentials in a moment")
        }
    );
    output.value(&object, &[format!("oauthclient/{name}")], &shown)?;
    Ok(Outcome::Yes)
}

/// Prints the manifest, or the presets.
pub fn print(args: &Create, namespace: Option<&str>, output: &mut Output<'_>) -> Answer {
    if args.list_presets {
        let row = |preset: &Preset| vec![preset.name.to_owned(), preset.about()];
        let rows: Vec<Vec<String>> = PRESETS.iter().map(row).collect();
        let names: Vec<String> = PRESETS
            .iter()
            .map(|preset| preset.name.to_owned())
            .collect();
        let value: Vec<Value> = PRESETS
            .iter()
            .map(|preset| json!({ "name": preset.name, "about": preset.about() }))
            .collect();
        output.value(&value.into(), &names, &table(&["PRESET", "FOR"], &rows))?;
        return Ok(Outcome::Yes);
    }
    let manifest = manifest(args, namespace)?;
    for account in accounts(&manifest) {
        let name = text(&manifest, "/metadata/name");
        output.warn(&needs_account(name, account, namespace));
    }
    let yaml = serde_yaml::to_string(&manifest).map_err(std::io::Error::other)?;
    if output.format == Format::Name {
        output.line(&format!(
            "oauthclient/{}",
            text(&manifest, "/metadata/name")
        ))?;
    } else {
        output.value(&manifest, &[], &yaml)?;
    }
    Ok(Outcome::Yes)
}

/// The ServiceAccounts that must exist, so that the client can prove itself.
fn accounts(manifest: &Value) -> impl Iterator<Item = &str> {
    let listed = manifest.pointer("/spec/serviceAccounts");
    let listed = listed.and_then(Value::as_array).into_iter().flatten();
    listed.map(|account| text(account, "/name"))
}

/// Whether a ServiceAccount is known to exist.
async fn exists(session: &Session, account: &str) -> bool {
    let accounts: Api<ServiceAccount> = Api::namespaced(session.client.clone(), &session.namespace);
    matches!(accounts.get_metadata_opt(account).await, Ok(Some(_)))
}

fn needs_account(name: &str, account: &str, namespace: Option<&str>) -> String {
    let place = namespace.map_or_else(String::new, |namespace| format!(" -n {namespace}"));
    format!(
        "OAuthClient {name} proves itself by tokens of ServiceAccount {account}, under which its pods must run; if it does not exist: `kubectl{place} create serviceaccount {account}`"
    )
}

fn manifest(args: &Create, namespace: Option<&str>) -> Result<Value, Failure> {
    let preset = PRESETS.iter().find(|preset| preset.name == args.preset);
    let preset = preset.ok_or_else(|| {
        let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        Failure::new(format!(
            "there is no preset {:?}; choose from {}",
            args.preset,
            known.join(", ")
        ))
    })?;
    let name = args.name.as_deref().unwrap_or_default();
    let mut object = client_of(preset.manifest)
        .ok_or_else(|| Failure::new(format!("the preset {} has no OAuthClient", preset.name)))?;
    object["metadata"] = match namespace {
        Some(namespace) => json!({ "name": name, "namespace": namespace }),
        None => json!({ "name": name }),
    };
    let spec = &mut object["spec"];
    addresses(spec, args, preset.name)?;
    audiences(spec, args);
    if preset.name == "secretless" {
        spec["serviceAccounts"] = json!([{ "name": name }]);
    }
    if let Some(secret) = spec.pointer_mut("/secret").and_then(Value::as_object_mut) {
        // The name of the sample's Secret is another application's.
        secret.remove("name");
    }
    match &args.display_name {
        Some(shown) => spec["displayName"] = shown.as_str().into(),
        None => {
            spec.as_object_mut()
                .and_then(|spec| spec.remove("displayName"));
        }
    }
    if let Some(tenant) = &args.tenant {
        spec["tenant"] = tenant.as_str().into();
    }
    if args.first_party {
        spec["firstParty"] = true.into();
    }
    Ok(object)
}

/// The OAuthClient of a manifest of several documents.
pub fn client_of(manifest: &str) -> Option<Value> {
    let documents = serde_yaml::Deserializer::from_str(manifest);
    let mut documents = documents.filter_map(|document| Value::deserialize(document).ok());
    documents.find(|document| text(document, "/kind") == "OAuthClient")
}

/// The redirect URIs of the flags, or those of the preset at the application's address.
fn addresses(spec: &mut Value, args: &Create, preset: &str) -> Result<(), Failure> {
    const FIELDS: [&str; 3] = ["redirectUris", "postLogoutRedirectUris", "allowedOrigins"];
    let Some(object) = spec.as_object_mut() else {
        return Ok(());
    };
    if !args.redirect_uri.is_empty() {
        for field in FIELDS {
            object.remove(field);
        }
        object.insert("redirectUris".to_owned(), json!(args.redirect_uri));
        return Ok(());
    }
    let has_example = FIELDS.iter().any(|field| {
        let uris = object.get(*field).and_then(Value::as_array);
        uris.is_some_and(|uris| uris.iter().any(is_example))
    });
    if !has_example {
        return Ok(());
    }
    let Some(url) = &args.url else {
        return Err(Failure::new(format!(
            "where is the application? The preset {preset} has redirect URIs: give --url https://web.example.org, or each with --redirect-uri"
        )));
    };
    let base = url.trim_end_matches('/');
    let parsed = url::Url::parse(base).ok();
    if !parsed.is_some_and(|parsed| {
        matches!(parsed.scheme(), "https" | "http") && parsed.query().is_none()
    }) {
        return Err(Failure::new(format!(
            "--url {url:?} must be the address of the application, such as https://web.example.org"
        )));
    }
    for field in FIELDS {
        let Some(uris) = object.get_mut(field).and_then(Value::as_array_mut) else {
            continue;
        };
        // Those of a developer's machine are not where the application is.
        uris.retain(is_example);
        for uri in uris {
            *uri = moved(uri.as_str().unwrap_or_default(), base, field).into();
        }
    }
    Ok(())
}

/// The audiences of the flags, or those of the preset that are not examples.
fn audiences(spec: &mut Value, args: &Create) {
    if !args.audience.is_empty() {
        spec["audiences"] = json!(args.audience);
        return;
    }
    let Some(listed) = spec.get_mut("audiences").and_then(Value::as_array_mut) else {
        return;
    };
    listed.retain(|uri| !is_example(uri));
    if listed.is_empty() {
        spec.as_object_mut()
            .and_then(|spec| spec.remove("audiences"));
    }
}

fn is_example(uri: &Value) -> bool {
    uri.as_str().is_some_and(|uri| uri.contains(".example.com"))
}

/// The same path at another address; an origin has no path.
fn moved(uri: &str, base: &str, field: &str) -> String {
    if field == "allowedOrigins" {
        let origin = url::Url::parse(base).map(|url| url.origin().ascii_serialization());
        return origin.unwrap_or_default();
    }
    let path = uri.splitn(4, '/').nth(3).unwrap_or_default();
    format!("{base}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clientele_api::OAuthClientSpec;

    fn args(preset: &str) -> Create {
        Create {
            name: Some("mine".to_owned()),
            preset: preset.to_owned(),
            list_presets: false,
            url: Some("https://mine.example.org/base".to_owned()),
            redirect_uri: Vec::new(),
            audience: Vec::new(),
            display_name: None,
            tenant: None,
            first_party: false,
            dry_run: true,
            wait: false,
            timeout: 1,
        }
    }

    #[test]
    fn every_preset_becomes_a_client_of_the_asked_name_and_address() {
        for preset in PRESETS {
            let manifest = manifest(&args(preset.name), Some("apps")).unwrap();
            let shown = serde_yaml::to_string(&manifest).unwrap();
            assert!(!shown.contains(".example.com"), "{shown}");
            assert_eq!(text(&manifest, "/metadata/name"), "mine");
            let spec: OAuthClientSpec = serde_json::from_value(manifest["spec"].clone()).unwrap();
            assert_ne!(spec.tenant, "", "{shown}");
            assert!(!preset.about().is_empty(), "{}", preset.name);
        }
        let web = manifest(&args("web-app"), None).unwrap();
        assert_eq!(
            web["spec"]["redirectUris"][0],
            "https://mine.example.org/base/callback"
        );
        let spa = manifest(&args("single-page-app"), None).unwrap();
        for (field, expected) in [
            ("allowedOrigins", "https://mine.example.org"),
            ("redirectUris", "https://mine.example.org/base/"),
        ] {
            assert_eq!(spa["spec"][field], json!([expected]));
        }
    }

    #[test]
    fn a_manifest_without_a_secret_names_the_service_account_to_create() {
        let secretless = manifest(&args("secretless"), None).unwrap();
        assert_eq!(accounts(&secretless).collect::<Vec<_>>(), ["mine"]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut output = Output::new(&mut out, &mut err, Format::Text, false);
        print(&args("secretless"), Some("apps"), &mut output).unwrap();
        drop(output);
        let told = String::from_utf8(err).unwrap();
        let command = "`kubectl -n apps create serviceaccount mine`";
        assert!(told.contains(command), "{told}");
        assert!(!String::from_utf8(out).unwrap().contains(command));
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        let mut missing = args("web-app");
        missing.url = None;
        assert!(
            manifest(&missing, None)
                .unwrap_err()
                .to_string()
                .contains("--url")
        );
        missing.redirect_uri = vec!["https://a.example.org/cb".to_owned()];
        let given = manifest(&missing, None).unwrap();
        assert_eq!(
            given["spec"]["redirectUris"],
            json!(["https://a.example.org/cb"])
        );
        assert!(given["spec"].get("postLogoutRedirectUris").is_none());
        let mut mcp = args("mcp");
        assert!(manifest(&mcp, None).unwrap()["spec"]["audiences"].is_null());
        mcp.audience = vec!["https://mcp.example.org/mcp".to_owned()];
        let asked = json!(["https://mcp.example.org/mcp"]);
        assert_eq!(manifest(&mcp, None).unwrap()["spec"]["audiences"], asked);
        let unknown = manifest(&args("nothing"), None).unwrap_err().to_string();
        assert!(unknown.contains("web-app"), "{unknown}");
        let mut bad = args("web-app");
        bad.url = Some("mine".to_owned());
        assert!(
            manifest(&bad, None)
                .unwrap_err()
                .to_string()
                .contains("https://web.example.org")
        );
    }
}
