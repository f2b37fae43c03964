//! Arguments that several commands take, and their parsers. Each error names an example.

use std::ops::RangeInclusive;

use clap::{Args, builder::PossibleValuesParser};
use portico_domain::platform::{
    clock::Time,
    email_address::EmailAddress,
    error::{Error, FieldProblem},
    locale::Locale,
    name::Name,
};
use serde::{
    Deserializer,
    de::{DeserializeOwned, Error as _, Visitor},
};
use uuid::Uuid;

use super::text;

/// The tenant that a command shows or changes: its slug, as the first argument. `--slug` is the spelling of earlier
/// versions.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct TenantArgument {
    /// The slug of the tenant, as `portico tenant list` shows it.
    slug: Option<String>,
    /// The slug of the tenant.
    #[arg(long = "slug", value_name = "SLUG", hide = true)]
    slug_option: Option<String>,
}

/// The staff user that a command changes: the email address, as the first argument. `--email` is the spelling of
/// earlier versions.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct StaffArgument {
    /// The staff user's email address, as `portico staff list` shows it.
    #[arg(value_parser = parse_email)]
    email: Option<EmailAddress>,
    /// The staff user's email address.
    #[arg(long = "email", value_name = "EMAIL", hide = true, value_parser = parse_email)]
    email_option: Option<EmailAddress>,
}

impl TenantArgument {
    /// Returns the slug.
    ///
    /// # Errors
    /// Returns an error if clap has accepted arguments that have none.
    pub(super) fn into_slug(self) -> anyhow::Result<String> {
        self.slug.or(self.slug_option).ok_or_else(|| anyhow::anyhow!("name the slug of the tenant"))
    }
}

impl StaffArgument {
    /// Returns the address.
    ///
    /// # Errors
    /// Returns an error if clap has accepted arguments that have none.
    pub(super) fn into_email(self) -> anyhow::Result<EmailAddress> {
        self.email.or(self.email_option).ok_or_else(|| anyhow::anyhow!("name the email address of the staff user"))
    }
}

/// Returns the error of a command that names a tenant: a sentence, if there is no such tenant.
pub(super) fn explain_tenant(error: Error, slug: &str) -> anyhow::Error {
    match error {
        Error::NotFound(_) => {
            let slug = text::clean(slug);
            anyhow::anyhow!("no tenant has the slug {slug}; `portico tenant list` shows all tenants")
        }
        error => error.into(),
    }
}

/// Parses an argument that is an email address.
///
/// # Errors
/// Returns the reason why `text` is not a valid address.
pub(super) fn parse_email(text: &str) -> Result<EmailAddress, String> {
    text.parse().map_err(|problem: FieldProblem| format!("{}, e.g. ann@example.com", problem.detail))
}

/// Parses an argument that is the name of a person or a tenant.
///
/// # Errors
/// Returns the reason why `text` is not a valid name.
pub(super) fn parse_name(text: &str) -> Result<Name, String> {
    text.parse().map_err(|problem: FieldProblem| problem.detail)
}

/// Parses an argument that is a language tag.
///
/// # Errors
/// Returns the reason why `text` is not a supported language.
pub(super) fn parse_locale(text: &str) -> Result<Locale, String> {
    text.parse().map_err(|problem: FieldProblem| problem.detail)
}

/// Parses an argument that is the id of a row.
///
/// # Errors
/// Returns a clause with an example if `text` is not a UUID.
pub(super) fn parse_id(text: &str) -> Result<Uuid, String> {
    Uuid::try_parse(text).map_err(|_| "must be an id, e.g. 01a1fdba-f86f-76f5-b296-4e548b3691ab".into())
}

/// Parses an argument that is a time (RFC 3339).
///
/// # Errors
/// Returns a clause with an example if `text` is not a time with a time zone.
pub(super) fn parse_time(text: &str) -> Result<Time, String> {
    text.parse().map_err(|_| "must be a time with a time zone (RFC 3339), e.g. 2026-11-26T12:00:00Z".into())
}

/// Returns a parser that takes the values of the enum `T`, as the API writes them. It accepts a new value by itself.
pub(super) fn one_of<T: DeserializeOwned>() -> PossibleValuesParser {
    let mut names: &'static [&'static str] = &[];
    // It fails in any case, because there is no value to deserialize.
    let _ = T::deserialize(VariantNames(&mut names));
    names.into()
}

/// Learns the names of the variants of an enum from its `Deserialize`.
struct VariantNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for VariantNames<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("there is no value"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = variants;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Returns a parser of a whole number of `unit` in `range`, with this example.
pub(super) fn whole_number(
    range: RangeInclusive<u64>,
    unit: &'static str,
    example: u64,
) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let (min, max) = (range.start(), range.end());
        number.ok_or_else(|| format!("must be a number of {unit} from {min} to {max}, e.g. {example}"))
    }
}

#[cfg(test)]
mod tests {
    use portico_domain::entity::staff_user::Role;

    use super::*;

    #[test]
    fn the_values_of_an_enum_are_accepted() {
        let parser = clap::Command::new("x").arg(clap::Arg::new("role").value_parser(one_of::<Role>()));
        for role in Role::ALL {
            assert!(parser.clone().try_get_matches_from(["x", role.name()]).is_ok());
        }
        assert!(parser.try_get_matches_from(["x", "root"]).is_err());
    }

    #[test]
    fn errors_name_an_example_that_is_valid() {
        fn example(error: &str) -> &str {
            error.split_once("e.g. ").unwrap().1
        }
        let minutes = whole_number(0..=100, "minutes", 30);
        for wrong in ["", "yesterday", "-1", "99999999999999999999", "2026-11-26", "ann", "\u{1b}[31m"] {
            assert!(parse_id(example(&parse_id(wrong).unwrap_err())).is_ok());
            assert!(parse_time(example(&parse_time(wrong).unwrap_err())).is_ok());
            assert!(minutes(example(&minutes(wrong).unwrap_err())).is_ok());
            assert!(parse_email(example(&parse_email(wrong).unwrap_err())).is_ok());
        }
    }
}
