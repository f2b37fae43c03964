//! Single sign-on: sign-in through an identity provider that speaks OpenID Connect.
//!
//! This module has the settings, the description of a provider ([`Provider`]) and the checks of a relying party
//! ([`oidc`]). An identity is the pair of issuer and subject; an email address of a provider only finds an account.

pub mod oidc;
mod provider;
mod settings;

pub use provider::{IssuerRule, IssuerUrl, MicrosoftTenants, Provider, ProviderKind};
pub use settings::{ClientRegistration, SsoSettings};
