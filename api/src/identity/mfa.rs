//! `/api/portal/auth/mfa` and `/api/staff/auth/mfa`: second factors, at sign-in and in a session.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{Object, OpenApi, payload::Json};
use portico_domain::{
    identity::{
        mfa::{self, MfaStatus},
        sign_in::{self, Completed, CompletedSession, FactorInput, SubmittedFactor, enrol},
        totp::Setup,
    },
    platform::{actor::Realm, app::App, error::Error, secret::PlainToken},
};

use crate::{
    http::{
        auth::{Anonymous, FreshUnenrolledUser, Portal, Staff, UnenrolledUser},
        body::Body,
        cookies,
        error::{ApiResult, codes, limit},
        fields::{Code, Field, RecoveryCode},
        nullable::Nullable,
        response::{Accepted, NoContent, WithCookies, accepted},
        tags::Tag,
    },
    identity::views::{self, Session, StaffSession},
};

/// The operations of the tag `second factors` for portal users.
pub(crate) struct Mfa;

/// The operations of the tag `second factors` for staff users.
pub(crate) struct StaffMfa;

/// A second factor that completes a sign-in. Exactly one of `code` and `recovery_code` is given.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct VerifyFactor {
    /// The `challenge` of the sign-in.
    challenge: Field<PlainToken>,
    /// The current code of the authenticator app: a string of six digits.
    code: Option<Field<Code>>,
    /// A recovery code that was not used yet.
    recovery_code: Option<Field<RecoveryCode>>,
    /// Whether the browser becomes a trusted device, in which later sign-ins do not ask for the second factor. Ignored
    /// if `trusted_device_days` of the challenge is 0.
    trust_device: Option<bool>,
}

/// The challenge of a sign-in.
#[derive(Object)]
pub(super) struct ChallengeOfSignIn {
    /// The `challenge` of the sign-in.
    pub(super) challenge: Field<PlainToken>,
}

/// The start of the setup of an authenticator app during a sign-in.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct SetUpEnrolment {
    /// The `challenge` of the sign-in.
    pub(super) challenge: Field<PlainToken>,
    /// The code that `enrol/send-code` has mailed: a string of six digits. Needed once if `mail_code_required` of the
    /// challenge is true.
    pub(super) mail_code: Option<Field<Code>>,
}

/// The first code of an authenticator app that is set up during a sign-in.
#[derive(Object)]
struct CompleteEnrolment {
    /// The `challenge` of the sign-in.
    challenge: Field<PlainToken>,
    /// The current code of the authenticator app: a string of six digits.
    code: Field<Code>,
}

/// The first code of an authenticator app that is set up in a session.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct EnableMfa {
    /// The current code of the authenticator app: a string of six digits. If it is absent, the passkeys of the user
    /// become the second factors.
    code: Option<Field<Code>>,
}

/// The second factors of the user.
#[derive(Object)]
#[oai(rename = "MfaStatus")]
struct MfaStatusView {
    /// Whether second factors are on: a sign-in asks for one.
    enabled: bool,
    /// Whether the tenant requires a second factor.
    required: bool,
    /// When the user must have a second factor (RFC 3339, UTC); `null` if the user has one, or if none is required.
    due_at: Nullable<DateTime<Utc>>,
    /// Whether the user has an authenticator app.
    totp: bool,
    /// The number of passkeys that can be used at the public URL of this installation.
    passkeys: u64,
    /// The number of recovery codes that were not used yet.
    recovery_codes_left: u64,
    /// The number of trusted devices.
    trusted_devices: u64,
}

/// A secret for an authenticator app. It is shown once, and does nothing until its first code is entered.
#[derive(Object)]
struct TotpSetup {
    /// The secret in base32 (RFC 4648), to be typed into an app.
    secret: String,
    /// The `otpauth` URI with the secret, the issuer and the address of the user.
    otpauth_uri: String,
    /// The QR code of the URI, as an SVG document without scripts, styles and references.
    qr_svg: String,
    /// When the setup can no longer be completed (RFC 3339, UTC).
    expires_at: DateTime<Utc>,
}

/// Ten recovery codes. They are shown once; each replaces a second factor once.
#[derive(Object)]
struct RecoveryCodes {
    /// The codes, in groups of four characters.
    recovery_codes: Vec<String>,
}

