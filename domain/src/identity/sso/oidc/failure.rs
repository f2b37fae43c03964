//! How a sign-in through a provider fails.

use std::fmt;

use crate::platform::outbound::OutboundError;

/// Why an answer of a provider was not accepted. The text is for the log, and has no secret and no claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OidcError {
    /// A token, the metadata or the answer of the provider is not valid. Holds the reason.
    Refused(&'static str),
    /// A request to the provider failed.
    Request(OutboundError),
    /// The keys or the metadata of the provider could not be loaded a short time ago, and are not requested again yet.
    NotLoaded,
}

impl OidcError {
    /// Returns whether the same sign-in may succeed later without a change of the settings.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Request(error) => error.is_transient(),
            Self::NotLoaded => true,
        }
    }
}

impl From<OutboundError> for OidcError {
    fn from(error: OutboundError) -> Self {
        Self::Request(error)
    }
}

impl fmt::Display for OidcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            Self::Request(error) => error.fmt(f),
            Self::NotLoaded => f.write_str("the provider could not be reached a short time ago"),
        }
    }
}

impl std::error::Error for OidcError {}
