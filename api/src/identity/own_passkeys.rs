//! `/api/portal/passkeys` and `/api/staff/passkeys`: the passkeys of the signed-in user.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::{PasskeyId, passkey},
    identity::{own_passkeys, passkeys},
    platform::{
        actor,
        app::App,
        name::Name,
        page::{Page, PageRequest},
    },
};
use uuid::Uuid;

use crate::{
    http::{
        auth::{FreshUnenrolledUser, Portal, SessionUser, Staff},
        body::Body,
        error::{ApiError, ApiResult, codes, limit},
        fields::Field,
        nullable::Nullable,
        page,
        response::{Created, NoContent},
        tags::Tag,
    },
    identity::ceremonies::{CeremonyOptions, NewPasskey},
};

/// The operations of the tag `passkeys` on the passkeys of a portal user.
pub(crate) struct OwnPasskeys;

/// The operations of the tag `passkeys` on the passkeys of a staff user.
pub(crate) struct OwnStaffPasskeys;

/// A passkey of the caller.
#[derive(Object)]
#[oai(rename = "Passkey")]
struct PasskeyView {
    /// The id of the passkey (UUIDv7).
    id: Uuid,
    /// What the user calls the passkey.
    name: String,
    /// When the passkey was registered (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// When the user last proved their identity with it (RFC 3339, UTC); `null` before that.
    last_used_at: Nullable<DateTime<Utc>>,
    /// Whether the passkey is backed up, which means that it is synchronized between devices.
    backed_up: bool,
    /// The id of the credential in base64url, with which a page can tell the browser that the passkey was removed.
    credential_id: String,
    /// Whether the passkey can be used at the public URL of this installation. It cannot if it was registered for
    /// another domain.
    usable: bool,
}

/// A page of passkeys, newest first.
#[derive(Object)]
struct PasskeyList {
    /// The passkeys of this page.
    data: Vec<PasskeyView>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// A new name of a passkey.
#[derive(Object)]
struct RenamePasskey {
    /// What the user calls the passkey, 1 to 100 characters.
    name: Field<Name>,
}

impl PasskeyView {
    fn new(app: &App, passkey: passkey::Model) -> Self {
        Self {
            id: passkey.id.0,
            usable: passkeys::is_usable(app, &passkey),
            name: passkey.name,
            created_at: passkey.created_at,
            last_used_at: Nullable(passkey.last_used_at),
            backed_up: passkey.is_backed_up,
            credential_id: passkey.credential_id,
        }
    }
}

/// Returns a page of the passkeys of the caller.
async fn list_of(
    app: &App,
    caller: &actor::SessionUser,
    limit: u64,
    cursor: Option<&str>,
) -> Result<Json<PasskeyList>, ApiError> {
    let page = PageRequest::new(limit, cursor)?;
    let found = own_passkeys::list(app, caller, &page).await?;
    let Page { data, next_cursor } = found.map(|passkey| PasskeyView::new(app, passkey));
    Ok(Json(PasskeyList { data, next_cursor: Nullable(next_cursor) }))
}

#[OpenApi(prefix_path = "/api/portal/passkeys", tag = "Tag::Passkeys")]
impl OwnPasskeys {
    /// List your passkeys
    ///
    /// Returns the passkeys of the signed-in user, newest first.
    #[oai(path = "/", method = "get", operation_id = "list_passkeys")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: SessionUser<Portal>,
        /// The largest number of passkeys on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<PasskeyList>, 0> {
        Ok(list_of(app, &caller.0, limit.0, cursor.0.as_deref()).await?)
    }

    /// Start the registration of a passkey
    ///
    /// Returns the options with which the browser makes a passkey. `register_passkey` takes the response in the same
    /// session. The response is 409 `conflict` if the user has ten passkeys, or if the public URL of this
    /// installation allows none.
    #[oai(path = "/register-options", method = "post", operation_id = "start_passkey_registration")]
    async fn start_registration(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Portal>,
    ) -> ApiResult<Json<CeremonyOptions>, { codes::CONFLICT | limit::CEREMONIES }> {
        Ok(Json(own_passkeys::start_registration(app, &caller.0).await?.into()))
    }

    /// Register a passkey
    ///
    /// Adds the passkey that the browser has made, and mails a notice. Second factors stay on or off. The response
    /// is `invalid_code` for a ceremony that is unknown, used, expired or of another session, and for a response
    /// that is refused. It is 409 `conflict` if the passkey is registered already.
    #[oai(path = "/register", method = "post", operation_id = "register_passkey")]
    async fn register(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Portal>,
        Body(body): Body<NewPasskey>,
    ) -> ApiResult<Created<PasskeyView>, { codes::INVALID_CODE | codes::CONFLICT | limit::TOKEN_NETWORK }> {
        let (presented, name) = body.into_parts();
        let passkey = own_passkeys::register(app, &caller.0, &presented, name.as_ref()).await?;
        Ok(Created(PasskeyView::new(app, passkey)))
    }