/// A portal session that was opened after a second factor was set up, with the recovery codes.
#[derive(Object)]
pub(super) struct EnrolledSession {
    #[oai(flatten)]
    pub(super) session: Session,
    /// Ten recovery codes, in groups of four characters. They are shown once.
    pub(super) recovery_codes: Vec<String>,
}

/// A staff session that was opened after a second factor was set up, with the recovery codes.
#[derive(Object)]
pub(super) struct EnrolledStaffSession {
    #[oai(flatten)]
    pub(super) session: StaffSession,
    /// Ten recovery codes, in groups of four characters. They are shown once.
    pub(super) recovery_codes: Vec<String>,
}

impl VerifyFactor {
    /// Returns the input of the use case.
    ///
    /// # Errors
    /// `validation_failed` unless exactly one of the factors is given.
    fn input(self) -> Result<FactorInput, Error> {
        let factor = match (self.code, self.recovery_code) {
            (Some(Field(Code(code))), None) => SubmittedFactor::Totp(code),
            (None, Some(Field(RecoveryCode(code)))) => SubmittedFactor::RecoveryCode(code),
            (None, None) | (Some(_), Some(_)) => {
                return Err(Error::invalid(
                    "/code",
                    "factor_invalid",
                    "or `recovery_code` must be given, and not both",
                ));
            }
        };
        Ok(FactorInput { challenge: self.challenge.0, factor, trust_device: self.trust_device.unwrap_or_default() })
    }
}

impl From<MfaStatus> for MfaStatusView {
    fn from(status: MfaStatus) -> Self {
        Self {
            enabled: status.is_enabled,
            required: status.is_required,
            due_at: Nullable(status.due_at),
            totp: status.has_totp,
            passkeys: status.passkeys,
            recovery_codes_left: status.recovery_codes_left,
            trusted_devices: status.trusted_devices,
        }
    }
}

impl From<Setup> for TotpSetup {
    fn from(setup: Setup) -> Self {
        Self {
            secret: setup.secret.reveal().to_owned(),
            otpauth_uri: setup.uri.reveal().to_owned(),
            qr_svg: setup.qr_svg.reveal().to_owned(),
            expires_at: setup.expires_at,
        }
    }
}

/// Returns the codes as texts.
pub(super) fn texts(codes: &[PlainToken]) -> Vec<String> {
    codes.iter().map(|code| code.reveal().to_owned()).collect()
}

/// Returns the response that completes a sign-in of a portal user.
pub(super) fn portal_session(app: &App, completed: Completed) -> Result<WithCookies<Json<Session>>, Error> {
    let CompletedSession::Portal(issued) = completed.session else { return Err(wrong_realm()) };
    let mut response = views::opened_response(app, *issued);
    response.1.extend(completed.trusted_device.and_then(|device| cookies::trusted_device_cookie(app, &device)));
    Ok(response)
}

/// Returns the response that completes a sign-in of a staff user.
pub(super) fn staff_session(app: &App, completed: Completed) -> Result<WithCookies<Json<StaffSession>>, Error> {
    let CompletedSession::Staff(issued) = completed.session else { return Err(wrong_realm()) };
    Ok(views::opened_staff_response(app, *issued))
}

fn wrong_realm() -> Error {
    Error::Internal("a challenge of one realm has opened a session of the other".into())
}

/// The codes and limits of an operation that completes a sign-in of a portal user.
const COMPLETES: u64 = codes::INVALID_CODE
    | codes::CLIENT_SUSPENDED
    | codes::LINK_TOKEN
    | codes::WRONG_ACCOUNT
    | limit::MFA_MISSES
    | limit::TOKEN_NETWORK;

/// The codes and limits of an operation that completes a sign-in of a staff user.
const COMPLETES_STAFF: u64 = codes::INVALID_CODE | limit::MFA_MISSES | limit::TOKEN_NETWORK;

#[OpenApi(prefix_path = "/api/portal/auth/mfa", tag = "Tag::SecondFactors")]
impl Mfa {
    /// Verify a second factor
    ///
    /// Completes a sign-in whose `status` was `mfa_required`, and opens the session. The response is `invalid_code` for
    /// a wrong or used code and for a challenge that is unknown, expired or completed. Five wrong codes end the
    /// challenge.
    #[oai(path = "/verify", method = "post", operation_id = "verify_second_factor")]
    async fn verify(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<VerifyFactor>,
    ) -> ApiResult<WithCookies<Json<Session>>, { COMPLETES }> {
        let completed = sign_in::verify_factor(app, &caller, Realm::Portal, body.input()?).await?;
        Ok(portal_session(app, completed)?)
    }

