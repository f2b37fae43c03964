//! The figures: each file measures one.

mod bulk;
mod footprint;
mod forgot;
mod hash_costs;
mod jobs;
mod lists;
mod mail;
mod refresh;
mod session;
mod sign_in;
mod timing;
mod token;
mod urgent;

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;

use crate::{Options, report::Report};

/// A figure: something that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Figure {
    /// Sign-ins per second, and their effect on other requests and on memory.
    SignIn,
    /// Whether response times show that an address has an account.
    Timing,
    /// Whether response times show the cost of a stored password hash.
    HashCosts,
    /// `GET session` requests per second.
    Session,
    /// Whether sessions survive two tabs and end when a refresh token is stolen.
    Refresh,
    /// A request with an API token, compared with a session.
    Token,
    /// Forgot-password requests per second.
    Forgot,
    /// Jobs per second, and how soon they start.
    Jobs,
    /// Mails per second.
    Mail,
    /// How soon a staff code is sent while bulk mail waits.
    Urgent,
    /// The time of a bulk invitation.
    Bulk,
    /// How long a page of a long list takes.
    Lists,
    /// Memory, start-up time and size of the binary.
    Footprint,
}

impl Figure {
    /// Returns all figures, in the order of `docs/figures.md`.
    pub(crate) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// Returns what the figure measures, in a few sentences for the report.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::SignIn => sign_in::DESCRIPTION,
            Self::Timing => timing::DESCRIPTION,
            Self::HashCosts => hash_costs::DESCRIPTION,
            Self::Session => session::DESCRIPTION,
            Self::Refresh => refresh::DESCRIPTION,
            Self::Token => token::DESCRIPTION,
            Self::Forgot => forgot::DESCRIPTION,
            Self::Jobs => jobs::DESCRIPTION,
            Self::Mail => mail::DESCRIPTION,
            Self::Urgent => urgent::DESCRIPTION,
            Self::Bulk => bulk::DESCRIPTION,
            Self::Lists => lists::DESCRIPTION,
            Self::Footprint => footprint::DESCRIPTION,
        }
    }

    /// Measures the figure and adds the results to `report`.
    ///
    /// # Errors
    /// Returns an error if something cannot be measured. A missed target is no error; it is in the report.
    pub(crate) async fn measure(self, options: &Options, report: &mut Report) -> Result<()> {
        match self {
            Self::SignIn => sign_in::measure(options, report).await,
            Self::Timing => timing::measure(options, report).await,
            Self::HashCosts => hash_costs::measure(options, report).await,
            Self::Session => session::measure(options, report).await,
            Self::Refresh => refresh::measure(options, report).await,
            Self::Token => token::measure(options, report).await,
            Self::Forgot => forgot::measure(options, report).await,
            Self::Jobs => jobs::measure(options, report).await,
            Self::Mail => mail::measure(options, report).await,
            Self::Urgent => urgent::measure(options, report).await,
            Self::Bulk => bulk::measure(options, report).await,
            Self::Lists => lists::measure(options, report).await,
            Self::Footprint => footprint::measure(options, report).await,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// Prints the names and descriptions of all figures.
#[expect(clippy::print_stdout, reason = "the output of --list")]
pub(crate) fn list() {
    for figure in Figure::all() {
        println!("{figure:<10} {}", figure.description());
    }
}
