//! Names of people, clients and tenants.

use std::{fmt, str::FromStr};

use unicode_normalization::UnicodeNormalization;

use crate::platform::error::FieldProblem;

/// The maximum length of a name, in characters.
const MAX_CHARACTERS: usize = 100;

/// A name of 1 to 100 characters, in Unicode NFC, without white space around it, control characters or web addresses.
///
/// Web addresses are refused because names occur in mails to other people; a dotted word such as `Amazon.com` is
/// accepted. Parsing trims and normalizes the text. It fails with the code `name_empty`, `name_too_long` or
/// `name_invalid`.
///
/// ```
/// use portico_domain::platform::name::Name;
///
/// let name: Name = " Ann Müller ".parse().unwrap();
/// assert_eq!(name.as_str(), "Ann Müller");
/// assert_eq!("https://example.com".parse::<Name>().unwrap_err().code, "name_invalid");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> Result<Self, FieldProblem> {
        // Checked first, because normalizing a long text takes time.
        if typed.len() > 16 * MAX_CHARACTERS {
            return Err(FieldProblem::new("name_too_long", "must have at most 100 characters"));
        }
        let name: String = typed.trim().nfc().collect();
        match name.chars().count() {
            0 => return Err(FieldProblem::new("name_empty", "must not be empty")),
            count if count > MAX_CHARACTERS => {
                return Err(FieldProblem::new("name_too_long", "must have at most 100 characters"));
            }
            _ => {}
        }
        if name.chars().any(is_forbidden) {
            return Err(FieldProblem::new("name_invalid", "must not contain control characters"));
        }
        if looks_like_link(&name) {
            return Err(FieldProblem::new("name_invalid", "must not contain a web address"));
        }
        Ok(Self(name))
    }
}

/// Returns whether `c` is a control character, a line or paragraph separator, or a mark that changes the text
/// direction.
fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns whether `name` looks like a link.
///
/// A link contains a URL scheme, `www.` at the start of a word, `//`, or a word that has a dotted host and one of
/// `/?#:@`. `J.R. Smith` and `Amazon.com` are valid names of people and companies. Mails write them in a form that
/// mail programs do not show as links.
fn looks_like_link(name: &str) -> bool {
    let lower = name.to_lowercase();
    let begins_word = |at: usize| !lower[..at].ends_with(char::is_alphanumeric);
    let has_host = |word: &str| {
        let dotted = |part: &str| part.trim_matches('.').contains('.');
        word.contains(['/', '?', '#', ':', '@']) && word.split(['/', '?', '#', ':', '@']).any(dotted)
    };
    lower.contains("//")
        || ["http:", "https:", "mailto:", "javascript:"].iter().any(|scheme| lower.contains(scheme))
        || lower.match_indices("www.").any(|(at, _)| begins_word(at))
        || lower.split_whitespace().any(has_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_names_are_accepted_and_others_refused() {
        for good in [
            "Ann",
            "A/B Testing Ltd",
            "Re: Volt",
            "awww. nice",
            "J.R. O'Brien",
            "Zoë",
            "Ltd. & Co",
            "李小龙",
            "Amazon.com",
        ] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        assert_eq!("  e\u{301} ".parse::<Name>().unwrap().as_str(), "é");
        let long = "x".repeat(101);
        for bad in [
            "",
            "  ",
            "a\nb",
            "a\0",
            "\u{1b}[31m",
            "Win http://evil.test",
            "www.evil.test",
            "evil.test/x",
            "a\u{202e}b",
            &long,
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
        assert!("é".repeat(100).parse::<Name>().is_ok());
    }
}
