//! What the chart renders, and what it refuses to render.

use std::process::Output;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::cluster::tool;
use crate::support::machine;
use xtask::source::root;

const EDGE: [&str; 2] = [
    "publicUrl=https://login.example.com",
    r#"httpRoute.parentRefs=[{"name":"x"}]"#,
];

pub(super) fn helm(values: &[&str]) -> Output {
    static HELM: OnceLock<String> = OnceLock::new();
    let helm = HELM.get_or_init(|| tool("helm"));
    let mut command = machine::program(helm);
    command.args([
        "template",
        "clientele",
        "charts/clientele",
        "--kube-version",
        "1.33.0",
    ]);
    for value in values {
        let set = if value.contains('[') {
            "--set-json"
        } else {
            "--set"
        };
        command.args([set, value]);
    }
    command.current_dir(root()).output().unwrap()
}

/// The objects of a kind.
pub(super) fn rendered(kind: &str, values: &[&str]) -> Vec<Value> {
    objects_of(&helm(values), kind)
}

/// The objects of a kind in what Helm printed.
pub(super) fn objects_of(output: &Output, kind: &str) -> Vec<Value> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let objects = text.split("\n---\n").filter(|text| text.contains("kind:"));
    let objects = objects.map(|text| serde_yaml::from_str::<Value>(text).unwrap());
    objects.filter(|object| object["kind"] == kind).collect()
}

