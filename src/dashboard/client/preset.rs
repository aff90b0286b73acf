//! The kinds of application that the form to create a client starts from: the samples of `deploy/samples`.

use clientele_kubectl::shared::{PRESETS, client_of, text};
use serde::Deserialize;
use serde_json::{Value, json};

use super::form::ClientForm;
use super::spec;

/// A card of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// The preset.
    pub name: &'static str,
    /// What the card is called.
    pub title: &'static str,
    /// Which application it is for.
    pub about: &'static str,
}

/// The cards, in the order of the page. The first is the default.
pub const CARDS: [Card; 13] = [
    card("web-app", "Web app", "A server where people sign in"),
    card(
        "single-page-app",
        "Single-page app",
        "Runs in the browser, without a secret",
    ),
    card(
        "command-line",
        "Native or command line",
        "Opens a browser, listens on loopback",
    ),
    card("machine", "Machine", "A job or service; no person signs in"),
    card(
        "secretless",
        "Pod without a secret",
        "Proves itself by its ServiceAccount",
    ),
    card("mcp", "MCP client", "An assistant that calls an MCP server"),
    card(
        "grafana",
        "Grafana",
        "A Secret with its environment variables",
    ),
    card("argo-cd", "Argo CD", "A Secret that oidc.config refers to"),
    card(
        "oauth2-proxy",
        "oauth2-proxy",
        "A Secret for config.existingSecret",
    ),
    card(
        "envoy-gateway",
        "Envoy Gateway",
        "A Secret for a SecurityPolicy",
    ),
    card(
        "spring-boot",
        "Spring Boot",
        "A Secret with its environment variables",
    ),
    card(
        "service-binding",
        "Service Binding",
        "A Provisioned Service to bind to",
    ),
    card(
        "rotated",
        "Rotated secret",
        "The secret changes on a schedule",
    ),
];

const fn card(name: &'static str, title: &'static str, about: &'static str) -> Card {
    Card { name, title, about }
}

/// The card of this name, else the first.
pub fn chosen(name: &str) -> &'static Card {
    let mut cards = CARDS.iter();
    cards.find(|card| card.name == name).unwrap_or(&CARDS[0])
}

/// The object that a card stands for, without the names and addresses of the sample.
fn base(card: &Card) -> Value {
    let preset = PRESETS.iter().find(|preset| preset.name == card.name);
    let mut object = preset
        .and_then(|preset| client_of(preset.manifest))
        .unwrap_or_default();
    object["metadata"] = json!({});
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.remove("displayName");
    }
    if let Some(secret) = object.pointer_mut("/spec/secret")
        && let Some(secret) = secret.as_object_mut()
    {
        // The name of the sample's Secret is another application's.
        secret.remove("name");
    }
    if let Some(rotation) = object.pointer_mut("/spec/rotation")
        && let Some(rotation) = rotation.as_object_mut()
    {
        // A new client has nothing to rotate.
        rotation.remove("requestId");
    }
    object
}

/// The form of a sample, with those of its addresses that are not about an example host, such as those on loopback.
pub fn start(card: &Card) -> ClientForm {
    let mut form = ClientForm::of(&base(card));
    let uris = form.uris().into_iter().filter(|uri| !is_example(uri));
    form.redirect_uris = uris.collect::<Vec<_>>().join("\n");
    let apis = form.audience_lines().lines().filter(|api| !is_example(api));
    form.audiences = Some(apis.collect::<Vec<_>>().join("\n"));
    card.name.clone_into(&mut form.preset);
    clientele_api::DEFAULT_TENANT.clone_into(&mut form.tenant);
    form
}

/// The first example among the addresses of a sample, to show what one looks like.
pub fn example(card: &Card, of: &str) -> String {
    let uris = spec::texts(&base(card), of);
    uris.into_iter()
        .find(|uri| is_example(uri))
        .unwrap_or_default()
}

fn is_example(uri: &str) -> bool {
    url::Url::parse(uri).is_ok_and(|uri| {
        uri.host_str()
            .is_some_and(|host| host.ends_with(".example.com"))
    })
}

