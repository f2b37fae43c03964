//! `portico settings`: the table of settings, as the documentation holds it. Needs no configuration.

use anyhow::Result;

use crate::environment;

pub(super) fn run() -> Result<()> {
    super::say("# Settings\n");
    super::say(
        "Every setting is an environment variable. Refresh this page: `cargo run -- settings > docs/settings.md`.\n",
    );
    super::say(
        "A duration is a whole number and a unit: `90s`, `30m`, `72h`, `7d`. A limit is `N/duration`: N at once, and one back \
         every duration ÷ N; `off` disables it, which production refuses.\n",
    );
    super::say("| variable | default | meaning |\n|---|---|---|");
    for variable in environment::variables() {
        let default = if variable.default.is_empty() { "–".into() } else { format!("`{}`", variable.default) };
        let meaning = variable.meaning.replace('|', "\\|");
        super::say(format!("| `{}` | {default} | {meaning} |", variable.name));
    }
    Ok(())
}
