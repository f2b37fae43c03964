//! The body of a step-up, in both realms.

use poem_openapi::Object;
use portico_domain::{
    entity::CodeFlowId,
    identity::step_up::Proof,
    platform::{
        error::Error,
        secret::{Password, PlainToken},
    },
};

use crate::{
    http::{
        fields::{Code, Field, RecoveryCode},
        json_object::JsonObject,
    },
    identity::ceremonies::presented,
};

/// What proves the identity of a signed-in user. Exactly one proof is given: `password`, `code`, `recovery_code`,
/// `ceremony` with `response`, or `flow` with `mail_code`.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct StepUp {
    /// The password of a portal user.
    password: Option<Field<Password>>,
    /// The current code of the authenticator app: a string of six digits. Together with `flow`, the mailed code.
    code: Option<Field<Code>>,
    /// A recovery code that was not used yet.
    recovery_code: Option<Field<RecoveryCode>>,
    /// The `ceremony` of the options of a passkey.
    ceremony: Option<Field<PlainToken>>,
    /// What `toJSON()` of the credential gives in the browser: at most 16 KiB. Unknown members are ignored.
    response: Option<JsonObject>,
    /// The id of the code flow of the mailed code, which must be of the user's own address.
    flow: Option<Field<CodeFlowId>>,
    /// The mailed code: a string of six digits.
    mail_code: Option<Field<Code>>,
}

impl StepUp {
    /// Returns the proof.
    ///
    /// # Errors
    /// `validation_failed` unless exactly one proof is given.
    pub(crate) fn proof(self) -> Result<Proof, Error> {
        let has_other = self.password.is_some()
            || self.code.is_some()
            || self.recovery_code.is_some()
            || self.flow.is_some()
            || self.mail_code.is_some();
        match (self.ceremony, self.response) {
            (None, None) => {}
            (Some(ceremony), Some(response)) if !has_other => {
                return Ok(Proof::Passkey(presented(ceremony, response)));
            }
            _ => return Err(not_one_proof()),
        }
        match (self.password, self.code, self.recovery_code, self.flow, self.mail_code) {
            (Some(Field(password)), None, None, None, None) => Ok(Proof::Password(password)),
            (None, Some(Field(Code(code))), None, None, None) => Ok(Proof::Totp(code)),
            (None, None, Some(Field(RecoveryCode(code))), None, None) => Ok(Proof::RecoveryCode(code)),
            (None, Some(Field(Code(code))), None, Some(Field(flow)), None)
            | (None, None, None, Some(Field(flow)), Some(Field(Code(code)))) => Ok(Proof::MailedCode(flow, code)),
            _ => Err(not_one_proof()),
        }
    }
}

fn not_one_proof() -> Error {
    Error::invalid(
        "",
        "proof_invalid",
        "must have exactly one of `password`, `code`, `recovery_code`, `ceremony` with `response`, and `flow` with \
         `mail_code`",
    )
}
