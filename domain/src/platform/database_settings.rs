//! `DATABASE_URL`: its checks, and the options with which every connection to the database is opened.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use percent_encoding::percent_decode_str;
use sea_orm::{ConnectOptions, sqlx::postgres::PgConnectOptions};
use url::Url;

use super::env_reader::{EnvReader, number};

/// How Postgres and poolers name the connections of Portico, unless the URL says otherwise.
const APPLICATION_NAME: &str = "portico";
/// The parameters of a Postgres URL that the driver knows. It ignores others, and logs their values.
const PARAMETERS: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
/// The parameters that name a PEM file.
const FILES: [&str; 7] = ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];

/// The database, and the number of connections to it.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// The URL as the driver reads it. It may contain a password, so `Debug` leaves it out.
    pub url: String,
    /// Whether connections lead to a pooler in transaction mode (`?pooler=transaction`). Then two transactions of one
    /// connection may use different sessions of the server.
    pub has_transaction_pooler: bool,
    /// The largest number of connections that this process opens.
    pub connections: u32,
}

impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseSettings({} connections)", self.connections)
    }
}

impl DatabaseSettings {
    /// Reads `DATABASE_URL` and `PORTICO_DATABASE_CONNECTIONS`. Returns `None` if a variable is wrong; `env` then holds
    /// the errors.
    pub fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "The database: `sqlite:PATH` for a single process, or \
            `postgres://user:password@host/database` in UTF8. `#`, `/`, `?`, `%`, `@` and `:` in a password are \
            percent-encoded. `?pooler=transaction` is for a connection through PgBouncer in transaction mode.";
        let url = env.read("DATABASE_URL", "sqlite:data/portico.db", description, |value| {
            driver_url(value).map_err(|problem| format!("{problem}, e.g. DATABASE_URL={}", example(value)))
        });
        let description = "The largest number of database connections of this process, 2 to 1000.";
        let connections = env.read("PORTICO_DATABASE_CONNECTIONS", "16", description, number(2..=1000));
        let (url, has_transaction_pooler) = url?;
        Some(Self { url, has_transaction_pooler, connections: connections? })
    }

    /// Returns these settings with another URL.
    ///
    /// # Errors
    /// A clause such as "must be sqlite:PATH or postgres://…", if `url` is not a valid `DATABASE_URL`.
    pub fn at(&self, url: &str) -> Result<Self, String> {
        let (url, has_transaction_pooler) = driver_url(url)?;
        Ok(Self { url, has_transaction_pooler, connections: self.connections })
    }

    /// Returns the path of the SQLite file; `None` for Postgres.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        let path = self.url.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path.split('?').next().unwrap_or(path);
        Some(percent_decode_str(path).decode_utf8_lossy().into_owned().into())
    }

    /// Returns the URL without user, password and options, for logs and errors.
    pub fn redacted_url(&self) -> String {
        if let Some(path) = self.sqlite_path() {
            return format!("sqlite:{}", path.display());
        }
        let bare = self.url.split('?').next().unwrap_or_default();
        match Url::parse(bare) {
            Ok(url) if url.has_host() => format!("{}://{}{}", url.scheme(), at_host(&url), url.path()),
            _ => bare.to_owned(),
        }
    }

    /// Returns where the database is, for logs and errors: host and port, a socket, or a file.
    pub fn place(&self) -> String {
        match self.postgres_options() {
            Some(options) => match options.get_socket() {
                Some(socket) => socket.display().to_string(),
                None => format!("{}:{}", options.get_host(), options.get_port()),
            },
            None => self.sqlite_path().map(|path| path.display().to_string()).unwrap_or_default(),
        }
    }

    /// Returns the options of every connection to this database.
    pub fn connect_options(&self) -> ConnectOptions {
        let mut options = ConnectOptions::new(&self.url);
        // Statements contain addresses and hashes, so they are never logged.
        options.max_connections(self.connections).sqlx_logging(false);
        let settings = self.clone();
        options.map_sqlx_postgres_opts(move |options| settings.adjust(options));
        options
    }

    /// Returns the options of a single Postgres connection; `None` for SQLite.
    pub(super) fn postgres_options(&self) -> Option<PgConnectOptions> {
        if self.sqlite_path().is_some() {
            return None;
        }
        PgConnectOptions::from_str(&self.url).ok().map(|options| self.adjust(options))
    }

    fn adjust(&self, options: PgConnectOptions) -> PgConnectOptions {
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name(APPLICATION_NAME),
        };
        match self.has_transaction_pooler {
            // PgBouncer refuses startup parameters that it does not know, and a prepared statement stays with a server
            // connection that the next transaction may not get.
            true => options.extra_float_digits(None).statement_cache_capacity(0),
            false => options,
        }
    }

    /// Returns the limit of a statement as a startup parameter is set; `None` if the pooler would refuse it.
    pub(super) fn startup_statement_timeout(&self, limit: Option<Duration>) -> Option<Duration> {
        limit.filter(|_| self.sqlite_path().is_none() && !self.has_transaction_pooler)
    }
}

