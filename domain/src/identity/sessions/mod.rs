//! Sessions, and the two tokens of each session.
//!
//! - The access token is a signed JWT that lives for minutes. Other services can verify it with the published keys.
//! - The refresh token is exchanged for a new pair of tokens. It changes at every exchange.

mod access_token;
mod authenticate;
mod correct_times;
mod end;
pub(crate) mod ended_email;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod generation;
mod manage;
mod open;
mod queries;
mod refresh;
mod refresh_token;
mod rotate_keys;
mod settings;
mod signing_keys;
mod switch_client;

use portico_entity::{portal_user, session, staff_user, tenant};

pub use access_token::session_of_token;
pub use authenticate::{
    authenticate, authenticate_portal, authenticate_staff, authenticate_with_memberships, load_staff,
};
pub use correct_times::CorrectSessionTimes;
pub(crate) use end::end_all;
pub use end::{identify_all, identify_for_sign_out, sign_out, sign_out_everywhere};
pub use manage::{end_one, end_others, list};
pub use open::TokenSigner;
pub(crate) use open::{NewSession, open_portal, open_staff, prove_again, signer};
pub use queries::SessionQueries;
pub use refresh::{refresh_portal, refresh_staff};
pub use rotate_keys::{KeyState, ListedKey, Rotation, list_keys, rotate_keys};
pub use settings::SessionSettings;
pub use signing_keys::{JWKS_MAX_AGE_SECONDS, Jwk, RotateSigningKeys, SigningKeys, jwks};
pub use switch_client::switch_client;

use crate::platform::{actor::ActiveMembership, secret::PlainToken};

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
    /// The client that the portal user acts for, and the membership there.
    pub active: ActiveMembership,
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
