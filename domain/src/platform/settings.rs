//! The settings that every process needs, and the sections that capabilities add.
//!
//! A section is a struct next to what it configures. It reads its variables through [`EnvReader`], which records the
//! name, default and description of each variable. The table in `docs/settings.md` and the hint for misspelled names
//! come from these records, so they always match the code.

use std::{path::PathBuf, sync::Arc};

use url::{Host, Url};

use super::{
    env_reader::{EnvReader, Environment},
    extensions::Extensions,
    keys::ServerKeys,
};

pub use super::database_settings::DatabaseSettings;

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
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !has_user(&url);
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

/// Returns whether `url` names a user or a password.
fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Returns whether the host of `url` is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
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
            ("PORTICO_MAIL_LOG_RETENTION", "3d"),
            ("PORTICO_SECRET", "c2hvcnQ="),
            ("PORTICO_SCRYPT", "ln=99"),
            ("PORTICO_RESET_TTL", "30"),
            ("PORTICO_INVITE_REMINDERS", "yes"),
            ("PORTICO_PASSWORD_MIN", "4"),
            ("PORTICO_SSO_NETWORKS", "0.0.0.0/0"),
            ("PORTICO_MICROSOFT_TENANTS", "contoso"),
            ("PORTICO_OIDC_ISSUER", "http://idp.example.com"),
            ("PORTICO_LIMIT_SEND_CODE", "5"),
            ("PORTICO_JOB_LEASE", "0s"),
            ("PORTICO_AUDIT_RETENTION", "23h"),
            ("PORTICO_PUBLIC_URL", "https://portal.example.com/x"),
        ];
        let error = read(&wrong, Environment::Development).unwrap_err();
        for (name, _) in wrong {
            let line = error.0.iter().find(|line| line.starts_with(name));
            assert!(line.is_some_and(|line| line.contains("e.g.")), "{name}: {error}");
        }
    }

    #[test]
    fn misspelled_variable_is_an_error_with_a_suggestion() {
        let error = read(&[SECRET, ("PORTICO_RESET_TLT", "30m")], Environment::Development).unwrap_err();
        assert_eq!(
            error.to_string(),
            "PORTICO_RESET_TLT is not a variable of Portico; did you mean PORTICO_RESET_TTL?"
        );
        for (injected, value) in [
            ("PORTICO_PORT", "tcp://10.96.0.7:80"),
            ("PORTICO_SERVICE_HOST", "10.96.0.7"),
            ("PORTICO_API_PORT_8080_TCP_ADDR", "10.96.0.7"),
        ] {
            read(&[SECRET, (injected, value)], Environment::Development).unwrap();
            let error = read(&[SECRET, (injected, "x")], Environment::Development).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{injected} is not a variable of Portico")), "{error}");
        }
    }

    #[test]
    fn variable_that_is_not_utf_8_is_named_without_its_value_and_others_are_ignored() {
        use std::{ffi::OsString, os::unix::ffi::OsStringExt};
        let canary = || OsString::from_vec(b"can\xffary".to_vec());
        for name in ["DATABASE_URL", "MAIL_URL", "PORTICO_SECRET", "PORTICO_PUBLIC_URL", "PORTICO_JOB_LEASE"] {
            let set = [("PORTICO_SECRET".into(), SECRET.1.into()), (OsString::from(name), canary())];
            let mut env = EnvReader::new(set, Some(Environment::Production));
            let settings = crate::registry::read_settings(&mut env, None, None);
            let error = env.finish(settings).unwrap_err();
            let lines: Vec<_> = error.0.iter().filter(|line| line.starts_with(name)).collect();
            assert_eq!(lines.len(), 1, "{error}");
            assert!(lines[0].contains("must be UTF-8, e.g. "), "{error}");
            assert!(!error.to_string().contains("can"), "{error}");
        }
        for name in [&b"LESSOPEN"[..], b"\xff", b"OTHER_\xff"] {
            let set = [("PORTICO_SECRET".into(), SECRET.1.into()), (OsString::from_vec(name.to_vec()), canary())];
            let mut env = EnvReader::new(set, Some(Environment::Development));
            let settings = crate::registry::read_settings(&mut env, None, Url::parse("http://localhost:1").ok());
            env.finish(settings).unwrap();
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
        let local = [
            ("PORTICO_OIDC_CLIENT_ID", "portico"),
            ("PORTICO_OIDC_CLIENT_SECRET", "secret"),
            ("PORTICO_OIDC_ISSUER", "http://localhost:4000"),
        ];
        read(&[&[SECRET][..], &local].concat(), Environment::Development).unwrap();
        let error =
            read(&[&good[..], &[("PORTICO_MASTER_CODE", "424242")]].concat(), Environment::Production).unwrap_err();
        assert!(error.to_string().starts_with("PORTICO_MASTER_CODE must not be set in production"), "{error}");
        let error = read(&[&good[..], &local].concat(), Environment::Production).unwrap_err();
        assert!(error.to_string().starts_with("PORTICO_OIDC_ISSUER must start with https://"), "{error}");
    }

    #[test]
    fn production_refuses_placeholders() {
        let good = [SECRET, ("PORTICO_PUBLIC_URL", "https://p.example.com"), ("MAIL_URL", "smtps://u:p@h")];
        for (name, value) in [
            ("MAIL_URL", "smtps://portico:<password>@h"),
            ("MAIL_URL", "smtps://portico:example@h"),
            ("MAIL_URL", "smtps://u:Change-Me@h"),
            ("MAIL_FROM", "Placeholder <portal@p.example.com>"),
            ("PORTICO_SECRET", "<openssl rand -base64 32>"),
        ] {
            let mut values = good.to_vec();
            values.retain(|(given, _)| *given != name);
            values.push((name, value));
            let error = read(&values, Environment::Production).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} still holds a placeholder")), "{error}");
        }
        read(&[&good[..], &[("MAIL_FROM", "Portal <portal@p.example.com>")]].concat(), Environment::Production)
            .unwrap();
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
