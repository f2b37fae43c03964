//! Portico: the accounts service of a client portal.
//!
//! The package builds one binary. Its first argument selects what it does: see [`cli`].

mod bootstrap;
mod cli;
mod config;
mod logging;
mod secret_file;
mod stop;
mod traces;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

/// The memory allocator. `.cargo/config.toml` holds its options, which are compiled in.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // Set the TLS provider before any code opens a connection. If two providers are compiled in and none is set,
    // rustls panics because it cannot choose one. The result is an error only if a provider is already set.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("portico: cannot start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async { cli::run(Cli::parse(), stop::on_signal()?).await });
    // Does not wait for threads that the system blocks, such as a query to a DNS server that does not answer.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portico: {error:#}");
            ExitCode::FAILURE
        }
    }
}
