//! `kubectl clientele`: what people ask of an installation on the command line. It knows the API server and the public
//! endpoints of the issuer, and has no server inside.

pub mod args;
pub mod connect;
mod failure;
pub mod import;
mod installation;
mod issuer;
mod issuer_client;
mod objects;
pub mod output;
pub mod probe;
mod random;
mod remedies;
mod severity;
mod verbs;

use std::process::ExitCode;

use args::{CommandLine, Verb, Why};
use connect::Session;
use output::Output;

pub use failure::{Answer, Failure, Outcome};

/// What the dashboard says in the same words.
pub mod shared {
    pub use crate::args::Consumer;
    pub use crate::issuer::{AuthorizationRequest, Proof, Redeemed, plain};
    pub use crate::issuer_client::IssuerClient;
    pub use crate::objects::{age, is_ready, message, name, namespace, reason, text};
    pub use crate::remedies::{Actor, Remedy, remedy};
    pub use crate::verbs::create::client_of;
    pub use crate::verbs::create::presets::{PRESETS, Preset};
    pub use crate::verbs::credentials::MASK;
    pub use crate::verbs::env::{Reference, refer};
    pub use crate::verbs::rotate::{can_rotate, is_published, patch as rotation_patch};
    pub use crate::verbs::test::{Seen, Step, Tried};
    pub use crate::verbs::token::{HeldProof, claims};
    pub use crate::verbs::user::hash::{generated, phc};
    pub use crate::verbs::user::{
        entry_of as password_entry_of, secret_name_of as password_secret_of,
    };
    pub use crate::verbs::who::ways;
}

/// Does what the command line says and prints it. 0: done, or yes; 1: it could not be done; 2: asked, and the answer is no.
pub fn run_to_completion(command_line: CommandLine) -> ExitCode {
    connect::install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let mut output = Output::of_process(command_line.output);
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(command_line, &mut output)),
        Err(error) => Err(Failure::new(format!(
            "no runtime could be started: {error}"
        ))),
    };
    match done {
        Ok(Outcome::Yes) => ExitCode::SUCCESS,
        Ok(Outcome::No) => ExitCode::from(2),
        Err(failure) if failure.reader_left => ExitCode::SUCCESS,
        Err(failure) => {
            output.warn(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// The same, with the output of the caller's choice.
pub async fn run(command_line: CommandLine, output: &mut Output<'_>) -> Answer {
    let flags = command_line.cluster;
    // These need no cluster, or not always.
    match command_line.verb {
        Verb::Completion(args) => return verbs::completion::script(&args, output),
        Verb::Complete(args) => return verbs::completion::candidates(&args, output),
        Verb::Import(args) => return import::command::run(&args, &flags, output).await,
        Verb::Create(args) if args.needs_no_cluster() => {
            return verbs::create::print(&args, flags.namespace.as_deref(), output);
        }
        Verb::Why(Why {
            reason: Some(reason),
            ..
        }) => return verbs::why::by_reason(&reason, output),
        Verb::Doctor(args) => return verbs::doctor::run(&args, &flags, output).await,
        // The programs hand this verb to `clientele-dashboard`, which uses this crate.
        Verb::Dashboard(_) => return Err(Failure::new("this program has no dashboard")),
        _ => {}
    }
    let session = Session::open(&flags).await?;
    match command_line.verb {
        Verb::Status(args) => verbs::status::run(&session, &args, output).await,
        Verb::Why(args) => verbs::why::run(&session, &args, output).await,
        Verb::Create(args) => verbs::create::run(&session, &args, output).await,
        Verb::Secret(args) => verbs::secret::run(&session, &args, output).await,
        Verb::Env(args) => verbs::env::run(&session, &args, output).await,
        Verb::Token(args) => verbs::token::run(&session, &args, output).await,
        Verb::Test(args) => verbs::test::run(&session, &args, output).await,
        Verb::Rotate(args) => verbs::rotate::run(&session, &args, output).await,
        Verb::Suspend(args) => verbs::suspend::run(&session, &args, true, output).await,
        Verb::Resume(args) => verbs::suspend::run(&session, &args, false, output).await,
        Verb::Who(args) => verbs::who::run(&session, &args, output).await,
        Verb::Unused(args) => verbs::unused::run(&session, &args, output).await,
        Verb::User(args) => verbs::user::run(&session, &args, output).await,
        Verb::Report(args) => verbs::report::run(&session, &args, output).await,
        Verb::Completion(_)
        | Verb::Complete(_)
        | Verb::Import(_)
        | Verb::Doctor(_)
        | Verb::Dashboard(_) => Ok(Outcome::Yes),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::output::Format;

    #[tokio::test]
    async fn a_reason_is_explained_without_a_cluster() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut output = Output::new(&mut out, &mut err, Format::Text, false);
        let words = ["kubectl-clientele", "why", "--reason", "AudienceConflict"];
        let words = words.into_iter().chain(["--kubeconfig", "/no/such/file"]);
        let answer = run(CommandLine::parse_from(words), &mut output).await;
        drop(output);
        assert!(matches!(answer, Ok(Outcome::Yes)));
        let shown = String::from_utf8(out).unwrap();
        assert!(shown.contains("What to do: Correct the entry"), "{shown}");
    }
}
