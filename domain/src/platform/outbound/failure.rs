//! How a request to another server fails.

use std::{fmt, net::IpAddr};

/// Why a request to another server failed.
///
/// The text is for the log. It contains no secret and nothing of a body. An answer to a tenant must not repeat it,
/// because addresses and the reasons of refusals describe the operator's network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundError {
    /// The URL may not be requested. Holds a clause that follows "the URL".
    RefusedUrl(&'static str),
    /// The host has an address that is neither public nor named by the operator.
    RefusedAddress(IpAddr),
    /// The name of the host has no address.
    UnknownHost,
    /// No connection could be opened, or it was closed before the end of the response. Holds the reason.
    Connection(String),
    /// The TLS handshake failed, for example because the certificate is not valid for the name. Holds the reason.
    Tls(String),
    /// The response was not complete within the time limit.
    Timeout,
    /// Too many requests to the provider are running.
    Busy,
    /// The server answered with a redirect of this status.
    Redirect(u16),
    /// The server answered with this status, which is not 200.
    Status(u16),
    /// The token endpoint answered with this error code of RFC 6749 §5.2.
    OAuth(&'static str),
    /// The response is larger than the limit.
    TooLarge,
    /// The body is not JSON of the expected form.
    NotJson,
}

impl OutboundError {
    /// Returns whether the same request may succeed later without a change of the settings.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::UnknownHost | Self::Connection(_) | Self::Timeout | Self::Busy => true,
            Self::Status(status) => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}

impl fmt::Display for OutboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RefusedUrl(why) => write!(f, "the URL {why}"),
            Self::RefusedAddress(address) => {
                write!(f, "the host has the address {address}, which is neither public nor in PORTICO_SSO_NETWORKS")
            }
            Self::UnknownHost => f.write_str("the name of the host has no address"),
            Self::Connection(why) => write!(f, "the connection failed: {why}"),
            Self::Tls(why) => write!(f, "the TLS handshake failed: {why}"),
            Self::Timeout => f.write_str("the response was not complete in time"),
            Self::Busy => f.write_str("too many requests to this provider are running"),
            Self::Redirect(status) => {
                write!(f, "the server answered with a redirect ({status}), which is not followed")
            }
            Self::Status(status) => write!(f, "the server answered with status {status}"),
            Self::OAuth(code) => write!(f, "the server answered with the error {code}"),
            Self::TooLarge => f.write_str("the response is too large"),
            Self::NotJson => f.write_str("the response is not JSON of the expected form"),
        }
    }
}

impl std::error::Error for OutboundError {}
