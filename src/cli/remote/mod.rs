//! `portico remote`: commands that work on a server over its HTTP API, and not on its database.
//!
//! Each noun has a file of its own. They read no setting of a server and start no log. `failure.rs` has the exit codes.

mod answer;
mod api_client;
mod api_request;
mod api_token;
mod audit;
mod audit_export;
mod audit_lines;
mod branding;
mod browser_login;
mod bulk;
mod callback_server;
mod clients;
mod context;
mod csv_file;
mod emails;
mod environment;
mod export_target;
mod failure;
mod find;
mod invitations;
mod invite;
mod login;
mod logout;
mod output;
mod pages;
mod people;
mod problem;
mod profile;
mod server_url;
mod staff;
mod staff_session;
mod status;
mod terminal;
mod time;
mod tokens;
mod web_browser;

use std::time::Duration;

use clap::{Args, Subcommand};
use portico_domain::platform::env_reader::duration;
use tokio_util::sync::CancellationToken;

use self::{context::Context, environment::RemoteEnvironment, output::Output};

pub(crate) use failure::Failure;

/// What follows the help of `portico remote`.
const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  failed: the server or this machine has not done it
  2  wrong arguments, an ambiguous name, or a question without a terminal
  3  not found
  4  refused: no login, an expired token, a missing permission, or a login file that others can read
  5  unreachable: no connection, no answer in time, 503, or an answer that is not one of Portico

Environment:
  PORTICO_REMOTE_PROFILE                     the profile, if --profile is absent
  PORTICO_REMOTE_URL, PORTICO_REMOTE_TOKEN   server and API token in place of a profile, for scripts

Examples:
  portico remote login https://portal.example.com
  portico remote clients list
  portico remote invite --client 'Acme Ltd' ann@example.com --name 'Ann Baker'
  portico remote invite --client 'Acme Ltd' --csv people.csv
  portico remote people list --status disabled --json";

/// The heading of the options that every command has.
const GENERAL: &str = "General options";

/// The arguments of `portico remote`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// The options of every command.
#[derive(Args)]
struct Options {
    /// The stored login to use, in place of the one that is called default.
    #[arg(long, global = true, help_heading = GENERAL, value_name = "NAME", value_parser = profile::parse_name)]
    profile: Option<String>,
    /// Prints the JSON of the API: an array for a list, an object for a single result.
    #[arg(long, global = true, help_heading = GENERAL)]
    json: bool,
    /// How long a request may take, such as 90s or 5m.
    #[arg(long, global = true, help_heading = GENERAL, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,
}

/// The commands of `portico remote`.
#[derive(Subcommand)]
enum Command {
    /// Stores a login of a server.
    Login(login::Arguments),
    /// Shows the stored login, and checks its token at the server.
    Status(status::Arguments),
    /// Deletes the stored login, ends its staff session, and revokes its token if login has created it.
    Logout(logout::Arguments),
    /// Lists, adds, archives and restores clients.
    #[command(subcommand)]
    Clients(clients::Command),
    /// Invites people to a client.
    Invite(invite::Arguments),
    /// Sends an invitation again.
    Resend(invitations::Resend),
    /// Lists, cancels and corrects invitations.
    #[command(subcommand)]
    Invitations(invitations::Command),
    /// Lists, disables, enables and removes people of clients.
    #[command(subcommand)]
    People(people::Command),
    /// Shows and changes the brand: name, colours, logo, language and support contacts.
    #[command(subcommand)]
    Branding(branding::Command),
    /// Lists mails, and sends failed ones again.
    #[command(subcommand)]
    Emails(emails::Command),
    /// Lists, invites, changes and removes staff users. Needs a code that is sent by mail.
    #[command(subcommand)]
    Staff(staff::Command),
    /// Lists, adds and revokes API tokens. Needs a code that is sent by mail.
    #[command(subcommand)]
    Tokens(tokens::Command),
    /// Lists and exports the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Runs a command of `portico remote` until `stop` is cancelled.
///
/// # Errors
/// The failure of the command. Its exit code is [`Failure::exit_code`].
pub(super) async fn run(arguments: Arguments, stop: CancellationToken) -> Result<(), Failure> {
    let Options { profile, json, timeout } = arguments.options;
    let output = Output { is_json: json };
    let context = Context { profile, timeout, output, environment: RemoteEnvironment::read()? };
    // `invite` says how far it has come when it is stopped.
    if matches!(arguments.command, Command::Invite(_)) {
        return run_command(&context, arguments.command, &stop).await;
    }
    stop.run_until_cancelled(run_command(&context, arguments.command, &stop)).await.unwrap_or_else(|| Err(stopped()))
}

async fn run_command(context: &Context, command: Command, stop: &CancellationToken) -> Result<(), Failure> {
    match command {
        Command::Invite(arguments) => invite::run(context, arguments, stop).await,
        Command::Login(arguments) => login::run(context, arguments).await,
        Command::Status(arguments) => status::run(context, arguments).await,
        Command::Logout(arguments) => logout::run(context, arguments).await,
        Command::Clients(command) => clients::run(context, command).await,
        Command::Resend(arguments) => invitations::resend(context, arguments).await,
        Command::Invitations(command) => invitations::run(context, command).await,
        Command::People(command) => people::run(context, command).await,
        Command::Branding(command) => branding::run(context, command).await,
        Command::Emails(command) => emails::run(context, command).await,
        Command::Staff(command) => staff::run(context, command).await,
        Command::Tokens(command) => tokens::run(context, command).await,
        Command::Audit(command) => audit::run(context, command).await,
    }
}

/// Returns the failure of a command that a signal has ended.
fn stopped() -> Failure {
    Failure::failed("stopped by SIGTERM or SIGINT before the command was done")
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory, Parser};

