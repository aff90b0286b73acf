//! `spec.secret`: the operator writes it with rights that the author of the manifest may lack.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Row, accepts, refuses};

const TYPE: &str = "must be Opaque, servicebinding.io/oauth2 or nginx.org/oidc";
const NAME_RESERVED: &str = "is reserved for another purpose in Kubernetes; choose another name, or omit it to get <name>-oauth";
const NAME_FORM: &str =
    "must be a name of lower case letters, digits, '-' and '.', such as web-oauth";
const ENTRY_FORM: &str =
    "must begin with a letter and consist of letters, digits, '_', '-' and '.'";
const ENTRY_DANGEROUS: &str =
    "would change how a program starts when the Secret is used with envFrom; choose another name";
const ENTRY_TLS: &str = "is the name of a TLS file; choose another name";
const KEY_RESERVED: &str = "keys under kubernetes.io, k8s.io, clientele.dev, argoproj.io, fluxcd.io and helm.sh are reserved, except app.kubernetes.io/part-of";
const KEY_FORM: &str = "must be a name such as team or example.com/team";

#[tokio::test]
async fn f42_types_with_a_meaning_to_the_cluster_cannot_be_had() {
    let table = [
        ("token", "kubernetes.io/service-account-token"),
        ("bootstrap", "bootstrap.kubernetes.io/token"),
        ("pull", "kubernetes.io/dockerconfigjson"),
        ("tls", "kubernetes.io/tls"),
        ("basic", "kubernetes.io/basic-auth"),
        ("helm", "helm.sh/release.v1"),
        ("any", "example.com/any"),
        ("case", "opaque"),
    ];
    refuses(&table.map(|(name, type_)| {
        (
            name,
            json!({ "secret": { "type": type_ } }),
            "spec.secret.type",
            TYPE,
        )
    }))
    .await;
    let good = ["Opaque", "servicebinding.io/oauth2", "nginx.org/oidc"];
    let named = ["opaque", "binding", "nginx"];
    let rows: Vec<(&str, Value)> = named
        .into_iter()
        .zip(good.map(|type_| json!({ "secret": { "type": type_ } })))
        .collect();
    accepts(&rows).await;
}

#[tokio::test]
async fn f42_labels_with_a_meaning_to_others_are_refused() {
    let keys = [
        "kubernetes.io/service-account.name",
        "kubernetes.io/service-account.uid",
        "app.kubernetes.io/managed-by",
        "node.k8s.io/x",
        "clientele.dev/proof",
        "clientele.dev/oauthclient",
        "argocd.argoproj.io/secret-type",
        "kustomize.toolkit.fluxcd.io/prune",
        "meta.helm.sh/release-name",
        "helm.sh/resource-policy",
    ];
    for key in keys {
        let sentence = format!("the key {key:?} is reserved: {KEY_RESERVED}");
        let labels = json!({ "secret": { "labels": { key: "x" } } });
        let annotations = json!({ "secret": { "annotations": { key: "x" } } });
        refuses(&[
            ("label", labels, "spec.secret.labels", &*sentence),
            (
                "annotation",
                annotations,
                "spec.secret.annotations",
                &*sentence,
            ),
        ])
        .await;
    }
}

#[tokio::test]
async fn malformed_labels_and_annotations_are_answered_with_the_form() {
    let value = "the value of the key \"team\" must consist of letters, digits, '-', '_' and '.', and begin and end with a letter or digit";
    let form = |key: &str| format!("the key {key:?} {KEY_FORM}");
    let forms = ["a/b/c", "a b", ""].map(form);
    refuses(&[
        (
            "slashes",
            json!({ "secret": { "labels": { "a/b/c": "x" } } }),
            "spec.secret.labels",
            &*forms[0],
        ),
        (
            "space",
            json!({ "secret": { "annotations": { "a b": "x" } } }),
            "spec.secret.annotations",
            &*forms[1],
        ),
        (
            "empty",
            json!({ "secret": { "labels": { "": "x" } } }),
            "spec.secret.labels",
            &*forms[2],
        ),
        (
            "value",
            json!({ "secret": { "labels": { "team": "a b" } } }),
            "spec.secret.labels",
            value,
        ),
    ])
    .await;
    accepts(&[(
        "good",
        json!({ "secret": {
            "labels": { "app.kubernetes.io/part-of": "argocd", "team": "a", "example.com/team": "" },
            "annotations": { "reloader.stakater.com/match": "true", "note": "a b\nc" },
        } }),
    )])
    .await;
}

