//! The configuration of a process, read from environment variables.
//!
//! This is the only module that reads settings from the environment. `clippy.toml` forbids it elsewhere.
//! `portico remote` has no settings, and reads its few variables in `src/cli/remote/environment.rs`.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, time::Duration};

use portico_api::ApiSettings;
use portico_domain::{
    platform::{
        env_reader::{EnvReader, Environment, SettingsError, Variable, duration},
        keys::ServerKeys,
        random::Random,
        settings::{Settings, data_dir},
    },
    registry,
};
use portico_queue::JobQueue;
use url::Url;

use crate::{
    logging::{self, LogSettings},
    secret_file,
    traces::{TraceSettings, Traces},
};

/// All settings of a process.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The settings of the domain crate: database, mail, secrets, limits and lifetimes.
    pub(crate) domain: Settings,
    /// The settings of the API: listen addresses, proxies, origins.
    pub(crate) api: ApiSettings,
    /// The log level.
    pub(crate) log: LogSettings,
    /// Whether `PORTICO_PUBLIC_URL` is set. If not, the public URL is `http://localhost` with the port that was bound.
    pub(crate) has_public_url: bool,
    /// Whether `PORTICO_INTERNAL_LISTEN` is set. If not, `portico worker` uses another default port than the API.
    pub(crate) has_internal_listen: bool,
    /// The exporter of trace spans. It does nothing if no collector is configured.
    pub(crate) traces: Traces,
    /// `REDIS_URL`. If `None`, the job queue is in the memory of this process.
    pub(crate) redis_url: Option<String>,
    /// The file that holds the server key. `None` in production and if `PORTICO_SECRET` is set.
    pub(crate) secret_file: Option<PathBuf>,
    /// `PORTICO_MIGRATE`: whether commands migrate the database before they open it.
    pub(crate) migrate_at_start: bool,
    /// `PORTICO_MIGRATE_WAIT`: how long to wait while another process migrates.
    pub(crate) migrate_wait: Duration,
}

/// Which settings a command uses. Those that it does not use need not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uses {
    /// All settings.
    All,
    /// The settings of mail only.
    Mail,
    /// The settings of the database and of the internal listener only, as a command that only reads.
    Database,
}

impl Uses {
    /// Returns a value for each setting that production requires and that the command does not use.
    fn unused(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::All => &[],
            Self::Mail => &[("PORTICO_TRUSTED_PROXIES", "none")],
            Self::Database => &[
                ("PORTICO_TRUSTED_PROXIES", "none"),
                ("PORTICO_PUBLIC_URL", "http://localhost"),
                ("MAIL_URL", "smtp://localhost?tls=none"),
            ],
        }
    }
}

/// Reads the configuration from the environment variables of the process.
///
/// `fallback` is the value of `PORTICO_ENV` if that is not set. If both are missing, that is an error.
///
/// In development without `PORTICO_SECRET`, this creates the file of the server key if it does not exist, unless the
/// command uses no server key.
///
/// # Errors
/// Returns every problem that it finds, one line each: wrong values, missing variables and unknown `PORTICO_*`
/// variables. If `PORTICO_ENV` is missing, that is the only one, because it decides what the others must be.
#[expect(clippy::disallowed_methods, reason = "this module is the one place that reads the environment")]
pub(crate) fn read(fallback: Option<Environment>, uses: Uses) -> Result<Config, SettingsError> {
    let mut variables: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    for (name, value) in uses.unused() {
        let variable = variables.entry((*name).into()).or_default();
        if variable.is_empty() {
            *variable = (*value).into();
        }
    }
    let mut env = EnvReader::new(variables, fallback);
    if fallback.is_none() && !env.is_set("PORTICO_ENV") {
        let problem = "PORTICO_ENV must be set to development or production, e.g. PORTICO_ENV=production";
        return Err(SettingsError(vec![problem.into()]));
    }
    let secret = if uses == Uses::All { development_secret(&mut env) } else { unused_secret(&env) };
    let config = read_from(&mut env, secret);
    env.finish(config)
}

/// Returns every variable with its default and description, in the order of `docs/settings.md`.
pub(crate) fn variables() -> Vec<Variable> {
    let mut env = EnvReader::new([("", ""); 0], Some(Environment::Development));
    let _ = read_from(&mut env, None);
    env.known().to_vec()
}

/// Reads every section from `env`. Returns `None` if one has a problem; the problems are kept in `env`.
///
/// `secret` is the server key of development. If it is `None`, `PORTICO_SECRET` is read.
fn read_from(env: &mut EnvReader, secret: Option<ServerKeys>) -> Option<Config> {
    let api = ApiSettings::read(env);
    let port = api.as_ref().map_or(8080, |api| api.listen.port());
    let fallback = Url::parse(&format!("http://localhost:{port}")).ok();
    let has_public_url = env.is_set("PORTICO_PUBLIC_URL");
    let secret_file = secret.is_some().then(|| data_dir(env)).flatten().map(|folder| secret_file::path(&folder));
    let has_internal_listen = env.is_set("PORTICO_INTERNAL_LISTEN");
    let domain = registry::read_settings(env, secret, fallback);
    let description = "The job queue: `redis://…`, or `rediss://…` with TLS. `rediss://…?ca=PATH` trusts the \
        certificate authorities in this PEM file instead of the public ones. All processes share the queue. If it is \
        not set, the queue is in the memory of the process, and `portico api` and `portico worker` do not start.";
    let redis_url = env.optional("REDIS_URL", description, |value| match JobQueue::redis(value) {
        Ok(_) => Ok(value.to_owned()),
        Err(problem) => Err(format!("{problem}, e.g. REDIS_URL=redis://localhost:6379")),
    });
    let description = "`on`: each command that writes to the database first migrates it to the newest schema; a lock \
        lets one process migrate at a time. `off`: only `portico migrate` does, and every other command that \
        uses the database refuses one that lacks a migration.";
    let migrate_at_start = env.read("PORTICO_MIGRATE", "on", description, |value| match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be on or off, e.g. PORTICO_MIGRATE=on".into()),
    });
    let description = "How long a process waits while another one migrates the database. Then it ends with an error.";
    let migrate_wait = env.read("PORTICO_MIGRATE_WAIT", "5m", description, duration);
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
        migrate_at_start: migrate_at_start?,
        migrate_wait: migrate_wait?,
    })
}

/// Returns a random server key for a command that uses none. Returns `None` if `PORTICO_SECRET` is set.
fn unused_secret(env: &EnvReader) -> Option<ServerKeys> {
    if env.is_set("PORTICO_SECRET") { None } else { ServerKeys::parse(&ServerKeys::generate(Random)).ok() }
}

/// Returns the server key that development keeps in its data folder, and creates it if there is none.
///
/// Returns `None` in production and if `PORTICO_SECRET` is set. Also returns `None`, and adds an error to `env`, if the
/// key cannot be read or created.
fn development_secret(env: &mut EnvReader) -> Option<ServerKeys> {
    if env.is_production() || env.is_set("PORTICO_SECRET") {
        return None;
    }
    let folder = data_dir(env)?;
    match secret_file::read_or_make(&folder) {
        Ok(keys) => Some(keys),
        Err(problem) => {
            env.add_error("PORTICO_DATA_DIR:", &format!("{problem}, e.g. PORTICO_DATA_DIR=data"));
            None
        }
    }
}

impl Config {
    /// Starts logging, and tracing if a collector is configured. Call it once in a process.
    pub(crate) fn start_log(&self) {
        logging::start(&self.log, self.domain.environment, &self.traces);
    }
}
