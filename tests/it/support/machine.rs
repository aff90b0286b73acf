//! Programs that a test starts have the same environment on every machine; `support.rs` lists what is in it.

use std::ffi::OsStr;
use std::process::Command;

/// What a program has of the environment of this machine: where programs and temporary files are, and for a person who
/// looks for a mistake a backtrace and another Chromium.
const KEPT: [&str; 4] = ["PATH", "TMPDIR", "RUST_BACKTRACE", "CHROMIUM"];

/// A language that every machine has, and a time zone that no mistake about local time can take for UTC.
const PLACE: [(&str, &str); 2] = [("LC_ALL", "C.UTF-8"), ("TZ", "Asia/Kathmandu")];

/// A folder of the build, so that no file of a person's home changes what a program does.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/home");

/// A program that a test starts.
pub fn program(path: impl AsRef<OsStr>) -> Command {
    std::fs::create_dir_all(HOME).unwrap();
    let kept = std::env::vars_os().filter(|(name, _)| KEPT.iter().any(|kept| name == kept));
    let mut program = Command::new(path);
    program.env_clear().envs(kept).env("HOME", HOME).envs(PLACE);
    program
}

/// A tool that builds, `go` or `cargo`: it finds its caches and proxies as on the command line.
pub fn build_tool(name: impl AsRef<OsStr>) -> Command {
    let mut tool = Command::new(name);
    tool.envs(PLACE);
    tool
}