/// Returns the host and, if the URL has one, the port.
fn at_host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Returns an example for the kind of database that `value` seems to name.
fn example(value: &str) -> &'static str {
    match value.starts_with("postgres") {
        true => "postgres://portico:p%23ssword@db.example.com/portico",
        false => "sqlite:data/portico.db",
    }
}

/// Returns the URL as the driver reads it, and whether it names a pooler in transaction mode.
///
/// # Errors
/// A clause that follows the name of the setting. It shows no part of `value` except the path of a file, because
/// `value` may contain a password.
fn driver_url(value: &str) -> Result<(String, bool), String> {
    match value.split_once(':').map(|(scheme, rest)| (scheme, rest.trim_start_matches('/'))) {
        Some(("sqlite", path)) if !path.is_empty() && !path.starts_with(":memory:") && !path.contains('?') => {
            // The driver decodes percent-encoding, but the setting has a path as it is.
            Ok((format!("{}?mode=rwc", value.replace('%', "%25")), false))
        }
        Some(("postgres" | "postgresql", _)) => postgres_url(value),
        _ => Err("must be sqlite:PATH or postgres://…".into()),
    }
}

fn postgres_url(value: &str) -> Result<(String, bool), String> {
    let unencoded = || {
        "must be postgres://user:password@host/database; percent-encode the characters # / ? % @ : of the user name \
         and the password (# is %23, / is %2F, ? is %3F, % is %25)"
            .to_owned()
    };
    let rest = value.split_once("//").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Without an `@`, the authority may be the start of a password.
    let is_whole = authority.contains('@') || !value.contains('@');
    if is_whole && authority.rsplit('@').next().is_some_and(|hosts| hosts.contains(',')) {
        return Err("must name one host; a list of hosts is not supported".into());
    }
    let mut url = Url::parse(value).map_err(|_| unencoded())?;
    let database = url.path().trim_start_matches('/');
    // A password with one of these characters ends there, and the rest of it is taken as another part of the URL.
    if url.fragment().is_some() || database.contains(['/', '@', ':']) || has_stray_percent(value) {
        return Err(unencoded());
    }
    let (mut parameters, mut has_transaction_pooler) = (Vec::new(), false);
    for (name, value) in url.query_pairs() {
        match &*name {
            "pooler" if value == "transaction" => has_transaction_pooler = true,
            "pooler" => return Err("must have pooler=transaction or no pooler".into()),
            "host" | "hostaddr" if value.contains(',') => {
                return Err("must name one host; a list of hosts is not supported".into());
            }
            name if is_parameter(name) => {
                check_file(name, &value)?;
                check_value(name, &value)?;
                parameters.push((name.to_owned(), value.into_owned()));
            }
            // The name is not shown: after a `?` in a password, it is a part of the password.
            _ if url.query().is_some_and(|query| query.contains('@')) => return Err(unencoded()),
            _ => return Err(format!("has an unknown parameter; the parameters are pooler, {}", PARAMETERS.join(", "))),
        }
    }
    if has_transaction_pooler {
        if parameters.iter().any(|(name, _)| name.starts_with("options")) {
            return Err("must not have options with pooler=transaction, because a pooler refuses them".into());
        }
        url.set_query(None);
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(&parameters);
        }
    }
    let url = if has_transaction_pooler { url.as_str() } else { value };
    // The URL is parsed here because the error of the driver quotes it, with the password.
    match PgConnectOptions::from_str(url) {
        Ok(_) => Ok((url.to_owned(), has_transaction_pooler)),
        Err(_) => Err(unencoded()),
    }
}

fn is_parameter(name: &str) -> bool {
    PARAMETERS.contains(&name)
        || name == "statement-cache-capacity"
        || name.strip_prefix("options[").is_some_and(|rest| rest.ends_with(']'))
}

/// Returns whether a `%` in `value` is not followed by two hexadecimal digits.
fn has_stray_percent(value: &str) -> bool {
    let is_encoded = |rest: &str| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    value.split('%').skip(1).any(|rest| !is_encoded(rest))
}

/// Checks that the driver accepts the value of a parameter. Its own error does not name the parameter.
fn check_value(name: &str, value: &str) -> Result<(), String> {
    let Ok(mut url) = Url::parse("postgres://host/database") else { return Ok(()) };
    url.query_pairs_mut().append_pair(name, value);
    match PgConnectOptions::from_str(url.as_str()) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("has a wrong value of {name}")),
    }
}

