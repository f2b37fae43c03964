//! `/api/portal/auth/passkeys` and `/api/staff/auth/passkeys`: signing in with a passkey, and proving one again in a
//! session.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, payload::Json};
use portico_domain::{
    entity::ClientId,
    identity::{
        activation,
        sign_in::{self, PasskeyInput},
        step_up,
    },
    platform::{actor::Realm, app::App, email_address::EmailAddress, secret::PlainToken},
};

use crate::{
    http::{
        auth::{Anonymous, Portal, ReplacedSession, Staff, UnenrolledUser},
        body::Body,
        error::{ApiResult, codes, limit},
        fields::Field,
        json_object::JsonObject,
        response::WithCookies,
        tags::Tag,
    },
    identity::{
        ceremonies::{CeremonyOptions, presented},
        views::{self, Session, StaffSession},
    },
};

/// The operations of the tag `passkeys` by which portal users sign in.
pub(crate) struct PasskeySignIn;

/// The operations of the tag `passkeys` by which staff users sign in.
pub(crate) struct StaffPasskeySignIn;

/// The start of a sign-in with a passkey.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct StartPasskeySignIn {
    /// The email address that the user has entered. It is not used: the response is the same for every address, and
    /// for none.
    email: Option<Field<EmailAddress>>,
}

/// The start of an activation with a passkey.
#[derive(Object)]
struct StartPasskeyActivation {
    /// The link token: the text after `#token=` in the mailed URL (43 characters of base64url).
    token: Field<PlainToken>,
}

/// The response of a browser to the options of a sign-in of a portal user.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct PasskeySignInResponse {
    /// The `ceremony` of the options.
    ceremony: Field<PlainToken>,
    /// What `toJSON()` of the credential gives in the browser: at most 16 KiB. Unknown members are ignored.
    response: JsonObject,
    /// The id of the client to act for. If it is absent, the client that the user last signed in to is taken.
    client_id: Option<Field<ClientId>>,
}

/// The response of a browser to the options of a sign-in of a staff user.
#[derive(Object)]
struct StaffPasskeySignInResponse {
    /// The `ceremony` of the options.
    ceremony: Field<PlainToken>,
    /// What `toJSON()` of the credential gives in the browser: at most 16 KiB. Unknown members are ignored.
    response: JsonObject,
}

#[OpenApi(prefix_path = "/api/portal/auth", tag = "Tag::Passkeys")]
impl PasskeySignIn {
    /// Start a sign-in with a passkey
    ///
    /// Returns the options with which the browser offers the passkeys that it knows. They name no passkey and no
    /// user. The response is 409 `conflict` if the public URL of this installation allows no passkeys.
    #[oai(path = "/passkeys/sign-in-options", method = "post", operation_id = "start_passkey_sign_in")]
    async fn start_sign_in(
        &self,
        Data(app): Data<&App>,
        _caller: Anonymous,
        Body(body): Body<StartPasskeySignIn>,
    ) -> ApiResult<Json<CeremonyOptions>, { codes::CONFLICT | limit::CEREMONIES }> {
        // Looking the address up would tell who has passkeys.
        let StartPasskeySignIn { email: _ } = body;
        Ok(Json(sign_in::start_passkey_sign_in(app, Realm::Portal).await?.into()))
    }

    /// Sign in with a passkey
    ///
    /// Opens a session in which a second factor counts as proved. The session that the browser already has is
    /// revoked. The response is `invalid_credentials` for everything that is wrong: a ceremony that is unknown, used
    /// or expired, an unknown passkey, a refused response, and a user who cannot sign in here or may not with a
    /// passkey.
    #[oai(path = "/passkeys/sign-in", method = "post", operation_id = "sign_in_with_passkey")]
    async fn sign_in(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        current: ReplacedSession<Portal>,
        Body(body): Body<PasskeySignInResponse>,
    ) -> ApiResult<WithCookies<Json<Session>>, { codes::INVALID_CREDENTIALS | limit::TOKEN_NETWORK }> {
        let client = body.client_id.map(|Field(client)| client);
        let presented = presented(body.ceremony, body.response);
        let input = PasskeyInput { presented, client, replaces: current.0 };
        let issued = sign_in::sign_in_with_passkey(app, &caller, input).await?;
        Ok(views::opened_response(app, issued))
    }

