//! The terminal: questions and notes.

use std::io::{self, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::task::spawn_blocking;

use super::failure::{Failure, Result};
use crate::cli::text;

/// Returns whether a question can be asked: stdin and stderr are a terminal.
pub(super) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Writes lines to stderr, without characters that could control the terminal. A closed stderr is no error.
pub(super) fn note(lines: impl std::fmt::Display) {
    let lines: String = lines.to_string().split('\n').map(|line| text::clean(line) + "\n").collect();
    let _ = io::stderr().write_all(lines.as_bytes());
}

/// Asks a question and returns the answer without the white space around it.
///
/// # Errors
/// A failure with the exit code 2 if stdin ends.
pub(super) async fn ask(question: &str) -> Result<String> {
    let _ = write!(io::stderr(), "{}", text::clean(question));
    let answer = read_line().await?.ok_or_else(|| Failure::usage("the input has ended before the answer"))?;
    Ok(answer.trim().to_owned())
}

/// Asks a question whose answer the terminal does not show.
///
/// # Errors
/// A failure with the exit code 2 if stdin ends, and one with the exit code 1 if the terminal cannot hide the answer.
pub(super) async fn ask_secret(question: &str) -> Result<String> {
    let hidden = HiddenInput::start()?;
    let answer = ask(question).await;
    drop(hidden);
    note("");
    answer
}

/// Reads a line of stdin. Returns `None` if stdin has ended.
pub(super) async fn read_line() -> Result<Option<String>> {
    let read = || {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|length| (length > 0).then_some(line))
    };
    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("cannot read stdin: {error}"));
    spawn_blocking(read).await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}

/// Asks whether to do something. Returns without an error if the answer is yes, or without a question if `yes` is set.
///
/// # Errors
/// A failure with the exit code 2 if there is no terminal, and one with the exit code 1 if the answer is no.
pub(super) async fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !is_interactive() {
        return Err(Failure::usage("there is no terminal to ask for confirmation; add --yes"));
    }
    let answer = ask(&format!("{question} [y/N] ")).await?;
    match answer.to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::failed("nothing was changed")),
    }
}

/// A terminal that does not show what is typed. Dropping it shows it again, also if the question is cancelled.
struct HiddenInput(Termios);

impl HiddenInput {
    fn start() -> Result<Self> {
        let failed = |error| Failure::failed(format!("cannot hide the input of the terminal: {error}"));
        let before = tcgetattr(io::stdin()).map_err(failed)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).map_err(failed)?;
        Ok(Self(before))
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