/// Checks that a parameter that names a PEM file names one. Otherwise every attempt to connect would fail.
fn check_file(name: &str, path: &str) -> Result<(), String> {
    if !FILES.contains(&name) {
        return Ok(());
    }
    // A device or a pipe could be read without end.
    if !Path::new(path).is_file() {
        return Err(format!("has a value of {name} that is not a file"));
    }
    let content = std::fs::read(path).map_err(|error| format!("has a file as {name} that cannot be read: {error}"))?;
    match String::from_utf8_lossy(&content).contains("-----BEGIN ") {
        true => Ok(()),
        false => Err(format!("has a file as {name} that is not a PEM file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQLITE: DatabaseSettings =
        DatabaseSettings { url: String::new(), has_transaction_pooler: false, connections: 2 };

    #[test]
    fn shown_database_url_has_no_password() {
        let at = |url: &str| SQLITE.at(url).map(|database| (database.redacted_url(), database.place()));
        let shown = at("postgres://user:canary@db.example.com:6432/portico?sslmode=require&password=canary").unwrap();
        assert_eq!(shown, ("postgres://db.example.com:6432/portico".into(), "db.example.com:6432".into()));
        let shown = at("sqlite:/var/lib/portico.db").unwrap();
        assert_eq!(shown, ("sqlite:/var/lib/portico.db".into(), "/var/lib/portico.db".into()));
        assert_eq!(at("postgres://h/x").unwrap().1, "h:5432");
        assert_eq!(at("postgres:///x?host=/run/postgresql").unwrap().1, "/run/postgresql");
        assert!(at("mysql://h/x").is_err());
    }

    #[test]
    fn a_password_that_is_not_percent_encoded_is_named_and_not_shown() {
        for password in ["can#ary", "can/ary", "can?ary", "can%ary", "1#ary", "1/ary", "1?ary", "1?ary=x", "ary%2", "%"]
        {
            let problem = driver_url(&format!("postgres://portico:{password}@db.example.com/portico")).unwrap_err();
            assert!(problem.contains("percent-encode") && !problem.contains("ary"), "{password}: {problem}");
        }
        for password in ["p%23%2F%3F%25", "p@ss", "p:ss", "é", "p%40"] {
            let url = format!("postgres://portico:{password}@db.example.com/portico?application_name=x");
            assert_eq!(driver_url(&url), Ok((url, false)), "{password}");
        }
    }

    #[test]
    fn unknown_parameters_are_refused_without_their_values() {
        for parameter in ["sslmod=canary", "Sslmode=canary", "canary", "connect_timeout=canary", "ca=canary"] {
            let problem = driver_url(&format!("postgres://h/x?{parameter}")).unwrap_err();
            assert!(problem.contains("sslmode") && !problem.contains("canary"), "{parameter}: {problem}");
        }
        for parameter in ["sslmode=canary", "port=canary", "hostaddr=canary", "pooler=canary"] {
            assert!(!driver_url(&format!("postgres://h/x?{parameter}")).unwrap_err().contains("canary"));
        }
    }

    #[test]
    fn a_wrong_value_is_refused_with_the_name_of_its_parameter() {
        for parameter in ["sslmode=canary", "port=canary", "statement-cache-capacity=canary"] {
            let problem = driver_url(&format!("postgres://h/x?{parameter}")).unwrap_err();
            let name = parameter.split('=').next().unwrap();
            assert!(problem.contains(name) && !problem.contains("percent"), "{parameter}: {problem}");
        }
    }

    #[test]
    fn a_list_of_hosts_is_refused() {
        for url in
            ["postgres://h1,h2/x", "postgres://h1:1,h2:2/x", "postgres://u:p,q@h1,h2/x", "postgres:///x?host=h1,h2"]
        {
            assert!(driver_url(url).unwrap_err().contains("one host"), "{url}");
        }
        driver_url("postgres://u:p,q@h1/x").unwrap();
    }

    #[test]
    fn the_path_of_an_sqlite_file_is_taken_as_it_is() {
        for path in ["data/a b.db", "data/a%20b.db", "/var/100%.db", "/var/é#.db"] {
            let settings = SQLITE.at(&format!("sqlite:{path}")).unwrap();
            assert_eq!(settings.sqlite_path(), Some(path.into()));
            assert_eq!(settings.redacted_url(), format!("sqlite:{path}"));
        }
    }

    #[test]
    fn a_pooler_is_removed_from_the_url_and_gets_no_session_state() {
        let url = "postgres://u:p%23@h:6432/x?sslmode=require&pooler=transaction&application_name=a+b";
        let settings = SQLITE.at(url).unwrap();
        assert_eq!(settings.url, "postgres://u:p%23@h:6432/x?sslmode=require&application_name=a+b");
        assert!(settings.has_transaction_pooler);
        assert_eq!(settings.startup_statement_timeout(Some(Duration::from_secs(1))), None);
        assert_eq!(SQLITE.at("postgres://h/x?pooler=transaction").unwrap().url, "postgres://h/x");
        assert!(driver_url("postgres://h/x?pooler=transaction&options=-c%20geqo%3Doff").is_err());
        let direct = SQLITE.at("postgres://h/x").unwrap();
        assert!(direct.startup_statement_timeout(Some(Duration::from_secs(1))).is_some());
        assert_eq!(direct.postgres_options().unwrap().get_application_name(), Some("portico"));
    }

    #[test]
    fn files_of_certificates_must_exist_and_be_pem() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let url = format!("postgres://h/x?sslmode=verify-full&sslrootcert={}", file.display());
        assert!(driver_url(&url).unwrap_err().contains("sslrootcert that is not a file"));
        std::fs::write(&file, "").unwrap();
        assert!(driver_url(&url).unwrap_err().contains("is not a PEM file"));
        std::fs::write(&file, "-----BEGIN CERTIFICATE-----").unwrap();
        driver_url(&url).unwrap();
    }
}
