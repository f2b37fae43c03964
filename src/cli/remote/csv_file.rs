//! A CSV file with people to invite, cut into parts that are each a CSV file with the same header.
//!
//! The server reads the cells. Only the records are found here.

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    path::Path,
};

use charset::Charset;
use csv::{ByteRecord, ReaderBuilder};

use super::failure::{Failure, Result};
use crate::cli::text;

/// The separators that the server takes.
const SEPARATORS: [u8; 3] = *b",;\t";
/// The largest file, in MiB.
const MAX_MIB: u64 = 16;
/// The column that each file has.
const REQUIRED_COLUMN: &str = "email";

/// The records of a file.
pub(super) struct CsvFile {
    header: String,
    /// The records that have a cell that is not empty, each as it stands in the file.
    rows: Vec<String>,
}

impl CsvFile {
    /// Reads a file, or stdin if `path` is `-`.
    ///
    /// # Errors
    /// A failure with the exit code 2 if the file cannot be read, has more than 16 MiB, or has no header with the
    /// column `email`.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let shown = text::path(path);
        let bytes = match path == Path::new("-") {
            true => read_bytes(io::stdin()),
            false => File::open(path).and_then(read_bytes),
        };
        let bytes = bytes.map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?;
        let bytes = bytes.ok_or_else(|| {
            Failure::usage(format!("{shown} has more than {MAX_MIB} MiB; split it into several files with a header"))
        })?;
        Self::parse(&decode(&bytes)).map_err(|problem| Failure::usage(format!("{shown} {problem}")))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let separator = SEPARATORS.into_iter().find(|separator| is_header(text, *separator));
        let separator = separator.ok_or("must begin with a line that names its columns, e.g. email,name")?;
        let mut reader =
            ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
        let (mut starts, mut record) = (vec![], ByteRecord::new());
        let position = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
        while reader.read_byte_record(&mut record).map_err(|error| format!("cannot be read: {error}"))? {
            let is_empty = record.iter().all(|cell| cell.trim_ascii().is_empty());
            starts.push((position(record.position().map_or(0, csv::Position::byte)), is_empty));
        }
        let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([text.len()]);
        let records = starts.iter().zip(ends).filter(|((_, is_empty), _)| !is_empty);
        let mut records = records.map(|((start, _), end)| with_line_feed(&text[*start..end]));
        let header = records.next().unwrap_or_default();
        let rows: Vec<_> = records.collect();
        if rows.is_empty() { Err("has no rows below its header".into()) } else { Ok(Self { header, rows }) }
    }

    /// Returns the number of rows, without the header.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns the ranges of rows that have at most `size` rows each.
    pub(super) fn parts(&self, size: usize) -> impl Iterator<Item = Range<usize>> {
        let len = self.len();
        (0..len).step_by(size).map(move |start| start..(start + size).min(len))
    }

    /// Returns a CSV file with these rows.
    pub(super) fn part(&self, rows: Range<usize>) -> String {
        self.header.clone() + &self.rows[rows].concat()
    }
}

/// Reads a file to its end. Returns `None` if it is too large.
fn read_bytes(file: impl Read) -> io::Result<Option<Vec<u8>>> {
    let (max, mut bytes) = (MAX_MIB << 20, Vec::new());
    file.take(max + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= max).then_some(bytes))
}

/// Decodes a file as the server does: as UTF-8 if it is valid UTF-8, and otherwise as Windows-1252. A part alone could
/// be valid UTF-8 by chance, so the whole file is decoded before it is cut.
fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match (std::str::from_utf8(bytes), Charset::for_label(b"windows-1252")) {
        (Ok(text), _) => text.to_owned(),
        (Err(_), Some(charset)) => charset.decode_without_bom_handling(bytes).0.into_owned(),
        (Err(_), None) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Returns whether the first record, with this separator, has the column `email`.
fn is_header(text: &str, separator: u8) -> bool {
    let mut reader = ReaderBuilder::new();
    reader.delimiter(separator).has_headers(false).flexible(true);
    let first = reader.from_reader(text.as_bytes()).into_records().next();
    first.is_some_and(|record| {
        record.is_ok_and(|record| record.iter().any(|name| name.trim().to_lowercase() == REQUIRED_COLUMN))
    })
}

/// Returns a record with one line feed at its end. The record may be followed by empty lines.
fn with_line_feed(record: &str) -> String {
    record.trim_matches(['\r', '\n']).to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &[u8], size: usize) -> Vec<String> {
        let file = CsvFile::parse(&decode(text)).unwrap();
        file.parts(size).map(|rows| file.part(rows)).collect()
    }

    #[test]
    fn a_file_is_cut_between_records() {
        let text = b"\xef\xbb\xbfemail;name\r\n\r\na@x.test;\"A\nB;\"\"C\"\"\"\r\n;\r\nb@x.test;B\r\nc@x.test;C";
        assert_eq!(
            parts(text, 2),
            ["email;name\na@x.test;\"A\nB;\"\"C\"\"\"\nb@x.test;B\n", "email;name\nc@x.test;C\n"]
        );
    }

    #[test]
    fn every_part_is_decoded_as_the_whole_file() {
        // The second row alone would be valid UTF-8.
        assert_eq!(parts(b"email,name\na@x.test,J\xfc\nb@x.test,\xc3\xbc\n", 1)[1], "email,name\nb@x.test,Ã¼\n");
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let max = usize::try_from(MAX_MIB << 20).unwrap();
        for (length, is_read) in [(0, true), (max, true), (max + 1, false)] {
            assert_eq!(read_bytes(io::repeat(b'a').take(length as u64)).unwrap().is_some(), is_read, "{length}");
        }
        assert!(read_bytes(io::repeat(0)).unwrap().is_none(), "a file that does not end");
    }

    #[test]
    fn a_file_without_a_header_or_without_rows_is_refused() {
        for text in ["", "a@x.test,A\n", "name\nA\n", "email\n", "email,name\n,\n\n"] {
            assert!(CsvFile::parse(text).is_err(), "{text:?}");
        }
    }
}
