//! Sessions, and the two tokens of each session.
//!
//! - The access token is a signed JWT that lives for minutes. Other services can verify it with the published keys.
//! - The refresh token is exchanged for a new pair of tokens. It changes at every exchange.

mod access_token;
mod authenticate;
mod end;
pub(crate) mod ended_email;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod open;
mod queries;
mod refresh;
mod refresh_token;
mod settings;
mod signing_keys;

use portico_entity::{PortalUserId, StaffUserId, client, membership, portal_user, session, staff_user, tenant};

pub use authenticate::{authenticate_portal, authenticate_staff, authenticate_with_memberships};
pub(crate) use end::{end_all, end_replaced, lock};
pub use end::{identify, sign_out, sign_out_everywhere};
pub(crate) use open::{issue, issue_staff, open_portal, open_staff};
pub use queries::SessionQueries;
pub use refresh::{refresh_portal, refresh_staff};
pub use settings::SessionSettings;
pub use signing_keys::{Jwk, RotateSigningKeys, SigningKeys, jwks};

use crate::secret::PlainToken;

/// The group of users that a session belongs to.
///
/// Each realm has its own user table, cookies and token audience. A token of one realm is not valid in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realm {
    /// Portal users: the people at the clients.
    Portal,
    /// Staff users: the people who work for a tenant.
    Staff,
}

impl Realm {
    /// Returns the `aud` claim of this realm's access tokens (RFC 7519 §4.1.3).
    pub const fn audience(self) -> &'static str {
        match self {
            Self::Portal => "portico:portal",
            Self::Staff => "portico:staff",
        }
    }
}

/// The user whose sessions are meant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SessionOwner {
    /// A portal user.
    Portal(PortalUserId),
    /// A staff user.
    Staff(StaffUserId),
}

/// The two tokens of a session.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token: a JWT (RFC 7519), for the `Authorization` header or for its cookie.
    pub access: PlainToken,
    /// The lifetime of the access token from now, in seconds.
    pub expires_in: u64,
    /// The refresh token, for its cookie only.
    pub refresh: PlainToken,
}

/// A portal session that was just opened or refreshed, with its new tokens.
#[derive(Clone, Debug)]
pub struct IssuedSession {
    /// The new tokens.
    pub tokens: Tokens,
    /// The `sessions` row.
    pub session: session::Model,
    /// The portal user who owns the session.
    pub user: portal_user::Model,
    /// The client that the portal user acts for.
    pub client: client::Model,
    /// The portal user's membership at that client.
    pub membership: membership::Model,
}

/// A staff session that was just opened or refreshed, with its new tokens.
#[derive(Clone, Debug)]
pub struct IssuedStaffSession {
    /// The new tokens.
    pub tokens: Tokens,
    /// The `sessions` row.
    pub session: session::Model,
    /// The staff user who owns the session.
    pub user: staff_user::Model,
    /// The staff user's tenant.
    pub tenant: tenant::Model,
}