#[tokio::test]
async fn f43_names_that_mean_something_elsewhere_are_refused() {
    let table = [
        ("bootstrap", "bootstrap-token-abc123", NAME_RESERVED),
        ("helm", "sh.helm.release.v1.orders.v1", NAME_RESERVED),
        ("default-token", "default-token-abcde", NAME_RESERVED),
        ("root-key", "clientele-root-key", NAME_RESERVED),
        ("signing", "clientele-signing-default", NAME_RESERVED),
        ("upper", "Web-OAuth", NAME_FORM),
        ("slash", "kube-system/x", NAME_FORM),
        ("dots", "a..b", NAME_FORM),
        ("dash", "-a", NAME_FORM),
        ("space", "a ", NAME_FORM),
    ];
    refuses(&table.map(|(name, secret, sentence)| {
        (
            name,
            json!({ "secret": { "name": secret } }),
            "spec.secret.name",
            sentence,
        )
    }))
    .await;
}

#[tokio::test]
async fn f44_entries_that_change_how_a_program_starts_are_refused() {
    let table = [
        ("ld-preload", "LD_PRELOAD", ENTRY_DANGEROUS),
        ("ld-library-path", "LD_LIBRARY_PATH", ENTRY_DANGEROUS),
        ("dyld", "DYLD_INSERT_LIBRARIES", ENTRY_DANGEROUS),
        ("path", "PATH", ENTRY_DANGEROUS),
        ("path-lower-case", "path", ENTRY_DANGEROUS),
        ("bash-env", "BASH_ENV", ENTRY_DANGEROUS),
        ("node-options", "NODE_OPTIONS", ENTRY_DANGEROUS),
        ("java", "JAVA_TOOL_OPTIONS", ENTRY_DANGEROUS),
        ("proxy", "https_proxy", ENTRY_DANGEROUS),
        ("api-server", "KUBERNETES_SERVICE_HOST", ENTRY_DANGEROUS),
        ("git", "GIT_SSH_COMMAND", ENTRY_DANGEROUS),
        ("pull-secret", ".dockerconfigjson", ENTRY_FORM),
        ("data", "..data", ENTRY_FORM),
        ("traversal", "a/../../etc", ENTRY_FORM),
        ("digit", "1A", ENTRY_FORM),
        ("underscore", "_JAVA_OPTIONS", ENTRY_FORM),
        ("tls-key", "tls.key", ENTRY_TLS),
        ("tls-crt", "tls.crt", ENTRY_TLS),
        ("ca", "ca.crt", ENTRY_TLS),
    ];
    for entry in [
        "clientId",
        "clientSecret",
        "issuer",
        "tokenEndpoint",
        "jwksUri",
    ] {
        let field = format!("spec.secret.entries.{entry}");
        refuses(&table.map(|(name, wanted, sentence)| {
            let spec = json!({ "secret": { "entries": { entry: wanted } } });
            (name, spec, &*field, sentence)
        }))
        .await;
    }
}

#[tokio::test]
async fn f44_two_entries_cannot_have_the_same_name() {
    const SENTENCE: &str = "two entries have the same name; give each entry its own";
    let table = [
        ("both", json!({ "clientId": "A", "clientSecret": "A" })),
        ("a-default", json!({ "issuer": "CLIENT_SECRET" })),
    ];
    refuses(&table.map(|(name, entries)| {
        (
            name,
            json!({ "secret": { "entries": entries } }),
            "spec.secret.entries",
            SENTENCE,
        )
    }))
    .await;
    let swapped = json!({ "clientId": "CLIENT_SECRET", "clientSecret": "CLIENT_ID" });
    accepts(&[("swapped", json!({ "secret": { "entries": swapped } }))]).await;
}

#[tokio::test]
async fn f44_templates_name_their_entries_by_the_same_rules() {
    let named = |name: &str| json!({ "secret": { "template": { name: "x" } } });
    let long = "a".repeat(64);
    let table = [
        ("ld-preload", "LD_PRELOAD", ENTRY_DANGEROUS),
        ("path", "path", ENTRY_DANGEROUS),
        ("proxy", "https_proxy", ENTRY_DANGEROUS),
        ("traversal", "a/../../etc", ENTRY_FORM),
        ("data", "..data", ENTRY_FORM),
        ("empty", "", ENTRY_FORM),
        ("tls-key", "tls.key", ENTRY_TLS),
        ("long", &long, "must not be longer than 63 characters"),
    ];
    let rows = table.map(|(name, entry, sentence)| {
        (
            name,
            named(entry),
            format!("the entry {entry:?} {sentence}"),
        )
    });
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(name, spec, sentence)| (*name, spec.clone(), "spec.secret.template", &**sentence))
        .collect();
    refuses(&rows).await;
}