    /// Rename a passkey
    ///
    /// Changes what the signed-in user calls the passkey.
    #[oai(path = "/:passkey_id", method = "patch", operation_id = "rename_passkey")]
    async fn rename(
        &self,
        Data(app): Data<&App>,
        caller: SessionUser<Portal>,
        /// The id of the passkey.
        passkey_id: Path<Field<PasskeyId>>,
        Body(body): Body<RenamePasskey>,
    ) -> ApiResult<Json<PasskeyView>, { codes::NOT_FOUND }> {
        let passkey = own_passkeys::rename(app, &caller.0, passkey_id.0.0, &body.name.0).await?;
        Ok(Json(PasskeyView::new(app, passkey)))
    }

    /// Remove a passkey
    ///
    /// The passkey stops working, and the sessions that it opened are revoked, also the current one. A notice is
    /// mailed. The response is 409 `last_sign_in_method` if the user has no password and the passkey is the last one
    /// that can be used. It is 409 `conflict` if second factors are on and the passkey is the last one besides
    /// recovery codes.
    #[oai(path = "/:passkey_id", method = "delete", operation_id = "remove_passkey")]
    async fn remove(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Portal>,
        /// The id of the passkey.
        passkey_id: Path<Field<PasskeyId>>,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND | codes::CONFLICT | codes::LAST_SIGN_IN_METHOD }> {
        own_passkeys::remove(app, &caller.0, passkey_id.0.0).await?;
        Ok(NoContent)
    }
}

#[OpenApi(prefix_path = "/api/staff/passkeys", tag = "Tag::Passkeys")]
impl OwnStaffPasskeys {
    /// List your passkeys as a staff user
    ///
    /// Returns the passkeys of the signed-in user, newest first.
    #[oai(path = "/", method = "get", operation_id = "list_staff_passkeys")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: SessionUser<Staff>,
        /// The largest number of passkeys on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<PasskeyList>, 0> {
        Ok(list_of(app, &caller.0, limit.0, cursor.0.as_deref()).await?)
    }

    /// Start the registration of a passkey as a staff user
    ///
    /// Returns the options with which the browser makes a passkey. `register_staff_passkey` takes the response in
    /// the same session. The response is 409 `conflict` if the user has ten passkeys, or if the public URL of this
    /// installation allows none.
    #[oai(path = "/register-options", method = "post", operation_id = "start_staff_passkey_registration")]
    async fn start_registration(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Staff>,
    ) -> ApiResult<Json<CeremonyOptions>, { codes::CONFLICT | limit::CEREMONIES }> {
        Ok(Json(own_passkeys::start_registration(app, &caller.0).await?.into()))
    }

    /// Register a passkey as a staff user
    ///
    /// Adds the passkey that the browser has made, and mails a notice. Second factors stay on or off. The response
    /// is `invalid_code` for a ceremony that is unknown, used, expired or of another session, and for a response
    /// that is refused. It is 409 `conflict` if the passkey is registered already.
    #[oai(path = "/register", method = "post", operation_id = "register_staff_passkey")]
    async fn register(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Staff>,
        Body(body): Body<NewPasskey>,
    ) -> ApiResult<Created<PasskeyView>, { codes::INVALID_CODE | codes::CONFLICT | limit::TOKEN_NETWORK }> {
        let (presented, name) = body.into_parts();
        let passkey = own_passkeys::register(app, &caller.0, &presented, name.as_ref()).await?;
        Ok(Created(PasskeyView::new(app, passkey)))
    }

    /// Rename a passkey as a staff user
    ///
    /// Changes what the signed-in user calls the passkey.
    #[oai(path = "/:passkey_id", method = "patch", operation_id = "rename_staff_passkey")]
    async fn rename(
        &self,
        Data(app): Data<&App>,
        caller: SessionUser<Staff>,
        /// The id of the passkey.
        passkey_id: Path<Field<PasskeyId>>,
        Body(body): Body<RenamePasskey>,
    ) -> ApiResult<Json<PasskeyView>, { codes::NOT_FOUND }> {
        let passkey = own_passkeys::rename(app, &caller.0, passkey_id.0.0, &body.name.0).await?;
        Ok(Json(PasskeyView::new(app, passkey)))
    }

    /// Remove a passkey as a staff user
    ///
    /// The passkey stops working, and the sessions that it opened are revoked, also the current one. A notice is
    /// mailed. The response is 409 `conflict` if second factors are on and the passkey is the last one besides
    /// recovery codes. A staff user can always sign in with a mailed code.
    #[oai(path = "/:passkey_id", method = "delete", operation_id = "remove_staff_passkey")]
    async fn remove(
        &self,
        Data(app): Data<&App>,
        caller: FreshUnenrolledUser<Staff>,
        /// The id of the passkey.
        passkey_id: Path<Field<PasskeyId>>,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND | codes::CONFLICT }> {
        own_passkeys::remove(app, &caller.0, passkey_id.0.0).await?;
        Ok(NoContent)
    }
}
