//! `kubectl-clientele`: parse → ask → print, or serve the dashboard. kubectl runs it as `kubectl clientele`.

use std::process::ExitCode;

use clap::Parser;
use clientele_kubectl::args::{CommandLine, Verb};

fn main() -> ExitCode {
    match CommandLine::try_parse() {
        Ok(command_line) => match &command_line.verb {
            Verb::Dashboard(args) => {
                clientele_dashboard::run_to_completion(&command_line.cluster, args)
            }
            _ => clientele_kubectl::run_to_completion(command_line),
        },
        Err(error) => {
            // 2 is an answer of this program, so a mistake on the command line is 1.
            let mistake = error.use_stderr();
            let _ = error.print();
            ExitCode::from(u8::from(mistake))
        }
    }
}
