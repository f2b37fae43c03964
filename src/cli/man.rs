//! `portico man`: prints the man page of a command, or writes those of all commands. Needs no configuration.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use clap::{Args, CommandFactory};
use clap_mangen::Man;
use portico_domain::platform::clock::Clock;

use super::{
    Cli,
    output::{print, print_done},
};

/// The arguments of `portico man`.
#[derive(Args)]
pub(super) struct Arguments {
    /// The command whose page is printed, such as `tenant add`. Without a command, the page of `portico`.
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    command: Vec<String>,
    /// Writes the pages of all commands into this folder, and creates the folder if it does not exist.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Prints one page, or writes all pages into a folder.
///
/// # Errors
/// Returns an error if there is no such command, or if the page cannot be written.
pub(super) fn run(arguments: Arguments) -> Result<()> {
    // `help` has no page of its own: the page of each command says the same.
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    if let Some(folder) = arguments.out {
        fs::create_dir_all(&folder).with_context(|| format!("--out: cannot create the folder {}", folder.display()))?;
        let pages = write(&root, &folder)?;
        return print_done(
            format!("Wrote {pages} man pages into {}.", folder.display()),
            format!("man -l {}", folder.join("portico.1").display()),
        );
    }
    let mut command = &root;
    for name in &arguments.command {
        command = command
            .find_subcommand(name)
            .ok_or_else(|| anyhow!("there is no command `portico {}`", arguments.command.join(" ")))?;
    }
    print(page(command)?.trim_end())
}

/// Writes the pages of `command` and of all commands below it. Returns their number.
fn write(command: &clap::Command, folder: &Path) -> Result<usize> {
    let file = folder.join(format!("{}.1", title(command)));
    fs::write(&file, page(command)?).with_context(|| format!("--out: cannot write {}", file.display()))?;
    let visible = command.get_subcommands().filter(|command| !command.is_hide_set());
    visible.map(|command| write(command, folder)).sum::<Result<usize>>().map(|pages| pages + 1)
}

/// Returns the name of the page of a command, such as `portico-tenant-add`.
fn title(command: &clap::Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// Returns the text of a page, in the format of `man`.
fn page(command: &clap::Command) -> Result<String> {
    let man = Man::new(command.clone()).title(title(command)).manual("Portico");
    let man = man.source(format!("Portico {}", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.date(Clock::System.now().format("%F").to_string()).render(&mut page).context("cannot write the man page")?;
    // `man` warns of two breaks in a row, and knows the examples of a command by the name of their section.
    let page = String::from_utf8_lossy(&page).replace("\n.br\n\n.br\n", "\n.sp\n");
    Ok(page.replace(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n"))
}
