//! The checks of a database before it is used: it can be reached, its encoding is UTF8, and it can be written.

use std::{error::Error as _, fmt, fs::File, io, path::Path, time::Duration};

use sea_orm::{
    DbErr, RuntimeErr, SqlxError,
    sqlx::{ConnectOptions, Connection, Executor, Row, postgres::PgConnectOptions},
};
use tokio::time::timeout;

use super::{
    settings::DatabaseSettings,
    transient_db_error::{self, TransientDbError},
};

/// How long opening a connection and the questions may take together.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a database cannot be used.
#[derive(Debug)]
pub struct DatabaseError {
    reason: String,
    is_outage: bool,
}

impl DatabaseError {
    /// Returns whether the database may become usable without a change of the configuration.
    pub fn is_outage(&self) -> bool {
        self.is_outage
    }

    fn new(reason: impl Into<String>, is_outage: bool) -> Self {
        Self { reason: reason.into(), is_outage }
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for DatabaseError {}

impl From<DbErr> for DatabaseError {
    fn from(error: DbErr) -> Self {
        let is_outage = TransientDbError::is_outage(&error);
        match error {
            DbErr::Conn(RuntimeErr::SqlxError(error)) => Self::new(reason(&error), is_outage),
            DbErr::Custom(reason) => Self::new(reason, is_outage),
            error => Self::new(error.to_string(), is_outage),
        }
    }
}

/// Checks that a Postgres database can be reached, that its encoding is UTF8, and that it can be written. Writes
/// nothing. Does nothing for SQLite: see [`check_file`].
///
/// # Errors
/// See [`DatabaseError`]. A server that is read-only counts as an outage: after a fail-over, another one can be
/// written.
pub async fn check(settings: &DatabaseSettings) -> Result<(), DatabaseError> {
    let Some(options) = settings.postgres_options() else { return Ok(()) };
    let (encoding, read_only) = timeout(CHECK_TIMEOUT, ask(&options))
        .await
        .map_err(|_| DatabaseError::new(format!("no answer within {} s", CHECK_TIMEOUT.as_secs()), true))?
        .map_err(|error| without_options(DbErr::Conn(RuntimeErr::SqlxError(error.into())).into(), &options))?;
    if encoding != "UTF8" {
        let create = "CREATE DATABASE portico ENCODING 'UTF8' TEMPLATE template0";
        return Err(DatabaseError::new(format!("the database has the encoding {encoding}, not UTF8; {create}"), false));
    }
    match read_only.as_str() {
        "off" => Ok(()),
        _ => Err(DatabaseError::new("the database server is read-only", true)),
    }
}

/// Checks that the SQLite file of `settings` can be created or written, as the start does. Writes and removes a file
/// beside it. Does nothing for Postgres.
///
/// # Errors
/// A sentence that names the file.
pub fn check_file(settings: &DatabaseSettings) -> Result<(), String> {
    let Some(path) = settings.sqlite_path() else { return Ok(()) };
    let failed = |path: &Path, error: io::Error| format!("cannot write {}: {error}", path.display());
    if path.exists() {
        File::options().read(true).write(true).open(&path).map_err(|error| failed(&path, error))?;
    }
    // The start creates the folders that are missing.
    let folders = path.ancestors().skip(1).map(|folder| if folder == Path::new("") { Path::new(".") } else { folder });
    let Some(folder) = folders.into_iter().find(|folder| folder.exists()) else { return Ok(()) };
    let probe = folder.join(format!(".portico-check-{}", std::process::id()));
    File::create_new(&probe).and_then(|_| std::fs::remove_file(&probe)).map_err(|error| failed(&path, error))
}

/// Returns `error` without what the server repeats of the parameter `options`, which may hold any setting.
fn without_options(error: DatabaseError, options: &PgConnectOptions) -> DatabaseError {
    let words = options.get_options().unwrap_or_default().split([' ', '=', '\\']).filter(|word| word.len() > 2);
    let is_repeated = words.into_iter().any(|word| error.reason.contains(word));
    match is_repeated {
        true => DatabaseError::new("the server refuses the parameter `options`", error.is_outage),
        false => error,
    }
}

/// Returns the encoding of the database, and whether transactions are read-only (`on` or `off`).
async fn ask(options: &PgConnectOptions) -> Result<(String, String), SqlxError> {
    let mut connection = options.clone().disable_statement_logging().connect().await?;
    // A text without arguments is sent as one message, which poolers pass on as it is.
    let question = "SELECT current_setting('server_encoding'), current_setting('transaction_read_only')";
    let row = connection.fetch_one(question).await?;
    let answer = (row.try_get(0)?, row.try_get(1)?);
    let _ = connection.close().await;
    Ok(answer)
}

/// Returns the text of the error and of its causes. It contains no password.
fn reason(error: &SqlxError) -> String {
    if let SqlxError::Database(error) = error {
        // Invalid authorization; PgBouncer uses the code of another error.
        let is_refused = error.code().is_some_and(|code| code.starts_with("28"));
        let hint = match is_refused || error.message().contains(transient_db_error::AUTHENTICATION_FAILED) {
            true => "; if the password contains # / ? % @ or :, percent-encode these characters in the URL (% is %25)",
            false => "",
        };
        return format!("{}{hint}", error.message());
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