    /// Cancel a sign-in
    ///
    /// Ends the challenge. The response is 204 even if the challenge is not valid.
    #[oai(path = "/cancel", method = "post", operation_id = "cancel_sign_in")]
    async fn cancel(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ChallengeOfSignIn>,
    ) -> ApiResult<NoContent, { limit::TOKEN_NETWORK }> {
        sign_in::cancel(app, &caller, Realm::Portal, &body.challenge.0).await?;
        Ok(NoContent)
    }

    /// Request a code to set up a second factor
    ///
    /// Mails a code of six digits to the user of a challenge whose `mail_code_required` is true. Otherwise nothing is
    /// mailed, and the response is the same.
    #[oai(path = "/enrol/send-code", method = "post", operation_id = "send_enrolment_code")]
    async fn send_code(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ChallengeOfSignIn>,
    ) -> ApiResult<
        Json<Accepted>,
        { codes::INVALID_CODE | limit::SEND_CODE | limit::SEND_CODE_NETWORK | limit::TOKEN_NETWORK },
    > {
        enrol::send_code(app, &caller, Realm::Portal, &body.challenge.0).await?;
        Ok(accepted())
    }

    /// Set up an authenticator app during a sign-in
    ///
    /// Returns a new secret for an authenticator app, for a sign-in whose `status` was `mfa_enrolment_required`.
    #[oai(path = "/enrol/setup", method = "post", operation_id = "set_up_enrolment")]
    async fn set_up_enrolment(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<SetUpEnrolment>,
    ) -> ApiResult<Json<TotpSetup>, { codes::INVALID_CODE | limit::CODE_MISSES | limit::TOKEN_NETWORK }> {
        let mail_code = body.mail_code.map(|Field(Code(code))| code);
        let setup = enrol::setup(app, &caller, Realm::Portal, &body.challenge.0, mail_code.as_ref()).await?;
        Ok(Json(setup.into()))
    }

    /// Complete a sign-in with a new authenticator app
    ///
    /// Confirms the setup with the first code of the app, turns second factors on, and opens the session. The user's
    /// other sessions are revoked, and a notice is mailed.
    #[oai(path = "/enrol/enable", method = "post", operation_id = "complete_enrolment")]
    async fn complete_enrolment(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<CompleteEnrolment>,
    ) -> ApiResult<WithCookies<Json<EnrolledSession>>, { COMPLETES }> {
        let Field(Code(code)) = body.code;
        let (completed, codes) = enrol::enable(app, &caller, Realm::Portal, &body.challenge.0, &code).await?;
        let WithCookies(Json(session), cookies) = portal_session(app, completed)?;
        Ok(WithCookies(Json(EnrolledSession { session, recovery_codes: texts(&codes) }), cookies))
    }

    /// Get your second factors
    ///
    /// Returns whether second factors are on, which ones the signed-in user has, and whether the tenant requires one.
    #[oai(path = "/status", method = "get", operation_id = "get_mfa_status")]
    async fn status(&self, Data(app): Data<&App>, caller: UnenrolledUser<Portal>) -> ApiResult<Json<MfaStatusView>, 0> {
        Ok(Json(mfa::status(app, &caller.0).await?.into()))
    }

    /// Set up an authenticator app
    ///
    /// Returns a new secret for an authenticator app. It does nothing until `enable` confirms it, within ten minutes. A
    /// former authenticator app works until then.
    #[oai(path = "/setup", method = "post", operation_id = "set_up_totp")]
    async fn set_up(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Portal>,
    ) -> ApiResult<Json<TotpSetup>, 0> {
        Ok(Json(mfa::setup(app, &caller.0).await?.into()))
    }

