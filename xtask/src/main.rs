//! `cargo run -p xtask -- …`: keeps the lists of the checks.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Parser;
use xtask::project::Project;
use xtask::{circles, messages, never_renamed, olm, references, rules, shell, storeys};

#[derive(Parser)]
enum Command {
    /// Removes from xtask/known/ what no longer occurs. Adds nothing.
    Shrink,
    /// Adds new names to xtask/never-renamed.txt. Removes nothing.
    Record,
    /// Writes every user-facing message to xtask/messages/, and prints how many there are.
    Messages,
    /// Prints how many messages there are, and how many shell blocks of the documents are run by a test.
    Count,
    /// Writes the generated pages of docs/reference/.
    References,
    /// Writes the bundle for the Operator Lifecycle Manager into a folder.
    Olm {
        /// What Helm rendered for PostgreSQL.
        rendered: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// Prints the imports that form circles or go up between rooms.
    Arrows,
}

fn print(counts: &[(messages::Kind, usize)]) {
    for (kind, count) in counts {
        println!("{count:5} {}", kind.name());
    }
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    println!("{all:5} messages");
}

fn main() -> anyhow::Result<()> {
    let command = Command::parse();
    let project = Project::load().map_err(|error| anyhow!(error))?;
    match command {
        Command::Shrink => {
            let left = rules::shrink_all(&project).context("write xtask/known")?;
            println!("{left} known violations are left");
        }
        Command::Record => {
            let added = never_renamed::record(&project).context("write xtask/never-renamed.txt")?;
            println!("{added} names were added to xtask/never-renamed.txt");
        }
        Command::Messages => {
            print(&messages::record(&project).context("write xtask/messages")?);
        }
        Command::Count => {
            let all = messages::all(&project).into_iter();
            print(
                &all.map(|(kind, list)| (kind, list.len()))
                    .collect::<Vec<_>>(),
            );
            let blocks = shell::blocks();
            let run = blocks.iter().filter(|block| block.runs()).count();
            let not = blocks.iter().filter(|block| block.says_why_not()).count();
            println!("{run:5} shell blocks are run by a test, {not} say why not");
        }
        Command::References => {
            let written = references::write(&project).context("write docs/reference")?;
            println!("{written} pages of docs/reference/ were written");
        }
        Command::Olm { rendered, folder } => {
            let rendered = std::fs::read_to_string(rendered).context("read the rendered chart")?;
            let written = olm::write(&rendered, &folder).context("write the bundle")?;
            println!("{written} files of the bundle are in {}", folder.display());
        }
        Command::Arrows => {
            let operator = project.library("src/operator");
            let upward = operator.map(storeys::explain).unwrap_or_default();
            for line in circles::explain(&project).iter().chain(&upward) {
                println!("{line}");
            }
        }
    }
    Ok(())
}
