//! Logs, on stderr: text in development, one JSON object a line in production.

use std::io::IsTerminal;

use portico_domain::settings::{Environment, Vars};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// What is logged.
#[derive(Clone, Debug)]
pub(crate) struct LogSettings {
    /// `PORTICO_LOG`
    level: LevelFilter,
}

impl LogSettings {
    /// Reads the section.
    pub(crate) fn read(vars: &mut Vars) -> Option<Self> {
        let meaning = "How much of Portico's own work is logged: `error`, `warn`, `info`, `debug` or `trace`.";
        let level = vars.read("PORTICO_LOG", "info", meaning, |value| {
            let level = value.parse().ok().filter(|level| *level != LevelFilter::OFF);
            level.ok_or_else(|| "must be error, warn, info, debug or trace, e.g. PORTICO_LOG=info".to_owned())
        });
        Some(Self { level: level? })
    }
}

/// Starts logging. Libraries log warnings only, at every level: below that some of them print what they were given, and
/// the database's driver was given passwords' hashes.
pub(crate) fn start(settings: &LogSettings, environment: Environment) {
    let own = ["portico", "portico_api", "portico_domain", "portico_queue", "portico_worker"];
    let filter =
        own.iter().fold(EnvFilter::new("warn"), |filter, name| match format!("{name}={}", settings.level).parse() {
            Ok(directive) => filter.add_directive(directive),
            Err(_) => filter,
        });
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match environment {
        Environment::Development => log.compact().init(),
        Environment::Production => log.json().flatten_event(true).init(),
    }
}
