//! `portico copy`: copies all data of an installation to another database.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use portico_domain::{
    operations::copy::{self, CopiedTable},
    platform::{clock::Clock, database::Database, processes, settings::DatabaseSettings},
};

use super::output::{count, print};
use crate::{bootstrap, config::Config};

/// The arguments of `portico copy`.
#[derive(Args)]
pub(super) struct Arguments {
    /// The target database, in the form of `DATABASE_URL`. Its tables must be empty.
    ///
    /// Other users of this machine may see the arguments of its processes. To keep a Postgres password from them, pass
    /// it in `PGPASSWORD` or `~/.pgpass` instead.
    // Parsed by `run` and not by clap, because clap's error message would quote the URL with its password.
    #[arg(long, value_name = "URL")]
    to: String,
    /// Copies although a Portico process seems to run on the source. What it writes during the copy is lost.
    ///
    /// Portico counts a process for 45 seconds after its last sign of life, also if it was killed.
    #[arg(long)]
    anyway: bool,
}

/// Copies all rows to the target database, compares checksums, and prints a table of rows and checksums.
///
/// Migrates both databases first. If `PORTICO_MIGRATE` is `off`, only the target is migrated, and the source must have
/// the newest schema.
///
/// # Errors
/// Returns an error if `--to` is not a valid URL, if a database cannot be reached or migrated, if the source does not
/// have the newest schema, if a process runs on it and `--anyway` is not given, or if the copy fails. In these cases
/// nothing is copied.
pub(super) async fn run(config: Config, arguments: Arguments) -> Result<()> {
    let source = &config.domain.database;
    let example = "--to postgres://portico@db.example.com/portico";
    let target = source.at(&arguments.to);
    let target = target.map_err(|problem| anyhow!("--to {problem}, e.g. {example}"))?;
    if source.has_transaction_pooler || target.has_transaction_pooler {
        bail!("`portico copy` needs connections to the database server itself: a URL must not have pooler=transaction");
    }
    if config.migrate_at_start {
        bootstrap::migrate(&config).await?;
    } else if !portico_migration::is_current(source.connect_options())
        .await
        .context("DATABASE_URL: cannot read the schema")?
    {
        bail!("DATABASE_URL: the database does not have the newest schema; run `portico migrate` first");
    }
    if !arguments.anyway {
        check_no_process_runs(source).await?;
    }
    bootstrap::migrate_database(&config, &target, "--to").await?;
    let copied = copy::copy(source, &target).await.context("nothing was copied")?;
    print(report(&copied, source, &target, config.secret_file.as_deref()))?;
    Ok(())
}

/// Checks that no Portico process has recorded recently that it runs on `source`.
async fn check_no_process_runs(source: &DatabaseSettings) -> Result<()> {
    let database = Database::connect(source).await.context("DATABASE_URL: cannot open the database")?;
    let roles = processes::running_roles(&database, Clock::System.now()).await;
    let roles = roles.context("DATABASE_URL: cannot read which processes run")?;
    if roles.is_empty() {
        return Ok(());
    }
    bail!(
        "nothing was copied, because {} on the source database ({}); stop every process first, because what it writes \
         during the copy is lost. If the processes were killed, wait for 45 seconds or add --anyway",
        if roles.len() == 1 {
            "a Portico process runs".to_owned()
        } else {
            format!("{} Portico processes run", roles.len())
        },
        roles.join(", ")
    )
}

/// Returns the report of a copy: rows and checksum of each table, and what the operator must do next.
///
/// `secret` is the file of the server key, if `PORTICO_SECRET` is not set.
fn report(
    copied: &[CopiedTable],
    source: &DatabaseSettings,
    target: &DatabaseSettings,
    secret: Option<&Path>,
) -> String {
    let mut lines = vec![format!("{:<16} {:>10}  CHECKSUM", "TABLE", "ROWS")];
    lines.extend(
        copied.iter().map(|CopiedTable { table, digest }| format!("{table:<16} {:>10}  {digest}", digest.rows())),
    );
    let rows: u64 = copied.iter().map(|copied| copied.digest.rows()).sum();
    lines.push(format!("\nCopied {} from {} to {}.", count(rows, "row"), source.redacted_url(), target.redacted_url()));
    lines.push(
        "Next: set DATABASE_URL of every process to the new database, and REDIS_URL if there are several. Do not start \
         a process on the old database again."
            .into(),
    );
    lines.push(match secret {
        Some(file) => {
            format!("Set PORTICO_SECRET to what {} holds: all links, codes and sessions depend on it.", file.display())
        }
        None => "Keep PORTICO_SECRET as it is: all links, codes and sessions depend on it.".into(),
    });
    lines.join("\n")
}
