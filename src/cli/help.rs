//! The help: its width, and the help of `portico` itself with the commands in groups and where settings come from.

use clap::{CommandFactory, Subcommand};

use super::{Cli, Command, text};

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

/// The column at which the description of a command begins.
const DESCRIPTION_COLUMN: usize = 16;

/// Returns the command line, whose help has lines for a terminal of this width. Without a width, a program reads the
/// help, and its lines are as long as in the source.
pub(super) fn command(columns: Option<usize>) -> clap::Command {
    let command = Cli::command().help_template(template(columns));
    match columns {
        Some(columns) => wrap_after_help(command.term_width(columns), columns),
        // clap does not wrap lines if the width is 0.
        None => command.term_width(0),
    }
}

/// Breaks the lines after the help of a command and of those below it. clap does not indent the rest of such a line.
fn wrap_after_help(command: clap::Command, columns: usize) -> clap::Command {
    let help = command.get_after_help().map(|help| wrap_lines(&join_lines(&help.to_string()), Some(columns)));
    let command = match help {
        Some(help) => command.after_help(help),
        None => command,
    };
    command.mut_subcommands(|command| wrap_after_help(command, columns))
}

/// Joins the lines of each paragraph. A line that begins with white space, such as an example, stays alone.
fn join_lines(text: &str) -> String {
    let mut joined = String::new();
    let mut continues = false;
    for line in text.lines() {
        let is_text = line.starts_with(|c: char| !c.is_whitespace());
        if !joined.is_empty() {
            joined.push(if continues && is_text { ' ' } else { '\n' });
        }
        joined.push_str(line);
        continues = is_text && !line.ends_with(':');
    }
    joined
}

/// Returns the template of the help of `portico`. It has the commands in groups, which clap does not support.
fn template(columns: Option<usize>) -> String {
    let commands = Command::augment_subcommands(clap::Command::new("portico"));
    let groups = GROUPS.iter().filter_map(|(title, names)| {
        let lines: Vec<_> = names
            .iter()
            .filter_map(|name| commands.find_subcommand(name))
            .map(|command| line(command, columns))
            .collect();
        let title = wrap(&format!("{title}:"), 0, columns);
        (!lines.is_empty()).then(|| format!("{title}\n{}\n", lines.join("\n")))
    });
    let groups: Vec<_> = groups.collect();
    format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}\nOptions:\n{{options}}\n\n{}",
        groups.join("\n"),
        wrap_lines(SETTINGS, columns),
    )
}

/// Returns the line of a command: its name, and the first sentence of its help.
fn line(command: &clap::Command, columns: Option<usize>) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let name = format!("  {}", command.get_name());
    wrap(&format!("{name:DESCRIPTION_COLUMN$}{}", about.trim_end_matches('.')), DESCRIPTION_COLUMN, columns)
}

/// Breaks each line between words, so that it fits into the width. The rest of a line with two columns is aligned with
/// its second column, and that of another indented line is indented further.
fn wrap_lines(text: &str, columns: Option<usize>) -> String {
    let wrapped = text.lines().map(|line| {
        let indent = line.len() - line.trim_start().len();
        let indent = match line.trim_start().rfind("  ") {
            Some(gap) => indent + gap + "  ".len(),
            None if indent > 0 => indent + "  ".len(),
            None => 0,
        };
        wrap(line, indent, columns)
    });
    wrapped.collect::<Vec<_>>().join("\n")
}

/// Breaks a line between words, so that it fits into the width. All lines but the first begin with `indent` spaces.
fn wrap(line: &str, indent: usize, columns: Option<usize>) -> String {
    let mut wrapped = String::new();
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let end = used + text::width(word.trim_end());
        if columns.is_some_and(|columns| end > columns) && used > indent {
            wrapped.truncate(wrapped.trim_end().len());
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(indent));
            used = indent;
        }
        wrapped.push_str(word);
        used += text::width(word);
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        fn check(command: &mut clap::Command, columns: usize) {
            let help = command.render_help().to_string();
            // Neither clap's usage nor a single word, such as a URL, is broken.
            let is_breakable = |line: &&str| !line.starts_with("Usage:") && line.trim_start().contains(' ');
            for line in help.lines().filter(is_breakable) {
                assert!(text::width(line) <= columns, "{columns} columns, {}: {line}", command.get_name());
            }
            command.get_subcommands_mut().for_each(|command| check(command, columns));
        }
        for columns in [60, 80, 100] {
            let mut cli = super::command(Some(columns));
            cli.build();
            check(&mut cli, columns);
        }
    }

    #[test]
    fn paragraphs_are_joined_and_examples_stay() {
        let text = "A first\nsentence.\n\nA list:\n  one\n  two\nThe\nend.\n\nExamples:\n  portico dev";
        let joined = "A first sentence.\n\nA list:\n  one\n  two\nThe end.\n\nExamples:\n  portico dev";
        assert_eq!(join_lines(text), joined);
    }

    #[test]
    fn the_rest_of_a_line_is_aligned() {
        let text = "One two three four\n  1  one two three\n  portico remote x\n\nEnd";
        let wrapped = "One two\nthree four\n  1  one two\n     three\n  portico\n    remote x\n\nEnd";
        assert_eq!(wrap_lines(text, Some(12)), wrapped);
        assert_eq!(wrap_lines(text, None), text);
    }
}
