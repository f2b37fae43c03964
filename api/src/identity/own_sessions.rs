//! `/api/portal/sessions` and `/api/staff/sessions`: the sessions of the signed-in user, listed and ended one by one.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::{SessionId, session},
    identity::sessions,
    platform::{
        actor,
        app::App,
        error::Error,
        language::Language,
        page::{Page, PageRequest},
        user_agent,
    },
};
use uuid::Uuid;

use crate::http::{
    auth::{Portal, RealmType, SessionUser, Staff},
    cookies,
    error::{ApiResult, codes},
    fields::Field,
    nullable::Nullable,
    page,
    response::{NoContent, WithCookies},
    tags::Tag,
};

/// The operations of the tag `portal sessions` on the sessions of the caller.
pub(crate) struct OwnSessions;

/// The operations of the tag `staff sessions` on the sessions of the caller.
pub(crate) struct OwnStaffSessions;

/// A live session of the caller.
#[derive(Object)]
struct OwnSession {
    /// The id of the session (UUIDv7).
    id: Uuid,
    /// Whether it is the session of this request.
    current: bool,
    /// The browser and the system from which the session was opened, such as `Firefox on Windows`, as far as the user
    /// agent tells them; otherwise `Unknown device`.
    device: String,
    /// The IP address from which the session was opened; `null` if it is unknown.
    ip: Nullable<String>,
    /// When the session was opened (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// When the session was last used (RFC 3339, UTC), with a resolution of one minute.
    last_seen_at: DateTime<Utc>,
}

/// A page of live sessions, newest first.
#[derive(Object)]
struct OwnSessionList {
    /// The sessions of this page.
    data: Vec<OwnSession>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

impl OwnSession {
    /// Returns the view of `session` for the caller whose session is `current`.
    fn new(session: session::Model, current: SessionId) -> Self {
        Self {
            id: session.id.0,
            current: session.id == current,
            device: user_agent::device_name(session.user_agent.as_deref(), Language::English),
            ip: Nullable(session.ip),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
        }
    }
}

/// Returns a page of the sessions of `caller`.
async fn list(
    app: &App,
    caller: &actor::SessionUser,
    limit: u64,
    cursor: Option<&str>,
) -> Result<Json<OwnSessionList>, Error> {
    let page = sessions::list(app, caller, &PageRequest::new(limit, cursor)?).await?;
    let Page { data, next_cursor } = page.map(|session| OwnSession::new(session, caller.session.id));
    Ok(Json(OwnSessionList { data, next_cursor: Nullable(next_cursor) }))
}

/// Ends the session `id` of `caller`. Deletes the cookies if it is the session of the request.
async fn end<R: RealmType>(
    app: &App,
    caller: &actor::SessionUser,
    id: SessionId,
) -> Result<WithCookies<NoContent>, Error> {
    sessions::end_one(app, caller, id).await?;
    let is_current = id == caller.session.id;
    Ok(WithCookies(NoContent, if is_current { cookies::deletion_cookies(app, R::REALM) } else { Vec::new() }))
}

#[OpenApi(prefix_path = "/api/portal/sessions", tag = "Tag::PortalSessions")]
impl OwnSessions {
    /// List your sessions
    ///
    /// Returns the live sessions of the signed-in portal user, newest first.
    #[oai(path = "/", method = "get", operation_id = "list_sessions")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: SessionUser<Portal>,
        /// The largest number of sessions on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<OwnSessionList>, 0> {
        Ok(list(app, &caller.0, limit.0, cursor.0.as_deref()).await?)
    }

    /// End one of your sessions
    ///
    /// Revokes a session of the signed-in portal user. If it is the current session, the cookies are deleted. A session
    /// of another user and a session that has ended are 404.
    #[oai(path = "/:session_id", method = "delete", operation_id = "end_session")]
    async fn end(
        &self,
        Data(app): Data<&App>,
        caller: SessionUser<Portal>,
        /// The id of the session.
        session_id: Path<Field<SessionId>>,
    ) -> ApiResult<WithCookies<NoContent>, { codes::NOT_FOUND }> {
        Ok(end::<Portal>(app, &caller.0, session_id.0.0).await?)
    }

    /// End your other sessions
    ///
    /// Revokes every session of the signed-in portal user except the current one.
    #[oai(path = "/", method = "delete", operation_id = "end_other_sessions")]
    async fn end_others(&self, Data(app): Data<&App>, caller: SessionUser<Portal>) -> ApiResult<NoContent, 0> {
        sessions::end_others(app, &caller.0).await?;
        Ok(NoContent)
    }
}

#[OpenApi(prefix_path = "/api/staff/sessions", tag = "Tag::StaffSessions")]
impl OwnStaffSessions {
    /// List your sessions
    ///
    /// Returns the live sessions of the signed-in staff user, newest first.
    #[oai(path = "/", method = "get", operation_id = "list_staff_sessions")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: SessionUser<Staff>,
        /// The largest number of sessions on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<OwnSessionList>, 0> {
        Ok(list(app, &caller.0, limit.0, cursor.0.as_deref()).await?)
    }

    /// End one of your sessions
    ///
    /// Revokes a session of the signed-in staff user. If it is the current session, the cookies are deleted. A session
    /// of another user and a session that has ended are 404.
    #[oai(path = "/:session_id", method = "delete", operation_id = "end_staff_session")]
    async fn end(
        &self,
        Data(app): Data<&App>,
        caller: SessionUser<Staff>,
        /// The id of the session.
        session_id: Path<Field<SessionId>>,
    ) -> ApiResult<WithCookies<NoContent>, { codes::NOT_FOUND }> {
        Ok(end::<Staff>(app, &caller.0, session_id.0.0).await?)
    }

    /// End your other sessions
    ///
    /// Revokes every session of the signed-in staff user except the current one.
    #[oai(path = "/", method = "delete", operation_id = "end_other_staff_sessions")]
    async fn end_others(&self, Data(app): Data<&App>, caller: SessionUser<Staff>) -> ApiResult<NoContent, 0> {
        sessions::end_others(app, &caller.0).await?;
        Ok(NoContent)
    }
}
