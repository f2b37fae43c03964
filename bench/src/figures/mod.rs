//! What can be measured, a file each.

mod footprint;
mod forgot;
mod jobs;
mod mail;
mod session;
mod sign_in;
mod timing;
mod urgent;

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;

use crate::{Options, report::Report};

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Figure {
    SignIn,
    Timing,
    Session,
    Forgot,
    Jobs,
    Mail,
    Urgent,
    Footprint,
}

impl Figure {
    /// All of them, in the order of the page.
    pub(crate) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// What it measures, in a sentence or two for the page.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::SignIn => sign_in::MEANING,
            Self::Timing => timing::MEANING,
            Self::Session => session::MEANING,
            Self::Forgot => forgot::MEANING,
            Self::Jobs => jobs::MEANING,
            Self::Mail => mail::MEANING,
            Self::Urgent => urgent::MEANING,
            Self::Footprint => footprint::MEANING,
        }
    }

    /// Measures it.
    ///
    /// # Errors
    /// When it cannot be measured; that something is missed is in the report.
    pub(crate) async fn measure(self, options: &Options, report: &mut Report) -> Result<()> {
        match self {
            Self::SignIn => sign_in::measure(options, report).await,
            Self::Timing => timing::measure(options, report).await,
            Self::Session => session::measure(options, report).await,
            Self::Forgot => forgot::measure(options, report).await,
            Self::Jobs => jobs::measure(options, report).await,
            Self::Mail => mail::measure(options, report).await,
            Self::Urgent => urgent::measure(options, report).await,
            Self::Footprint => footprint::measure(options, report).await,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// Says what there is.
#[expect(clippy::print_stdout, reason = "the answer to --list")]
pub(crate) fn list() {
    for figure in Figure::all() {
        println!("{figure:<10} {}", figure.meaning());
    }
}
