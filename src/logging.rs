//! Logs, on stderr: text in development, one JSON object a line in production.

use std::io::IsTerminal;

use portico_domain::settings::{EnvReader, Environment};
use tracing::Level;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::writer::MakeWriterExt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::traces::Traces;

/// Our own crates, by the targets of their events and spans.
const OWN: [&str; 5] = ["portico", "portico_api", "portico_domain", "portico_queue", "portico_worker"];

/// What is logged.
#[derive(Clone, Debug)]
pub(crate) struct LogSettings {
    /// `PORTICO_LOG`
    level: LevelFilter,
}

impl LogSettings {
    /// Reads the section.
    pub(crate) fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "How much of Portico's own work is logged: `error`, `warn`, `info`, `debug` or `trace`.";
        let level = env.read("PORTICO_LOG", "info", description, |value| {
            let level = value.parse().ok().filter(|level| *level != LevelFilter::OFF);
            level.ok_or_else(|| "must be error, warn, info, debug or trace, e.g. PORTICO_LOG=info".to_owned())
        });
        Some(Self { level: level? })
    }
}

/// Starts logging, and tracing where it is configured. Libraries log warnings only, at every level: below that some of
/// them print what they were given, and the database's driver was given passwords' hashes.
///
/// One filter stands in front of both. A filter for each would lose events: where a library only asks whether it would be
/// heard, and would not, tracing-subscriber drops the next event of that thread.
pub(crate) fn start(settings: &LogSettings, environment: Environment, traces: &Traces) {
    let traces = traces.layer();
    let own = if traces.is_some() { settings.level.max(LevelFilter::INFO) } else { settings.level };
    let heard = Targets::new().with_default(LevelFilter::WARN).with_targets(OWN.map(|target| (target, own)));
    let shown = settings.level.into_level().unwrap_or(Level::ERROR);
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr.with_max_level(shown))
        .with_ansi(std::io::stderr().is_terminal());
    let log = match environment {
        Environment::Development => log.compact().boxed(),
        Environment::Production => log.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(heard).with(log).with(traces).init();
}
