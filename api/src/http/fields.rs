//! Types for request fields and parameters that are strings of a certain format, and the formats' names in the
//! document.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Utc};
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use portico_domain::{
    entity::{
        ApiTokenId, ClientId, CodeFlowId, EmailId, InvitationId, MembershipId, PasskeyId, ServiceAccountId, SessionId,
        StaffUserId, TrustedDeviceId,
    },
    identity::cli_logins::{CodeChallenge, CodeVerifier, LoginState},
    platform::{
        clock::Time,
        email_address::EmailAddress,
        error::FieldProblem,
        idempotency::IdempotencyKey,
        locale::Locale,
        name::Name,
        search::SearchText,
        secret::{Password, PlainToken},
        text::{is_ignorable, trim_pasted},
    },
    tenancy::{
        branding::{Color, Phone},
        clients::ExternalRef,
    },
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

impl Scalar for IdempotencyKey {
    const FORMAT: &'static str = "idempotency-key";

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

impl Scalar for Locale {
    const FORMAT: &'static str = "locale";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        text.parse()
    }
}

impl Scalar for Color {
    const FORMAT: &'static str = "color";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        text.parse()
    }
}

impl Scalar for Phone {
    const FORMAT: &'static str = "phone";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        text.parse()
    }
}

/// A mailed code, or a code of an authenticator app: six ASCII digits.
///
/// White space, hyphens and invisible characters around and between the digits are left out: people and mail programs
/// group digits.
pub(crate) struct Code(pub(crate) PlainToken);

/// A recovery code: 16 characters, in groups or not.
///
/// Any text of at most 64 bytes is taken; the lookup decides whether it is a code.
pub(crate) struct RecoveryCode(pub(crate) PlainToken);

impl Scalar for RecoveryCode {
    const FORMAT: &'static str = "recovery-code";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        if text.len() <= MAX_CODE_BYTES {
            Ok(Self(PlainToken::new(trim_pasted(text))))
        } else {
            Err(FieldProblem::new("code_invalid", "must be a recovery code of 16 characters"))
        }
    }
}

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

/// A time (RFC 3339 §5.6), such as `2026-11-26T12:00:00Z`, with a precision of microseconds.
///
/// A time outside of the years 0 to 9999 (UTC), which an offset can make, counts as the first or last second of these
/// years: SQLite compares times as texts, and other years have another number of digits.
pub(crate) struct Timestamp(pub(crate) Time);

impl Scalar for Timestamp {
    const FORMAT: &'static str = "date-time";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        // In a query, a plus sign that is not encoded is a space.
        let wrong = || {
            let detail = "must be a time (RFC 3339), such as 2026-11-26T12:00:00Z; in a query, + is written as %2B";
            FieldProblem::new("time_invalid", detail)
        };
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| wrong())?.to_utc();
        let time = Utc.timestamp_micros(time.timestamp_micros()).single().ok_or_else(wrong)?;
        let nearest = match time.year() {
            ..0 => Utc.with_ymd_and_hms(0, 1, 1, 0, 0, 0).single(),
            0..=9999 => Some(time),
            10_000.. => Utc.with_ymd_and_hms(9999, 12, 31, 23, 59, 59).single(),
        };
        nearest.map(Self).ok_or_else(wrong)
    }
}

/// A day (RFC 3339 `full-date`), such as `2026-11-26`, in the years 0000 to 9999.
pub(crate) struct Day(pub(crate) NaiveDate);

impl Scalar for Day {
    const FORMAT: &'static str = "date";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        // The parser of chrono also takes other numbers of digits, signs and spaces.
        let has_form = |(n, byte): (usize, u8)| if [4, 7].contains(&n) { byte == b'-' } else { byte.is_ascii_digit() };
        let is_shaped = text.len() == 10 && text.bytes().enumerate().all(has_form);
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_shaped);
        day.map(Self).ok_or_else(|| FieldProblem::new("date_invalid", "must be a date, such as 2026-11-26"))
    }
}

impl Scalar for CodeChallenge {
    const FORMAT: &'static str = "code-challenge";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        text.parse()
    }
}

impl Scalar for CodeVerifier {
    const FORMAT: &'static str = "code-verifier";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        text.parse()
    }
}

impl Scalar for LoginState {
    const FORMAT: &'static str = "login-state";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        text.parse()
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

ids!(
    ApiTokenId,
    ClientId,
    CodeFlowId,
    EmailId,
    InvitationId,
    MembershipId,
    PasskeyId,
    ServiceAccountId,
    SessionId,
    StaffUserId,
    TrustedDeviceId
);

/// The id of an object of any kind.
impl Scalar for Uuid {
    const FORMAT: &'static str = "uuid";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        ClientId::parse(text).map(|id| id.0)
    }
}

/// The name of an action of the audit log, such as `session.opened`: lower-case letters, `_` and one `.`, at most 100
/// characters.
pub(crate) struct ActionName(pub(crate) String);

impl Scalar for ActionName {
    const FORMAT: &'static str = "audit-action";

    fn parse(text: &str) -> Result<Self, FieldProblem> {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        match text.split_once('.') {
            Some((noun, verb)) if text.len() <= 100 && is_word(noun) && is_word(verb) => Ok(Self(text.into())),
            _ => Err(FieldProblem::new("action_invalid", "must be the name of an action, such as session.opened")),
        }
    }
}

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

formats!(
    EmailAddress,
    Name,
    IdempotencyKey,
    SearchText,
    ExternalRef,
    Password,
    PlainToken,
    Locale,
    Color,
    Phone,
    Code,
    RecoveryCode,
    Timestamp,
    Day,
    CodeChallenge,
    CodeVerifier,
    LoginState,
    ActionName,
    ClientId
);

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
    fn time_is_read_with_any_offset() {
        for (typed, time) in [
            ("2026-11-26T12:00:00Z", "2026-11-26T12:00:00Z"),
            ("2026-11-26t12:00:00.1234567z", "2026-11-26T12:00:00.123456Z"),
            ("2026-11-26T12:00:00+02:00", "2026-11-26T10:00:00Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("0000-01-01T00:00:00+14:00", "0000-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z"),
        ] {
            let Timestamp(found) = Timestamp::parse(typed).unwrap();
            assert_eq!(found, time.parse::<Time>().unwrap(), "{typed}");
        }
        for wrong in [
            "",
            "2026-11-26",
            "2026-11-26T12:00:00",
            "2026-11-26T12:00:00 02:00",
            "2026-13-01T00:00:00Z",
            "2026-11-26T24:00:00Z",
            "12026-11-26T12:00:00Z",
            "1764158400",
            "yesterday",
        ] {
            assert_eq!(Timestamp::parse(wrong).err().unwrap().code, "time_invalid", "{wrong:?}");
        }
    }

    #[test]
    fn a_day_has_four_two_and_two_digits() {
        for good in ["2026-11-26", "0000-01-01", "9999-12-31", "2024-02-29"] {
            assert_eq!(Day::parse(good).unwrap().0.to_string(), good);
        }
        for wrong in ["", "2026-11-26T12:00:00Z", "2026-02-29", "2026-1-1", "26-11-2026", "+2026-11-2", "-026-11-26"] {
            assert_eq!(Day::parse(wrong).err().unwrap().code, "date_invalid", "{wrong:?}");
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
