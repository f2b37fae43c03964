//! Logging to stderr: text in development, one JSON object per line in production.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::IsTerminal,
    panic,
};

use portico_domain::platform::env_reader::{EnvReader, Environment};
use tracing::{Level, error};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::writer::MakeWriterExt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{stderr, traces::Traces};

/// The tracing targets of Portico's own crates.
const OWN: [&str; 5] = ["portico", "portico_api", "portico_domain", "portico_queue", "portico_worker"];

/// The settings of the log.
#[derive(Clone, Debug)]
pub(crate) struct LogSettings {
    /// `PORTICO_LOG`: the lowest severity of Portico's own events that is logged.
    level: LevelFilter,
}

impl LogSettings {
    /// Reads the section. Returns `None` if it has a problem; the problem is kept in `env`.
    pub(crate) fn read(env: &mut EnvReader) -> Option<Self> {
        let description =
            "The lowest severity of Portico's own events that is logged: `error`, `warn`, `info`, `debug` or `trace`.";
        let level = env.read("PORTICO_LOG", "info", description, |value| {
            let level = value.parse().ok().filter(|level| *level != LevelFilter::OFF);
            level.ok_or_else(|| "must be error, warn, info, debug or trace, e.g. PORTICO_LOG=info".to_owned())
        });
        Some(Self { level: level? })
    }
}

/// Starts logging to stderr, and tracing if `traces` has a collector. Call it once in a process.
///
/// Lines go through the queue of [`stderr`], so that no request waits for the reader of the log. Panics are logged
/// too: the hook of the standard library would wait for that reader.
///
/// Libraries log at `warn` and above, with every value of `PORTICO_LOG`. Below that, some libraries log their
/// arguments, and the arguments of the database driver include password hashes.
///
/// The module of the database driver that parses its options logs them, for example a line of `~/.pgpass` with its
/// password. So it logs nothing. Neither does the library of passkeys, which logs parts of refused responses as errors:
/// any client could fill the log.
///
/// The log and the traces share one filter. A filter for each layer loses events: if a library asks whether an event is
/// enabled, and no layer wants it, tracing-subscriber drops the next event of that thread.
pub(crate) fn start(settings: &LogSettings, environment: Environment, traces: &Traces) {
    let traces = traces.layer();
    let own = if traces.is_some() { settings.level.max(LevelFilter::INFO) } else { settings.level };
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("sqlx_postgres::options", LevelFilter::OFF)
        .with_target("webauthn_rs", LevelFilter::OFF)
        .with_targets(OWN.map(|target| (target, own)));
    let max_level = settings.level.into_level().unwrap_or(Level::ERROR);
    let log = tracing_subscriber::fmt::layer()
        .with_writer(stderr::queue().clone().with_max_level(max_level))
        .with_ansi(std::io::stderr().is_terminal());
    let log = match environment {
        Environment::Development => log.compact().boxed(),
        Environment::Production => log.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(targets).with(log).with(traces).init();
    panic::set_hook(Box::new(log_panic));
}

/// Logs a panic, with a backtrace if `RUST_BACKTRACE` asks for it.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("without a message");
    let location = panic.location().map(ToString::to_string);
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    error!(location, backtrace, "a thread panicked: {message}");
}
