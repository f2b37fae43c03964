//! A relying party of OpenID Connect Core 1.0: the authorization code flow with PKCE, and back-channel logout.
//!
//! [`RelyingParty`] makes the requests. The checks are pure functions of the token, the keys and the time. As with our
//! own access tokens, no library decides which token is accepted (`docs/decisions/0004-our-own-jwt-checker.md`).

mod authoritative;
mod authorization;
mod claims;
mod discovery;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod id_token;
mod jwks;
mod jwt;
mod logout_token;
mod provider_cache;
mod relying_party;
mod strict_json;
#[cfg(test)]
mod test_tokens;

pub use authoritative::is_authoritative;
pub use authorization::{AuthorizationRequest, Callback, Prompt};
pub use failure::OidcError;
pub use id_token::VerifiedIdentity;
pub use logout_token::LogoutToken;
pub use relying_party::RelyingParty;
