//! Prints results: tables and sentences for people, JSON for programs.

use std::collections::HashMap;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::{
    answer::Answer,
    failure::{Failure, Result},
    problem::not_portico,
    terminal,
};
use crate::cli::{output, table, text};

/// How results are printed.
#[derive(Clone, Copy)]
pub(super) struct Output {
    /// Whether stdout gets the JSON of the API and nothing else.
    pub(super) is_json: bool,
}

/// An object of a list, as a row of a table.
pub(super) trait Row: DeserializeOwned {
    /// What the objects are called, such as "clients".
    const PLURAL: &'static str;
    /// The names of the columns.
    const HEADER: &'static [&'static str];
    /// Returns the cells of the row.
    fn cells(self) -> Vec<String>;
}

impl Output {
    /// Prints a list: a table, or an array of the objects of the API.
    ///
    /// # Errors
    /// A failure with the exit code 5 if an object has another form than the API has, and one with the exit code 1 if
    /// stdout cannot be written.
    pub(super) fn list<T: Row>(self, objects: &[Box<RawValue>]) -> Result<()> {
        if self.is_json {
            return self.array(objects);
        }
        if objects.is_empty() {
            terminal::note(format!("No {}.", T::PLURAL));
            return Ok(());
        }
        let rows: Vec<_> = objects.iter().map(|object| parse::<T>(object).map(T::cells)).collect::<Result<_>>()?;
        write(&table::render(T::HEADER, &rows, table::columns()))
    }

    /// Prints an array of objects of the API.
    ///
    /// # Errors
    /// A failure with the exit code 1 if stdout cannot be written.
    pub(super) fn array(self, objects: &[Box<RawValue>]) -> Result<()> {
        let objects: Vec<_> = objects.iter().map(|object| object.get()).collect();
        write(&format!("[{}]\n", objects.join(",\n")))
    }

    /// Prints the object that the server answered with, or `sentence` about it for people.
    ///
    /// # Errors
    /// A failure with the exit code 5 if the answer is no object, and one with the exit code 1 if stdout cannot be
    /// written.
    pub(super) fn done(self, answer: &Answer, sentence: impl std::fmt::Display) -> Result<()> {
        match (self.is_json, answer.text.as_str()) {
            (true, "") => Ok(()),
            (true, object) => {
                answer.parse::<HashMap<String, IgnoredAny>>()?;
                write(&format!("{object}\n"))
            }
            (false, _) => write_lines(&sentence.to_string()),
        }
    }
}

/// Parses an object of a list.
///
/// # Errors
/// A failure with the exit code 5 if it has another form than the API has.
pub(super) fn parse<T: DeserializeOwned>(object: &RawValue) -> Result<T> {
    serde_json::from_str(object.get()).map_err(|error| not_portico(&format!("its JSON has another form: {error}")))
}

/// Prints lines for people, without characters that could control the terminal.
///
/// # Errors
/// A failure with the exit code 1 if stdout cannot be written.
pub(super) fn write_lines(lines: &str) -> Result<()> {
    write(&lines.lines().map(|line| text::clean(line) + "\n").collect::<String>())
}

/// Writes to stdout. If the reader has closed stdout, as `head` does, that is no error.
///
/// # Errors
/// A failure with the exit code 1 if stdout cannot be written for another reason.
pub(super) fn write(text: &str) -> Result<()> {
    output::write(text.as_bytes())
        .map(drop)
        .map_err(|error| Failure::failed(format!("cannot write to stdout: {error}")))
}
