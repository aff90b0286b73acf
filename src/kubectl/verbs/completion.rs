//! `completion`: kubectl completes a plugin by a program `kubectl_complete-<plugin>`, in every shell alike.

use clap::{Command, CommandFactory};

use crate::args::{CommandLine, Completion, Words};
use crate::failure::{Answer, Outcome};
use crate::output::Output;

/// Prints the program that kubectl asks.
pub fn script(_: &Completion, output: &mut Output<'_>) -> Answer {
    output.text("#!/bin/sh\n# kubectl asks this program what may come next after `kubectl clientele`.\nexec kubectl-clientele __complete \"$@\"\n")?;
    Ok(Outcome::Yes)
}

/// Prints what may come next, and that no file is meant (4).
pub fn candidates(args: &Words, output: &mut Output<'_>) -> Answer {
    for candidate in next(&CommandLine::command(), &args.words) {
        output.line(&candidate)?;
    }
    output.line(":4")?;
    Ok(Outcome::Yes)
}

/// What may stand in place of the last word, which may be empty or unfinished.
fn next(root: &Command, words: &[String]) -> Vec<String> {
    let (last, before) = match words.split_last() {
        Some((last, before)) => (last.as_str(), before),
        None => ("", words),
    };
    let mut command = root;
    for word in before {
        if let Some(below) = command.find_subcommand(word) {
            command = below;
        }
    }
    let arguments = || root.get_arguments().chain(command.get_arguments());
    let flag = before.last().and_then(|word| word.strip_prefix("--"));
    let mut found: Vec<String> = Vec::new();
    let before_value = flag.and_then(|flag| arguments().find(|a| a.get_long() == Some(flag)));
    let values = before_value
        .map(clap::Arg::get_possible_values)
        .unwrap_or_default();
    if !values.is_empty() {
        found.extend(values.iter().map(|value| value.get_name().to_owned()));
    } else if last.starts_with('-') {
        found.extend(arguments().filter_map(|a| Some(format!("--{}", a.get_long()?))));
    } else {
        let below = command
            .get_subcommands()
            .filter(|below| !below.is_hide_set());
        found.extend(below.map(|below| below.get_name().to_owned()));
        let positional = command
            .get_positionals()
            .flat_map(clap::Arg::get_possible_values);
        found.extend(positional.map(|value| value.get_name().to_owned()));
    }
    found.retain(|candidate| candidate.starts_with(last));
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_come_next_is_known() {
        let next = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            super::next(&CommandLine::command(), &words)
        };
        assert!(next("").contains(&"status".to_owned()));
        assert!(!next("").contains(&"__complete".to_owned()));
        assert_eq!(next("sus"), ["suspend"]);
        assert_eq!(next("env --for g"), ["grafana"]);
        assert!(next("rotate web --l").contains(&"--leaked".to_owned()));
        assert!(next("rotate --names").contains(&"--namespace".to_owned()));
        assert_eq!(next("user d"), ["disable"]);
        assert!(next("import ").contains(&"maester".to_owned()));
    }

    #[test]
    fn the_command_line_is_sound_and_teaches() {
        CommandLine::command().debug_assert();
        for command in CommandLine::command()
            .get_subcommands()
            .filter(|c| !c.is_hide_set())
        {
            let examples = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                examples.contains("kubectl clientele"),
                "{}",
                command.get_name()
            );
        }
    }
}
