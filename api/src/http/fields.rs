//! Types for request fields and parameters that are strings of a certain format, and the formats' names in the
//! document.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use portico_domain::{
    entity::{ClientId, CodeFlowId},
    platform::{
        email_address::EmailAddress,
        error::FieldProblem,
        name::Name,
        search::SearchText,
        secret::{Password, PlainToken},
        text::{is_ignorable, trim_pasted},
    },
    tenancy::clients::ExternalRef,
};
use serde_json::Value;
use uuid::Uuid;

/// A domain value that requests carry as a string of one format.
pub(crate) trait Scalar: Sized + Send + Sync {
    /// The value of `format` in the OpenAPI document.
    const FORMAT: &'static str;

    /// Parses the string.
    ///
    /// # Errors
    /// The problem of a string that does not have the format.
    fn parse(text: &str) -> Result<Self, FieldProblem>;
}

/// A [`Scalar`] as a field of a request body or as a parameter.
pub(crate) struct Field<T>(pub(crate) T);

impl Scalar for EmailAddress {
    const FORMAT: &'static str = "email";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        text.parse()
    }
}

impl Scalar for Name {
    const FORMAT: &'static str = "name";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        text.parse()
    }
}

impl Scalar for SearchText {
    const FORMAT: &'static str = "search-text";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        text.parse()
    }
}

impl Scalar for ExternalRef {
    const FORMAT: &'static str = "external-ref";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        text.parse()
    }
}

impl Scalar for Password {
    const FORMAT: &'static str = "password";

    /// Accepts any text. The use case checks the password policy, and only after it has checked the link token.
    fn parse(text: &str) -> Result<Self, FieldProblem> {
        Ok(Self::new(text))
    }
}

impl Scalar for PlainToken {
    const FORMAT: &'static str = "token";

    /// Accepts any text, without the white space and invisible characters around it, which come with a text that was
    /// copied from a mail. The lookup decides whether it is a valid secret.
    fn parse(text: &str) -> Result<Self, FieldProblem> {
        Ok(Self::new(trim_pasted(text)))
    }
}

/// A language tag (BCP 47, RFC 5646 §2.1), at most 35 characters long.
///
/// Only the form is checked, not whether the language exists: a language of 2 or 3 letters, then any number of subtags
/// of 2 to 8 letters or digits, separated by hyphens.
pub(crate) struct Locale(pub(crate) String);

impl Scalar for Locale {
    const FORMAT: &'static str = "locale";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        let is_part =
            |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let mut parts = text.split('-');
        let is_language = parts
            .next()
            .is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
        if text.len() <= 35 && is_language && parts.all(is_part) {
            Ok(Self(text.into()))
        } else {
            Err(FieldProblem::new("locale_invalid", "must be a language tag, such as en or de-CH"))
        }
    }
}

/// A staff sign-in code: six ASCII digits.
///
/// White space, hyphens and invisible characters around and between the digits are left out: people and mail programs
/// group digits.
pub(crate) struct Code(pub(crate) PlainToken);

/// The longest text that is read as a code, in bytes.
const MAX_CODE_BYTES: usize = 64;

impl Scalar for Code {
    const FORMAT: &'static str = "six-digits";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        // The hyphens are those of ASCII, and the dashes and minus signs that word processors write.
        let is_hyphen = |c: char| matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}');
        let is_separator = |c: char| c.is_whitespace() || is_hyphen(c) || is_ignorable(c);
        let text = trim_pasted(text);
        let digits: String = text.chars().filter(|c| !is_separator(*c)).collect();
        if text.len() <= MAX_CODE_BYTES && digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(PlainToken::new(&digits)))
        } else {
            Err(FieldProblem::new("code_invalid", "must be six digits"))
        }
    }
}

/// Implements [`Scalar`] for id types: the hyphenated form of a UUID, 36 characters.
macro_rules! ids {
    ($($id:ident),*) => {$(
        impl Scalar for $id {
            const FORMAT: &'static str = "uuid";

            fn parse(text: &str) -> Result<Self, FieldProblem> {
                let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
                uuid.map($id).ok_or_else(|| FieldProblem::new("uuid_invalid", "must be a UUID"))
            }
        }
    )*};
}

ids!(ClientId, CodeFlowId);

/// Defines the functions that look a scalar up by its format.
macro_rules! formats {
    ($($scalar:ty),*) => {
        /// Returns the problem of `text` as a string of `format`; `None` if it is valid or the format is unknown.
        pub(crate) fn check_format(format: &str, text: &str) -> Option<FieldProblem> {
            match format {
                $(<$scalar>::FORMAT => <$scalar>::parse(text).err(),)*
                _ => None,
            }
        }

        /// Whether [`check_format`] checks `format`. The empty format is a string without a format.
        #[cfg(test)]
        pub(crate) fn is_known_format(format: &str) -> bool {
            ["", $(<$scalar>::FORMAT),*].contains(&format)
        }
    };
}

formats!(EmailAddress, Name, SearchText, ExternalRef, Password, PlainToken, Locale, Code, ClientId);

impl<T: Scalar> Type for Field<T> {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        format!("string_{}", T::FORMAT).into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", T::FORMAT)))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<T: Scalar> ParseFromJSON for Field<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(Value::String(text)) => Self::parse_from_parameter(&text),
            other => Err(ParseError::expected_type(other.unwrap_or_default())),
        }
    }
}

impl<T: Scalar> ParseFromParameter for Field<T> {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        T::parse(text).map(Field).map_err(|problem| ParseError::custom(problem.detail))
    }
}

impl<T: Scalar> ToJSON for Field<T> {
    /// Returns `None`. The trait is required by the framework; requests are never serialized, and some fields are
    /// secrets.
    fn to_json(&self) -> Option<Value> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_read_without_white_space_and_hyphens() {
        let padded = format!("{}123456{}", " ".repeat(60), "\n".repeat(60));
        for typed in [
            "123456",
            " 123456\n",
            "123 456",
            "123-456",
            "1 2-3\u{a0}4\t5\u{2011}6",
            "\u{2003}12 34 56 ",
            "\u{200b}123\u{2212}456\u{feff}",
            "\u{2068}123\u{ad}456\u{2069}",
            "12\u{ff0d}34\u{fe63}56\u{200e}",
            &padded,
        ] {
            assert_eq!(Code::parse(typed).map(|Code(code)| code.reveal().to_owned()).unwrap(), "123456", "{typed:?}");
        }
        let spread = format!("1{}23456", " ".repeat(60));
        for wrong in
            ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "１２３４５６", "123.456", "123_456", "+12345", &spread]
        {
            assert_eq!(Code::parse(wrong).err().unwrap().code, "code_invalid", "{wrong:?}");
        }
    }

    #[test]
    fn link_token_is_read_without_the_white_space_around_it() {
        for typed in ["abc", " abc", "abc\r\n", "\u{a0}\tabc\u{2028}", "\u{feff}abc\u{200b}", "\u{200e} abc"] {
            assert_eq!(PlainToken::parse(typed).unwrap().reveal(), "abc", "{typed:?}");
        }
        assert_eq!(PlainToken::parse("a bc").unwrap().reveal(), "a bc", "white space within is not left out");
    }
}
