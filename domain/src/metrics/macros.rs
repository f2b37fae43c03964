//! Making metrics out of the table of the module above.

use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, Result, core::Collector,
};

/// Makes the struct of all metrics: a field's doc comment is the metric's help.
macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ty = $name:literal [$($label:literal),*] $($buckets:ident)?;)*) => {
        struct Metrics {
            registry: Registry,
            $($field: $kind,)*
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

/// A kind of metric.
pub(super) trait Metric: Collector + Clone + Sized + 'static {
    fn make(opts: Opts, labels: &[&str], buckets: &[f64]) -> Result<Self>;
}

/// Makes a metric and has it rendered with the others.
#[expect(clippy::expect_used, reason = "names are written in the code, and a test makes them all")]
pub(super) fn registered<M: Metric>(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> M {
    let metric = M::make(Opts::new(name, help.trim_start()), labels, buckets).expect("a good name");
    registry.register(Box::new(metric.clone())).expect("a name of its own");
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
