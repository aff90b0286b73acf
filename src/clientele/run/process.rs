//! What the kernel says about this process, under the names that every Prometheus client uses. Where there is no
//! `/proc`, there are no such metrics.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// The unit of times in `/proc` (`USER_HZ)`: a hundredth of a second on every platform of Linux.
const TICKS: f64 = 100.0;

/// Registers them.
pub fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(ProcessMetrics));
}

/// Reads them whenever it is asked.
#[derive(Debug)]
struct ProcessMetrics;

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        if let Some(seconds) = cpu_seconds(&stat) {
            let counter = ConstCounter::new(seconds);
            let kind = prometheus_client::metrics::MetricType::Counter;
            let name = "process_cpu_seconds";
            let help = "User and system time of the process";
            counter.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let gauges = [
            (
                "process_start_time_seconds",
                "When the process started, since 1970",
                start_time(&stat, &boot),
            ),
            (
                "process_resident_memory_bytes",
                "Memory of the process that is in use",
                kilobytes(&status, "VmRSS:"),
            ),
            (
                "process_virtual_memory_bytes",
                "Address space of the process",
                kilobytes(&status, "VmSize:"),
            ),
            ("process_open_fds", "Open file descriptors", open_files()),
            (
                "process_max_fds",
                "The most file descriptors that may be open",
                max_files(&limits),
            ),
            (
                "process_threads",
                "Threads of the process",
                field(&status, "Threads:").and_then(|text| text.parse().ok()),
            ),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                let gauge: ConstGauge<f64> = ConstGauge::new(value);
                let kind = prometheus_client::metrics::MetricType::Gauge;
                gauge.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
            }
        }
        Ok(())
    }
}

/// The first word after a name at the begin of a line.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    let rest = lines.find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()
}

fn kilobytes(status: &str, name: &str) -> Option<f64> {
    let kilobytes: f64 = field(status, name)?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// A field of `/proc/self/stat`, numbered as in proc(5). The second, the name of the program, may have spaces.
fn number(stat: &str, field: usize) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(field - 3)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((number(stat, 14)? + number(stat, 15)?) / TICKS)
}

fn start_time(stat: &str, boot: &str) -> Option<f64> {
    let booted: f64 = field(boot, "btime ")?.parse().ok()?;
    Some(booted + number(stat, 22)? / TICKS)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a process opens fewer than 2^52 files"
)]
fn open_files() -> Option<f64> {
    let files = fs::read_dir("/proc/self/fd").ok()?.count();
    // Reading the directory opens one.
    Some(files.saturating_sub(1) as f64)
}

fn max_files(limits: &str) -> Option<f64> {
    field(limits, "Max open files")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o17_process_metrics_are_read_from_proc() {
        let status = "Name:\tclientele\nVmSize:\t  2048 kB\nVmRSS:\t     512 kB\nThreads:\t7\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(524_288.0));
        assert_eq!(kilobytes(status, "VmSize:"), Some(2_097_152.0));
        assert_eq!(field(status, "Threads:"), Some("7"));
        let fields = (4..=30).map(|field| (field * 100).to_string());
        let fields: Vec<String> = fields.collect();
        let stat = format!("1 (a) name (x)) S {}", fields.join(" "));
        assert_eq!(cpu_seconds(&stat), Some(29.0));
        assert_eq!(start_time(&stat, "cpu 1\nbtime 1000\n"), Some(1022.0));
        let limits =
            "Limit\nMax open files            1024                 4096                 files\n";
        assert_eq!(max_files(limits), Some(1024.0));
        for garbage in ["", ")", "1 (a", "btime x"] {
            assert_eq!(cpu_seconds(garbage), None);
            assert_eq!(start_time(garbage, garbage), None);
        }
        let mut registry = Registry::default();
        register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let is_linux = cfg!(target_os = "linux");
        assert_eq!(
            text.contains("\nprocess_cpu_seconds_total "),
            is_linux,
            "{text}"
        );
        assert_eq!(text.contains("\nprocess_open_fds "), is_linux, "{text}");
    }
}
