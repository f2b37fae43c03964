//! Tables for people.

use std::io::{self, IsTerminal};

use rustix::termios::tcgetwinsize;

use super::text;

/// What an empty cell shows, and a value that is absent.
pub(super) const NONE: &str = "–";
/// The width of a terminal that does not tell its width, in columns.
const DEFAULT_COLUMNS: usize = 80;

/// The columns between two cells.
const GAP: usize = 2;
/// The width to which cells are cut before more columns are left out.
const MIN_WIDTH: usize = 10;
/// The titles of first columns that are never cut for another column.
const ADDRESSES: [&str; 2] = ["ADDRESS", "RECIPIENT"];

/// Returns the width of the terminal that stdout is, or `None` if stdout is none.
pub(super) fn columns() -> Option<usize> {
    let stdout = io::stdout();
    let size = || tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    stdout.is_terminal().then(|| size().unwrap_or(DEFAULT_COLUMNS))
}

/// Returns a table with a header, a line for each row, and a line feed at the end of each line.
///
/// `columns` is the width of the terminal. A table that is wider loses its last column, then long cells are cut, and
/// then it loses more columns. An address in the first column is cut last. If `columns` is `None`, nothing is cut, and
/// the text is plain, because a program reads it. An empty cell shows [`NONE`].
pub(super) fn render(header: &[&str], rows: &[Vec<String>], columns: Option<usize>) -> String {
    let has_addresses = header.first().is_some_and(|title| ADDRESSES.contains(title));
    let header = header.iter().map(|cell| (*cell).to_owned()).collect();
    let rows = rows.iter().map(|row| row.iter().map(|cell| shown(cell)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let mut widths = vec![0; lines.iter().map(Vec::len).max().unwrap_or(0)];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = text::width(cell).max(*width);
        }
    }
    if let Some(columns) = columns {
        shrink(&mut widths, columns, has_addresses);
    }
    lines.iter().map(|line| render_line(line, &widths, columns.is_some())).collect()
}

fn shown(cell: &str) -> String {
    let cell = text::clean(cell);
    if cell.is_empty() { NONE.to_owned() } else { cell }
}

/// Removes columns and makes the widest cells narrower until a line fits into `columns`. If the first column has
/// addresses, it is cut only when no other column is left.
fn shrink(widths: &mut Vec<usize>, columns: usize, has_addresses: bool) {
    let excess = |sum: usize, len: usize| (sum + GAP * len).saturating_sub(columns + GAP);
    if excess(widths.iter().sum(), widths.len()) > 0 && widths.len() > 1 {
        widths.pop();
    }
    let narrowest = |widths: &[usize]| {
        let cells = widths.iter().enumerate();
        cells.map(|(n, width)| if n == 0 && has_addresses { *width } else { MIN_WIDTH.min(*width) }).sum()
    };
    while widths.len() > 1 && excess(narrowest(widths), widths.len()) > 0 {
        widths.pop();
    }
    for (first, minimum) in [(1, MIN_WIDTH), (0, MIN_WIDTH), (0, 1)] {
        while excess(widths.iter().sum(), widths.len()) > 0 {
            let widest = widths.iter_mut().skip(first).max_by_key(|width| **width);
            match widest.filter(|width| **width > minimum) {
                Some(width) => *width -= 1,
                None => break,
            }
        }
    }
}

fn render_line(cells: &[String], widths: &[usize], is_terminal: bool) -> String {
    let mut line = String::new();
    for (n, (cell, width)) in cells.iter().zip(widths).enumerate() {
        if n > 0 {
            line.push_str(&" ".repeat(GAP));
        }
        let cell = text::truncate(cell, *width);
        line.push_str(&if is_terminal { text::isolate(&cell) } else { cell.clone() });
        line.push_str(&" ".repeat(width - text::width(&cell)));
    }
    line.truncate(line.trim_end_matches(' ').len());
    line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_are_aligned_by_their_width() {
        let rows = [row(&["1", "漢字", "a"]), row(&["22", "e\u{301}\u{1b}x", ""])];
        let expected = "ID  NAME  S\n1   漢字  a\n22  e\u{301}x    –\n";
        assert_eq!(render(&["ID", "NAME", "S"], &rows, None), expected);
    }

    #[test]
    fn the_last_column_is_left_out_before_cells_are_cut() {
        let rows = [row(&["ann@example.com", "a very long name", "client", "0123456789"])];
        let render = |columns| render(&["ADDRESS", "NAME", "CLIENT", "ID"], &rows, Some(columns));
        let whole =
            "ADDRESS          NAME              CLIENT  ID\nann@example.com  a very long name  client  0123456789\n";
        assert_eq!(render(53), whole);
        let without_id = "ADDRESS          NAME              CLIENT\nann@example.com  a very long name  client\n";
        assert_eq!((render(52).as_str(), render(41).as_str()), (without_id, without_id));
        assert_eq!(render(37), "ADDRESS          NAME          CLIENT\nann@example.com  a very long…  client\n");
        assert_eq!(render(28), "ADDRESS          NAME\nann@example.com  a very lon…\n");
        assert_eq!(render(20), "ADDRESS\nann@example.com\n");
        assert_eq!(render(9), "ADDRESS\nann@exam…\n");
        for columns in 7..60 {
            assert!(render(columns).lines().all(|line| text::width(line) <= columns), "{columns}");
        }
    }
}