    /// Start an activation with a passkey
    ///
    /// Returns the options with which the browser makes a passkey, for the holder of an activation link.
    /// `activate_account` takes the response with the same link, which stays unused until then. The response is
    /// `invalid_credentials` if the tenant does not allow passkeys.
    #[oai(path = "/passkeys/activation-options", method = "post", operation_id = "start_passkey_activation")]
    async fn start_activation(
        &self,
        Data(app): Data<&App>,
        _caller: Anonymous,
        Body(body): Body<StartPasskeyActivation>,
    ) -> ApiResult<
        Json<CeremonyOptions>,
        { codes::INVALID_CREDENTIALS | codes::LINK_TOKEN | codes::CONFLICT | limit::CEREMONIES | limit::TOKEN_NETWORK },
    > {
        Ok(Json(activation::start_passkey(app, &body.token.0).await?.into()))
    }

    /// Start a step-up with a passkey
    ///
    /// Returns the options with which the browser offers the passkeys of the signed-in user. `step_up` takes the
    /// response in the same session. The response is 409 `conflict` if the user has no passkey that can be used
    /// here.
    #[oai(path = "/step-up/options", method = "post", operation_id = "start_passkey_step_up")]
    async fn start_step_up(
        &self,
        Data(app): Data<&App>,
        caller: UnenrolledUser<Portal>,
    ) -> ApiResult<Json<CeremonyOptions>, { codes::CONFLICT | limit::CEREMONIES }> {
        Ok(Json(step_up::start_step_up(app, &caller.0).await?.into()))
    }
}

#[OpenApi(prefix_path = "/api/staff/auth", tag = "Tag::Passkeys")]
impl StaffPasskeySignIn {
    /// Start a sign-in of a staff user with a passkey
    ///
    /// Returns the options with which the browser offers the passkeys that it knows. They name no passkey and no
    /// user. The response is 409 `conflict` if the public URL of this installation allows no passkeys.
    #[oai(path = "/passkeys/sign-in-options", method = "post", operation_id = "start_staff_passkey_sign_in")]
    async fn start_sign_in(
        &self,
        Data(app): Data<&App>,
        _caller: Anonymous,
        Body(body): Body<StartPasskeySignIn>,
    ) -> ApiResult<Json<CeremonyOptions>, { codes::CONFLICT | limit::CEREMONIES }> {
        // Looking the address up would tell who has passkeys.
        let StartPasskeySignIn { email: _ } = body;
        Ok(Json(sign_in::start_passkey_sign_in(app, Realm::Staff).await?.into()))
    }

    /// Sign in with a passkey as a staff user
    ///
    /// Opens a staff session in which a second factor counts as proved. The staff session that the browser already
    /// has is revoked. The response is `invalid_credentials` for everything that is wrong: a ceremony that is
    /// unknown, used or expired, an unknown passkey, a refused response, and a user who cannot sign in.
    #[oai(path = "/passkeys/sign-in", method = "post", operation_id = "sign_in_staff_with_passkey")]
    async fn sign_in(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        current: ReplacedSession<Staff>,
        Body(body): Body<StaffPasskeySignInResponse>,
    ) -> ApiResult<WithCookies<Json<StaffSession>>, { codes::INVALID_CREDENTIALS | limit::TOKEN_NETWORK }> {
        let presented = presented(body.ceremony, body.response);
        let issued = sign_in::sign_in_staff_with_passkey(app, &caller, &presented, current.0).await?;
        Ok(views::opened_staff_response(app, issued))
    }

    /// Start a step-up as a staff user with a passkey
    ///
    /// Returns the options with which the browser offers the passkeys of the signed-in user. `step_up_staff` takes
    /// the response in the same session. The response is 409 `conflict` if the user has no passkey that can be used
    /// here.
    #[oai(path = "/step-up/options", method = "post", operation_id = "start_staff_passkey_step_up")]
    async fn start_step_up(
        &self,
        Data(app): Data<&App>,
        caller: UnenrolledUser<Staff>,
    ) -> ApiResult<Json<CeremonyOptions>, { codes::CONFLICT | limit::CEREMONIES }> {
        Ok(Json(step_up::start_step_up(app, &caller.0).await?.into()))
    }
}
