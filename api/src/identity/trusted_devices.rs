//! `/api/portal/trusted-devices`: the browsers in which the signed-in portal user is not asked for the second factor.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::{TrustedDeviceId, trusted_device},
    identity::trusted_devices,
    platform::{
        app::App,
        language::Language,
        page::{Page, PageRequest},
        user_agent,
    },
};
use uuid::Uuid;

use crate::http::{
    auth::PortalUser,
    error::{ApiResult, codes},
    fields::Field,
    nullable::Nullable,
    page,
    response::NoContent,
    tags::Tag,
};

/// The operations of the tag `second factors` on trusted devices.
pub(crate) struct TrustedDevices;

/// A trusted device of the caller.
#[derive(Object)]
struct TrustedDevice {
    /// The id of the device (UUIDv7).
    id: Uuid,
    /// The browser and the system, such as `Firefox on Windows`, as far as the user agent tells them; otherwise
    /// `Unknown device`.
    device: String,
    /// The IP address from which the device was added; `null` if it is unknown.
    ip: Nullable<String>,
    /// When the device was added (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// When a sign-in last used the device (RFC 3339, UTC).
    last_used_at: DateTime<Utc>,
    /// When the device stops being trusted (RFC 3339, UTC). A sign-in does not change it.
    expires_at: DateTime<Utc>,
}

/// A page of trusted devices, newest first.
#[derive(Object)]
struct TrustedDeviceList {
    /// The devices of this page.
    data: Vec<TrustedDevice>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

impl From<trusted_device::Model> for TrustedDevice {
    fn from(device: trusted_device::Model) -> Self {
        Self {
            id: device.id.0,
            device: user_agent::device_name(device.user_agent.as_deref(), Language::English),
            ip: Nullable(device.ip),
            created_at: device.created_at,
            last_used_at: device.last_used_at,
            expires_at: device.expires_at,
        }
    }
}

#[OpenApi(prefix_path = "/api/portal/trusted-devices", tag = "Tag::SecondFactors")]
impl TrustedDevices {
    /// List your trusted devices
    ///
    /// Returns the browsers in which a sign-in of the signed-in portal user does not ask for the second factor, newest
    /// first.
    #[oai(path = "/", method = "get", operation_id = "list_trusted_devices")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: PortalUser,
        /// The largest number of devices on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<TrustedDeviceList>, 0> {
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let Page { data, next_cursor } = trusted_devices::list(app, &caller, &page).await?.map(Into::into);
        Ok(Json(TrustedDeviceList { data, next_cursor: Nullable(next_cursor) }))
    }

    /// Remove a trusted device
    ///
    /// The next sign-in in that browser asks for the second factor. A device of another user and one that is no longer
    /// trusted are 404.
    #[oai(path = "/:device_id", method = "delete", operation_id = "remove_trusted_device")]
    async fn remove(
        &self,
        Data(app): Data<&App>,
        caller: PortalUser,
        /// The id of the device.
        device_id: Path<Field<TrustedDeviceId>>,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND }> {
        trusted_devices::remove(app, &caller, device_id.0.0).await?;
        Ok(NoContent)
    }

    /// Remove all trusted devices
    ///
    /// The next sign-in in each browser asks for the second factor.
    #[oai(path = "/", method = "delete", operation_id = "remove_trusted_devices")]
    async fn remove_all(&self, Data(app): Data<&App>, caller: PortalUser) -> ApiResult<NoContent, 0> {
        trusted_devices::remove_all(app, &caller).await?;
        Ok(NoContent)
    }
}
