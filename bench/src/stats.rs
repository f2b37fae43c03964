//! Statistics of samples.

use std::time::Duration;

/// In milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The `p`th percentile (0 to 100) by nearest rank; 0 of nothing.
pub(crate) fn percentile(samples: &[f64], p: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (p / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

/// The median.
pub(crate) fn median(samples: &[f64]) -> f64 {
    percentile(samples, 50.0)
}

/// The area under the ROC curve: how likely a sample of `a` is greater than one of `b`. 0.5 tells them apart as well as a coin.
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
    fn percentiles_by_nearest_rank() {
        let samples: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&samples, 50.0), 50.0);
        assert_eq!(percentile(&samples, 99.0), 99.0);
        assert_eq!(percentile(&samples, 100.0), 100.0);
        assert_eq!(percentile(&[], 99.0), 0.0);
    }

    #[test]
    fn the_area_tells_apart_what_differs_and_nothing_else() {
        let low: Vec<f64> = (0..100).map(f64::from).collect();
        let high: Vec<f64> = low.iter().map(|x| x + 1_000.0).collect();
        assert_eq!(auc(&high, &low), 1.0);
        assert_eq!(auc(&low, &high), 0.0);
        assert_eq!(auc(&low, &low), 0.5);
    }
}
