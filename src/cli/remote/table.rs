//! Tables for people.

use super::text;

/// The columns between two cells.
const GAP: usize = 2;
/// The fewest columns to which a cell is cut before the first cell, the id, is cut too.
const MIN_WIDTH: usize = 4;

/// Returns a table with a header, a line for each row, and a line feed at the end of each line.
///
/// `columns` is the width of the terminal, to which long cells are cut. If it is `None`, nothing is cut, and the text
/// is plain, because a program reads it.
pub(super) fn render(header: &[&str], rows: &[Vec<String>], columns: Option<usize>) -> String {
    let header = header.iter().map(|cell| (*cell).to_owned()).collect();
    let rows = rows.iter().map(|row| row.iter().map(|cell| text::clean(cell)).collect());
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

/// Makes the widest cells narrower until a line fits into `columns`: first all but the first cell, then all.
fn shrink(widths: &mut [usize], columns: usize) {
    let available = columns.saturating_sub(GAP * widths.len().saturating_sub(1));
    for (first, minimum) in [(1, MIN_WIDTH), (0, MIN_WIDTH), (0, 1)] {
        while widths.iter().sum::<usize>() > available {
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
        let expected = "ID  NAME  S\n1   漢字  a\n22  e\u{301}x\n";
        assert_eq!(render(&["ID", "NAME", "S"], &rows, None), expected);
    }

    #[test]
    fn long_cells_are_cut_before_the_id() {
        let rows = [row(&["0123456789", "a very long name", "another name"])];
        assert_eq!(
            render(&["ID", "NAME", "OTHER"], &rows, Some(26)),
            "ID          NAME    OTHER\n0123456789  a ver…  anoth…\n"
        );
        for columns in 7..60 {
            let table = render(&["ID", "NAME", "OTHER"], &rows, Some(columns));
            assert!(table.lines().all(|line| text::width(line) <= columns), "{columns}\n{table}");
        }
    }
}