/// The API server and the operator read templates alike: these texts are judged by both.
#[tokio::test]
async fn an_unreadable_template_is_refused_with_what_it_may_hold() {
    let sentence = clientele_api::secret_template::mistake();
    let template = |text: &str| json!({ "secret": { "template": { "a": text } } });
    let examples = include_str!("../../../../src/api/template-examples.json");
    let examples: BTreeMap<String, Vec<String>> = serde_json::from_str(examples).unwrap();
    let rows = examples["refused"].iter();
    let rows: Vec<Row<'_>> = rows
        .map(|text| ("bad", template(text), "spec.secret.template[a]", &*sentence))
        .collect();
    refuses(&rows).await;
    let good = examples["taken"].iter().enumerate();
    let named: Vec<(String, Value)> = good
        .map(|(n, text)| (format!("good-{n}"), template(text)))
        .collect();
    let rows: Vec<(&str, Value)> = named
        .iter()
        .map(|(name, spec)| (&**name, spec.clone()))
        .collect();
    accepts(&rows).await;
}

#[tokio::test]
async fn templates_are_bounded_and_have_no_secret_of_public_clients() {
    let space = crate::support::test_namespace::TestNamespace::new("admission").await;
    let many: serde_json::Map<String, Value> =
        (0..17).map(|n| (format!("e{n}"), json!("x"))).collect();
    for template in [json!(many), json!({ "a": "x".repeat(4097) })] {
        let spec = json!({ "secret": { "template": template } });
        space.try_create("web", spec).await.unwrap_err();
    }
    let full: serde_json::Map<String, Value> = (0..16)
        .map(|n| (format!("e{n}"), json!("x".repeat(4096))))
        .collect();
    let spec = json!({ "secret": { "template": full } });
    space.try_create("full", spec).await.unwrap();
    let template = json!({ "a": "{{clientSecret | json}}" });
    let public = json!({
        "type": "Public", "redirectUris": ["https://a.example/cb"], "secret": { "template": template },
    });
    refuses(&[(
        "public",
        public,
        "spec",
        "a Public client has no secret; remove the placeholder clientSecret from secret.template",
    )])
    .await;
}

#[tokio::test]
async fn k09_a_reference_names_a_secret_beside_it_and_two_entries() {
    let name = "must be the name of a Secret in the same namespace";
    let entry = "must be the name of an entry of the Secret";
    let two = "key and previousKey must name two entries; leave previousKey away while there is no previous value";
    let copied = "a client secret provided by secretRef is never copied; remove the placeholder clientSecret from secret.template";
    let template = json!({ "a": "x {{ clientSecret }}" });
    let default = json!({ "name": "mine", "previousKey": "client-secret" });
    let same = json!({ "name": "mine", "key": "a", "previousKey": "a" });
    refuses(&[
        ("slash", json!({ "secretRef": { "name": "other/mine" } }), "spec.secretRef.name", name),
        ("key", json!({ "secretRef": { "name": "mine", "key": "a/b" } }), "spec.secretRef.key", entry),
        ("same", json!({ "secretRef": same }), "spec.secretRef", two),
        ("same-as-default", json!({ "secretRef": default }), "spec.secretRef", two),
        (
            "copied",
            json!({ "secretRef": { "name": "mine" }, "secret": { "template": template } }),
            "spec",
            copied,
        ),
        (
            "public",
            json!({ "type": "Public", "redirectUris": ["https://a.example/cb"], "secretRef": { "name": "mine" } }),
            "spec",
            "a Public client has no secret; remove secretRef or make the client Confidential",
        ),
    ])
    .await;
    let space = crate::support::test_namespace::TestNamespace::new("admission").await;
    for reference in [
        json!({ "name": "mine", "namespace": "other" }),
        json!({ "key": "a" }),
    ] {
        let spec = json!({ "secretRef": reference });
        space.try_create("web", spec).await.unwrap_err();
    }
}
