//! The load generator `wrk`.

use std::ffi::OsStr;
use std::io;
use std::process::{Command, Stdio};

/// What one run measured.
#[derive(Clone, Copy)]
pub struct Sample {
    pub per_second: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// Requests of the whole run.
    pub requests: f64,
    /// Microseconds of the server's processor per request.
    pub cpu: f64,
}

pub fn is_installed() -> bool {
    starts("wrk", "-v")
}

/// A command bound to a core, where `taskset` exists.
pub fn pinned(core: u32, program: &OsStr) -> Command {
    if !starts("taskset", "-V") {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

/// 32 connections that stay open, one thread, and this script in Lua, which says what is sent.
pub fn run(port: u16, seconds: u32, path: &str, script: &str) -> io::Result<Sample> {
    let file = std::env::temp_dir().join(format!("clientele-bench-{}.lua", std::process::id()));
    std::fs::write(&file, script)?;
    let output = pinned(1, OsStr::new("wrk"))
        .args(["-t1", "-c32", "--latency", &format!("-d{seconds}s"), "-s"])
        .arg(&file)
        .arg(format!("http://127.0.0.1:{port}{path}"))
        .output()?;
    std::fs::remove_file(&file)?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).ok_or_else(|| io::Error::other(format!("unexpected output of wrk:\n{text}")))
}

/// The lines of a script that posts forms with this `Authorization` header.
pub fn form(authorization: &str) -> String {
    let lines = [
        "wrk.method = \"POST\"",
        "wrk.headers[\"Content-Type\"] = \"application/x-www-form-urlencoded\"",
        &format!("wrk.headers[\"Authorization\"] = \"{authorization}\""),
    ];
    lines.join("\n")
}

/// Reads a run in which every request succeeded.
fn parse(text: &str) -> Option<Sample> {
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return None;
    }
    let value = |prefix: &str| {
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(prefix));
        line.map(str::trim)
    };
    Some(Sample {
        per_second: value("Requests/sec:")?.parse().ok()?,
        p50: milliseconds(value("50%")?)?,
        p99: milliseconds(value("99%")?)?,
        requests: requests(text)?,
        cpu: f64::NAN,
    })
}

/// The number in `60310 requests in 2.01s, 41.1MB read`.
fn requests(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.contains(" requests in "))?;
    line.split_whitespace().next()?.parse().ok()
}

fn milliseconds(text: &str) -> Option<f64> {
    let (number, factor) = if let Some(number) = text.strip_suffix("us") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix("ms") {
        (number, 1.0)
    } else {
        (text.strip_suffix('s')?, 1000.0)
    };
    Some(number.parse::<f64>().ok()? * factor)
}

/// Whether a program can be started at all.
fn starts(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg(argument)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok()
}
