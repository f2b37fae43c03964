//! The tags that group the operations of the OpenAPI document.

use poem_openapi::Tags;

/// A tag of the OpenAPI document.
#[derive(Tags)]
pub(crate) enum Tag {
    /// Sign-in, refresh and sign-out of portal users.
    #[oai(rename = "portal sessions")]
    PortalSessions,
    /// Mailed links: account activation and acceptance of invitations.
    #[oai(rename = "link tokens")]
    LinkTokens,
    /// Password recovery and password changes of portal users.
    #[oai(rename = "passwords")]
    Passwords,
    /// Sign-in, refresh and sign-out of staff users.
    #[oai(rename = "staff sessions")]
    StaffSessions,
    /// The clients of a tenant. Called by staff users.
    #[oai(rename = "clients")]
    Clients,
    /// The portal users of a client: inviting them and sending invitations again. Called by staff users.
    #[oai(rename = "invitations")]
    Invitations,
    /// Signing keys and health.
    #[oai(rename = "operations")]
    Operations,
}
