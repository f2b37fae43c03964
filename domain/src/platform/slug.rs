//! The short names of tenants.

use std::str::FromStr;

use super::error::FieldProblem;

/// The short name of a tenant: 2 to 40 lower-case ASCII letters, digits and hyphens. It starts with a letter and does
/// not end with a hyphen.
#[derive(Clone, Debug)]
pub struct Slug(String);

impl Slug {
    /// Returns the text of the slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> Result<Self, FieldProblem> {
        let is_valid = (2..=40).contains(&typed.len())
            && typed.starts_with(|c: char| c.is_ascii_lowercase())
            && !typed.ends_with('-')
            && typed.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let problem =
            || FieldProblem::new("slug_invalid", "must have 2 to 40 lower-case letters, digits and hyphens, e.g. acme");
        if is_valid { Ok(Self(typed.into())) } else { Err(problem()) }
    }
}
