//! The table of a bulk invitation: CSV (RFC 4180) as spreadsheet programs write it.

use std::{borrow::Cow, collections::HashSet};

use charset::Charset;
use csv::{ReaderBuilder, StringRecord};
use portico_domain::platform::error::{Error, FieldProblem};
use serde_json::{Map, Value};

use crate::http::error::ApiError;

/// The names of the columns. Only `email` must be there.
const COLUMNS: [&str; 4] = ["email", "name", "role", "locale"];
/// The separators. The one that makes known columns of the first row is the one of the table.
const SEPARATORS: [u8; 3] = *b",;\t";
/// The most rows below the header.
pub(super) const MAX_ROWS: usize = 1_000;

/// A row as a JSON object of the cells that are not empty. An error has what is wrong with the row.
pub(super) type TableRow = Result<Map<String, Value>, (Map<String, Value>, FieldProblem)>;

/// Returns the rows of a table in UTF-8, with or without a byte order mark, or in Windows-1252. Empty rows are left
/// out.
///
/// # Errors
/// - `malformed_request` for a table with a NUL character, for example in UTF-16.
/// - `validation_failed` at `/header` with the code `csv_header_invalid` if the first row does not name the columns; at
///   the row with the code `csv_quotes_invalid` if a quotation mark is not closed, or is followed by text; and at
///   `/rows` with the code `invalid` if the table has no rows or too many.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<TableRow>, ApiError> {
    let text = decode(bytes)?;
    let (separator, columns) = header(&text)?;
    check_quotes(&text, separator)?;
    let mut rows = Vec::new();
    for record in records(&text, separator).skip(1) {
        let record = record?;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if rows.len() == MAX_ROWS {
            return Err(wrong("/rows", "invalid", format!("must have at most {MAX_ROWS} items")));
        }
        rows.push(row(&columns, &record));
    }
    if rows.is_empty() {
        return Err(wrong("/rows", "invalid", "must have at least one row"));
    }
    Ok(rows)
}

fn wrong(pointer: &str, code: &'static str, detail: impl Into<String>) -> ApiError {
    ApiError::Domain(Error::invalid(pointer, code, detail))
}

/// Decodes the text: as UTF-8 if it is valid UTF-8, and otherwise as Windows-1252.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ApiError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let charset = Charset::for_label(b"windows-1252");
            charset.map_or(Cow::Borrowed(""), |charset| charset.decode_without_bom_handling(bytes).0)
        }
    };
    if text.contains('\0') {
        return Err(ApiError::Malformed(
            "The table contains a NUL character. It must be in UTF-8 or Windows-1252, not in UTF-16.",
        ));
    }
    Ok(text)
}

/// Returns the separator of the table and the names of its columns.
fn header(text: &str) -> Result<(u8, Vec<String>), ApiError> {
    for separator in SEPARATORS {
        let Some(Ok(record)) = records(text, separator).next() else { continue };
        let mut names: Vec<String> = record.iter().map(|name| name.trim().to_lowercase()).collect();
        // Programs write a separator at the end of each row.
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        let is_known = |name: &String| COLUMNS.contains(&name.as_str());
        let is_unique = names.iter().collect::<HashSet<_>>().len() == names.len();
        if names.iter().all(is_known) && is_unique && names.iter().any(|name| name == "email") {
            return Ok((separator, names));
        }
    }
    let detail = "must name the column email and may name the columns name, role and locale, each once, separated by \
                  commas, semicolons or tabs";
    Err(wrong("/header", "csv_header_invalid", detail))
}

/// Returns the records of the text. The reader leaves out empty lines.
fn records(text: &str, separator: u8) -> impl Iterator<Item = Result<StringRecord, ApiError>> {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(separator).has_headers(false).flexible(true);
    builder
        .from_reader(text.as_bytes())
        .into_records()
        .map(|record| record.map_err(|_| ApiError::Malformed("The table cannot be read.")))
}

/// Checks that each quoted cell ends with a quotation mark, which a separator or the end of the row follows. The reader
/// would accept other text and guess what it means.
///
/// A quotation mark within a cell that does not begin with one stands for itself.
fn check_quotes(text: &str, separator: u8) -> Result<(), ApiError> {
    let separator = char::from(separator);
    let (mut line, mut is_start, mut is_quoted, mut quoted_at) = (1, true, false, 0);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        line += usize::from(character == '\n');
        match character {
            '"' if is_quoted => {
                if characters.next_if_eq(&'"').is_some() {
                    continue;
                }
                is_quoted = false;
                if characters.peek().is_some_and(|next| *next != separator && !matches!(next, '\r' | '\n')) {
                    let detail = format!("has text after the closing quotation mark of a cell in line {line}");
                    return Err(wrong("/rows", "csv_quotes_invalid", detail));
                }
            }
            '"' if is_start => (is_quoted, quoted_at) = (true, line),
            _ => {}
        }
        is_start = !is_quoted && (character == separator || matches!(character, '\r' | '\n'));
    }
    if is_quoted {
        let detail = format!("has a quotation mark in line {quoted_at} that is not closed");
        return Err(wrong("/rows", "csv_quotes_invalid", detail));
    }
    Ok(())
}

