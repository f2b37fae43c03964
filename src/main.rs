//! Portico: the accounts service of a client portal. One binary; what it does is its command.

mod bootstrap;
mod cli;
mod config;
mod logging;
mod secret_file;
mod traces;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

/// `.cargo/config.toml` says how it treats memory.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // One TLS provider for all of us, before anybody opens a connection: two would make the choice a panic.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("portico: cannot start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli::run(Cli::parse())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portico: {error:#}");
            ExitCode::FAILURE
        }
    }
}
