//! Statistics.

use std::time::Duration;

/// Returns `duration` in milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Returns the `p`th percentile (0 to 100) by nearest rank, or 0 if there are no samples.
pub(crate) fn percentile(samples: &[f64], p: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (p / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

/// Returns the median, or 0 if there are no samples.
pub(crate) fn median(samples: &[f64]) -> f64 {
    percentile(samples, 50.0)
}

/// Returns the area under the ROC curve: the probability that a random sample of `a` is greater than a random sample
/// of `b`.
///
/// At 0.5 the two sets cannot be distinguished by their values.
pub(crate) fn auc(a: &[f64], b: &[f64]) -> f64 {
    let mut sorted = b.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wins: f64 = a
        .iter()
        .map(|x| {
            let below = sorted.partition_point(|y| y < x);
            let not_above = sorted.partition_point(|y| y <= x);
            (below + not_above) as f64 / 2.0
        })
        .sum();
    wins / (a.len() * b.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_the_nearest_rank() {
        let samples: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&samples, 50.0), 50.0);
        assert_eq!(percentile(&samples, 99.0), 99.0);
        assert_eq!(percentile(&samples, 100.0), 100.0);
        assert_eq!(percentile(&[], 99.0), 0.0);
    }

    #[test]
    fn auc_is_one_half_only_for_equal_distributions() {
        let low: Vec<f64> = (0..100).map(f64::from).collect();
        let high: Vec<f64> = low.iter().map(|x| x + 1_000.0).collect();
        assert_eq!(auc(&high, &low), 1.0);
        assert_eq!(auc(&low, &high), 0.0);
        assert_eq!(auc(&low, &low), 0.5);
    }
}
