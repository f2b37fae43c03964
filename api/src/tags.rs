//! The tags that group the operations of the OpenAPI document.

use poem_openapi::Tags;

/// A tag of the OpenAPI document.
#[derive(Tags)]
pub(crate) enum Tag {
    /// Sign-in, refresh and sign-out of portal users.
    #[oai(rename = "portal sessions")]
    PortalSessions,
    /// Account activation and mailed links.
    #[oai(rename = "activation")]
    Activation,
    /// Password recovery and password changes of portal users.
    #[oai(rename = "passwords")]
    Passwords,
    /// Acceptance of invitations by signed-in portal users.
    #[oai(rename = "invitations")]
    Invitations,
    /// Sign-in, refresh and sign-out of staff users.
    #[oai(rename = "staff sessions")]
    StaffSessions,
    /// The clients of a tenant. Called by staff users.
    #[oai(rename = "clients")]
    Clients,
    /// The portal users of a client. Called by staff users.
    #[oai(rename = "portal users")]
    PortalUsers,
    /// Signing keys and health.
    #[oai(rename = "operations")]
    Operations,
}
