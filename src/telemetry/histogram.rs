//! A histogram without a lock: the one of the metrics library takes a mutex for every observation.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds in nanoseconds, from what a signature costs to what a disk may take; the last bucket has none.
const BOUNDS: [u64; 13] = [
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    50_000_000,
    250_000_000,
    1_000_000_000,
    10_000_000_000,
];

#[derive(Debug, Default)]
struct Cells {
    counts: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// Durations in buckets of atomic counters.
#[derive(Clone, Debug, Default)]
pub struct AtomicHistogram(Arc<Cells>);

impl AtomicHistogram {
    /// Counts a duration.
    pub fn record(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|&bound| nanoseconds <= bound);
        self.0.counts[bucket.unwrap_or(BOUNDS.len())].fetch_add(1, Relaxed);
        self.0.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.0.counts.iter().map(|cell| cell.load(Relaxed)).sum()
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

impl EncodeMetric for AtomicHistogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let bounds = BOUNDS.into_iter().map(seconds).chain([f64::INFINITY]);
        let counts = self.0.counts.iter().map(|cell| cell.load(Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        // The count is the sum of the buckets just read, so that the two never disagree.
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = seconds(self.0.nanoseconds.load(Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for AtomicHistogram {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    fn encoded(histogram: &AtomicHistogram) -> String {
        let mut registry = Registry::default();
        registry.register("h", "help", histogram.clone());
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn a_duration_counts_in_its_bucket_and_in_all_wider_ones() {
        let histogram = AtomicHistogram::default();
        histogram.record(Duration::from_micros(50));
        histogram.record(Duration::from_micros(51));
        histogram.record(Duration::from_hours(1));
        let text = encoded(&histogram);
        assert!(text.contains("# TYPE h histogram"), "{text}");
        for line in [
            "h_bucket{le=\"0.000025\"} 0",
            "h_bucket{le=\"0.00005\"} 1",
            "h_bucket{le=\"0.0001\"} 2",
            "h_bucket{le=\"10.0\"} 2",
            "h_bucket{le=\"+Inf\"} 3",
            "h_count 3",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        assert_eq!(histogram.count(), 3);
    }

    #[test]
    fn threads_lose_no_observation() {
        let histogram = AtomicHistogram::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        histogram.record(Duration::from_micros(3));
                    }
                });
            }
        });
        assert_eq!(histogram.count(), 40_000);
        assert!(encoded(&histogram).contains("h_sum 0.12"));
    }
}