fn row(columns: &[String], record: &StringRecord) -> TableRow {
    let cells = columns.iter().zip(record).filter(|(_, cell)| !cell.trim().is_empty());
    let object: Map<_, _> =
        cells.map(|(column, cell)| (column.clone(), Value::from(cell_value(column, cell)))).collect();
    // Programs leave out the empty cells at the end of a row, or write more of them.
    if record.iter().skip(columns.len()).all(|cell| cell.trim().is_empty()) {
        Ok(object)
    } else {
        let detail = format!("must have at most {} cells, not {}", columns.len(), record.len());
        Err((object, FieldProblem::new("csv_cells_invalid", detail)))
    }
}

/// Returns a cell as the value of its field. Addresses and names are trimmed by their own rules.
fn cell_value(column: &str, cell: &str) -> String {
    if column == "role" || column == "locale" { cell.trim().to_owned() } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the values of the rows that are valid.
    fn rows(bytes: &[u8]) -> Vec<Value> {
        parse(bytes).unwrap().into_iter().map(|row| Value::Object(row.unwrap())).collect()
    }

    fn problem(bytes: &[u8]) -> (String, &'static str) {
        match parse(bytes) {
            Err(ApiError::Domain(Error::Invalid(fields))) => (fields[0].pointer.clone(), fields[0].problem.code),
            Err(ApiError::Malformed(_)) => (String::new(), "malformed_request"),
            _ => panic!("{}", String::from_utf8_lossy(bytes)),
        }
    }

    #[test]
    fn tables_of_spreadsheets_are_read() {
        let expected = serde_json::json!([{ "email": "a@x.test", "name": "Jürgen, \"J\"" }, { "email": "b@x.test" }]);
        for table in [
            "email,name\na@x.test,\"Jürgen, \"\"J\"\"\"\nb@x.test,\n",
            "\u{feff}email,name\r\na@x.test,\"Jürgen, \"\"J\"\"\"\r\n\r\nb@x.test,",
            "Email;Name\r\na@x.test;Jürgen, \"J\"\r\nb@x.test;\r\n;\r\n",
            "\"email\"\t\"name\"\n\"a@x.test\"\t\"Jürgen, \"\"J\"\"\"\n\"b@x.test\"\t\" \"\n",
        ] {
            assert_eq!(Value::from(rows(table.as_bytes())), expected, "{table}");
        }
        let windows_1252 = b"name;email\r\nJ\xfcrgen \x80;a@x.test\r\n";
        assert_eq!(rows(windows_1252)[0]["name"], "Jürgen €");
        assert_eq!(rows(b"email,name\na@x.test,\"two\r\nlines\"")[0]["name"], "two\r\nlines");
        assert_eq!(rows(b"email,name\na@x.test,=1+1")[0]["name"], "=1+1");
        assert_eq!(rows(b"email,role\ra@x.test, admin ")[0]["role"], "admin");
    }

    #[test]
    fn row_with_too_many_cells_is_the_only_invalid_one() {
        let found = parse(b"email,name,\na@x.test\nb@x.test,Bob,admin\nc@x.test,Cid,\n").unwrap();
        assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn broken_tables_are_refused_as_a_whole() {
        for (table, pointer, code) in [
            (&b""[..], "/header", "csv_header_invalid"),
            (b"a@x.test,Ann\n", "/header", "csv_header_invalid"),
            (b"email,phone\na@x.test,1\n", "/header", "csv_header_invalid"),
            (b"name,role\nAnn,admin\n", "/header", "csv_header_invalid"),
            (b"email,email\na@x.test,a@x.test\n", "/header", "csv_header_invalid"),
            (b"email|name\na@x.test|Ann\n", "/header", "csv_header_invalid"),
            (b"email,name\n", "/rows", "invalid"),
            (b"email,name\n\n,\n", "/rows", "invalid"),
            (b"email,name\n\"a@x.test,Ann\n", "/rows", "csv_quotes_invalid"),
            (b"email,name\na@x.test,\"Ann\" Baker\n", "/rows", "csv_quotes_invalid"),
            (b"\xff\xfee\0m\0a\0i\0l\0", "", "malformed_request"),
        ] {
            assert_eq!(problem(table), (pointer.to_owned(), code), "{}", String::from_utf8_lossy(table));
        }
        let many = |rows: usize| format!("email\n{}", "a@x.test\n".repeat(rows));
        assert_eq!(rows(many(1_000).as_bytes()).len(), 1_000);
        assert_eq!(problem(many(1_001).as_bytes()), ("/rows".into(), "invalid"));
    }
}
