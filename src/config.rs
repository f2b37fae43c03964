//! The only place that reads the environment.

use std::path::PathBuf;

use portico_api::ApiSettings;
use portico_domain::{
    keys::ServerKeys,
    settings::{EnvReader, Environment, Settings, SettingsError, Variable, data_dir},
};
use url::Url;

use crate::{
    logging::{self, LogSettings},
    secret_file,
    traces::{TraceSettings, Traces},
};

/// Everything that an operator can choose.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) domain: Settings,
    pub(crate) api: ApiSettings,
    pub(crate) log: LogSettings,
    /// Whether `PORTICO_PUBLIC_URL` is set; if not, it follows the port that was bound.
    pub(crate) has_public_url: bool,
    /// Whether `PORTICO_INTERNAL_LISTEN` is set; if not, it follows the role.
    pub(crate) has_internal_listen: bool,
    /// Where traces go.
    pub(crate) traces: Traces,
    /// None: the queue is inside this process.
    pub(crate) redis_url: Option<String>,
    /// Where development keeps the server key, if it is not set by `PORTICO_SECRET`.
    pub(crate) secret_file: Option<PathBuf>,
    /// `PORTICO_MIGRATE`
    pub(crate) migrates: bool,
}

/// Reads the environment. `fallback` is what `PORTICO_ENV` is when it is not set.
///
/// # Errors
/// All that is wrong, a line each.
#[expect(clippy::disallowed_methods, reason = "this is the owner")]
pub(crate) fn read(fallback: Option<Environment>) -> Result<Config, SettingsError> {
    let mut env = EnvReader::new(std::env::vars(), fallback);
    let secret = development_secret(&mut env);
    let config = read_from(&mut env, secret);
    env.finish(config)
}

/// Every variable with its default and meaning, for the documentation.
pub(crate) fn variables() -> Vec<Variable> {
    let mut env = EnvReader::new([], Some(Environment::Development));
    let _ = read_from(&mut env, None);
    env.known().to_vec()
}

fn read_from(env: &mut EnvReader, secret: Option<ServerKeys>) -> Option<Config> {
    let api = ApiSettings::read(env);
    let port = api.as_ref().map_or(8080, |api| api.listen.port());
    let fallback = Url::parse(&format!("http://localhost:{port}")).ok();
    let has_public_url = env.is_set("PORTICO_PUBLIC_URL");
    let secret_file = secret.is_some().then(|| data_dir(env)).flatten().map(|folder| secret_file::path(&folder));
    let has_internal_listen = env.is_set("PORTICO_INTERNAL_LISTEN");
    let domain = Settings::read(env, secret, fallback);
    let description = "The queue: `redis://…` or `rediss://…` for any number of processes. Without it the queue is inside \
                   the process, so only the commands of one process start.";
    let redis_url = env.optional("REDIS_URL", description, |value| match value.split_once("://") {
        Some(("redis" | "rediss", rest)) if !rest.is_empty() => Ok(value.to_owned()),
        _ => Err("must be redis://… or rediss://…, e.g. REDIS_URL=redis://localhost:6379".into()),
    });
    let description = "`on`: every command brings the database to the newest schema at start, one at a time. `off`: only \
                   `portico migrate` does.";
    let migrates = env.read("PORTICO_MIGRATE", "on", description, |value| match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be on or off, e.g. PORTICO_MIGRATE=on".into()),
    });
    let log = LogSettings::read(env);
    let traces = TraceSettings::read(env);
    Some(Config {
        domain: domain?,
        api: api?,
        log: log?,
        traces: Traces::new(traces?),
        has_public_url,
        has_internal_listen,
        redis_url,
        secret_file,
        migrates: migrates?,
    })
}

/// Development makes its own server key and keeps it.
fn development_secret(env: &mut EnvReader) -> Option<ServerKeys> {
    if env.is_production() || env.is_set("PORTICO_SECRET") {
        return None;
    }
    let folder = data_dir(env)?;
    match secret_file::read_or_make(&folder) {
        Ok(keys) => Some(keys),
        Err(problem) => {
            env.add_error("PORTICO_DATA_DIR", &format!("{problem}, e.g. PORTICO_DATA_DIR=data"));
            None
        }
    }
}

impl Config {
    /// Starts the log as it was asked for.
    pub(crate) fn start_log(&self) {
        logging::start(&self.log, self.domain.environment, &self.traces);
    }
}
