//! `portico settings`: the table of settings, as the documentation holds it. Needs no configuration.

use anyhow::Result;

use crate::config;

pub(super) fn run() -> Result<()> {
    super::print("# Settings\n");
    super::print(
        "Every setting is an environment variable. Refresh this page: `cargo run -- settings > docs/settings.md`.\n",
    );
    super::print(
        "A duration is a whole number and a unit: `90s`, `30m`, `72h`, `7d`. A limit is `N/duration`: N at once, and one back \
         every duration ÷ N; `off` disables it, which production refuses.\n",
    );
    super::print("| variable | default | description |\n|---|---|---|");
    for variable in config::variables() {
        let default = if variable.default.is_empty() { "–".into() } else { format!("`{}`", variable.default) };
        let description = variable.description.replace('|', "\\|");
        super::print(format!("| `{}` | {default} | {description} |", variable.name));
    }
    Ok(())
}
