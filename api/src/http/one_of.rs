//! Closed sets of words that the domain defines, as fields and parameters.
//!
//! The document lists the words, so a new word of the domain needs no change in the API.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use portico_domain::{
    entity::{email, session},
    platform::mail,
};
use serde_json::Value;

/// A word of a closed set.
pub(crate) trait Word: Copy + Send + Sync + 'static {
    /// The name of the set in the document.
    const SET: &'static str;

    /// Returns every word.
    fn all() -> Vec<Self>;

    /// Returns the word as text.
    fn text(self) -> &'static str;
}

/// A [`Word`] as a field or as a parameter.
pub(crate) struct OneOf<T>(pub(crate) T);

impl Word for email::Kind {
    const SET: &'static str = "EmailKind";

    fn all() -> Vec<Self> {
        Self::all().collect()
    }

    fn text(self) -> &'static str {
        self.name()
    }
}

impl Word for session::Factor {
    const SET: &'static str = "SecondFactor";

    fn all() -> Vec<Self> {
        Self::ALL.into()
    }

    fn text(self) -> &'static str {
        self.name()
    }
}

impl Word for session::Method {
    const SET: &'static str = "SignInMethod";

    fn all() -> Vec<Self> {
        Self::ALL.into()
    }

    fn text(self) -> &'static str {
        self.name()
    }
}

impl Word for mail::Reason {
    const SET: &'static str = "EmailReason";

    fn all() -> Vec<Self> {
        Self::ALL.into()
    }

    fn text(self) -> &'static str {
        self.name()
    }
}

impl<T: Word> Type for OneOf<T> {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        T::SET.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(T::SET.into())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(T::SET.into(), |_| {
            let words = T::all().into_iter().map(|word| Value::from(word.text())).collect();
            MetaSchema { enum_items: words, ..MetaSchema::new("string") }
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<T: Word> ParseFromJSON for OneOf<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(Value::String(text)) => Self::parse_from_parameter(&text),
            other => Err(ParseError::expected_type(other.unwrap_or_default())),
        }
    }
}

impl<T: Word> ParseFromParameter for OneOf<T> {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        let found = T::all().into_iter().find(|word| word.text() == text);
        found.map(Self).ok_or_else(|| {
            let words: Vec<_> = T::all().into_iter().map(Word::text).collect();
            ParseError::custom(format!("must be one of {}", words.join(", ")))
        })
    }
}

impl<T: Word> ToJSON for OneOf<T> {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.text().into())
    }
}
