//! Medians, and ratios of paired rounds with an interval.

use super::wrk::Sample;

/// The rounds of one server, in order.
#[derive(Default)]
pub struct Samples(Vec<Sample>);

impl Samples {
    pub fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    pub fn median(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        let mut values: Vec<f64> = self.0.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// The geometric mean of the rounds' ratios with its 95 % interval (Student's t on the logarithms).
pub fn ratio(above: &Samples, below: &Samples, of: impl Fn(&Sample) -> f64) -> String {
    let pairs = above.0.iter().zip(&below.0);
    let logs: Vec<f64> = pairs.map(|(a, b)| (of(a) / of(b)).ln()).collect();
    let count = f64::from(u32::try_from(logs.len()).unwrap_or(u32::MAX));
    let mean = logs.iter().sum::<f64>() / count;
    let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
    let freedom = (count - 1.0).max(1.0);
    // The 97.5 % quantile of Student's t, within 1 % from five degrees of freedom on.
    let quantile = 1.96 + 2.5 / freedom + 3.0 / freedom.powi(2);
    let half = quantile * (squares / freedom / count).sqrt();
    let [mean, low, high] = [mean, mean - half, mean + half].map(f64::exp);
    format!("{mean:.3} ({low:.3}–{high:.3})")
}

/// The numbers below `count` in random order (Fisher and Yates).
pub fn random_order(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        let mut byte = [0];
        let _ = aws_lc_rs::rand::fill(&mut byte);
        order.swap(last, usize::from(byte[0]) % (last + 1));
    }
    order
}
