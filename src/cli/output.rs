//! What commands print: sentences, tables and JSON.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
};

use anyhow::{Context, Result};
use portico_domain::platform::clock::Time;
use serde_json::Value;

use super::table::{self, NONE};

/// Writes to stdout. Returns false if the reader has closed stdout, as `head` does.
///
/// That is no error: the reader has what it wants, and the command ends as it would otherwise.
///
/// # Errors
/// Returns an error if stdout cannot be written for another reason, for example because the disk is full.
pub(super) fn write(bytes: &[u8]) -> io::Result<bool> {
    let mut stdout = io::stdout();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true),
    }
}

/// Prints a part of the output of a command to stdout, and a line feed.
///
/// # Errors
/// As for [`write()`].
pub(super) fn print(text: impl Display) -> Result<()> {
    write(format!("{text}\n").as_bytes()).context("cannot write to stdout").map(drop)
}

/// Prints what a command has done, and what the operator does next.
///
/// # Errors
/// As for [`write()`].
pub(super) fn print_done(done: impl Display, next: impl Display) -> Result<()> {
    print(format!("{done}\nNext: {next}"))
}

/// How a command prints a list of `T`: as a table of `N` columns, or as a JSON array.
pub(super) struct Listing<T, const N: usize> {
    /// The titles of the columns, in capitals.
    pub(super) columns: [&'static str; N],
    /// The cells of an entry. An empty one is shown as `–`.
    pub(super) row: fn(&T) -> [String; N],
    /// An entry as JSON.
    pub(super) to_json: fn(&T) -> Value,
}

impl<T, const N: usize> Listing<T, N> {
    /// Prints `entries` as a JSON array if `as_json` is true, else as a table, or the sentence `if_empty` if there are
    /// none.
    ///
    /// # Errors
    /// As for [`write()`].
    pub(super) fn print(&self, entries: &[T], as_json: bool, if_empty: &str) -> Result<()> {
        if as_json {
            return print_json_array(entries.iter().map(self.to_json));
        }
        if entries.is_empty() {
            return print(if_empty);
        }
        let rows: Vec<_> = entries.iter().map(|entry| (self.row)(entry).to_vec()).collect();
        print(table::render(&self.columns, &rows, table::columns()).trim_end_matches('\n'))
    }
}

/// Prints a JSON array with one entry in each line.
///
/// # Errors
/// As for [`write()`].
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

/// Returns a time for people, in UTC, such as `2026-11-26 12:00:00Z`.
pub(super) fn time(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Returns a time for people, or `–` if there is none.
pub(super) fn optional_time(at: Option<Time>) -> String {
    at.map_or_else(|| NONE.to_owned(), time)
}

/// Returns a time for people, or `never` if there is none.
pub(super) fn time_or_never(at: Option<Time>) -> String {
    at.map_or_else(|| "never".to_owned(), time)
}

/// Returns a number and its noun: `1 job`, `2 jobs`, `2 people`.
pub(super) fn count(number: u64, noun: &str) -> String {
    match (number, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "person") => format!("{number} people"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many() {
        assert_eq!([0, 1, 2].map(|number| count(number, "job")), ["0 jobs", "1 job", "2 jobs"]);
        assert_eq!([1, 2].map(|number| count(number, "person")), ["1 person", "2 people"]);
    }
}
