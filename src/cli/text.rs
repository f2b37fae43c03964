//! Text of users and servers as a terminal may show it.

use std::path::Path;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What ends a text that was cut.
const ELLIPSIS: &str = "…";
/// Isolates a text from the direction of the text around it (UAX #9): FIRST STRONG ISOLATE and its end.
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');

/// Returns `text` as one line without control characters and bidirectional formatting characters, which could control
/// the terminal or show a line in another order. A line feed becomes a space.
pub(super) fn clean(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        _ => (!c.is_control() && !is_formatting(c)).then_some(c),
    };
    text.chars().filter_map(shown).collect()
}

/// Returns a path as one line, without characters that could control the terminal.
pub(super) fn path(path: &Path) -> String {
    clean(&path.to_string_lossy())
}

/// Returns a path as a word of a command for a POSIX shell.
pub(super) fn shell_word(path: &Path) -> String {
    format!("'{}'", self::path(path).replace('\'', r"'\''"))
}

fn is_formatting(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Returns the number of columns that a terminal uses for `text`.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Returns `text` if it has at most `columns`, and otherwise its beginning with an ellipsis. A letter keeps its
/// accents.
pub(super) fn truncate(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    for grapheme in text.graphemes(true) {
        if width(&cut) + width(grapheme) + width(ELLIPSIS) > columns {
            break;
        }
        cut.push_str(grapheme);
    }
    if columns > 0 {
        cut.push_str(ELLIPSIS);
    }
    cut
}

/// Returns `text` so that the columns beside it stay in their order if it has letters that are written from right to
/// left.
pub(super) fn isolate(text: &str) -> String {
    let (start, end) = ISOLATE;
    if text.chars().any(is_right_to_left) { format!("{start}{text}{end}") } else { text.to_owned() }
}

/// Returns whether a character is in a block of scripts that are written from right to left.
fn is_right_to_left(c: char) -> bool {
    matches!(
        c,
        '\u{590}'..='\u{8ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

/// Returns a cell of a CSV file that no spreadsheet program reads as a formula: an apostrophe stands before a cell that
/// begins with one of the characters that OWASP names ("CSV Injection"), with one of their full-width forms, or with
/// NUL.
pub(super) fn neutralize(cell: &str) -> String {
    const FIRST: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];
    if cell.starts_with(FIRST) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidirectional_characters_are_removed() {
        assert_eq!(clean("A\u{1b}[31mB\u{202e}C\u{2067}D\u{200f}\r\nE\u{9b}F\tG\u{2028}"), "A[31mBCD EFG ");
        assert_eq!(clean("Zoë שלום 漢字"), "Zoë שלום 漢字");
    }

    #[test]
    fn text_is_cut_by_columns_and_not_within_a_letter() {
        for (text, columns, cut) in [
            ("Acme", 4, "Acme"),
            ("Acme Ltd", 5, "Acme…"),
            ("漢字漢字", 5, "漢字…"),
            ("漢字漢字", 6, "漢字…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("Acme", 1, "…"),
            ("Acme", 0, ""),
        ] {
            assert_eq!(truncate(text, columns), cut, "{text:?}");
            assert!(width(&truncate(text, columns)) <= columns);
        }
    }

    #[test]
    fn only_text_from_right_to_left_is_isolated() {
        assert_eq!(isolate("שלום"), "\u{2068}שלום\u{2069}");
        assert_eq!(isolate("Zoë 漢字"), "Zoë 漢字");
    }

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        for (path, word) in [("/a b", "'/a b'"), ("/it's", r"'/it'\''s'"), ("/$(x)`", "'/$(x)`'"), ("/\"", "'/\"'")] {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }

    #[test]
    fn formulas_are_neutralized() {
        for cell in ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\0x", "＝1", "＋1", "－1", "＠x"] {
            assert_eq!(neutralize(cell), format!("'{cell}"));
        }
        assert_eq!(neutralize("a=1"), "a=1");
    }
}
