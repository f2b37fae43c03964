//! The help of `portico` itself: the commands in groups, and where settings come from.

use clap::Subcommand;

use super::Command;

/// The groups of commands, in the order of the help.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Run Portico", &["dev", "serve", "api", "worker", "migrate", "healthcheck"]),
    ("Set up", &["check-config", "settings", "tenant", "staff", "completions", "man"]),
    (
        "Look and maintain",
        &["client", "mail", "jobs", "audit", "keys", "sessions", "tokens", "copy", "roles", "openapi"],
    ),
    ("Work over the API of a running Portico, also from another machine", &["remote"]),
];

/// Where settings come from, and what to try first.
const SETTINGS: &str = "\
Settings:
  Settings are environment variables. `portico settings` lists them, and so does docs/settings.md.
  PORTICO_ENV is `development` or `production`. It must be set for every command that uses settings but `portico dev`.
  DATABASE_URL names the database that all commands but `portico remote` work on.

To try Portico: portico dev
To see the arguments of a command, with examples: portico help COMMAND";

/// Returns the template of the help. It has the commands in groups, which clap does not support.
pub(super) fn template() -> String {
    let commands = Command::augment_subcommands(clap::Command::new("portico"));
    let groups = GROUPS.iter().filter_map(|(title, names)| {
        let lines: Vec<_> = names.iter().filter_map(|name| commands.find_subcommand(name)).map(line).collect();
        (!lines.is_empty()).then(|| format!("{title}:\n{}\n", lines.join("\n")))
    });
    let groups: Vec<_> = groups.collect();
    format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}\nOptions:\n{{options}}\n\n{SETTINGS}",
        groups.join("\n")
    )
}

/// Returns the line of a command: its name, and the first sentence of its help.
fn line(command: &clap::Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let (name, about) = (command.get_name(), about.trim_end_matches('.'));
    format!("  {name:14}{about}")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_command_is_in_one_group() {
        let commands = Command::augment_subcommands(clap::Command::new("portico"));
        for command in commands.get_subcommands().filter(|command| !command.is_hide_set()) {
            let groups = GROUPS.iter().filter(|(_, names)| names.contains(&command.get_name()));
            assert_eq!(groups.count(), 1, "{}", command.get_name());
        }
    }

    #[test]
    fn every_command_that_does_something_has_examples_and_says_what_each_argument_is() {
        fn check(command: &clap::Command) {
            let name = command.get_display_name().unwrap_or_default();
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                assert!(argument.get_help().is_some(), "{name}: {} has no help", argument.get_id());
            }
            if command.has_subcommands() {
                return command.get_subcommands().filter(|command| command.get_name() != "help").for_each(check);
            }
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:"), "{name} has no examples: {help:?}");
            let own = name.replace('-', " ");
            assert!(help.replace('-', " ").contains(&own), "no example of {name} uses it: {help}");
        }
        let mut cli = Cli::command();
        cli.build();
        cli.get_subcommands().filter(|command| command.get_name() != "help").for_each(check);
    }

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
