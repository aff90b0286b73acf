//! What a platform needs of the chart: upgrades with the values of an older one, URLs, what it adds to pods, `helm test`.

use std::path::Path;
use std::process::Output;

use clap::Parser;
use clientele::config::{Command, CommandLine};
use serde_json::{Value, json};

use super::chart::{helm, objects_of, rendered};
use crate::support::cluster::tool;
use crate::support::machine;
use xtask::source::root;

/// The chart with these values and those of a file in `ci/`.
fn of_file(name: &str, kind: &str) -> Vec<Value> {
    let file = format!("charts/clientele/ci/{name}-values.yaml");
    let output = template("charts/clientele", &["--values", &file]);
    objects_of(&output, kind)
}

fn template(chart: &str, arguments: &[&str]) -> Output {
    let mut command = machine::program(tool("helm"));
    command.args(["template", "clientele", chart, "--kube-version", "1.33.0"]);
    command.args(["--namespace", "clientele-system", "--skip-tests"]);
    command
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap()
}

/// What `helm upgrade --reuse-values` renders: this chart, with the values of another one for its own.
fn with_values_of(values: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("charts/clientele"), folder.path());
    std::fs::write(folder.path().join("values.yaml"), values).unwrap();
    template(folder.path().to_str().unwrap(), &[])
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn o11_values_of_an_older_chart_render() {
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let today = template("charts/clientele", &[]);
    assert!(today.status.success(), "{}", said(&today));
    let releases = std::fs::read_dir(root().join("tests/releases")).unwrap();
    let mut values: Vec<(String, String)> = releases
        .map(|release| release.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read_to_string(path.join("values.yaml")).unwrap(),
            )
        })
        .collect();
    assert!(!values.is_empty());
    // One that knew nothing of what there is today.
    values.push(("nothing".to_owned(), String::new()));
    values.push((
        "parts".to_owned(),
        "database: { sqlite: {} }\nsecrets: {}\nservice: { port: 0 }\n".to_owned(),
    ));
    for (name, values) in values {
        let output = with_values_of(&values);
        assert!(output.status.success(), "{name}: {}", said(&output));
        let same = output.stdout == today.stdout;
        assert!(same, "{name} renders something else than today's values");
    }
    // What was taken away on purpose is not filled in.
    let openshift = of_file("openshift", "Deployment").remove(0).to_string();
    assert!(!openshift.contains("runAsUser"), "{openshift}");
}

#[test]
fn o11_every_template_fills_in_what_is_new() {
    let templates = xtask::source::files("charts/clientele/templates", &["yaml", "txt"]);
    let without = templates.iter().filter(|template| {
        let mut head = template.text.lines().take(2);
        !head.any(|line| line.contains("include \"clientele.fill\" ."))
    });
    let without: Vec<String> = without.map(|template| template.path.clone()).collect();
    let rule = "begin with {{- include \"clientele.fill\" . }}, or it fails with the values of an older chart";
    xtask::source::none(&without, rule);
}

/// Whether the program takes a public URL, and as what.
fn accepted_by_program(url: &str) -> Option<String> {
    let line = CommandLine::try_parse_from(["clientele", "run", "--public-url", url]);
    match line.ok()?.command {
        Command::Run(run) => Some(run.public_url),
        _ => None,
    }
}

fn accepted_by_chart(url: &str) -> Option<String> {
    let value = format!("publicUrl={}", json!(url));
    let output = template("charts/clientele", &["--set-json", &value]);
    if !output.status.success() {
        return None;
    }
    let deployment = objects_of(&output, "Deployment").remove(0);
    let variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let mut variables = variables.as_array().unwrap().iter();
    let found = variables.find(|one| one["name"] == "CLIENTELE_PUBLIC_URL");
    Some(found.unwrap()["value"].as_str().unwrap().to_owned())
}