#[test]
fn n04_an_edge_needs_the_networks_of_its_proxies() {
    for field in ["ingress.enabled", "httpRoute.enabled"] {
        let on = format!("{field}=true");
        let output = helm(&[&EDGE[..], &[&on]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(
            said.contains(&format!("{field} is true: set trustedProxies")),
            "{said}"
        );
        for given in [r#"trustedProxies=["10.20.30.0/24"]"#, "trustedProxies=[]"] {
            let kind = if field.starts_with("ingress") {
                "Ingress"
            } else {
                "HTTPRoute"
            };
            let objects = rendered(kind, &[&EDGE[..], &[&on, given]].concat());
            assert_eq!(objects.len(), 1, "{given}");
        }
    }
}

#[test]
fn n04_the_admin_port_is_open_to_named_peers_only() {
    let ports = |values: &[&str]| -> Vec<Value> {
        let values = [values, &["networkPolicy.enabled=true"]].concat();
        let policy = rendered("NetworkPolicy", &values).remove(0);
        let rules = policy["spec"]["ingress"].as_array().unwrap().clone();
        let admin = rules
            .into_iter()
            .filter(|rule| rule["ports"][0]["port"] == "admin");
        admin.collect()
    };
    assert_eq!(ports(&[]), Vec::<Value>::new());
    let named = ports(&[
        r#"networkPolicy.adminFrom=[{"podSelector":{"matchLabels":{"app":"prometheus"}}}]"#,
    ]);
    assert_eq!(named.len(), 1);
    assert_eq!(
        named[0]["from"][0]["podSelector"]["matchLabels"]["app"],
        "prometheus"
    );
}

#[test]
fn n03_program_and_policy_have_the_same_keys() {
    for (given, variable, label) in [
        (
            vec![],
            clientele_api::allowed_keys::DEFAULT_KEYS.join(","),
            "key.startsWith('reloader.stakater.com/')",
        ),
        (
            vec![r#"secrets.allowedKeys=["team"]"#],
            "team".to_owned(),
            "'clientele.dev/oauthclient', 'team']",
        ),
        (
            vec!["secrets.allowedKeys=[]"],
            String::new(),
            "'clientele.dev/oauthclient']",
        ),
    ] {
        let deployment = rendered("Deployment", &given).remove(0);
        let variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"].clone();
        let named = variables.as_array().unwrap().iter();
        let mut named = named.filter(|one| one["name"] == "CLIENTELE_SECRETS_ALLOWED_KEYS");
        assert_eq!(named.next().unwrap()["value"], variable);
        let policies = rendered("ValidatingAdmissionPolicy", &given);
        let texts: Vec<String> = policies.iter().map(Value::to_string).collect();
        assert!(
            texts.iter().any(|text| text.contains(label)),
            "{label}: {texts:?}"
        );
    }
    let bad = helm(&[r#"secrets.allowedKeys=["*"]"#]);
    assert!(!bad.status.success());
}

#[test]
fn n09_the_chart_refuses_a_dashboard_at_the_issuer() {
    let at = |url: &str| {
        helm(&[
            "publicUrl=https://login.example.com/auth",
            &format!("dashboard.url={url}"),
        ])
    };
    for (bad, remedy) in [
        ("https://login.example.com", "a host name of its own"),
        ("https://Login.example.com/dashboard", "lower case"),
        ("https://login.example.com:443", "port"),
        ("http://dashboard.example.com", "dashboard"),
        ("https://dashboard.example.com?x=1", "dashboard"),
    ] {
        let output = at(bad);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains(remedy),
            "{bad}: {said}"
        );
    }
    for good in [
        "https://dashboard.example.com",
        "https://login.example.com:8443",
    ] {
        assert!(at(good).status.success(), "{good}");
    }
}

/// What the operator may do with OAuthClients in its own namespace, beside what it may everywhere.
#[test]
fn the_operator_creates_clients_only_where_it_makes_some() {
    let creates = |values: &[&str]| {
        let rules = rendered("Role", values)[0]["rules"]
            .as_array()
            .unwrap()
            .clone();
        let mut about = rules
            .into_iter()
            .filter(|rule| rule["resources"] == json!(["oauthclients"]));
        let rule = about.next();
        assert_eq!(about.next(), None);
        rule.map(|rule| rule["verbs"].clone())
    };
    let url = "dashboard.url=https://dashboard.example.com";
    let create = Some(json!(["create"]));
    assert_eq!(creates(&[]), create);
    assert_eq!(creates(&["bootstrap=false"]), None);
    assert_eq!(creates(&["bootstrap=false", url]), create);
    let environment = |values: &[&str]| {
        let deployment = rendered("Deployment", values).remove(0);
        deployment.to_string().contains("CLIENTELE_DASHBOARD_URL")
    };
    assert!(!environment(&[]) && environment(&[url]));
}

/// The dashboard has no right of its own and no token: what it does, a person does.
#[test]
fn o17_the_dashboard_has_no_rights_of_its_own() {
    let url = "dashboard.url=https://dashboard.example.com";
    let on = [
        url,
        "dashboard.enabled=true",
        "publicUrl=https://login.example.com",
        "networkPolicy.enabled=true",
    ];
    let named = |kind: &str, values: &[&str]| {
        let objects = rendered(kind, values).into_iter();
        let mut found =
            objects.filter(|object| object["metadata"]["name"] == "clientele-dashboard");
        found.next()
    };
    for kind in ["Deployment", "Service", "ServiceAccount", "NetworkPolicy"] {
        assert!(named(kind, &on).is_some(), "{kind}");
        assert!(
            named(kind, &[url, "networkPolicy.enabled=true"]).is_none(),
            "{kind}"
        );
    }
    assert_eq!(
        named("ServiceAccount", &on).unwrap()["automountServiceAccountToken"],
        false
    );
    for kind in ["ClusterRoleBinding", "RoleBinding"] {
        for binding in rendered(kind, &on) {
            assert!(
                !binding["subjects"]
                    .to_string()
                    .contains("clientele-dashboard"),
                "{binding}"
            );
        }
    }
    let deployment = named("Deployment", &on).unwrap();
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert!(
        !pod["volumes"].to_string().contains("serviceAccountToken"),
        "{pod}"
    );
    let arguments = pod["containers"][0]["args"].to_string();
    assert!(
        arguments.contains("--url=https://dashboard.example.com"),
        "{arguments}"
    );
    // The operator's Service and policy select the operator only.
    let labels = deployment["spec"]["template"]["metadata"]["labels"]
        .as_object()
        .unwrap();
    for service in rendered("Service", &on) {
        let selector = service["spec"]["selector"].as_object().unwrap();
        let selects = selector
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value));
        assert_eq!(
            selects,
            service["metadata"]["name"] == "clientele-dashboard",
            "{service}"
        );
    }
    for (values, said) in [
        (&["dashboard.enabled=true"][..], "set dashboard.url"),
        (
            &[
                "dashboard.enabled=true",
                "dashboard.url=https://d.example.com/x",
            ],
            "has a path",
        ),
        (
            &[
                url,
                "dashboard.enabled=true",
                "dashboard.httpRoute.enabled=true",
            ],
            "parentRefs",
        ),
    ] {
        let output = helm(values);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(said), "{error}");
    }
}

#[test]
fn the_roles_for_people_read_or_write_one_kind() {
    let roles = rendered("ClusterRole", &[]);
    let of = |name: &str| {
        let mut found = roles.iter().filter(|role| role["metadata"]["name"] == name);
        found.next().unwrap()
    };
    let (read, all) = (
        json!(["get", "list", "watch"]),
        json!([
            "get",
            "list",
            "watch",
            "create",
            "update",
            "patch",
            "delete",
            "deletecollection"
        ]),
    );
    for (name, kind, verbs) in [
        ("clientele-view", "oauthclients", &read),
        ("clientele-edit", "oauthclients", &all),
        ("clientele-tenants-view", "oauthtenants", &read),
        ("clientele-users", "oauthusers", &all),
    ] {
        let role = of(name);
        let wanted = json!({ "apiGroups": ["clientele.dev"], "resources": [kind], "verbs": verbs });
        assert_eq!(role["rules"], json!([wanted]), "{name}");
        let labels = role["metadata"]["labels"].to_string();
        assert!(!labels.contains("aggregate"), "{name}: {labels}");
    }
    // Whatever is opted in to, tenants and people stay out of the roles of Kubernetes.
    let opted = ["View", "Edit", "Admin"].map(|role| format!("rbac.aggregateTo{role}=true"));
    let opted: Vec<&str> = opted.iter().map(String::as_str).collect();
    for role in rendered("ClusterRole", &opted) {
        let aggregated = role["metadata"]["labels"].to_string().contains("aggregate");
        assert!(!aggregated || role["rules"][0]["resources"] == json!(["oauthclients"]));
    }
}

#[test]
fn o17_traces_go_where_the_chart_says_and_nowhere_by_default() {
    let policy = |values: &[&str]| {
        let values = [values, &["networkPolicy.enabled=true"]].concat();
        rendered("NetworkPolicy", &values).remove(0)["spec"]["egress"].clone()
    };
    let environment = |values: &[&str]| {
        let deployment = rendered("Deployment", values).remove(0);
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let variables = container["env"].as_array().unwrap().iter();
        let ours = variables.filter(|variable| variable["name"].as_str().unwrap().contains("OTLP"));
        ours.map(|variable| variable["value"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(environment(&[]), Vec::<String>::new());
    assert!(!policy(&[]).to_string().contains("4318"));
    for (url, port) in [
        ("http://otel:4318", 4318),
        ("http://otel", 80),
        ("https://otel.example/in", 443),
        ("http://[fd00::1]:4319", 4319),
    ] {
        let endpoint = if url.contains('[') {
            format!("tracing.endpoint=\"{url}\"")
        } else {
            format!("tracing.endpoint={url}")
        };
        assert_eq!(environment(&[&endpoint]), [url, "0.1"]);
        let rules = policy(&[&endpoint]);
        let ports = rules.as_array().unwrap().last().unwrap()["ports"].clone();
        assert_eq!(ports, json!([{ "port": port, "protocol": "TCP" }]), "{url}");
    }
    let on = "tracing.endpoint=http://otel:4318";
    for ratio in ["0", "0.25", "1"] {
        let share = format!("tracing.sampleRatio={ratio}");
        assert_eq!(environment(&[on, &share])[1], ratio);
    }
    for bad in [
        "sampleRatio=1.5",
        "sampleRatio=often",
        "endpoint=otel:4317",
        "endpoint=http://a@otel",
    ] {
        assert!(
            !helm(&[&format!("tracing.{bad}")]).status.success(),
            "{bad}"
        );
    }
}
