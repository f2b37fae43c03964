//! `/api/portal/auth/mfa` and `/api/staff/auth/mfa`: passkeys as second factors, at sign-in.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, payload::Json};
use portico_domain::{
    identity::sign_in::{self, PasskeyFactorInput, enrol},
    platform::{actor::Realm, app::App, name::Name, secret::PlainToken},
};

use crate::{
    http::{
        auth::Anonymous,
        body::Body,
        error::{ApiResult, codes, limit},
        fields::{Code, Field},
        json_object::JsonObject,
        response::WithCookies,
        tags::Tag,
    },
    identity::{
        ceremonies::{CeremonyOptions, presented},
        mfa::{
            ChallengeOfSignIn, EnrolledSession, EnrolledStaffSession, SetUpEnrolment, portal_session, staff_session,
            texts,
        },
        views::{Session, StaffSession},
    },
};

/// The operations of the tag `second factors` on passkeys of portal users.
pub(crate) struct MfaPasskeys;

/// The operations of the tag `second factors` on passkeys of staff users.
pub(crate) struct StaffMfaPasskeys;

/// A passkey that completes a sign-in.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct VerifyPasskey {
    /// The `challenge` of the sign-in.
    challenge: Field<PlainToken>,
    /// The `ceremony` of the options.
    ceremony: Field<PlainToken>,
    /// What `toJSON()` of the credential gives in the browser: at most 16 KiB. Unknown members are ignored.
    response: JsonObject,
    /// Whether the browser becomes a trusted device, in which later sign-ins do not ask for the second factor.
    /// Ignored if `trusted_device_days` of the challenge is 0.
    trust_device: Option<bool>,
}

/// A passkey that is registered during a sign-in.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct EnrolPasskey {
    /// The `challenge` of the sign-in.
    challenge: Field<PlainToken>,
    /// The `ceremony` of the options.
    ceremony: Field<PlainToken>,
    /// What `toJSON()` of the credential gives in the browser: at most 16 KiB. Unknown members are ignored.
    response: JsonObject,
    /// What the user calls the passkey, 1 to 100 characters. If it is absent, the browser and the system of the
    /// request.
    name: Option<Field<Name>>,
}

impl VerifyPasskey {
    /// Returns the input of the use case.
    fn input(self) -> PasskeyFactorInput {
        PasskeyFactorInput {
            challenge: self.challenge.0,
            presented: presented(self.ceremony, self.response),
            trust_device: self.trust_device.unwrap_or_default(),
        }
    }
}

/// The codes and limits of an operation that completes a sign-in of a portal user.
const COMPLETES: u64 =
    codes::INVALID_CODE | codes::CLIENT_SUSPENDED | codes::LINK_TOKEN | codes::WRONG_ACCOUNT | limit::TOKEN_NETWORK;

/// The codes and limits of an operation that completes a sign-in of a staff user.
const COMPLETES_STAFF: u64 = codes::INVALID_CODE | limit::TOKEN_NETWORK;

#[OpenApi(prefix_path = "/api/portal/auth/mfa", tag = "Tag::SecondFactors")]
impl MfaPasskeys {
    /// Start to verify a passkey
    ///
    /// Returns the options with which the browser offers the passkeys of the user of a challenge whose `status` was
    /// `mfa_required`. The response is 409 `conflict` if the user has no passkey that can be used here.
    #[oai(path = "/passkey-options", method = "post", operation_id = "start_passkey_verification")]
    async fn start_verification(
        &self,
        Data(app): Data<&App>,
        _caller: Anonymous,
        Body(body): Body<ChallengeOfSignIn>,
    ) -> ApiResult<
        Json<CeremonyOptions>,
        { codes::INVALID_CODE | codes::CONFLICT | limit::CEREMONIES | limit::TOKEN_NETWORK },
    > {
        Ok(Json(sign_in::start_verification(app, Realm::Portal, &body.challenge.0).await?.into()))
    }

    /// Verify a passkey
    ///
    /// Completes a sign-in whose `status` was `mfa_required`, and opens the session. The response is `invalid_code`
    /// for a ceremony that is unknown, used, expired or of another sign-in, for a response that is refused, and for
    /// a challenge that is unknown, expired or completed.
    #[oai(path = "/passkey", method = "post", operation_id = "verify_passkey")]
    async fn verify(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<VerifyPasskey>,
    ) -> ApiResult<WithCookies<Json<Session>>, { COMPLETES }> {
        let completed = sign_in::verify_passkey(app, &caller, Realm::Portal, body.input()).await?;
        Ok(portal_session(app, completed)?)
    }

    /// Start to register a passkey during a sign-in
    ///
    /// Returns the options with which the browser makes a passkey, for a sign-in whose `status` was
    /// `mfa_enrolment_required`.
    #[oai(path = "/enrol/passkey-options", method = "post", operation_id = "start_passkey_enrolment")]
    async fn start_enrolment(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<SetUpEnrolment>,
    ) -> ApiResult<
        Json<CeremonyOptions>,
        { codes::INVALID_CODE | codes::CONFLICT | limit::CODE_MISSES | limit::CEREMONIES | limit::TOKEN_NETWORK },
    > {
        let mail_code = body.mail_code.map(|Field(Code(code))| code);
        let challenge = &body.challenge.0;
        let started = enrol::start_passkey(app, &caller, Realm::Portal, challenge, mail_code.as_ref()).await?;
        Ok(Json(started.into()))
    }