const URLS: [&str; 62] = [
    "https://login.example.com",
    "https://login.example.com/",
    "https://login.example.com//",
    "https://login.example.com/auth",
    "https://login.example.com/auth/",
    "https://login.example.com/a/b-c_d.e~f",
    "https://login.example.com/a//b",
    "https://login.example.com//b",
    "https://login.example.com/a/../b",
    "https://login.example.com/a/.",
    "https://login.example.com/a/%2e%2E/b",
    "https://login.example.com/...",
    "https://login.example.com/a%20b",
    "https://login.example.com/a b",
    "https://login.example.com/a|b",
    "https://login.example.com/[a]",
    "https://login.example.com/ä",
    "https://login.example.com/a'b",
    "https://login.example.com/a\\b",
    "https://login.example.com?x=1",
    "https://login.example.com/#x",
    "https://login.example.com:8443",
    "https://login.example.com:443",
    "https://login.example.com:443/auth",
    "https://login.example.com:80",
    "https://login.example.com:0",
    "https://login.example.com:08443",
    "https://login.example.com:65535",
    "https://login.example.com:65536",
    "https://login.example.com:",
    "https://Login.example.com",
    "HTTPS://login.example.com",
    "https://login.example.com.",
    "https://login..example.com",
    "https://-login.example.com",
    "https://login-.example.com",
    "https://lo--gin.example.com",
    "https://log_in.example.com",
    "https://löwe.example",
    "https://xn--lwe-sna.example",
    "https://clientele",
    "https://1.2.3.4",
    "https://1.2.3",
    "https://1.2.3.04",
    "https://1.2.3.256",
    "https://a.0x1f",
    "https://a.1",
    "https://a.1b",
    "https://[::1]:8443",
    "https://[2001:db8::1]",
    "https://user@login.example.com",
    "https://",
    "https:///login.example.com",
    "login.example.com",
    "http://login.example.com",
    "http://localhost:8080",
    "http://clientele.localhost",
    "http://-a.localhost",
    "http://127.0.0.1:80",
    "http://127.9.9.9:8080",
    "http://127.0.0.01",
    "http://[::1]:8080/auth",
];

#[test]
fn o15_program_and_chart_have_one_rule_for_urls() {
    let long = format!("https://login.example.com/{}", "a".repeat(487));
    assert_eq!(long.len(), 513);
    let all = URLS.map(str::to_owned).into_iter();
    let all: Vec<String> = all.chain([long.clone(), long[..512].to_owned()]).collect();
    let halves = all.chunks(all.len().div_ceil(2));
    let differing = std::thread::scope(|scope| {
        let judged = halves.map(|urls| {
            scope.spawn(move || {
                let differs = |url: &&String| accepted_by_program(url) != accepted_by_chart(url);
                urls.iter().filter(differs).cloned().collect::<Vec<_>>()
            })
        });
        let judged: Vec<_> = judged.collect();
        let judged = judged.into_iter().flat_map(|half| half.join().unwrap());
        judged.collect::<Vec<String>>()
    });
    assert_eq!(differing, Vec::<String>::new(), "judged in two ways");
    let accepted = all.iter().filter(|url| accepted_by_program(url).is_some());
    assert!(accepted.count() > 15);
}

