//! Measures Portico and says what it reaches of its limits. Each limit is measured in the same run on the same machine, so a
//! ratio means the same on a laptop and on a server.
//!
//! It drives the release binary over HTTP and SMTP and imports no crate of it. `bin/bench` builds both and starts the
//! services. A file of `figures/` measures one thing; the rest is what they share.

mod figures;
mod hash;
mod http;
mod load;
mod machine;
mod mailbox;
mod people;
mod postgres;
mod process;
mod queue;
mod redis;
mod report;
mod stats;
mod trivial;
mod world;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;

use crate::{figures::Figure, report::Report};

/// Measures Portico against limits of the same run. Started by bin/bench.
#[derive(Parser)]
#[command(name = "bin/bench")]
struct Options {
    /// What to measure; everything when nothing is named.
    figures: Vec<Figure>,
    /// How long each rate is measured, in seconds.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// How many pairs `timing` compares.
    #[arg(long, default_value_t = 1_000)]
    pairs: usize,
    /// How many jobs `jobs` runs.
    #[arg(long, default_value_t = 50_000)]
    jobs: usize,
    /// How many mails `mail` sends.
    #[arg(long, default_value_t = 2_000)]
    mails: usize,
    /// How many bulk mails wait in `urgent`.
    #[arg(long, default_value_t = 100_000)]
    waiting: usize,
    /// How many staff codes `urgent` asks for, one each second.
    #[arg(long, default_value_t = 40)]
    codes: usize,
    /// Prints Markdown.
    #[arg(long)]
    markdown: bool,
    /// Says what can be measured, and ends.
    #[arg(long)]
    list: bool,
    /// The binary to measure; the one beside this program when not named.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Serves one trivial select over HTTP on this database instead: the limit of `session`.
    #[arg(long, hide = true)]
    trivial_server: Option<String>,
}

impl Options {
    /// How long a rate is measured.
    fn window(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// The binary to measure.
    fn binary(&self) -> Result<PathBuf> {
        match &self.binary {
            Some(path) => Ok(path.canonicalize()?),
            None => Ok(std::env::current_exe()?.with_file_name("portico")),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bin/bench: {error:#}");
            ExitCode::from(70)
        }
    }
}

/// Whether every figure is as wanted.
async fn run(options: Options) -> Result<bool> {
    if let Some(database) = &options.trivial_server {
        trivial::serve(database).await?;
        return Ok(true);
    }
    if options.list {
        figures::list();
        return Ok(true);
    }
    let wanted = if options.figures.is_empty() { Figure::all() } else { options.figures.clone() };
    let mut report = Report::new(machine::read());
    for figure in wanted {
        eprintln!("bin/bench: {figure} …");
        report.begin(figure.to_string(), figure.meaning());
        figure.measure(&options, &mut report).await?;
    }
    report.print(options.markdown);
    Ok(report.is_good())
}