    use super::{AFTER_HELP, failure::FailureKind};
    use crate::cli::Cli;

    const ALL_KINDS: [FailureKind; 5] = [
        FailureKind::Failed,
        FailureKind::Usage,
        FailureKind::NotFound,
        FailureKind::Refused,
        FailureKind::Unreachable,
    ];

    /// Splits an example as a shell does. Redirections and comments end it.
    fn words(example: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (n, part) in example.split('\'').enumerate() {
            match n % 2 {
                0 => words.extend(part.split_whitespace().map(str::to_owned)),
                _ => words.push(part.to_owned()),
            }
        }
        words.into_iter().take_while(|word| !["<", ">", "#"].contains(&word.as_str())).collect()
    }

    fn assert_parses(example: &str) {
        if let Err(error) = Cli::try_parse_from(words(example)) {
            panic!("{example}: {error}");
        }
    }

    /// Calls `check` with each command that has no subcommands, and returns how many there are.
    fn for_each_leaf(command: &Command, check: &impl Fn(&Command)) -> usize {
        if !command.has_subcommands() {
            check(command);
            return 1;
        }
        command.get_subcommands().map(|command| for_each_leaf(command, check)).sum()
    }

    /// Returns the words with which the meaning of the exit code begins.
    fn meaning(kind: FailureKind) -> &'static str {
        match kind {
            FailureKind::Failed => "failed",
            FailureKind::Usage => "wrong arguments",
            FailureKind::NotFound => "not found",
            FailureKind::Refused => "refused",
            FailureKind::Unreachable => "unreachable",
        }
    }

    #[test]
    fn the_help_and_the_documentation_have_the_exit_codes_of_failures() {
        let help = AFTER_HELP.split("\n\n").next().unwrap().lines().skip(1);
        let help: Vec<_> = help.filter_map(|line| line.trim().split_once("  ")).collect();
        let page = include_str!("../../../docs/remote.md").split("| exit code |").nth(1).unwrap();
        let rows = page.lines().skip(2).take_while(|line| line.starts_with('|'));
        let rows = rows.filter_map(|line| line.trim_matches(['|', ' ']).split_once(" | "));
        let documented: Vec<_> = rows.map(|(code, text)| (code, text.split(" (").next().unwrap())).collect();
        assert_eq!(help, documented);
        let codes = ALL_KINDS.map(|kind| ((kind as u8).to_string(), meaning(kind)));
        assert_eq!(help.len(), codes.len() + 1, "and 0: {help:?}");
        for ((code, text), (expected, meaning)) in help[1..].iter().zip(&codes) {
            assert!(code == expected && text.starts_with(meaning), "{code} {text}: {expected} {meaning}");
        }
    }

    #[test]
    fn help_of_each_command_has_examples_that_are_accepted() {
        let cli = Cli::command();
        cli.clone().debug_assert();
        let remote = cli.find_subcommand("remote").unwrap();
        let count = for_each_leaf(remote, &|command| {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{}", command.get_name()));
            examples.lines().for_each(assert_parses);
        });
        assert_eq!(count, 30);
    }

    #[test]
    fn examples_in_the_documentation_are_accepted() {
        let page = include_str!("../../../docs/remote.md");
        let of_table = page.split('`').filter(|text| text.starts_with("portico remote ") && !text.contains("--help"));
        let of_code = page.lines().filter(|line| line.starts_with("portico remote "));
        let examples: Vec<_> = of_table.chain(of_code).collect();
        assert!(examples.len() > 27, "{examples:?}");
        examples.into_iter().for_each(assert_parses);
    }
}
