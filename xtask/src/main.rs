//! `cargo run -p xtask -- …`: keeps the lists of the checks.

use anyhow::{Context, anyhow};
use clap::Parser;
use xtask::project::Project;
use xtask::{circles, never_renamed, rules, storeys};

#[derive(Parser)]
enum Command {
    /// Removes from xtask/known/ what no longer occurs. Adds nothing.
    Shrink,
    /// Adds new names to xtask/never-renamed.txt. Removes nothing.
    Record,
    /// Prints the imports that form circles or go up between rooms.
    Arrows,
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