#[test]
fn o16_what_a_platform_adds_to_pods_is_rendered() {
    let deployment = of_file("extras", "Deployment").remove(0);
    let spec = &deployment["spec"];
    assert_eq!(spec["minReadySeconds"], 5);
    assert_eq!(spec["progressDeadlineSeconds"], 120);
    let pod = &spec["template"]["spec"];
    assert_eq!(pod["runtimeClassName"], "gvisor");
    assert_eq!(
        pod["hostAliases"][0]["hostnames"],
        json!(["db.example.com"])
    );
    assert_eq!(pod["dnsConfig"]["options"][0]["name"], "ndots");
    assert_eq!(pod["initContainers"][0]["restartPolicy"], "Always");
    let names: Vec<&Value> = pod["containers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["clientele", "shipper"]);
    assert_eq!(
        pod["containers"][0]["envFrom"][0]["configMapRef"]["name"],
        "proxies"
    );
    let output = helm(&["minReadySeconds=600"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("progressDeadlineSeconds"),
        "{said}"
    );
}

#[test]
fn o16_an_autoscaler_owns_the_number_of_replicas() {
    let deployment = of_file("extras", "Deployment").remove(0);
    assert_eq!(deployment["spec"]["replicas"], Value::Null);
    let scaler = of_file("extras", "HorizontalPodAutoscaler").remove(0);
    assert_eq!(
        scaler["spec"]["scaleTargetRef"]["name"],
        deployment["metadata"]["name"]
    );
    assert_eq!(scaler["spec"]["minReplicas"], 2);
    assert_eq!(of_file("extras", "PodDisruptionBudget").len(), 1);
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(
        pod["topologySpreadConstraints"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        rendered("HorizontalPodAutoscaler", &[]),
        Vec::<Value>::new()
    );
    assert_eq!(rendered("Deployment", &[])[0]["spec"]["replicas"], 1);
    let on = "autoscaling.enabled=true";
    for (values, remedy) in [
        (vec![on], "SQLite serves one process"),
        (
            vec![
                on,
                "database.type=postgres",
                "database.postgres.existingSecret=x",
                "autoscaling.maxReplicas=1",
            ],
            "less than autoscaling.minReplicas",
        ),
    ] {
        let output = helm(&values);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(remedy), "{said}");
    }
}

#[test]
fn o16_openshift_chooses_the_user() {
    let pod = of_file("openshift", "Deployment").remove(0)["spec"]["template"]["spec"].clone();
    let context = json!({ "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } });
    assert_eq!(pod["securityContext"], context);
    let route = of_file("openshift", "Route").remove(0);
    assert_eq!(route["spec"]["host"], "login.apps.example.com");
    assert_eq!(route["spec"]["to"]["name"], "clientele");
}

#[test]
fn o16_helm_test_probes_without_rights() {
    for (values, at) in [
        (
            vec!["publicUrl=https://login.example.com/auth"],
            "--at=http://clientele.default.svc:80",
        ),
        (
            vec![
                "publicUrl=https://login.example.com/auth",
                "tls.secretName=x",
            ],
            "--at=https://clientele.default.svc:443",
        ),
    ] {
        let pod = rendered("Pod", &values).remove(0);
        assert_eq!(pod["metadata"]["annotations"]["helm.sh/hook"], "test");
        assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
        let container = &pod["spec"]["containers"][0];
        let deployment = rendered("Deployment", &values).remove(0);
        let server = &deployment["spec"]["template"]["spec"]["containers"][0];
        let (own, servers) = (&pod["spec"], &deployment["spec"]["template"]["spec"]);
        assert_eq!(own["securityContext"], servers["securityContext"]);
        for same in ["image", "securityContext", "resources"] {
            assert_eq!(container[same], server[same], "{same}");
        }
        let arguments = container["args"].as_array().unwrap().iter();
        let arguments = arguments.map(|argument| argument.as_str().unwrap());
        let line: Vec<&str> = ["clientele"].into_iter().chain(arguments).collect();
        assert_eq!(line[3], at);
        // The program understands it.
        let parsed = CommandLine::try_parse_from(&line).unwrap().command;
        assert!(matches!(parsed, Command::Probe(_)), "{line:?}");
        // The Service must not send requests to it.
        let service = &rendered("Service", &values)[0]["spec"]["selector"];
        let labels = &pod["metadata"]["labels"];
        let key = "app.kubernetes.io/name";
        assert_ne!(labels[key], service[key]);
    }
}

#[test]
fn o16_uninstalling_keeps_the_database() {
    let policy = |values: &[&str]| {
        let claim = rendered("PersistentVolumeClaim", values).remove(0);
        claim["metadata"]["annotations"]["helm.sh/resource-policy"].clone()
    };
    assert_eq!(policy(&[]), "keep");
    assert_eq!(
        policy(&["database.sqlite.persistence.keep=false"]),
        Value::Null
    );
}

/// V14: one value makes an installation for a shared cluster.
#[test]
fn listed_namespaces_alone_limit_the_operator() {
    let scope = |values: &[&str]| {
        let deployment = rendered("Deployment", values).remove(0);
        let variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"].clone();
        let mut variables = variables.as_array().unwrap().iter();
        let scope = variables.find(|one| one["name"] == "CLIENTELE_SECRETS_SCOPE");
        let roles = rendered("ClusterRole", values);
        let rights: Vec<String> = roles.iter().map(|role| role["rules"].to_string()).collect();
        let everywhere = rights.iter().any(|rules| rules.contains("\"secrets\""));
        let inside = rendered("Role", values).len();
        (scope.unwrap()["value"].clone(), everywhere, inside)
    };
    let listed = r#"secrets.namespaces=["team-a","team-b"]"#;
    assert_eq!(scope(&[]), (json!("cluster"), true, 1));
    assert_eq!(scope(&[listed]), (json!("namespaces"), false, 3));
    assert_eq!(
        scope(&["secrets.scope=namespaces"]),
        (json!("namespaces"), false, 1)
    );
    let output = helm(&[listed, "secrets.scope=cluster"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("leave secrets.scope empty"),
        "{said}"
    );
}
