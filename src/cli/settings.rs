//! `portico settings`: the table of settings, as the documentation holds it. Needs no configuration.

use anyhow::Result;

use crate::environment;

pub(super) fn run() -> Result<()> {
    super::say("# Settings\n");
    super::say(
        "Every setting is an environment variable. Refresh this page: `cargo run -- settings > docs/settings.md`.\n",
    );
    super::say("| variable | default | meaning |\n|---|---|---|");
    for variable in environment::variables() {
        let default = if variable.default.is_empty() { "–".into() } else { format!("`{}`", variable.default) };
        let meaning = variable.meaning.replace('|', "\\|");
        super::say(format!("| `{}` | {default} | {meaning} |", variable.name));
    }
    Ok(())
}
