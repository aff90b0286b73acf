//! What `--help` promises.

use clap::CommandFactory;
use clientele::config::CommandLine;

use crate::support::machine;

fn help(arguments: &[&str]) -> String {
    let output = machine::program(env!("CARGO_BIN_EXE_clientele"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_begins_with_what_it_is_and_ends_with_how_to_try_it() {
    let help = help(&["--help"]);
    assert!(
        help.starts_with("A Kubernetes operator with an OAuth 2.1 / OpenID Connect server inside."),
        "{help}"
    );
    for expected in ["Try it:", "kubectl apply", "run ", "crds", "root-key"] {
        assert!(help.contains(expected), "{expected} in {help}");
    }
}

#[test]
fn help_of_run_names_every_environment_variable_and_every_default() {
    let help = help(&["run", "--help"]);
    let command = CommandLine::command();
    let run = command.find_subcommand("run").unwrap();
    for argument in run.get_arguments() {
        let Some(variable) = argument.get_env() else {
            continue;
        };
        let flag = argument.get_long().unwrap();
        let text = help
            .split(&format!("--{flag} "))
            .nth(1)
            .unwrap_or_else(|| panic!("--{flag} in {help}"));
        let text = text.split("\n      --").next().unwrap();
        assert!(
            text.contains(variable.to_str().unwrap()),
            "{variable:?} beside --{flag}"
        );
        for default in argument.get_default_values() {
            assert!(
                text.contains(default.to_str().unwrap()),
                "{default:?} beside --{flag}"
            );
        }
    }
}

#[test]
fn a_wrong_setting_is_refused_with_what_to_write() {
    let output = machine::program(env!("CARGO_BIN_EXE_clientele"))
        .args(["run", "--public-url", "http://id.example.com"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("must be https://…; http only on loopback"),
        "{message}"
    );
}
