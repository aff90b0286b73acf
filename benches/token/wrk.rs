//! The load generator.

use std::ffi::OsStr;
use std::io;
use std::process::Command;

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
    super::starts("wrk", "-v")
}

/// A command bound to a core, where `taskset` exists.
pub fn pinned(core: u32, program: &OsStr) -> Command {
    if !super::starts("taskset", "-V") {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

/// 32 connections that stay open, one thread.
pub fn run(port: u16, seconds: u32, authorization: &str) -> io::Result<Sample> {
    let script = std::env::temp_dir().join(format!("clientele-bench-{}.lua", std::process::id()));
    let lines = [
        "wrk.method = \"POST\"".to_owned(),
        "wrk.body = \"grant_type=client_credentials\"".to_owned(),
        "wrk.headers[\"Content-Type\"] = \"application/x-www-form-urlencoded\"".to_owned(),
        format!("wrk.headers[\"Authorization\"] = \"{authorization}\""),
    ];
    std::fs::write(&script, lines.join("\n"))?;
    let output = pinned(1, OsStr::new("wrk"))
        .args(["-t1", "-c32", "--latency", &format!("-d{seconds}s"), "-s"])
        .arg(&script)
        .arg(format!("http://127.0.0.1:{port}/token"))
        .output()?;
    std::fs::remove_file(&script)?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).ok_or_else(|| io::Error::other(format!("unexpected output of wrk:\n{text}")))
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
