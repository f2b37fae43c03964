//! Settings: how variables are read, and the sections that together make [`Settings`].
//!
//! A section stands next to what it configures and reads its variables through [`EnvReader`], which remembers each
//! variable's name, default and meaning: the table in `docs/settings.md` and the check for misspelt names come from
//! there, so neither can fall behind the code.

mod env_reader;

use std::{fmt, path::PathBuf, str::FromStr};

use sea_orm::sqlx::postgres::PgConnectOptions;
use url::{Host, Url};

use crate::{
    jobs::JobSettings, keys::ServerKeys, link_tokens::LinkTokenSettings, mail::MailSettings,
    passwords::PasswordSettings, rate_limit::RateLimitSettings, sessions::SessionSettings,
};

pub use env_reader::{EnvReader, SettingsError, Variable, duration, number};

/// Everything that the use cases and jobs can be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Strict or convenient.
    pub environment: Environment,
    /// Where the portal is for the people who use it; links in mails start with it.
    pub public_url: Url,
    /// The database.
    pub database: DatabaseSettings,
    /// The server key.
    pub keys: ServerKeys,
    /// Links and codes.
    pub link_tokens: LinkTokenSettings,
    /// Passwords and their hashes.
    pub passwords: PasswordSettings,
    /// Sessions and tokens.
    pub sessions: SessionSettings,
    /// How often what may be tried.
    pub rate_limits: RateLimitSettings,
    /// Mail.
    pub mail: MailSettings,
    /// Background jobs.
    pub jobs: JobSettings,
}

/// Which database, and how many connections to it.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `sqlite:PATH` or `postgres://…`; may hold a password, so it does not print.
    pub url: String,
    /// The most connections this process opens.
    pub connections: u32,
}

impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseSettings({} connections)", self.connections)
    }
}

/// How strict Portico is about its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Convenient, and on this machine only.
    Development,
    /// Refuses to start with anything that is unsafe on a network.
    Production,
}

impl Settings {
    /// Reads all sections. `secret` gives the server key where the variable is not set, as development does;
    /// `public_url` likewise.
    pub fn read(env: &mut EnvReader, secret: Option<ServerKeys>, public_url: Option<Url>) -> Option<Self> {
        let environment = env.environment();
        let data_dir = data_dir(env);
        let database = DatabaseSettings::read(env);
        let keys = read_keys(env, secret);
        let public_url = read_public_url(env, public_url);
        let link_tokens = LinkTokenSettings::read(env);
        let passwords = PasswordSettings::read(env);
        let sessions = SessionSettings::read(env);
        let rate_limits = RateLimitSettings::read(env);
        let mail = MailSettings::read(env);
        let jobs = JobSettings::read(env);
        data_dir?;
        Some(Self {
            environment,
            public_url: public_url?,
            database: database?,
            keys: keys?,
            link_tokens: link_tokens?,
            passwords: passwords?,
            sessions: sessions?,
            rate_limits: rate_limits?,
            mail: mail?,
            jobs: jobs?,
        })
    }
}

/// `PORTICO_DATA_DIR`: where development keeps its server key.
pub fn data_dir(env: &mut EnvReader) -> Option<PathBuf> {
    let description = "Where development keeps its server key.";
    env.read("PORTICO_DATA_DIR", "data", description, |value| Ok(PathBuf::from(value)))
}

impl DatabaseSettings {
    /// Reads `DATABASE_URL` and `PORTICO_DATABASE_CONNECTIONS`.
    pub fn read(env: &mut EnvReader) -> Option<Self> {
        let description =
            "The database: `sqlite:PATH` for one process, `postgres://user:password@host/database` for any number.";
        let url = env.read("DATABASE_URL", "sqlite:data/portico.db", description, |value| {
            driver_url(value)
                .ok_or_else(|| "must be sqlite:PATH or postgres://…, e.g. DATABASE_URL=sqlite:data/portico.db".into())
        });
        let description = "The most database connections of this process, 2 to 1000.";
        let connections = env.read("PORTICO_DATABASE_CONNECTIONS", "16", description, number(2..=1000));
        Some(Self { url: url?, connections: connections? })
    }

    /// The database at `url`, which has the form of `DATABASE_URL`; `None` if it has not.
    pub fn at(&self, url: &str) -> Option<Self> {
        Some(Self { url: driver_url(url)?, connections: self.connections })
    }

    /// Where it is, without user, password and options: fit to be shown.
    pub fn redacted_url(&self) -> String {
        let bare = self.url.split('?').next().unwrap_or_default();
        match Url::parse(bare) {
            Ok(url) if url.has_host() => format!("{}://{}{}", url.scheme(), at_host(&url), url.path()),
            _ => bare.to_owned(),
        }
    }
}

fn at_host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A database's URL as its driver wants it, if that is what it is.
fn driver_url(value: &str) -> Option<String> {
    match value.split_once(':').map(|(scheme, rest)| (scheme, rest.trim_start_matches('/'))) {
        Some(("sqlite", path)) if !path.is_empty() && !path.starts_with(":memory:") && !path.contains('?') => {
            Some(format!("{value}?mode=rwc"))
        }
        // Read whole here, since the driver's own config_warning would quote it, password and all.
        Some(("postgres" | "postgresql", _)) if PgConnectOptions::from_str(value).is_ok() => Some(value.to_owned()),
        _ => None,
    }
}

