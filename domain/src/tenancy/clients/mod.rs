//! Clients: the customers of a tenant.

mod change;
mod create;
mod get;
mod list;
mod scope;

pub use change::{ClientChange, change};
pub use create::{NewClient, create};
pub use get::get;
pub use list::{ClientFilter, list, list_by_slug};
pub(crate) use scope::of;

use std::str::FromStr;

use crate::platform::{error::FieldProblem, name};

/// Why a reference cannot be stored.
const REFERENCE_IN_USE: &str = "Another client of the tenant has this external_ref.";

/// A tenant's own reference for a client, such as a customer number: 1 to 100 characters, at least one of them visible,
/// and no control characters.
///
/// Parsing removes white space around the text. It fails with the code `external_ref_invalid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRef(String);

impl ExternalRef {
    /// Returns the reference as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExternalRef {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> Result<Self, FieldProblem> {
        let trimmed = typed.trim();
        let is_good = (1..=100).contains(&trimmed.chars().count())
            && !trimmed.chars().any(char::is_control)
            && trimmed.chars().any(name::is_visible);
        let problem = || {
            let detail = "must have 1 to 100 characters, at least one of them visible, and no control characters";
            FieldProblem::new("external_ref_invalid", detail)
        };
        if is_good { Ok(Self(trimmed.into())) } else { Err(problem()) }
    }
}
