//! The macro that defines the metrics in the parent module.

use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, Result, core::Collector,
};

/// Defines the struct `Metrics` from a list of metrics. Each entry is a doc comment, which becomes the help text of the
/// metric, a field name and its type, the name of the metric, its label names, and for histograms its buckets.
macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ty = $name:literal [$($label:literal),*] $($buckets:ident)?;)*) => {
        /// The metrics of this process, one field for each, and the registry that renders them.
        pub(in crate::platform) struct Metrics {
            /// The registry that contains every metric.
            pub(in crate::platform) registry: Registry,
            $(pub(in crate::platform) $field: $kind,)*
        }

        impl Metrics {
            fn new() -> Self {
                let registry = Registry::new();
                $(
                    let buckets: &[&[f64]] = &[$($buckets)?];
                    let $field: $kind = macros::registered(&registry, $name, concat!($($help),+), &[$($label),*], &buckets.concat());
                )*
                Self { registry, $($field,)* }
            }
        }
    };
}
pub(super) use metrics;

/// A type of metric, such as a counter or a histogram.
pub(super) trait Metric: Collector + Clone + Sized + 'static {
    /// Creates the metric. Types without labels ignore `labels`, and types other than histograms ignore `buckets`.
    ///
    /// # Errors
    /// An error of `prometheus` if a name or a label name is not valid.
    fn make(opts: Opts, labels: &[&str], buckets: &[f64]) -> Result<Self>;
}

/// Creates a metric and registers it, so that it is rendered with the others.
///
/// # Panics
/// If the name is not valid or already registered.
#[expect(clippy::expect_used, reason = "all names are constants, and a test creates every metric")]
pub(super) fn registered<M: Metric>(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> M {
    let metric = M::make(Opts::new(name, help.trim_start()), labels, buckets).expect("a valid metric name");
    registry.register(Box::new(metric.clone())).expect("a unique metric name");
    metric
}

macro_rules! without_labels {
    ($($kind:ty),*) => {
        $(impl Metric for $kind {
            fn make(opts: Opts, _: &[&str], _: &[f64]) -> Result<Self> {
                Self::with_opts(opts)
            }
        })*
    };
}

macro_rules! with_labels {
    ($($kind:ty),*) => {
        $(impl Metric for $kind {
            fn make(opts: Opts, labels: &[&str], _: &[f64]) -> Result<Self> {
                Self::new(opts, labels)
            }
        })*
    };
}

without_labels!(Counter, Gauge, IntCounter, IntGauge);
with_labels!(GaugeVec, IntCounterVec, IntGaugeVec);

impl Metric for Histogram {
    fn make(opts: Opts, _: &[&str], buckets: &[f64]) -> Result<Self> {
        Self::with_opts(HistogramOpts { common_opts: opts, buckets: buckets.into() })
    }
}

impl Metric for HistogramVec {
    fn make(opts: Opts, labels: &[&str], buckets: &[f64]) -> Result<Self> {
        Self::new(HistogramOpts { common_opts: opts, buckets: buckets.into() }, labels)
    }
}
