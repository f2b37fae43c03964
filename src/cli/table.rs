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
/// The widths to which cells are cut: first all cells but the first one, which identifies the object, then all cells.
const MIN_WIDTHS: [(usize, usize); 3] = [(1, 10), (0, 4), (0, 1)];

/// Returns the width of the terminal that stdout is, or `None` if stdout is none.
pub(super) fn columns() -> Option<usize> {
    let stdout = io::stdout();
    let size = || tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    stdout.is_terminal().then(|| size().unwrap_or(DEFAULT_COLUMNS))
}

/// Returns a table with a header, a line for each row, and a line feed at the end of each line.
///
/// `columns` is the width of the terminal. A table that is wider loses its last column, and then long cells are cut. If
/// `columns` is `None`, nothing is cut, and the text is plain, because a program reads it. An empty cell shows
/// [`NONE`].
pub(super) fn render(header: &[&str], rows: &[Vec<String>], columns: Option<usize>) -> String {
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
        shrink(&mut widths, columns);
    }
    lines.iter().map(|line| render_line(line, &widths, columns.is_some())).collect()
}

fn shown(cell: &str) -> String {
    let cell = text::clean(cell);
    if cell.is_empty() { NONE.to_owned() } else { cell }
}

/// Removes the last column and makes the widest cells narrower until a line fits into `columns`.
fn shrink(widths: &mut Vec<usize>, columns: usize) {
    let excess = |widths: &[usize]| (widths.iter().sum::<usize>() + GAP * widths.len()).saturating_sub(columns + GAP);
    if excess(widths) > 0 && widths.len() > 1 {
        widths.pop();
    }
    for (first, minimum) in MIN_WIDTHS {
        while excess(widths) > 0 {
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
        assert_eq!(render(28), "ADDRESS    NAME       CLIENT\nann@exam…  a very l…  client\n");
        for columns in 7..60 {
            assert!(render(columns).lines().all(|line| text::width(line) <= columns), "{columns}");
        }
    }
}