/// The manifest of a new client.
pub fn manifest(form: &ClientForm) -> Value {
    let name = form.object_name();
    if let Ok(mut object) = serde_json::from_str::<Value>(&form.base)
        && object.is_object()
    {
        form.apply(&mut object);
        if !object["metadata"].is_object() {
            object["metadata"] = json!({});
        }
        object["metadata"]["name"] = name.into();
        object["metadata"]["namespace"] = form.namespace.as_str().into();
        return object;
    }
    let card = chosen(&form.preset);
    let mut object = base(card);
    form.apply(&mut object);
    object["metadata"] = json!({ "name": name, "namespace": form.namespace });
    let uris = form.uris();
    for field in ["postLogoutRedirectUris", "allowedOrigins"] {
        relocate(&mut object["spec"], field, uris.first().copied());
    }
    if let Some(accounts) = object.pointer_mut("/spec/serviceAccounts") {
        *accounts = json!([{ "name": name }]);
    }
    object
}

/// Puts the origin of the application in place of the example host; removes the entry where there is none.
fn relocate(spec: &mut Value, field: &str, first: Option<&str>) {
    let Some(spec) = spec.as_object_mut() else {
        return;
    };
    let Some(entries) = spec.get_mut(field).and_then(Value::as_array_mut) else {
        return;
    };
    let origin = first.and_then(|uri| url::Url::parse(uri).ok());
    let origin = origin.map(|uri| uri.origin().ascii_serialization());
    let origin = origin.filter(|origin| origin != "null");
    let moved = entries.iter().filter_map(|entry| {
        let entry = entry.as_str()?;
        if !is_example(entry) {
            return Some(entry.to_owned());
        }
        let path = entry.splitn(4, '/').nth(3);
        let origin = origin.as_ref()?;
        Some(path.map_or_else(|| origin.clone(), |path| format!("{origin}/{path}")))
    });
    let mut moved: Vec<String> = moved.collect();
    moved.dedup();
    if moved.is_empty() {
        spec.remove(field);
    } else {
        *entries = moved.into_iter().map(Value::from).collect();
    }
}

/// The form for the OAuthClient of a manifest, or what is wrong with the manifest. Every field is kept.
pub fn taken(manifest: &str, namespace: &str) -> Result<ClientForm, String> {
    let object = first_client(manifest).map_err(|why| {
        format!("The YAML cannot be taken over: {why}. Correct it, or fill in the form.")
    })?;
    let object = committed(&object);
    let mut form = ClientForm::of(&object);
    if !object["metadata"].is_null() && !object["metadata"].is_object() {
        return Err("The YAML cannot be taken over: metadata must be a map.".to_owned());
    }
    form.base = object.to_string();
    if form.namespace.is_empty() {
        namespace.clone_into(&mut form.namespace);
    }
    if form.tenant.is_empty() {
        clientele_api::DEFAULT_TENANT.clone_into(&mut form.tenant);
    }
    Ok(form)
}

/// The first OAuthClient of the documents. The first error ends the search: a reader of YAML repeats it forever.
fn first_client(manifest: &str) -> Result<Value, String> {
    for document in serde_yaml::Deserializer::from_str(manifest) {
        let value = Value::deserialize(document).map_err(|error| error.to_string())?;
        if text(&value, "/kind") == "OAuthClient" {
            return Ok(value);
        }
    }
    Err("it has no document of kind: OAuthClient".to_owned())
}

/// An object as a manifest to commit: without what the API server and the operator write.
pub fn committed(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| {
            matches!(
                key.as_str(),
                "name" | "namespace" | "labels" | "annotations"
            )
        });
        if let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
        {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        metadata.retain(|_, value| value.as_object().is_none_or(|map| !map.is_empty()));
    }
    object
}

