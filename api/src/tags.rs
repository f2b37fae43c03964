//! The chapters of the document.

use poem_openapi::Tags;

#[derive(Tags)]
pub(crate) enum Tag {
    /// Signing in to the portal, and out again.
    #[oai(rename = "portal sessions")]
    PortalSessions,
    /// Setting up an account by a mailed link.
    #[oai(rename = "activation")]
    Activation,
    /// Recovering and changing passwords.
    #[oai(rename = "passwords")]
    Passwords,
    /// Joining a client while signed in.
    #[oai(rename = "invitations")]
    Invitations,
    /// Signing staff in, and out again.
    #[oai(rename = "staff sessions")]
    StaffSessions,
    /// The tenant's customers.
    #[oai(rename = "clients")]
    Clients,
    /// The people at a client.
    #[oai(rename = "portal users")]
    PortalUsers,
    /// Jwks and health.
    #[oai(rename = "operations")]
    Operations,
}
