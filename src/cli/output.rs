//! What commands print: sentences, tables and JSON.

use std::{
    fmt::{self, Display},
    io::{ErrorKind, Write},
};

use anyhow::{Context, Result};
use portico_domain::platform::clock::Time;
use serde_json::Value;

/// Prints a part of the output of a command to stdout, and a line feed.
///
/// If the reader has closed stdout, as `head` does, that is no error: the reader has what it wants, and the command
/// ends as it would otherwise.
///
/// # Errors
/// Returns an error if stdout cannot be written for another reason, for example because the disk is full.
pub(super) fn print(text: impl Display) -> Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout"),
    }
}

/// Prints what a command has done, and what the operator does next.
///
/// # Errors
/// As for [`print()`].
pub(super) fn print_done(done: impl Display, next: impl Display) -> Result<()> {
    print(format!("{done}\nNext: {next}"))
}

/// How a command prints a list of `T`: as a table of `N` columns, or as a JSON array.
pub(super) struct Listing<T, const N: usize> {
    /// The titles of the columns.
    pub(super) columns: [&'static str; N],
    /// The cells of an entry.
    pub(super) row: fn(&T) -> [String; N],
    /// An entry as JSON.
    pub(super) to_json: fn(&T) -> Value,
}

impl<T, const N: usize> Listing<T, N> {
    /// Prints `entries` as a JSON array if `as_json` is true, else as a table, or the sentence `if_empty` if there are
    /// none.
    ///
    /// # Errors
    /// As for [`print()`].
    pub(super) fn print(&self, entries: &[T], as_json: bool, if_empty: &str) -> Result<()> {
        if as_json {
            return print_json_array(entries.iter().map(self.to_json));
        }
        if entries.is_empty() {
            return print(if_empty);
        }
        let header = self.columns.map(str::to_owned);
        print(Table(std::iter::once(header).chain(entries.iter().map(self.row)).collect()))
    }
}

/// Prints a JSON array with one entry in each line.
///
/// # Errors
/// As for [`print()`].
pub(super) fn print_json_array(entries: impl Iterator<Item = Value>) -> Result<()> {
    let entries: Vec<String> = entries.map(|entry| entry.to_string()).collect();
    print(if entries.is_empty() { "[]".to_owned() } else { format!("[{}]", entries.join(",\n ")) })
}

/// Removes the entries beyond `limit`, and logs a warning if there were any. The caller has loaded one entry more than
/// `limit`.
pub(super) fn truncate<T>(entries: &mut Vec<T>, limit: u64, hint: &str) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if entries.len() > limit {
        entries.truncate(limit);
        tracing::warn!(limit, "there are more entries; {hint}");
    }
}

/// Rows of cells. The first row has the titles of the columns.
struct Table<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; N]> = self.0.iter().map(|row| row.clone().map(|cell| printable(&cell))).collect();
        let widths: [usize; N] =
            std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default());
        let lines = rows.iter().map(|row| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        });
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// Returns `text` without control characters, so that the words of users and mail servers cannot control the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Returns a time in UTC, such as `2026-11-26T12:00:00Z`.
pub(super) fn time(time: Time) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns a time in UTC, or `–` if there is none.
pub(super) fn optional_time(at: Option<Time>) -> String {
    at.map_or_else(|| "–".to_owned(), time)
}

/// Returns a number and its noun: `1 job`, `2 jobs`.
pub(super) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["id", "name"], ["1", "Größe"], ["100", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(Table(rows.to_vec()).to_string(), "id   name\n1    Größe\n100");
    }

    #[test]
    fn cells_do_not_control_the_terminal() {
        let rows = [["name"], ["a\u{1b}[31m\r\nb\u{9b}c\0"]].map(|row| row.map(str::to_owned));
        assert_eq!(Table(rows.to_vec()).to_string(), "name\na[31mbc");
    }

    #[test]
    fn one_and_many() {
        assert_eq!([0, 1, 2].map(|number| count(number, "job")), ["0 jobs", "1 job", "2 jobs"]);
    }
}
