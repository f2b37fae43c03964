//! The settings that every process needs, and the sections that capabilities add.
//!
//! A section is a struct next to what it configures. It reads its variables through [`EnvReader`], which records the
//! name, default and description of each variable. The table in `docs/settings.md` and the hint for misspelled names
//! come from these records, so they always match the code.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use sea_orm::sqlx::postgres::PgConnectOptions;
use url::{Host, Url};

use super::{
    env_reader::{EnvReader, Environment, number},
    extensions::Extensions,
    keys::ServerKeys,
};

/// Everything that the domain can be configured with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How strict the process is about its settings.
    pub environment: Environment,
    /// The origin under which users reach the portal. Links in mails and the issuer of tokens start with it.
    pub public_url: Url,
    /// The database.
    pub database: DatabaseSettings,
    /// The server keys, the entries of `PORTICO_SECRET`.
    pub keys: ServerKeys,
    sections: Arc<Extensions>,
}

/// A group of settings that belongs to one capability. [`registry`](crate::registry) reads every section.
///
/// ```
/// use std::time::Duration;
///
/// use portico_domain::platform::{
///     env_reader::{EnvReader, duration},
///     settings::Section,
/// };
///
/// struct NoteSettings {
///     /// `PORTICO_NOTE_TTL`
///     ttl: Duration,
/// }
///
/// impl Section for NoteSettings {
///     fn read(env: &mut EnvReader) -> Option<Self> {
///         let ttl = env.read("PORTICO_NOTE_TTL", "7d", "How long a note is kept.", duration);
///         Some(Self { ttl: ttl? })
///     }
/// }
/// ```
pub trait Section: Sized + Send + Sync + 'static {
    /// Reads the section. Returns `None` if a variable is wrong; `env` then holds the errors.
    fn read(env: &mut EnvReader) -> Option<Self>;
}

/// The database, and the number of connections to it.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// The URL as the driver reads it. It may contain a password, so `Debug` leaves it out.
    pub url: String,
    /// The largest number of connections that this process opens.
    pub connections: u32,
}

impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseSettings({} connections)", self.connections)
    }
}

impl Settings {
    /// Reads the settings. `read_sections` reads the sections of the capabilities.
    ///
    /// `secret` and `public_url` are used if their variables are not set; development passes them.
    ///
    /// Returns `None` if a variable is wrong or missing; `env` then holds the errors.
    pub fn read(
        env: &mut EnvReader,
        secret: Option<ServerKeys>,
        public_url: Option<Url>,
        read_sections: fn(&mut EnvReader) -> Option<Extensions>,
    ) -> Option<Self> {
        let environment = env.environment();
        // Read only so that the variable is registered and checked. `config.rs` uses the value.
        let data_dir = data_dir(env);
        let database = DatabaseSettings::read(env);
        let keys = read_keys(env, secret);
        let public_url = read_public_url(env, public_url);
        let sections = read_sections(env);
        data_dir?;
        Some(Self {
            environment,
            public_url: public_url?,
            database: database?,
            keys: keys?,
            sections: Arc::new(sections?),
        })
    }

    /// Returns the section of type `S`.
    ///
    /// # Panics
    /// If [`registry`](crate::registry) does not list the section.
    pub fn section<S: Send + Sync + 'static>(&self) -> &S {
        self.sections.get()
    }
}

/// Reads `PORTICO_DATA_DIR`: the folder in which development stores its server key. Returns `None` if the variable is
/// wrong; `env` then holds the error.
pub fn data_dir(env: &mut EnvReader) -> Option<PathBuf> {
    let description = "The folder in which development stores its server key.";
    env.read("PORTICO_DATA_DIR", "data", description, |value| Ok(PathBuf::from(value)))
}

impl DatabaseSettings {
    /// Reads `DATABASE_URL` and `PORTICO_DATABASE_CONNECTIONS`. Returns `None` if a variable is wrong; `env` then holds
    /// the errors.
    pub fn read(env: &mut EnvReader) -> Option<Self> {
        let description =
            "The database: `sqlite:PATH` for a single process, or `postgres://user:password@host/database`.";
        let url = env.read("DATABASE_URL", "sqlite:data/portico.db", description, |value| {
            driver_url(value)
                .ok_or_else(|| "must be sqlite:PATH or postgres://…, e.g. DATABASE_URL=sqlite:data/portico.db".into())
        });
        let description = "The largest number of database connections of this process, 2 to 1000.";
        let connections = env.read("PORTICO_DATABASE_CONNECTIONS", "16", description, number(2..=1000));
        Some(Self { url: url?, connections: connections? })
    }