/// YAML of an object.
pub fn yaml(object: &Value) -> String {
    serde_yaml::to_string(object).unwrap_or_else(|error| format!("# {error}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clientele_api::OAuthClientSpec;

    fn filled(card: &Card) -> ClientForm {
        let mut form = start(card);
        form.display_name = "Order desk".to_owned();
        form.namespace = "apps".to_owned();
        if !example(card, "/spec/redirectUris").is_empty() {
            form.redirect_uris = format!("https://desk.example.org/cb\n{}", form.redirect_uris);
        }
        form
    }

    #[test]
    fn every_card_is_a_preset_and_becomes_a_client() {
        for card in &CARDS {
            assert!(
                PRESETS.iter().any(|preset| preset.name == card.name),
                "{}",
                card.name
            );
            let object = manifest(&filled(card));
            let shown = yaml(&object);
            assert!(!shown.contains("example.com"), "{shown}");
            assert_eq!(object["kind"], "OAuthClient", "{}", card.name);
            assert_eq!(
                object["metadata"],
                json!({ "name": "order-desk", "namespace": "apps" })
            );
            let spec: OAuthClientSpec = serde_json::from_value(object["spec"].clone()).unwrap();
            assert_eq!(spec.display_name.as_deref(), Some("Order desk"));
            assert!(spec.audiences.is_empty(), "{}", card.name);
            for account in spec.service_accounts {
                assert_eq!(account.name, "order-desk");
            }
        }
    }

    #[test]
    fn the_other_addresses_follow_the_first_redirect_uri() {
        let object = manifest(&filled(chosen("single-page-app")));
        assert_eq!(
            object["spec"]["allowedOrigins"],
            json!(["https://desk.example.org", "http://localhost:5173"])
        );
        assert_eq!(
            object["spec"]["postLogoutRedirectUris"],
            json!(["https://desk.example.org/"])
        );
        let mut none = filled(chosen("web-app"));
        none.redirect_uris = String::new();
        assert!(
            manifest(&none)["spec"]
                .get("postLogoutRedirectUris")
                .is_none()
        );
        assert_eq!(chosen("nothing").name, "web-app");
    }

    #[test]
    fn yaml_becomes_a_form_that_keeps_every_field() {
        let text = "---\nkind: ConfigMap\n---\napiVersion: clientele.dev/v1alpha1\nkind: OAuthClient\nmetadata:\n  name: web\n  labels: {team: shop}\nspec:\n  displayName: Orders\n  requirePkce: true\n  future: {a: [1]}\n";
        let mut form = taken(text, "apps").unwrap();
        assert_eq!(
            (form.name.as_str(), form.namespace.as_str()),
            ("web", "apps")
        );
        form.first_party = true;
        let object = manifest(&form);
        assert_eq!(object["metadata"]["labels"]["team"], "shop");
        assert_eq!(
            object["spec"],
            json!({ "displayName": "Orders", "requirePkce": true, "future": { "a": [1] }, "firstParty": true, "tenant": "default" })
        );
        for (bad, expected) in [
            ("kind: Secret\n", "kind: OAuthClient"),
            ("a: [", "line"),
            ("kind: OAuthClient\nmetadata: 1\n", "must be a map"),
        ] {
            let said = taken(bad, "apps").unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
        for odd in [
            "kind: OAuthClient\n",
            "kind: OAuthClient\nspec: 3\n",
            "kind: OAuthClient\nmetadata:\n",
        ] {
            let form = taken(odd, "apps").unwrap();
            assert_eq!(manifest(&form)["metadata"]["namespace"], "apps");
        }
    }

    #[test]
    fn a_manifest_to_commit_has_nothing_of_the_server() {
        let object = json!({
            "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
            "metadata": {
                "name": "web", "namespace": "apps", "uid": "1", "resourceVersion": "2", "managedFields": [],
                "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "{}" },
            },
            "spec": { "type": "Public" }, "status": { "clientId": "apps.web" },
        });
        assert_eq!(
            committed(&object),
            json!({
                "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
                "metadata": { "name": "web", "namespace": "apps" }, "spec": { "type": "Public" },
            })
        );
    }
}
