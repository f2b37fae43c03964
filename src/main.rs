//! Portico: the accounts service of a client portal.
//!
//! The package builds one binary. Its first argument selects what it does: see [`cli`].

mod bootstrap;
mod cli;
mod config;
mod listeners;
mod logging;
mod process_record;
mod secret_file;
mod starting;
mod stderr;
mod stop;
mod traces;

use std::{io::Write, num::NonZero, process::ExitCode, thread::available_parallelism};

use anyhow::{Context, Result};

use crate::cli::{Cli, Failure, Unverifiable};

/// The memory allocator. `.cargo/config.toml` holds its options, which are compiled in.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The exit code of clap.
const WRONG_ARGUMENTS: u8 = 2;
/// The exit code of `portico audit verify` if no chain is broken and one cannot be verified. 2 is that of wrong
/// arguments.
const UNVERIFIABLE: u8 = 3;

fn main() -> ExitCode {
    // Set the TLS provider before any code opens a connection. If two providers are compiled in and none is set,
    // rustls panics because it cannot choose one. The result is an error only if a provider is already set.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Also after a panic.
    let _flush = stderr::FlushOnDrop;
    let cli = match Cli::from_arguments() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Through the queue, so that the process ends also if nothing reads stderr.
            let _ = stderr::queue().write_all(format!("portico: {error:#}\n").as_bytes());
            exit_code(&error)
        }
    }
}

/// Prints what is wrong with the arguments, or the help, and ends the process.
fn refuse(error: &clap::Error) -> ExitCode {
    let Some(text) = cli::without_token(error) else { error.exit() };
    let _ = stderr::queue().write_all(text.as_bytes());
    ExitCode::from(WRONG_ARGUMENTS)
}

/// Returns the exit code of a command that failed.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<Failure>() {
        Some(failure) => ExitCode::from(failure.exit_code()),
        None if error.is::<Unverifiable>() => ExitCode::from(UNVERIFIABLE),
        None => ExitCode::FAILURE,
    }
}

/// Runs a command.
///
/// # Errors
/// Returns the error of the command.
fn run(cli: Cli) -> Result<()> {
    // Without a number of threads, tokio reads it from the environment, and panics if it is not valid there.
    let threads = available_parallelism().map_or(1, NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let result = runtime.block_on(async { cli::run(cli, stop::on_signal()?).await });
    // Does not wait for threads that the system blocks, such as a query to a DNS server that does not answer.
    runtime.shutdown_background();
    result
}
