//! How long ago each watch heard from the API server.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// When each watch that is held heard last, with its kind.
#[derive(Debug, Default)]
struct Heard {
    next: u64,
    watches: HashMap<u64, (&'static str, Instant)>,
}

/// The watches that are held.
#[derive(Clone, Debug, Default)]
pub struct WatchAges(Arc<Mutex<Heard>>);

impl WatchAges {
    fn with<T>(&self, change: impl FnOnce(&mut Heard) -> T) -> T {
        change(&mut self.0.lock().expect("no holder of this lock panics"))
    }

    /// Adds a watch; its age counts from now until it hears something.
    pub fn begin(&self, kind: &'static str) -> WatchAge {
        let number = self.with(|heard| {
            heard.next += 1;
            heard.watches.insert(heard.next, (kind, Instant::now()));
            heard.next
        });
        WatchAge {
            ages: self.clone(),
            number,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.with(|heard| heard.watches.len())
    }

    /// The age of the oldest watch of each kind, in seconds.
    fn oldest(&self, now: Instant) -> BTreeMap<&'static str, f64> {
        let mut oldest = BTreeMap::new();
        self.with(|heard| {
            for (kind, last) in heard.watches.values() {
                let age = now.saturating_duration_since(*last).as_secs_f64();
                let known: &mut f64 = oldest.entry(*kind).or_default();
                *known = known.max(age);
            }
        });
        oldest
    }
}

impl Collector for WatchAges {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let mut ages = encoder.encode_descriptor(
            "clientele_watch_age_seconds",
            "Time since the API server last answered or renewed the watch of a kind",
            None,
            MetricType::Gauge,
        )?;
        for (kind, age) in self.oldest(Instant::now()) {
            ConstGauge::new(age).encode(ages.encode_family(&[("kind", kind)])?)?;
        }
        let watches: ConstGauge<i64> =
            ConstGauge::new(i64::try_from(self.count()).unwrap_or(i64::MAX));
        watches.encode(encoder.encode_descriptor(
            "clientele_watches",
            "Watches that this replica holds",
            None,
            MetricType::Gauge,
        )?)
    }
}

/// A watch that is held, until it is dropped.
#[derive(Debug)]
pub struct WatchAge {
    ages: WatchAges,
    number: u64,
}

impl WatchAge {
    /// The API server has said something.
    pub fn heard(&self) {
        self.ages.with(|heard| {
            if let Some((_, last)) = heard.watches.get_mut(&self.number) {
                *last = Instant::now();
            }
        });
    }
}

impl Drop for WatchAge {
    fn drop(&mut self) {
        self.ages.with(|heard| heard.watches.remove(&self.number));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn the_oldest_watch_of_a_kind_counts_and_only_while_it_is_held() {
        let ages = WatchAges::default();
        let (first, second) = (ages.begin("Secret"), ages.begin("Secret"));
        let _other = ages.begin("Namespace");
        let later = Instant::now() + Duration::from_secs(100);
        assert!(ages.oldest(later).values().all(|age| *age > 99.0));
        first.heard();
        drop(second);
        assert_eq!(ages.count(), 2);
        assert_eq!(ages.oldest(later).len(), 2);
        drop(first);
        assert_eq!(
            ages.oldest(later).into_keys().collect::<Vec<_>>(),
            ["Namespace"]
        );
    }

    #[test]
    fn ages_are_published_by_kind() {
        let ages = WatchAges::default();
        let _held = ages.begin("OAuthClient");
        let (mut registry, mut text) = (Registry::default(), String::new());
        registry.register_collector(Box::new(ages));
        encode(&mut text, &registry).unwrap();
        assert!(
            text.contains("# TYPE clientele_watch_age_seconds gauge"),
            "{text}"
        );
        assert!(
            text.contains("clientele_watch_age_seconds{kind=\"OAuthClient\"} 0"),
            "{text}"
        );
    }
}