    /// Returns these settings with another URL; `None` if `url` is not a valid `DATABASE_URL`.
    pub fn at(&self, url: &str) -> Option<Self> {
        Some(Self { url: driver_url(url)?, connections: self.connections })
    }

    /// Returns the URL without user, password and options, for logs and errors.
    pub fn redacted_url(&self) -> String {
        let bare = self.url.split('?').next().unwrap_or_default();
        match Url::parse(bare) {
            Ok(url) if url.has_host() => format!("{}://{}{}", url.scheme(), at_host(&url), url.path()),
            _ => bare.to_owned(),
        }
    }
}

/// Returns the host and, if the URL has one, the port.
fn at_host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Returns the URL as the driver reads it; `None` if `value` is not the URL of a supported database.
fn driver_url(value: &str) -> Option<String> {
    match value.split_once(':').map(|(scheme, rest)| (scheme, rest.trim_start_matches('/'))) {
        Some(("sqlite", path)) if !path.is_empty() && !path.starts_with(":memory:") && !path.contains('?') => {
            Some(format!("{value}?mode=rwc"))
        }
        // The URL is parsed here because the error of the driver quotes it, with the password.
        Some(("postgres" | "postgresql", _)) if PgConnectOptions::from_str(value).is_ok() => Some(value.to_owned()),
        _ => None,
    }
}

/// Reads `PORTICO_SECRET`. Without it and without a `fallback`, adds an error.
fn read_keys(env: &mut EnvReader, fallback: Option<ServerKeys>) -> Option<ServerKeys> {
    let description = "The server keys: a comma-separated list of base64 texts of at least 32 random bytes each, the \
        newest first. New secrets are derived from the first key; what a removed key made is no longer valid. \
        Development creates a key in its data folder.";
    let example = "e.g. PORTICO_SECRET=$(openssl rand -base64 32)";
    let keys = env.optional("PORTICO_SECRET", description, |value| {
        ServerKeys::parse(value).map_err(|why| format!("{why}, {example}"))
    });
    if !env.is_set("PORTICO_SECRET") && fallback.is_none() {
        env.add_error("PORTICO_SECRET", &format!("must be set to a strong server key, {example}"));
    }
    keys.or(fallback)
}

/// Reads `PORTICO_PUBLIC_URL`. Production has no fallback.
fn read_public_url(env: &mut EnvReader, fallback: Option<Url>) -> Option<Url> {
    let description = "The origin under which users reach the portal. Links in mails and the issuer of tokens start \
        with it. It must be set in production, where it must be https or on loopback. The default in development is \
        `http://localhost:` and the port that the API listens on.";
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

/// Returns whether the host of `url` is this machine.
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
    use crate::platform::env_reader::{SettingsError, duration};

    fn read(values: &[(&str, &str)], environment: Environment) -> Result<Settings, SettingsError> {
        let values = values.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let mut env = EnvReader::new(values, Some(environment));
        let settings = crate::registry::read_settings(&mut env, None, Url::parse("http://localhost:1").ok());
        env.finish(settings)
    }

    const SECRET: (&str, &str) = ("PORTICO_SECRET", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");

    #[test]
    fn defaults_are_valid() {
        read(&[SECRET], Environment::Development).unwrap();
    }

    #[test]
    fn every_invalid_variable_is_named_with_an_example() {
        let wrong = [
            ("DATABASE_URL", "mysql://x"),
            ("MAIL_URL", "ftp://x"),
            ("MAIL_FROM", "not an address"),
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
    fn shown_database_url_has_no_password() {
        let settings = read(&[SECRET], Environment::Development).unwrap().database;
        assert_eq!(settings.redacted_url(), "sqlite:data/portico.db");
        let at = |url: &str| settings.at(url).map(|database| database.redacted_url());
        let shown = at("postgres://user:canary@db.example.com:6432/portico?sslmode=require&password=canary");
        assert_eq!(shown.as_deref(), Some("postgres://db.example.com:6432/portico"));
        assert_eq!(at("sqlite:/var/lib/portico.db").as_deref(), Some("sqlite:/var/lib/portico.db"));
        assert_eq!(at("mysql://h/x"), None);
    }

    #[test]
    fn misspelled_variable_is_an_error_with_a_suggestion() {
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
    fn production_refuses_unsafe_settings() {
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
    fn duration_needs_a_unit() {
        assert_eq!(duration("90s").unwrap().as_secs(), 90);
        assert_eq!(duration("7d").unwrap().as_secs(), 604_800);
        for wrong in ["", "s", "5", "0s", "-1s", "1w", "99999999999999999999h", "1.5h", "é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