fn read_keys(env: &mut EnvReader, fallback: Option<ServerKeys>) -> Option<ServerKeys> {
    let description = "The server key: a comma list of base64, each 32 random bytes or more, the newest first; the first \
                   makes, all verify. Development makes one and keeps it in the data folder.";
    let example = "e.g. PORTICO_SECRET=$(openssl rand -base64 32)";
    let keys = env.optional("PORTICO_SECRET", description, |value| {
        ServerKeys::parse(value).map_err(|why| format!("{why}, {example}"))
    });
    if !env.is_set("PORTICO_SECRET") && fallback.is_none() {
        env.add_error("PORTICO_SECRET", &format!("must be set to a strong server key, {example}"));
    }
    keys.or(fallback)
}

fn read_public_url(env: &mut EnvReader, fallback: Option<Url>) -> Option<Url> {
    let description = "Where the portal is for the people who use it: links in mails and the tokens' issuer start with \
                   it. Production takes https only, or http on loopback, and must be told; development takes \
                   `http://localhost:<bound port>`.";
    let example = "e.g. PORTICO_PUBLIC_URL=https://portal.example.com";
    let production = env.is_production();
    let url = env.optional("PORTICO_PUBLIC_URL", description, |value| {
        let url = Url::parse(value).map_err(|_| format!("must be an origin, {example}"))?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        match url.scheme() {
            "http" | "https" if !bare || !url.has_host() => Err(format!("must be an origin without a path, {example}")),
            "http" if production && !is_loopback(&url) => Err(format!("must be https in production, {example}")),
            _ if !production && !is_loopback(&url) => {
                Err("must be on loopback in development, e.g. PORTICO_PUBLIC_URL=http://localhost:8080".into())
            }
            "http" | "https" => Ok(url),
            _ => Err(format!("must be http or https, {example}")),
        }
    });
    if !env.is_set("PORTICO_PUBLIC_URL") && production {
        env.add_error("PORTICO_PUBLIC_URL", &format!("must be set in production, {example}"));
        return None;
    }
    url.or(fallback)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)], environment: Environment) -> Result<Settings, SettingsError> {
        let values = values.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let mut env = EnvReader::new(values, Some(environment));
        let settings = Settings::read(&mut env, None, Url::parse("http://localhost:1").ok());
        env.finish(settings)
    }

    const SECRET: (&str, &str) = ("PORTICO_SECRET", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");

    #[test]
    fn the_defaults_are_good() {
        read(&[SECRET], Environment::Development).unwrap();
    }

    #[test]
    fn every_wrong_variable_is_named_with_an_example() {
        let wrong = [
            ("DATABASE_URL", "mysql://x"),
            ("MAIL_URL", "ftp://x"),
            ("MAIL_FROM", "nobody"),
            ("PORTICO_SECRET", "c2hvcnQ="),
            ("PORTICO_SCRYPT", "ln=99"),
            ("PORTICO_RESET_TTL", "30"),
            ("PORTICO_PASSWORD_MIN", "4"),
            ("PORTICO_LIMIT_SEND_CODE", "5"),
            ("PORTICO_JOB_LEASE", "0s"),
            ("PORTICO_PUBLIC_URL", "https://portal.example.com/x"),
        ];
        let error = read(&wrong, Environment::Development).unwrap_err();
        for (name, _) in wrong {
            let line = error.0.iter().find(|line| line.starts_with(name));
            assert!(line.is_some_and(|line| line.contains("e.g.")), "{name}: {error}");
        }
    }

    #[test]
    fn a_database_is_shown_without_its_password() {
        let settings = read(&[SECRET], Environment::Development).unwrap().database;
        assert_eq!(settings.redacted_url(), "sqlite:data/portico.db");
        let at = |url: &str| settings.at(url).map(|database| database.redacted_url());
        let shown = at("postgres://user:canary@db.example.com:6432/portico?sslmode=require&password=canary");
        assert_eq!(shown.as_deref(), Some("postgres://db.example.com:6432/portico"));
        assert_eq!(at("sqlite:/var/lib/portico.db").as_deref(), Some("sqlite:/var/lib/portico.db"));
        assert_eq!(at("mysql://h/x"), None);
    }

    #[test]
    fn a_misspelt_variable_stops_the_start_with_a_hint() {
        let error = read(&[SECRET, ("PORTICO_RESET_TLT", "30m")], Environment::Development).unwrap_err();
        assert_eq!(
            error.to_string(),
            "PORTICO_RESET_TLT is not a variable of Portico; did you mean PORTICO_RESET_TTL?"
        );
        for injected in ["PORTICO_PORT", "PORTICO_SERVICE_HOST", "PORTICO_8080_TCP_ADDR", "PORTICO_PORT_80_TCP"] {
            read(&[SECRET, (injected, "x")], Environment::Development).unwrap();
        }
    }

    #[test]
    fn production_refuses_what_is_unsafe() {
        let error = read(&[("PORTICO_LIMIT_SEND_CODE", "off")], Environment::Production).unwrap_err();
        for name in ["PORTICO_SECRET", "PORTICO_PUBLIC_URL", "MAIL_URL", "PORTICO_LIMIT_SEND_CODE"] {
            assert!(error.0.iter().any(|line| line.starts_with(name)), "{name}: {error}");
        }
        let plain =
            [SECRET, ("PORTICO_PUBLIC_URL", "http://portal.example.com"), ("MAIL_URL", "smtp://h?tls=opportunistic")];
        assert_eq!(read(&plain, Environment::Production).unwrap_err().0.len(), 2);
        let good = [SECRET, ("PORTICO_PUBLIC_URL", "https://p.example.com"), ("MAIL_URL", "smtps://u:p@h")];
        read(&good, Environment::Production).unwrap();
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90s").unwrap().as_secs(), 90);
        assert_eq!(duration("7d").unwrap().as_secs(), 604_800);
        for wrong in ["", "s", "5", "0s", "-1s", "1w", "99999999999999999999h", "1.5h", "é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
