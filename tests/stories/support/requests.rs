//! The requests that many stories send: their bodies, and [`Browser`] methods that send them.

use serde_json::{Value, json};

use super::{Browser, Response, paths};

/// Returns the body of a sign-in to the portal.
pub(crate) fn credentials(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

/// Returns the body of a request that sets a password by a mailed link: an activation or a reset.
pub(crate) fn new_password(token: &str, password: &str) -> Value {
    json!({ "token": token, "password": password })
}

/// Returns a six-digit code that is not `code`.
pub(crate) fn wrong_code(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// The operations of a portal user.
impl Browser {
    /// Calls `sign_in`.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Response {
        self.post(paths::SIGN_IN, credentials(email, password)).await
    }

    /// Calls `get_session`.
    pub(crate) async fn session(&self) -> Response {
        self.get(paths::SESSION).await
    }

    /// Calls `refresh_session`.
    pub(crate) async fn refresh(&self) -> Response {
        self.post_empty(paths::REFRESH).await
    }

    /// Calls `sign_out`.
    pub(crate) async fn sign_out(&self) -> Response {
        self.post_empty(paths::SIGN_OUT).await
    }

    /// Calls `activate_account`.
    pub(crate) async fn activate(&self, token: &str, password: &str) -> Response {
        self.post(paths::ACTIVATE, new_password(token, password)).await
    }

    /// Calls `reset_password`.
    pub(crate) async fn reset_password(&self, token: &str, password: &str) -> Response {
        self.post(paths::RESET_PASSWORD, new_password(token, password)).await
    }

    /// Calls `check_token`.
    pub(crate) async fn check_token(&self, token: &str) -> Response {
        self.post(paths::CHECK_TOKEN, json!({ "token": token })).await
    }

    /// Calls `request_new_link`.
    pub(crate) async fn request_new_link(&self, token: &str) -> Response {
        self.post(paths::REQUEST_NEW_LINK, json!({ "token": token })).await
    }

    /// Calls `report_sign_in`.
    pub(crate) async fn not_me(&self, token: &str) -> Response {
        self.post(paths::NOT_ME, json!({ "token": token })).await
    }

    /// Calls `accept_invitation`.
    pub(crate) async fn accept_invitation(&self, token: &str) -> Response {
        self.post(paths::ACCEPT_INVITATION, json!({ "token": token })).await
    }

    /// Calls `forgot_password`.
    pub(crate) async fn forgot_password(&self, email: &str) -> Response {
        self.post(paths::FORGOT_PASSWORD, json!({ "email": email })).await
    }

    /// Calls `resend_activation`.
    pub(crate) async fn resend_activation(&self, email: &str) -> Response {
        self.post(paths::RESEND_ACTIVATION, json!({ "email": email })).await
    }

    /// Returns the clients that the session lists; there must be a session.
    pub(crate) async fn session_clients(&self) -> Vec<Value> {
        self.session().await.expect(200)["clients"].as_array().unwrap().clone()
    }
}

/// The operations of a staff user.
impl Browser {
    /// Calls `send_code`.
    pub(crate) async fn send_code(&self, email: &str) -> Response {
        self.post(paths::STAFF_SEND_CODE, json!({ "email": email })).await
    }

    /// Calls `step_up_staff` with the code of the code flow `flow`.
    pub(crate) async fn step_up(&self, flow: &Value, code: &str) -> Response {
        self.post(paths::STAFF_STEP_UP, json!({ "flow": flow, "code": code })).await
    }

    /// Answers the code flow `flow`, which is a field of the body of [`send_code`](Self::send_code).
    pub(crate) async fn verify_code(&self, flow: &Value, code: &str) -> Response {
        self.post(paths::STAFF_VERIFY_CODE, json!({ "flow": flow, "code": code })).await
    }
}
