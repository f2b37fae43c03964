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
    /// Second factors of portal users and staff users: setting them up, and proving them at sign-in.
    #[oai(rename = "second factors")]
    SecondFactors,
    /// Passkeys of portal users and staff users: registering them, and signing in with them.
    #[oai(rename = "passkeys")]
    Passkeys,
    /// The profile of the signed-in portal user.
    #[oai(rename = "profile")]
    Profile,
    /// The portal users and invitations of the client that the signed-in portal user acts for. Called by the
    /// administrators of the client.
    #[oai(rename = "colleagues")]
    Colleagues,
    /// Sign-in, refresh and sign-out of staff users.
    #[oai(rename = "staff sessions")]
    StaffSessions,
    /// The clients of a tenant. Called by staff users.
    #[oai(rename = "clients")]
    Clients,
    /// The portal users of a client: inviting them and sending invitations again. Called by staff users.
    #[oai(rename = "invitations")]
    Invitations,
    /// The portal users of a client and of a tenant: roles, access and removal. Called by staff users.
    #[oai(rename = "portal users")]
    PortalUsers,
    /// Figures about a tenant. Called by staff users.
    #[oai(rename = "overview")]
    Overview,
    /// The brand of a tenant: name, logo, colours, language and support contacts. Changed by staff users, and shown to
    /// everyone.
    #[oai(rename = "branding")]
    Branding,
    /// The sign-in policy of a tenant: methods and second factors. Called by staff users.
    #[oai(rename = "sign-in policy")]
    SignInPolicy,
    /// The mail log of a tenant, and sending failed mails again. Called by staff users.
    #[oai(rename = "emails")]
    Emails,
    /// The audit log of a tenant. Called by staff users.
    #[oai(rename = "audit events")]
    AuditEvents,
    /// The staff users of a tenant, and their own profiles.
    #[oai(rename = "staff")]
    Staff,
    /// API tokens: credentials of programs.
    #[oai(rename = "api tokens")]
    ApiTokens,
    /// Service accounts: accounts of programs, and their API tokens.
    #[oai(rename = "service accounts")]
    ServiceAccounts,
    /// Signing keys and health.
    #[oai(rename = "operations")]
    Operations,
}
