//! The language that a person prefers.

use std::{fmt, str::FromStr};

use super::{error::FieldProblem, language::Language};

/// A language tag (BCP 47, RFC 5646 §2.1) of a supported language: `en`, `de`, `fr` or `es`, perhaps with a region, as
/// in `de-CH` or `es-419`.
///
/// Parsing ignores the letter case and stores the usual one (RFC 5646 §2.1.1). It fails with the code `locale_invalid`.
///
/// ```
/// use portico_domain::platform::locale::Locale;
///
/// assert_eq!("DE-ch".parse::<Locale>().unwrap().as_str(), "de-CH");
/// assert_eq!("nl".parse::<Locale>().unwrap_err().code, "locale_invalid");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

impl Locale {
    /// Returns the tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Locale {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> Result<Self, FieldProblem> {
        let (language, region) = match typed.split_once('-') {
            Some((language, region)) => (language, Some(region)),
            None => (typed, None),
        };
        let known = Language::of(language).map(Language::tag);
        match (known, region) {
            (Some(language), None) => Ok(Self(language.into())),
            (Some(language), Some(region)) if is_region(region) => {
                Ok(Self(format!("{language}-{}", region.to_ascii_uppercase())))
            }
            _ => {
                Err(FieldProblem::new("locale_invalid", "must be en, de, fr or es, perhaps with a region, e.g. de-CH"))
            }
        }
    }
}

/// Returns whether `text` has the form of a region: two letters (ISO 3166-1) or three digits (UN M.49).
fn is_region(text: &str) -> bool {
    let has = |length, is_part: fn(&u8) -> bool| text.len() == length && text.bytes().all(|byte| is_part(&byte));
    has(2, u8::is_ascii_alphabetic) || has(3, u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supported_languages_are_accepted_with_and_without_a_region() {
        for (typed, stored) in [
            ("en", "en"),
            ("DE", "de"),
            ("fr-be", "fr-BE"),
            ("es-419", "es-419"),
            ("EN-us", "en-US"),
            ("de-CH", "de-CH"),
        ] {
            assert_eq!(typed.parse::<Locale>().unwrap().as_str(), stored);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let long = "x".repeat(10_000);
        for typed in [
            "",
            " ",
            "e",
            "eng",
            "it",
            "xx-YY",
            "en_US",
            "en-",
            "-US",
            "en-USA",
            "en-41",
            "en-4190",
            "en-US-x",
            " en",
            "en\n",
            "en\0",
            "de-Latn",
            "../../etc/passwd",
            "en/../..",
            "ｅｎ",
            &long,
        ] {
            assert_eq!(typed.parse::<Locale>().unwrap_err().code, "locale_invalid", "{typed:?}");
        }
    }
}
