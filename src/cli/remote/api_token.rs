//! API tokens, as the server describes them.

use portico_domain::platform::clock::Time;
use serde::Deserialize;

use super::{answer::Answer, failure::Result};

/// What the server says about the token of a request.
#[derive(Deserialize)]
pub(super) struct PresentedToken {
    /// The name.
    pub(super) name: String,
    /// The beginning of the token, which is not secret.
    pub(super) prefix: String,
    /// The staff user or service account that the token acts for.
    pub(super) owner: Owner,
    /// When it expires.
    pub(super) expires_at: Time,
    /// What it may do.
    pub(super) scopes: Vec<String>,
    /// The role of the owner.
    pub(super) role: String,
    /// The tenant for which the token acts.
    pub(super) tenant: TokenTenant,
    /// The JSON of the server.
    #[serde(skip)]
    pub(super) text: String,
}

/// The staff user or service account that a token acts for.
#[derive(Deserialize)]
pub(super) struct Owner {
    /// The name.
    pub(super) name: String,
    /// `person` or `service_account`.
    pub(super) kind: String,
}

/// The tenant for which a token acts.
#[derive(Deserialize)]
pub(super) struct TokenTenant {
    /// The name.
    pub(super) name: String,
}

impl PresentedToken {
    /// Reads the answer of `GET /api/v1/token`.
    ///
    /// # Errors
    /// A failure with the exit code 5 if it has another form.
    pub(super) fn from_answer(answer: Answer) -> Result<Self> {
        let token: Self = answer.parse()?;
        Ok(Self { text: answer.text, ..token })
    }
}

/// A token that was created.
#[derive(Deserialize)]
pub(super) struct CreatedToken {
    /// The token, which is secret.
    pub(super) token: String,
    /// When it expires.
    pub(super) expires_at: Time,
}
