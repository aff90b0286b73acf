//! The API explains itself, to `kubectl explain` and in tables.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::Api;
use serde_json::json;

use crate::support::cluster::shared;
use crate::support::test_namespace::{TestNamespace, eventually};

/// The paths of fields below a schema that say nothing about themselves.
fn silent(schema: &JSONSchemaProps, path: &str, found: &mut Vec<String>) {
    for (name, property) in schema.properties.iter().flatten() {
        let path = format!("{path}.{name}");
        if property
            .description
            .as_ref()
            .is_none_or(|text| text.trim().is_empty())
        {
            found.push(path.clone());
        }
        silent(property, &path, found);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        silent(items, path, found);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        silent(values, path, found);
    }
}

#[tokio::test]
async fn every_field_of_every_kind_has_a_description() {
    let space = TestNamespace::new("explain").await;
    let definitions: Api<CustomResourceDefinition> = Api::all(space.kube);
    for kind in ["oauthclients", "oauthtenants", "oauthusers"] {
        let definition = definitions
            .get(&format!("{kind}.clientele.dev"))
            .await
            .unwrap();
        let schema = definition.spec.versions[0].schema.clone().unwrap();
        let schema = schema.open_api_v3_schema.unwrap();
        assert!(schema.description.is_some(), "{kind}");
        let mut found = Vec::new();
        for part in ["spec", "status"] {
            let schema = &schema.properties.as_ref().unwrap()[part];
            assert!(schema.description.is_some(), "{kind}.{part}");
            silent(schema, &format!("{kind}.{part}"), &mut found);
        }
        assert!(found.is_empty(), "without a description: {found:#?}");
    }
}

#[tokio::test]
async fn kubectl_explains_every_field() {
    TestNamespace::new("explain").await;
    for (path, expected) in [
        ("oauthclient.spec", "redirectUris"),
        ("oauthclient.spec", "clientSecret"),
        ("oauthclient.status", "oldestAccepted"),
        ("oac.spec.secretRef", "previousKey"),
        ("oac.spec.secret", "template"),
        ("oauthtenant.spec", "rotateEvery"),
        ("oac.spec.secret.entries", "tokenEndpoint"),
        ("oat.spec.signing", "algorithm"),
        ("oat.spec.session", "absolute"),
        ("oauthuser.spec", "passwordSecretRef"),
        ("oauthuser.status", "sessionsValidFrom"),
        ("oau.spec.passwordSecretRef", "key"),
    ] {
        explains(&[path, "--recursive"], expected).await;
    }
    let sentence = "The OAuthTenant that issues tokens for this client. Cannot be changed.";
    explains(&["oauthclient.spec.tenant"], sentence).await;
}

/// The API server publishes a new schema a moment after it serves the kind.
async fn explains(arguments: &[&str], expected: &str) {
    let command = [&["explain"], arguments].concat();
    eventually(&format!("{command:?} says {expected:?}"), || async {
        let text = shared().cluster.kubectl(&command)?;
        text.contains(expected).then_some(()).ok_or(text)
    })
    .await;
}

/// The cells of a table.
fn table(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .map(str::to_owned)
                .collect()
        })
        .collect()
}

#[tokio::test]
async fn tables_show_what_people_ask_first() {
    let space = TestNamespace::new("explain").await;
    space.ready("hello", json!({})).await;
    space.create("lost", json!({ "tenant": space.name })).await;
    space.refused("lost", "TenantNotFound", "create it").await;
    let get = |what| {
        shared()
            .cluster
            .kubectl(&["get", what, "--namespace", &space.name])
            .unwrap()
    };
    let rows = table(&get("oac"));
    assert_eq!(
        rows[0],
        [
            "NAME",
            "CLIENT ID",
            "TYPE",
            "TENANT",
            "READY",
            "REASON",
            "SECRET",
            "AGE"
        ]
    );
    let id = format!("{}.hello", space.name);
    assert_eq!(
        rows[1][..7],
        [
            "hello",
            &id,
            "Confidential",
            "default",
            "True",
            "Registered",
            "hello-oauth"
        ]
    );
    let lost = [
        "lost",
        "Confidential",
        &space.name,
        "False",
        "TenantNotFound",
    ];
    assert_eq!(rows[2][..5], lost);

    let rows = table(&get("oat"));
    assert_eq!(
        rows[0],
        ["NAME", "ISSUER", "ALGORITHM", "READY", "REASON", "AGE"]
    );
    let default = rows.iter().find(|row| row[0] == "default").unwrap();
    assert_eq!(default[1..5], [&space.issuer, "ES256", "True", "Available"]);
}

#[tokio::test]
async fn the_wide_table_says_why() {
    let space = TestNamespace::new("explain").await;
    let spec = json!({ "tenant": space.name, "displayName": "The-Lost" });
    space.create("lost", spec).await;
    let said = space.refused("lost", "TenantNotFound", "create it").await;
    let wide = ["get", "oac", "--namespace", &space.name, "--output", "wide"];
    let text = shared().cluster.kubectl(&wide).unwrap();
    let header = text.lines().next().unwrap();
    for column in [
        "SECRET AGE",
        "LAST USE",
        "DISPLAY NAME",
        "FIRST-PARTY",
        "ISSUER",
        "MESSAGE",
    ] {
        assert!(header.contains(column), "{column}: {header}");
    }
    assert!(text.contains(&said) && text.contains("The-Lost"), "{text}");
}

#[tokio::test]
async fn the_category_lists_every_kind() {
    let space = TestNamespace::new("explain").await;
    space.ready("hello", json!({})).await;
    space
        .create_user("anna", json!({ "username": "anna" }))
        .await;
    let all = [
        "get",
        "clientele",
        "--namespace",
        &space.name,
        "--output",
        "name",
    ];
    let text = shared().cluster.kubectl(&all).unwrap();
    let names: Vec<&str> = text.lines().collect();
    assert!(names.contains(&"oauthclient.clientele.dev/hello"), "{text}");
    assert!(names.contains(&"oauthuser.clientele.dev/anna"), "{text}");
    assert!(
        names.contains(&"oauthtenant.clientele.dev/default"),
        "{text}"
    );
}
