//! The API paths that the stories call, one name each.

pub(crate) const ACCEPT_INVITATION: &str = "/api/portal/invitations/accept";
pub(crate) const ACTIVATE: &str = "/api/portal/auth/activate";
pub(crate) const CHANGE_PASSWORD: &str = "/api/portal/auth/change-password";
pub(crate) const CHECK_TOKEN: &str = "/api/portal/auth/check-token";
pub(crate) const FORGOT_PASSWORD: &str = "/api/portal/auth/forgot-password";
pub(crate) const REFRESH: &str = "/api/portal/auth/refresh";
pub(crate) const REQUEST_NEW_LINK: &str = "/api/portal/auth/request-new-link";
pub(crate) const RESEND_ACTIVATION: &str = "/api/portal/auth/resend-activation";
pub(crate) const RESET_PASSWORD: &str = "/api/portal/auth/reset-password";
pub(crate) const SESSION: &str = "/api/portal/auth/session";
pub(crate) const SIGN_IN: &str = "/api/portal/auth/sign-in";
pub(crate) const SIGN_OUT: &str = "/api/portal/auth/sign-out";
pub(crate) const SIGN_OUT_EVERYWHERE: &str = "/api/portal/auth/sign-out-everywhere";

pub(crate) const STAFF_REFRESH: &str = "/api/staff/auth/refresh";
pub(crate) const STAFF_SEND_CODE: &str = "/api/staff/auth/send-code";
pub(crate) const STAFF_SESSION: &str = "/api/staff/auth/session";
pub(crate) const STAFF_SIGN_OUT: &str = "/api/staff/auth/sign-out";
pub(crate) const STAFF_SIGN_OUT_EVERYWHERE: &str = "/api/staff/auth/sign-out-everywhere";
pub(crate) const STAFF_VERIFY_CODE: &str = "/api/staff/auth/verify-code";

pub(crate) const CLIENTS: &str = "/api/v1/clients";

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
