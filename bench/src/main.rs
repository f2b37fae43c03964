//! Measures Portico and compares each result with a limit.
//!
//! Each limit is measured in the same run on the same machine. So a ratio can be compared between a laptop and a
//! server.
//!
//! The program drives the release binary over HTTP and SMTP, and imports no other crate of this workspace. `bin/bench`
//! builds both and starts Postgres and Redis. Each file of `figures/` measures one thing; the other modules are shared.

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

/// The exit code if something cannot be measured: `EX_SOFTWARE` of sysexits(3).
const EXIT_ERROR: u8 = 70;

/// Measures Portico against limits of the same run. Started by bin/bench.
#[derive(Parser)]
#[command(name = "bin/bench")]
struct Options {
    /// The figures to measure. Without any, all are measured.
    figures: Vec<Figure>,
    /// How long each rate is measured, in seconds.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// The number of pairs of requests that `timing` compares. `hash-costs` compares half as many.
    #[arg(long, default_value_t = 1_000)]
    pairs: usize,
    /// The number of jobs that `jobs` runs.
    #[arg(long, default_value_t = 50_000)]
    jobs: usize,
    /// The number of mails that `mail` sends.
    #[arg(long, default_value_t = 2_000)]
    mails: usize,
    /// The number of bulk mails that wait while `urgent` measures.
    #[arg(long, default_value_t = 100_000)]
    waiting: usize,
    /// The number of staff codes that `urgent` requests, one per second.
    #[arg(long, default_value_t = 40)]
    codes: usize,
    /// The number of rounds of two tabs, and of stolen tokens, that `refresh` runs. The long form is 2000.
    #[arg(long, default_value_t = 200)]
    refreshes: usize,
    /// Prints Markdown.
    #[arg(long)]
    markdown: bool,
    /// Prints the names and descriptions of the figures, and measures nothing.
    #[arg(long)]
    list: bool,
    /// The Portico binary to measure. The default is the one in the folder of this program.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Serves the result of `SELECT 1` on this database over HTTP, and measures nothing. `session` starts it for
    /// comparison.
    #[arg(long, hide = true)]
    trivial_server: Option<String>,
}

impl Options {
    /// Returns how long a rate is measured.
    fn window(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Returns the path of the Portico binary to measure.
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
            ExitCode::from(EXIT_ERROR)
        }
    }
}

/// Measures the selected figures and prints the report. Returns whether every target is met.
async fn run(options: Options) -> Result<bool> {
    if let Some(database) = &options.trivial_server {
        trivial::serve(database).await?;
        return Ok(true);
    }
    if options.list {
        figures::list();
        return Ok(true);
    }
    let selected = if options.figures.is_empty() { Figure::all() } else { options.figures.clone() };
    let mut report = Report::new(machine::read());
    for figure in selected {
        eprintln!("bin/bench: {figure} …");
        report.begin(figure.to_string(), figure.description());
        let measured = figure.measure(&options, &mut report).await;
        // The processes of the figure have ended. Its databases are removed even if it failed.
        let cleaned_up = world::clean_up().await;
        measured?;
        cleaned_up?;
    }
    report.print(options.markdown);
    Ok(report.is_met())
}