    /// Turn second factors on
    ///
    /// Confirms the setup of an authenticator app with its first code, and returns ten recovery codes. A former
    /// authenticator app and former recovery codes stop working. The user's other sessions are revoked, and a notice
    /// is mailed. Without `code`, the passkeys of the user become the second factors. The response is 409 `conflict`
    /// if the user has none that can be used here, or if second factors are on already.
    #[oai(path = "/enable", method = "post", operation_id = "enable_mfa")]
    async fn enable(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Portal>,
        Body(body): Body<EnableMfa>,
    ) -> ApiResult<
        Json<RecoveryCodes>,
        { codes::INVALID_CODE | codes::CONFLICT | limit::MFA_MISSES | limit::TOKEN_NETWORK },
    > {
        let code = body.code.map(|Field(Code(code))| code);
        let codes = mfa::enable(app, &caller.0, code.as_ref()).await?;
        Ok(Json(RecoveryCodes { recovery_codes: texts(&codes) }))
    }

    /// Replace the recovery codes
    ///
    /// Returns ten new recovery codes. The former ones stop working, and a notice is mailed.
    #[oai(path = "/recovery-codes", method = "post", operation_id = "replace_recovery_codes")]
    async fn replace_recovery_codes(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Portal>,
    ) -> ApiResult<Json<RecoveryCodes>, { codes::CONFLICT }> {
        let codes = mfa::replace_recovery_codes(app, &caller.0).await?;
        Ok(Json(RecoveryCodes { recovery_codes: texts(&codes) }))
    }

    /// Turn second factors off
    ///
    /// Deletes the authenticator app, the recovery codes and the trusted devices of the signed-in user. The user's
    /// other sessions are revoked, and a notice is mailed. The response is 409 `required_by_tenant` if a tenant of
    /// the user requires a second factor.
    #[oai(path = "/disable", method = "post", operation_id = "disable_mfa")]
    async fn disable(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Portal>,
    ) -> ApiResult<NoContent, { codes::CONFLICT | codes::REQUIRED_BY_TENANT }> {
        mfa::disable(app, &caller.0).await?;
        Ok(NoContent)
    }
}

#[OpenApi(prefix_path = "/api/staff/auth/mfa", tag = "Tag::SecondFactors")]
impl StaffMfa {
    /// Verify a second factor of a staff user
    ///
    /// Completes a sign-in whose `status` was `mfa_required`, and opens the session. The response is `invalid_code` for
    /// a wrong or used code and for a challenge that is unknown, expired or completed. Five wrong codes end the
    /// challenge.
    #[oai(path = "/verify", method = "post", operation_id = "verify_staff_second_factor")]
    async fn verify(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<VerifyFactor>,
    ) -> ApiResult<WithCookies<Json<StaffSession>>, { COMPLETES_STAFF }> {
        let completed = sign_in::verify_factor(app, &caller, Realm::Staff, body.input()?).await?;
        Ok(staff_session(app, completed)?)
    }

    /// Cancel a sign-in of a staff user
    ///
    /// Ends the challenge. The response is 204 even if the challenge is not valid.
    #[oai(path = "/cancel", method = "post", operation_id = "cancel_staff_sign_in")]
    async fn cancel(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ChallengeOfSignIn>,
    ) -> ApiResult<NoContent, { limit::TOKEN_NETWORK }> {
        sign_in::cancel(app, &caller, Realm::Staff, &body.challenge.0).await?;
        Ok(NoContent)
    }

    /// Request a code to set up a second factor of a staff user
    ///
    /// Mails a code of six digits to the user of a challenge whose `mail_code_required` is true. Otherwise nothing is
    /// mailed, and the response is the same.
    #[oai(path = "/enrol/send-code", method = "post", operation_id = "send_staff_enrolment_code")]
    async fn send_code(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ChallengeOfSignIn>,
    ) -> ApiResult<
        Json<Accepted>,
        { codes::INVALID_CODE | limit::SEND_CODE | limit::SEND_CODE_NETWORK | limit::TOKEN_NETWORK },
    > {
        enrol::send_code(app, &caller, Realm::Staff, &body.challenge.0).await?;
        Ok(accepted())
    }

    /// Set up an authenticator app during a sign-in of a staff user
    ///
    /// Returns a new secret for an authenticator app, for a sign-in whose `status` was `mfa_enrolment_required`.
    #[oai(path = "/enrol/setup", method = "post", operation_id = "set_up_staff_enrolment")]
    async fn set_up_enrolment(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<SetUpEnrolment>,
    ) -> ApiResult<Json<TotpSetup>, { codes::INVALID_CODE | limit::CODE_MISSES | limit::TOKEN_NETWORK }> {
        let mail_code = body.mail_code.map(|Field(Code(code))| code);
        let setup = enrol::setup(app, &caller, Realm::Staff, &body.challenge.0, mail_code.as_ref()).await?;
        Ok(Json(setup.into()))
    }

