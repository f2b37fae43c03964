//! Requests for a mailed code, in both realms.

use poem_openapi::Object;
use portico_domain::{
    entity::CodeFlowId,
    identity::mailed_codes::{self, MailedCodeSettings},
    platform::{
        actor::{Anonymous, Realm},
        app::App,
        email_address::EmailAddress,
        error::Error,
    },
};
use uuid::Uuid;

use crate::http::{fields::Field, response::AcceptedStatus};

/// The address to mail a sign-in code to.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct SendCode {
    /// The email address of the user.
    email: Field<EmailAddress>,
    /// The id of a live code flow of the same address (UUIDv7). The flow gets a new code, and its old code becomes
    /// invalid. If the flow is not live, a new flow is created.
    flow: Option<Field<CodeFlowId>>,
}

/// The response to a request for a code. It is the same for known and unknown addresses.
#[derive(Object)]
pub(crate) struct CodeSent {
    /// Always `accepted`.
    status: AcceptedStatus,
    /// The id of the code flow (UUIDv7), to be sent together with the code. The code is valid only
    /// for this flow, and so only for the browser that requested it.
    flow: Uuid,
    /// How long the code is valid, in seconds from now.
    expires_in: u64,
}

impl SendCode {
    /// Mails the code, if the address belongs to a user of `realm`.
    ///
    /// # Errors
    /// The errors of [`mailed_codes::send_code`].
    pub(crate) async fn send(self, app: &App, caller: &Anonymous, realm: Realm) -> Result<CodeSent, Error> {
        let resend_of = self.flow.map(|Field(flow)| flow);
        let flow = mailed_codes::send_code(app, caller, realm, &self.email.0, resend_of).await?;
        let expires_in = app.section::<MailedCodeSettings>().code_ttl.as_secs();
        Ok(CodeSent { status: AcceptedStatus::Accepted, flow: flow.0, expires_in })
    }
}
