use super::values::{log_filter, otlp_endpoint, public_url, ratio};
use super::*;

#[test]
fn the_command_line_is_consistent() {
    CommandLine::command().debug_assert();
}

#[test]
fn every_setting_can_be_given_by_the_environment_and_says_so() {
    let command = CommandLine::command();
    let run = command.find_subcommand("run").unwrap();
    for argument in run
        .get_arguments()
        .filter(|argument| argument.get_id() != "help")
    {
        let flag = argument.get_long().unwrap();
        let expected = format!("CLIENTELE_{}", flag.replace('-', "_").to_uppercase());
        assert_eq!(
            argument.get_env().unwrap().to_str().unwrap(),
            expected,
            "--{flag}"
        );
        assert!(argument.get_help().is_some(), "--{flag} has no help");
    }
}

#[test]
fn the_password_of_the_database_is_in_no_help_and_in_no_debug_form() {
    let url = "postgres://clientele:hunter2@db/clientele";
    let line = CommandLine::try_parse_from(["clientele", "run", "--database-url", url]);
    let Command::Run(run) = line.unwrap().command else {
        panic!("another command")
    };
    assert_eq!(run.database_url.expose(), url);
    assert!(!format!("{run:?}").contains("hunter2"));
    let command = CommandLine::command();
    let run = command.find_subcommand("run").unwrap();
    let setting = run.get_arguments().find(|a| a.get_id() == "database_url");
    assert!(setting.unwrap().is_hide_env_values_set());
}

#[test]
fn a_log_level_that_is_misspelled_does_not_silence_the_log() {
    for good in [
        "info",
        "WARN",
        "off",
        "info,clientele=debug",
        "warn,kube=trace",
        "[pass]=debug",
    ] {
        assert_eq!(log_filter(good).as_deref(), Ok(good));
    }
    for bad in ["loud", "warning", "info,clientele", "clientele=loud"] {
        let said = log_filter(bad).unwrap_err();
        assert!(said.contains("error, warn, info"), "{bad}: {said}");
    }
}

#[test]
fn traces_go_to_a_url_without_credentials() {
    for (given, endpoint) in [
        ("http://otel:4318", "http://otel:4318/v1/traces"),
        ("http://otel:4318/", "http://otel:4318/v1/traces"),
        ("http://otel:4318/v1/traces", "http://otel:4318/v1/traces"),
        (
            "https://otel.example/in",
            "https://otel.example/in/v1/traces",
        ),
    ] {
        assert_eq!(otlp_endpoint(given).as_deref(), Ok(endpoint));
    }
    for bad in [
        "",
        "otel:4318",
        "grpc://otel:4317",
        "http://",
        "http://user@otel",
        "http://:password@otel",
        "http://otel?key=a",
        "http://otel#a",
    ] {
        assert!(otlp_endpoint(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_share_lies_between_nothing_and_everything() {
    assert_eq!(ratio("0"), Ok(0.0));
    assert_eq!(ratio("0.25"), Ok(0.25));
    assert_eq!(ratio("1"), Ok(1.0));
    for bad in ["", "-0.1", "1.1", "NaN", "inf", "10%"] {
        assert!(ratio(bad).is_err(), "{bad}");
    }
}

#[test]
fn issuers_are_https_or_loopback_in_their_normal_form() {
    assert_eq!(
        public_url("https://id.example/").unwrap(),
        "https://id.example"
    );
    assert_eq!(
        public_url("http://127.0.0.1:8080").unwrap(),
        "http://127.0.0.1:8080"
    );
    assert_eq!(
        public_url("https://id.example/auth").unwrap(),
        "https://id.example/auth"
    );
    for bad in [
        "http://id.example",
        "https://id.example?x",
        "https://ID.example",
        "id.example",
        "https://u@id.example",
    ] {
        assert!(public_url(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_keys_of_secrets_can_be_listed_and_be_none() {
    let keys = |line: &[&str]| {
        let line = [&["clientele", "run"], line].concat();
        let Command::Run(run) = CommandLine::try_parse_from(line).unwrap().command else {
            panic!("another command")
        };
        run.settings().allowed_keys.to_text()
    };
    assert_eq!(keys(&[]), DEFAULT_KEYS.join(", "));
    let list = ["--secrets-allowed-keys", "team,example.com/*"];
    assert_eq!(keys(&list), "team, example.com/*");
    assert_eq!(keys(&["--secrets-allowed-keys", ""]), "none");
    let bad = ["clientele", "run", "--secrets-allowed-keys", "*"];
    assert!(CommandLine::try_parse_from(bad).is_err());
}

#[test]
fn n09_the_dashboard_is_never_on_the_origin_of_the_issuer() {
    let run = |dashboard: &str| {
        let line = [
            "clientele",
            "run",
            "--public-url",
            "https://login.example.com/auth",
        ];
        let line = [&line[..], &["--dashboard-url", dashboard]].concat();
        let line = CommandLine::try_parse_from(line).map_err(|error| error.to_string())?;
        let Command::Run(run) = line.command else {
            panic!("another command")
        };
        run.check()?;
        Ok::<_, String>(run.settings().dashboard_url)
    };
    for good in [
        "https://dashboard.example.com",
        "https://login.example.com:8443",
        "http://127.0.0.1:9090",
    ] {
        assert_eq!(run(good), Ok(Some(good.to_owned())), "{good}");
    }
    for (bad, said) in [
        ("https://login.example.com", "host name of its own"),
        ("https://login.example.com:443/dashboard", "normal form"),
        (
            "https://login.example.com/dashboard",
            "a host name of its own",
        ),
        ("https://dashboard.example.com/clients", "must have no path"),
        ("http://dashboard.example.com", "http only on loopback"),
        ("https://dashboard.example.com?x=1", "neither query"),
        ("https://dashboard.example.com#x", "fragment"),
    ] {
        let answer = run(bad).unwrap_err();
        assert!(answer.contains(said), "{bad}: {answer}");
    }
}

#[test]
fn the_dashboard_is_a_service_only_with_url_and_credentials() {
    let parse = |rest: &[&str]| {
        let line = [&["clientele", "dashboard"], rest].concat();
        let parsed = CommandLine::try_parse_from(line).map_err(|error| error.to_string())?;
        let Command::Dashboard(dashboard) = parsed.command else {
            return Err("another command".to_owned());
        };
        Ok(dashboard.for_people())
    };
    let service = [
        "--url",
        "https://dashboard.example.com",
        "--credentials",
        "/secret",
    ];
    let settings = parse(&service).unwrap().unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8090");
    assert_eq!(
        settings.sign_in.api_server,
        "https://kubernetes.default.svc"
    );
    assert!(parse(&[]).unwrap().is_none());
    for bad in [
        &["--url", "https://dashboard.example.com"][..],
        &["--credentials", "/secret"],
        &["--listen", "0.0.0.0:8090"],
        &[&service[..], &["--open"]].concat(),
        &[&service[..], &["--port", "1"]].concat(),
        &[
            "--url",
            "http://dashboard.example.com",
            "--credentials",
            "/secret",
        ],
    ] {
        assert!(parse(bad).is_err(), "{bad:?}");
    }
}
