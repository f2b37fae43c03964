//! `portico copy`: moves an installation into another database.

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use portico_domain::{
    copy::{self, Copied},
    settings::DatabaseSettings,
};

use super::print;
use crate::{bootstrap, config::Config};

#[derive(Args)]
pub(super) struct Arguments {
    /// Where to, as in `DATABASE_URL`; its tables must be empty. Give a Postgres password by `PGPASSWORD` or
    /// `~/.pgpass` where others can see this machine's processes.
    // Read by `run`, since clap would quote what is wrong, password and all.
    #[arg(long, value_name = "URL")]
    to: String,
}

pub(super) async fn run(config: Config, arguments: Arguments) -> Result<()> {
    let source = &config.domain.database;
    let example = "--to postgres://portico@db.example.com/portico";
    let target = source.at(&arguments.to);
    let target = target.with_context(|| format!("--to must be sqlite:PATH or postgres://…, e.g. {example}"))?;
    if config.migrates {
        bootstrap::migrate(&config).await?;
    } else if !portico_migration::is_current(&source.url).await.context("DATABASE_URL: cannot read the schema")? {
        bail!("DATABASE_URL: the schema is not the newest; run `portico migrate` first");
    }
    bootstrap::migrate_database(&target, "--to").await?;
    let copied = copy::copy(source, &target).await.context("nothing was copied")?;
    print(report(&copied, source, &target, config.secret_file.as_deref()));
    Ok(())
}

fn report(copied: &[Copied], source: &DatabaseSettings, target: &DatabaseSettings, secret: Option<&Path>) -> String {
    let mut lines = vec![format!("{:<16} {:>10}  checksum", "table", "rows")];
    lines.extend(copied.iter().map(|Copied { table, digest }| format!("{table:<16} {:>10}  {digest}", digest.rows())));
    let rows: u64 = copied.iter().map(|copied| copied.digest.rows()).sum();
    lines.push(format!("\nCopied {rows} rows from {} to {}.", source.redacted_url(), target.redacted_url()));
    lines.push("Set DATABASE_URL to the new database for every process, and start none on the old one again.".into());
    lines.push(match secret {
        Some(file) => {
            format!("Set PORTICO_SECRET to what {} holds: links, codes and sessions live by it.", file.display())
        }
        None => "Keep PORTICO_SECRET as it is: links, codes and sessions live by it.".into(),
    });
    lines.join("\n")
}
