//! The part of `portico check-config --connect` that counts the costs of the stored password hashes.

use anyhow::Result;
use portico_domain::{
    identity::passwords::{self, PasswordSettings},
    platform::app::App,
};

/// Returns a line for each cost of the stored password hashes, with the number of accounts that have it. Hashes of
/// another cost than `PORTICO_SCRYPT` make each sign-in take longer, until their owners have signed in.
///
/// # Errors
/// Returns an error if the database cannot be read.
pub(super) async fn report(app: &App) -> Result<Vec<String>> {
    let current = app.section::<PasswordSettings>().cost();
    let line = |(cost, accounts): (String, i64)| {
        let remark = if cost == current { "current" } else { "replaced when their owners sign in" };
        format!("Password hashes with {cost}: {accounts} ({remark})")
    };
    Ok(passwords::count_by_cost(app).await?.into_iter().map(line).collect())
}
