//! Readings: of time, of memory, of the API server's own log.

use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::operator::{OPERATOR_USER, Options, RunningOperator, pause};

/// So long the operator may take.
const LONGEST: Duration = Duration::from_mins(15);

/// A table, printed at the end.
#[derive(Default)]
pub struct Report(Vec<(String, String)>);

impl Report {
    /// Adds a row.
    pub fn row(&mut self, what: &str, value: String) {
        eprintln!("bench: {what}: {value}");
        self.0.push((what.to_owned(), value));
    }

    /// Prints the table as Markdown.
    pub fn print(&self) {
        println!("\n| measured | value |\n|---|---|");
        for (what, value) in &self.0 {
            println!("| {what} | {value} |");
        }
    }
}

/// A quantile of measurements.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * q).round() as usize]
}

/// A line of `/proc/<pid>/status` in MB.
pub fn memory(pid: u32, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = status.lines().find(|l| l.starts_with(line)).unwrap();
    let kilobytes: f64 = value.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024.0
}

/// The time from readiness until all are ready. Lists are expensive for the API server that is being measured, so
/// they begin when enough status writes have been made.
pub fn until_ready(
    operator: &RunningOperator,
    count: usize,
    ready: impl Fn() -> usize,
) -> Duration {
    operator.wait_ready();
    let started = Instant::now();
    let mut said = Instant::now();
    loop {
        let status = "write=\"status\"";
        let written = sum(&operator.metrics(), "clientele_writes_total", status);
        if written >= count as f64 && ready() == count {
            return started.elapsed();
        }
        if said.elapsed() > Duration::from_secs(10) {
            eprintln!("bench: {written} status writes for {count} clients");
            said = Instant::now();
        }
        assert!(
            started.elapsed() < LONGEST,
            "{written} status writes, and not all are ready"
        );
        for _ in 0..5 {
            pause();
        }
    }
}

/// Seconds of processor time that a process has used.
pub fn processor_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    // Fields 14 and 15 of proc(5), in ticks of a hundredth of a second.
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// The sum of the series of a metric that have this label.
pub fn sum(metrics: &str, name: &str, label: &str) -> f64 {
    let series = metrics.lines().filter(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']) && rest.contains(label))
    });
    let values = series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum()
}

/// Writes that the operator made in a while without any request.
pub fn writes_at_rest(cluster: &Cluster, how_long: Duration) -> usize {
    // Events of what just happened may still be waiting; they are not what is measured here.
    let settle = Instant::now();
    let mut before = cluster.writes_by(OPERATOR_USER).len();
    let mut since = Instant::now();
    while since.elapsed() < Duration::from_secs(5) {
        let now = cluster.writes_by(OPERATOR_USER).len();
        if now != before {
            (before, since) = (now, Instant::now());
        }
        assert!(
            settle.elapsed() < Duration::from_mins(2),
            "the operator does not come to rest"
        );
        pause();
    }
    let started = Instant::now();
    while started.elapsed() < how_long {
        pause();
    }
    cluster.writes_by(OPERATOR_USER).len() - before
}

/// Writes to Secrets and statuses since the first `skip` writes; events are none.
pub fn object_writes(cluster: &Cluster, skip: usize) -> usize {
    let writes = cluster.writes_by(OPERATOR_USER);
    writes
        .iter()
        .skip(skip)
        .filter(|(_, resource, _)| resource != "events")
        .count()
}

/// Starts an operator and takes the time until it serves.
pub fn restart(cluster: &Cluster, options: &Options) -> (Duration, RunningOperator) {
    let started = Instant::now();
    let operator = RunningOperator::start_unready(cluster, options);
    operator.wait_ready();
    (started.elapsed(), operator)
}
