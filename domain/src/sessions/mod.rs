//! Sessions and the two tokens that carry them: a short access token that others can verify too, and a refresh token
//! that rotates.

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

/// Two worlds that never meet: each has its own tables, cookies and audience, and a token of one is nothing in the
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realm {
    /// People at the clients.
    Portal,
    /// The tenants' staff.
    Staff,
}

impl Realm {
    /// The `aud` of its access tokens (RFC 7519 §4.1.3).
    pub const fn audience(self) -> &'static str {
        match self {
            Self::Portal => "portico:portal",
            Self::Staff => "portico:staff",
        }
    }
}

/// Whose sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SessionOwner {
    Portal(PortalUserId),
    Staff(StaffUserId),
}

/// The two tokens of a session.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// A JWT (RFC 7519), for the `Authorization` header or its cookie.
    pub access: PlainToken,
    /// How long the access token lives, in seconds.
    pub expires_in: u64,
    /// For its cookie only.
    pub refresh: PlainToken,
}

/// A portal session, opened or refreshed.
#[derive(Clone, Debug)]
pub struct IssuedSession {
    /// Its tokens.
    pub tokens: Tokens,
    /// Its row.
    pub session: session::Model,
    /// The person.
    pub user: portal_user::Model,
    /// The client they act for.
    pub client: client::Model,
    /// Their membership there.
    pub membership: membership::Model,
}

/// A staff session, opened or refreshed.
#[derive(Clone, Debug)]
pub struct IssuedStaffSession {
    /// Its tokens.
    pub tokens: Tokens,
    /// Its row.
    pub session: session::Model,
    /// The person.
    pub user: staff_user::Model,
    /// Their tenant.
    pub tenant: tenant::Model,
}
