//! The API paths that the stories call, one name each.

pub(crate) const ACCEPT_INVITATION: &str = "/api/portal/invitations/accept";
pub(crate) const ACTIVATE: &str = "/api/portal/auth/activate";
pub(crate) const BRAND: &str = "/api/portal/brand";
pub(crate) const BRAND_STYLE: &str = "/api/portal/brand.css";
pub(crate) const CHANGE_PASSWORD: &str = "/api/portal/auth/change-password";
pub(crate) const CHECK_PASSWORD: &str = "/api/portal/auth/check-password";
pub(crate) const CHECK_TOKEN: &str = "/api/portal/auth/check-token";
pub(crate) const COLLEAGUES: &str = "/api/portal/colleagues";
pub(crate) const COLLEAGUE_INVITATIONS: &str = "/api/portal/colleagues/invitations";
pub(crate) const FORGOT_PASSWORD: &str = "/api/portal/auth/forgot-password";
pub(crate) const LOGO: &str = "/api/portal/logo";
pub(crate) const NOT_ME: &str = "/api/portal/auth/not-me";
pub(crate) const PROFILE: &str = "/api/portal/profile";
pub(crate) const REFRESH: &str = "/api/portal/auth/refresh";
pub(crate) const REQUEST_NEW_LINK: &str = "/api/portal/auth/request-new-link";
pub(crate) const RESEND_ACTIVATION: &str = "/api/portal/auth/resend-activation";
pub(crate) const RESET_PASSWORD: &str = "/api/portal/auth/reset-password";
pub(crate) const SESSION: &str = "/api/portal/auth/session";
pub(crate) const SESSIONS: &str = "/api/portal/sessions";
pub(crate) const SIGN_IN: &str = "/api/portal/auth/sign-in";
pub(crate) const SIGN_OUT: &str = "/api/portal/auth/sign-out";
pub(crate) const SIGN_OUT_EVERYWHERE: &str = "/api/portal/auth/sign-out-everywhere";
pub(crate) const SEND_PORTAL_CODE: &str = "/api/portal/auth/send-code";
pub(crate) const STEP_UP: &str = "/api/portal/auth/step-up";
pub(crate) const TRUSTED_DEVICES: &str = "/api/portal/trusted-devices";
pub(crate) const VERIFY_PORTAL_CODE: &str = "/api/portal/auth/verify-code";
pub(crate) const SWITCH_CLIENT: &str = "/api/portal/auth/switch-client";

pub(crate) const CLI_LOGINS: &str = "/api/staff/cli-logins";
pub(crate) const EXCHANGE_CLI_LOGIN: &str = "/api/staff/cli-logins/exchange";
pub(crate) const STAFF_PROFILE: &str = "/api/staff/profile";
pub(crate) const STAFF_REFRESH: &str = "/api/staff/auth/refresh";
pub(crate) const STAFF_SEND_CODE: &str = "/api/staff/auth/send-code";
pub(crate) const STAFF_SESSION: &str = "/api/staff/auth/session";
pub(crate) const STAFF_SESSIONS: &str = "/api/staff/sessions";
pub(crate) const STAFF_SIGN_OUT: &str = "/api/staff/auth/sign-out";
pub(crate) const STAFF_SIGN_OUT_EVERYWHERE: &str = "/api/staff/auth/sign-out-everywhere";
pub(crate) const STAFF_STEP_UP: &str = "/api/staff/auth/step-up";
pub(crate) const STAFF_TOKENS: &str = "/api/staff/tokens";
pub(crate) const STAFF_VERIFY_CODE: &str = "/api/staff/auth/verify-code";

pub(crate) const MFA: &str = "/api/portal/auth/mfa";
pub(crate) const STAFF_MFA: &str = "/api/staff/auth/mfa";
pub(crate) const SIGN_IN_POLICY: &str = "/api/v1/sign-in-policy";

pub(crate) const AUDIT_EVENTS: &str = "/api/v1/audit-events";
pub(crate) const AUDIT_EXPORT: &str = "/api/v1/audit-events/export";
pub(crate) const BRANDING: &str = "/api/v1/branding";
pub(crate) const BRANDING_LOGO: &str = "/api/v1/branding/logo";
pub(crate) const CLIENTS: &str = "/api/v1/clients";
pub(crate) const PORTAL_USERS: &str = "/api/v1/portal-users";
pub(crate) const INVITATIONS: &str = "/api/v1/invitations";
pub(crate) const EMAILS: &str = "/api/v1/emails";
pub(crate) const OVERVIEW: &str = "/api/v1/overview";
pub(crate) const RETRY_EMAILS: &str = "/api/v1/emails/retry";
pub(crate) const SERVICE_ACCOUNTS: &str = "/api/v1/service-accounts";
pub(crate) const STAFF: &str = "/api/v1/staff";
pub(crate) const TOKEN: &str = "/api/v1/token";
pub(crate) const TOKENS: &str = "/api/v1/tokens";

pub(crate) const API_DOCS: &str = "/api/docs";
pub(crate) const JWKS: &str = "/.well-known/jwks.json";
pub(crate) const LIVE: &str = "/health/live";
pub(crate) const OPENAPI: &str = "/api/openapi.json";
pub(crate) const READY: &str = "/health/ready";

/// Returns the path of one client.
pub(crate) fn client(id: &str) -> String {
    format!("{CLIENTS}/{id}")
}

/// Returns the path that invites a portal user to a client.
pub(crate) fn portal_user(client: &str) -> String {
    format!("{CLIENTS}/{client}/portal-user")
}

/// Returns the path that sends an invitation to a client again.
pub(crate) fn resend_invitation(client: &str) -> String {
    format!("{CLIENTS}/{client}/portal-user?action=resend")
}

/// Returns the path of the portal users of a client.
pub(crate) fn client_portal_users(client: &str) -> String {
    format!("{CLIENTS}/{client}/portal-users")
}

/// Returns the path of one portal user of a client: of one membership.
pub(crate) fn member(client: &str, id: &str) -> String {
    format!("{CLIENTS}/{client}/portal-users/{id}")
}

/// Returns the path that mails a reset link to one portal user of a client.
pub(crate) fn send_reset(client: &str, id: &str) -> String {
    format!("{CLIENTS}/{client}/portal-users/{id}/send-reset")
}

/// Returns the path of one portal user of the signed-in administrator's client: of one membership.
pub(crate) fn colleague(id: &str) -> String {
    format!("{COLLEAGUES}/{id}")
}

/// Returns the path of one invitation to the signed-in administrator's client.
pub(crate) fn colleague_invitation(id: &str) -> String {
    format!("{COLLEAGUE_INVITATIONS}/{id}")
}

/// Returns the path that sends an invitation to the signed-in administrator's client again.
pub(crate) fn resend_colleague_invitation(id: &str) -> String {
    format!("{COLLEAGUE_INVITATIONS}/{id}/resend")
}

/// Returns the path of the invitations to a client.
pub(crate) fn invitations(client: &str) -> String {
    format!("{CLIENTS}/{client}/invitations")
}

/// Returns the path of one invitation to a client.
pub(crate) fn invitation(client: &str, id: &str) -> String {
    format!("{CLIENTS}/{client}/invitations/{id}")
}

/// Returns the path that invites many portal users to a client.
pub(crate) fn bulk_invitations(client: &str) -> String {
    format!("{CLIENTS}/{client}/invitations/bulk")
}

/// Returns the path that sends a failed mail again.
pub(crate) fn retry_email(id: &str) -> String {
    format!("{EMAILS}/{id}/retry")
}
