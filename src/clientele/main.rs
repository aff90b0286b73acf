//! parse → build → run.

use std::process::ExitCode;

use clap::Parser;
use clientele::config::{Command, CommandLine, RootKeyAction};
use clientele::run;
use clientele_api as api;
use clientele_operator as operator;

fn main() -> ExitCode {
    let done = match CommandLine::parse().command {
        Command::Dashboard(args) => {
            return match args.for_people() {
                Some(settings) => clientele_dashboard::serve_people(&settings),
                None => clientele_dashboard::run_to_completion(&args.cluster, &args.dashboard),
            };
        }
        Command::Run(settings) => run::run_to_completion(*settings),
        Command::Probe(probe) => clientele_kubectl::probe::run_to_completion(&probe.target())
            .map_err(|failure| anyhow::anyhow!("{failure}"))
            .and_then(|said| print(&said)),
        Command::Crds { helm } => print(&api::crd::render(helm)),
        Command::RootKey(key) => match key.action {
            None => operator::root_key::fresh(&key.namespace, &key.name)
                .map_err(anyhow::Error::from)
                .and_then(|secret| print(&serde_yaml::to_string(&secret)?)),
            Some(RootKeyAction::Rotate { emergency }) => {
                run::root_key::rotate(&key.namespace, &key.name, emergency)
                    .and_then(|done| print(&done))
            }
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!(
                "clientele: {}",
                operator::error::error_chain(error.as_ref())
            );
            ExitCode::FAILURE
        }
    }
}

/// A reader that goes away early, such as `head`, is no error.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
