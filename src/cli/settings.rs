//! `portico settings`: prints the table of all settings as Markdown. Needs no configuration.

use anyhow::Result;

use super::output::print;
use crate::config;

/// Prints the content of `docs/settings.md`.
pub(super) fn run() -> Result<()> {
    print("# Settings\n")?;
    print(
        "Every setting is an environment variable. To update this page: `cargo run -- settings > docs/settings.md`.\n",
    )?;
    print(
        "A duration is a whole number and a unit: `90s`, `30m`, `72h`, `7d`. A rate limit \
         is\n`N/duration`: it allows a burst of N requests, and one more after each duration ÷ N. `off` disables it;\n\
         production refuses `off`.\n",
    )?;
    print(
        "`portico remote` reads `PORTICO_REMOTE_PROFILE`, `PORTICO_REMOTE_URL` and `PORTICO_REMOTE_TOKEN`, which are no \
         settings\nof a server: see [remote.md](remote.md).\n",
    )?;
    print("| variable | default | description |\n|---|---|---|")?;
    for variable in config::variables() {
        let default = if variable.default.is_empty() { "–".into() } else { format!("`{}`", variable.default) };
        let description = variable.description.replace('|', "\\|");
        print(format!("| `{}` | {default} | {description} |", variable.name))?;
    }
    Ok(())
}