    /// Complete a sign-in with a new passkey
    ///
    /// Adds the passkey that the browser has made, turns second factors on, and opens the session. The user's other
    /// sessions are revoked, and notices are mailed. The response is 409 `conflict` if the passkey is registered
    /// already.
    #[oai(path = "/enrol/passkey", method = "post", operation_id = "complete_passkey_enrolment")]
    async fn complete_enrolment(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<EnrolPasskey>,
    ) -> ApiResult<WithCookies<Json<EnrolledSession>>, { COMPLETES | codes::CONFLICT }> {
        let name = body.name.map(|Field(name)| name);
        let (challenge, presented) = (body.challenge.0, presented(body.ceremony, body.response));
        let (completed, codes) =
            enrol::complete_with_passkey(app, &caller, Realm::Portal, &challenge, &presented, name.as_ref()).await?;
        let WithCookies(Json(session), cookies) = portal_session(app, completed)?;
        Ok(WithCookies(Json(EnrolledSession { session, recovery_codes: texts(&codes) }), cookies))
    }
}

#[OpenApi(prefix_path = "/api/staff/auth/mfa", tag = "Tag::SecondFactors")]
impl StaffMfaPasskeys {
    /// Start to verify a passkey of a staff user
    ///
    /// Returns the options with which the browser offers the passkeys of the user of a challenge whose `status` was
    /// `mfa_required`. The response is 409 `conflict` if the user has no passkey that can be used here.
    #[oai(path = "/passkey-options", method = "post", operation_id = "start_staff_passkey_verification")]
    async fn start_verification(
        &self,
        Data(app): Data<&App>,
        _caller: Anonymous,
        Body(body): Body<ChallengeOfSignIn>,
    ) -> ApiResult<
        Json<CeremonyOptions>,
        { codes::INVALID_CODE | codes::CONFLICT | limit::CEREMONIES | limit::TOKEN_NETWORK },
    > {
        Ok(Json(sign_in::start_verification(app, Realm::Staff, &body.challenge.0).await?.into()))
    }

    /// Verify a passkey of a staff user
    ///
    /// Completes a sign-in whose `status` was `mfa_required`, and opens the session. The response is `invalid_code`
    /// for a ceremony that is unknown, used, expired or of another sign-in, for a response that is refused, and for
    /// a challenge that is unknown, expired or completed.
    #[oai(path = "/passkey", method = "post", operation_id = "verify_staff_passkey")]
    async fn verify(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<VerifyPasskey>,
    ) -> ApiResult<WithCookies<Json<StaffSession>>, { COMPLETES_STAFF }> {
        let completed = sign_in::verify_passkey(app, &caller, Realm::Staff, body.input()).await?;
        Ok(staff_session(app, completed)?)
    }

    /// Start to register a passkey during a sign-in of a staff user
    ///
    /// Returns the options with which the browser makes a passkey, for a sign-in whose `status` was
    /// `mfa_enrolment_required`.
    #[oai(path = "/enrol/passkey-options", method = "post", operation_id = "start_staff_passkey_enrolment")]
    async fn start_enrolment(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<SetUpEnrolment>,
    ) -> ApiResult<
        Json<CeremonyOptions>,
        { codes::INVALID_CODE | codes::CONFLICT | limit::CODE_MISSES | limit::CEREMONIES | limit::TOKEN_NETWORK },
    > {
        let mail_code = body.mail_code.map(|Field(Code(code))| code);
        let challenge = &body.challenge.0;
        let started = enrol::start_passkey(app, &caller, Realm::Staff, challenge, mail_code.as_ref()).await?;
        Ok(Json(started.into()))
    }

    /// Complete a sign-in of a staff user with a new passkey
    ///
    /// Adds the passkey that the browser has made, turns second factors on, and opens the session. The user's other
    /// sessions are revoked, and notices are mailed. The response is 409 `conflict` if the passkey is registered
    /// already.
    #[oai(path = "/enrol/passkey", method = "post", operation_id = "complete_staff_passkey_enrolment")]
    async fn complete_enrolment(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<EnrolPasskey>,
    ) -> ApiResult<WithCookies<Json<EnrolledStaffSession>>, { COMPLETES_STAFF | codes::CONFLICT }> {
        let name = body.name.map(|Field(name)| name);
        let (challenge, presented) = (body.challenge.0, presented(body.ceremony, body.response));
        let (completed, codes) =
            enrol::complete_with_passkey(app, &caller, Realm::Staff, &challenge, &presented, name.as_ref()).await?;
        let WithCookies(Json(session), cookies) = staff_session(app, completed)?;
        Ok(WithCookies(Json(EnrolledStaffSession { session, recovery_codes: texts(&codes) }), cookies))
    }
}