    /// Complete a sign-in of a staff user with a new authenticator app
    ///
    /// Confirms the setup with the first code of the app, turns second factors on, and opens the session. The user's
    /// other sessions are revoked, and a notice is mailed.
    #[oai(path = "/enrol/enable", method = "post", operation_id = "complete_staff_enrolment")]
    async fn complete_enrolment(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<CompleteEnrolment>,
    ) -> ApiResult<WithCookies<Json<EnrolledStaffSession>>, { COMPLETES_STAFF }> {
        let Field(Code(code)) = body.code;
        let (completed, codes) = enrol::enable(app, &caller, Realm::Staff, &body.challenge.0, &code).await?;
        let WithCookies(Json(session), cookies) = staff_session(app, completed)?;
        Ok(WithCookies(Json(EnrolledStaffSession { session, recovery_codes: texts(&codes) }), cookies))
    }

    /// Get your second factors as a staff user
    ///
    /// Returns whether second factors are on, which ones the signed-in user has, and whether the tenant requires one.
    #[oai(path = "/status", method = "get", operation_id = "get_staff_mfa_status")]
    async fn status(&self, Data(app): Data<&App>, caller: UnenrolledUser<Staff>) -> ApiResult<Json<MfaStatusView>, 0> {
        Ok(Json(mfa::status(app, &caller.0).await?.into()))
    }

    /// Set up an authenticator app as a staff user
    ///
    /// Returns a new secret for an authenticator app. It does nothing until `enable` confirms it, within ten minutes. A
    /// former authenticator app works until then.
    #[oai(path = "/setup", method = "post", operation_id = "set_up_staff_totp")]
    async fn set_up(&self, Data(app): Data<&App>, caller: FreshUnenrolledUser<Staff>) -> ApiResult<Json<TotpSetup>, 0> {
        Ok(Json(mfa::setup(app, &caller.0).await?.into()))
    }

    /// Turn second factors on as a staff user
    ///
    /// Confirms the setup of an authenticator app with its first code, and returns ten recovery codes. A former
    /// authenticator app and former recovery codes stop working. The user's other sessions are revoked, and a notice
    /// is mailed. Without `code`, the passkeys of the user become the second factors. The response is 409 `conflict`
    /// if the user has none that can be used here, or if second factors are on already.
    #[oai(path = "/enable", method = "post", operation_id = "enable_staff_mfa")]
    async fn enable(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Staff>,
        Body(body): Body<EnableMfa>,
    ) -> ApiResult<
        Json<RecoveryCodes>,
        { codes::INVALID_CODE | codes::CONFLICT | limit::MFA_MISSES | limit::TOKEN_NETWORK },
    > {
        let code = body.code.map(|Field(Code(code))| code);
        let codes = mfa::enable(app, &caller.0, code.as_ref()).await?;
        Ok(Json(RecoveryCodes { recovery_codes: texts(&codes) }))
    }

    /// Replace the recovery codes as a staff user
    ///
    /// Returns ten new recovery codes. The former ones stop working, and a notice is mailed.
    #[oai(path = "/recovery-codes", method = "post", operation_id = "replace_staff_recovery_codes")]
    async fn replace_recovery_codes(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Staff>,
    ) -> ApiResult<Json<RecoveryCodes>, { codes::CONFLICT }> {
        let codes = mfa::replace_recovery_codes(app, &caller.0).await?;
        Ok(Json(RecoveryCodes { recovery_codes: texts(&codes) }))
    }

    /// Turn second factors off as a staff user
    ///
    /// Deletes the authenticator app, the recovery codes and the trusted devices of the signed-in user. The user's
    /// other sessions are revoked, and a notice is mailed. The response is 409 `required_by_tenant` if a tenant of
    /// the user requires a second factor.
    #[oai(path = "/disable", method = "post", operation_id = "disable_staff_mfa")]
    async fn disable(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Staff>,
    ) -> ApiResult<NoContent, { codes::CONFLICT | codes::REQUIRED_BY_TENANT }> {
        mfa::disable(app, &caller.0).await?;
        Ok(NoContent)
    }
}
