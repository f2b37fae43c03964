//! Telephone numbers.

use std::{fmt, str::FromStr};

use crate::platform::error::FieldProblem;

/// The maximum length of a number, in characters.
const MAX_CHARACTERS: usize = 32;

/// A telephone number as people write it: 3 to 15 digits (E.164 has at most 15), perhaps after a `+`, with spaces and
/// the characters `-`, `.`, `/`, `(` and `)` between them.
///
/// Parsing removes white space around the text. It fails with the code `phone_invalid`.
///
/// ```
/// use portico_domain::tenancy::branding::Phone;
///
/// assert_eq!(" +44 (0)20 7946 0000 ".parse::<Phone>().unwrap().as_str(), "+44 (0)20 7946 0000");
/// assert_eq!("call us".parse::<Phone>().unwrap_err().code, "phone_invalid");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// Returns the number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Phone {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> Result<Self, FieldProblem> {
        let typed = typed.trim();
        let number = typed.strip_prefix('+').unwrap_or(typed);
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '/' | '(' | ')');
        let is_number = typed.len() <= MAX_CHARACTERS
            && (3..=15).contains(&digits)
            && number.starts_with(|c: char| c.is_ascii_digit() || c == '(')
            && number.chars().all(is_part);
        let problem = || {
            let detail = "must be a telephone number of 3 to 15 digits, such as +44 20 7946 0000";
            FieldProblem::new("phone_invalid", detail)
        };
        if is_number { Ok(Self(typed.into())) } else { Err(problem()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_accepted_and_other_texts_refused() {
        for good in ["112", "+44 20 7946 0000", "0800/123-456", "(030) 1234.5678", "+1-202-555-0100"] {
            assert_eq!(good.parse::<Phone>().unwrap().as_str(), good);
        }
        for wrong in [
            "",
            "11",
            "+",
            "++44 20 7946",
            "44 20 7946 +0",
            "1234567890123456",
            "123\n456",
            "123;ext=1",
            "-123",
            "١٢٣٤",
            "tel:123",
            "<b>123</b>",
            "123                              4",
        ] {
            assert_eq!(wrong.parse::<Phone>().unwrap_err().code, "phone_invalid", "{wrong:?}");
        }
    }
}
