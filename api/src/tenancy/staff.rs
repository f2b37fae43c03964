//! `/api/v1/staff`: the staff users of the tenant. Called by staff users and programs.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::{StaffUserId, service_account, staff_user},
    platform::{
        actor::access::{StaffEdit, StaffRead},
        app::App,
        email_address::EmailAddress,
        name::Name,
        page::{Page, PageRequest},
    },
    tenancy::staff::{self, NewStaff, StaffChange},
};
use uuid::Uuid;

use crate::{
    http::{
        auth::Authorized,
        body::Body,
        error::{ApiResult, codes, limit},
        fields::Field,
        nullable::Nullable,
        page,
        response::{Created, NoContent},
        tags::Tag,
    },
    tenancy::views::StaffRole,
};

/// The operations of the tag `staff` on all staff of the tenant.
pub(crate) struct Staff;

/// A staff user or a service account of the tenant.
#[derive(Object)]
struct StaffMember {
    /// The id of the staff user or the service account (UUIDv7).
    id: Uuid,
    /// The email address, in lower case; `null` for a service account, which has none.
    email: Nullable<String>,
    /// The name, 1 to 100 characters.
    name: String,
    /// The role.
    role: StaffRole,
    /// Whether it is a person or a program.
    kind: StaffKind,
    /// The status.
    status: StaffStatus,
    /// When the staff user last signed in (RFC 3339, UTC); `null` if never, and for a service account, which does not
    /// sign in.
    last_sign_in_at: Nullable<DateTime<Utc>>,
}

/// Whether a member of the staff is a person or a program.
///
/// - `person`: a staff user, who signs in with a mailed code.
/// - `service`: a service account, which acts by API tokens. It is managed by the operations on service accounts.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
enum StaffKind {
    /// A staff user.
    Person,
    /// A service account.
    Service,
}

/// The status of a staff user or a service account.
///
/// - `active`: can act for the tenant.
/// - `disabled`: cannot sign in.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
enum StaffStatus {
    /// Can act for the tenant.
    Active,
    /// Cannot sign in.
    Disabled,
}

/// A page of the staff, oldest first.
#[derive(Object)]
struct StaffList {
    /// The staff users and service accounts of this page.
    data: Vec<StaffMember>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// A new staff user.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct InviteStaff {
    /// The email address, at most 254 characters. It is trimmed and stored in lower case. It cannot be changed later.
    email: Field<EmailAddress>,
    /// The name, 1 to 100 characters. The default is the part of the address before the `@`.
    name: Option<Field<Name>>,
    /// The role.
    role: StaffRole,
}

/// The fields of a staff user to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateStaff {
    /// The new name, 1 to 100 characters.
    name: Option<Field<Name>>,
    /// The new role. It takes effect at the next request.
    role: Option<StaffRole>,
}

impl From<staff_user::Model> for StaffMember {
    fn from(user: staff_user::Model) -> Self {
        Self {
            id: user.id.0,
            email: Nullable(Some(user.email)),
            name: user.name,
            role: user.role.into(),
            kind: StaffKind::Person,
            status: if user.disabled_at.is_some() { StaffStatus::Disabled } else { StaffStatus::Active },
            last_sign_in_at: Nullable(user.last_sign_in_at),
        }
    }
}

impl From<service_account::Model> for StaffMember {
    fn from(account: service_account::Model) -> Self {
        Self {
            id: account.id.0,
            email: Nullable(None),
            name: account.name,
            role: account.role.into(),
            kind: StaffKind::Service,
            status: StaffStatus::Active,
            last_sign_in_at: Nullable(None),
        }
    }
}

impl From<staff::StaffMember> for StaffMember {
    fn from(member: staff::StaffMember) -> Self {
        match member {
            staff::StaffMember::Person(user) => user.into(),
            staff::StaffMember::Service(account) => account.into(),
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/staff", tag = "Tag::Staff")]
impl Staff {
    /// List staff
    ///
    /// Returns the staff users and the service accounts of the caller's tenant, oldest first.
    #[oai(path = "/", method = "get", operation_id = "list_staff")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffRead>,
        /// The largest number of items on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<StaffList>, 0> {
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let Page { data, next_cursor } = staff::list(app, &caller, &page).await?.map(Into::into);
        Ok(Json(StaffList { data, next_cursor: Nullable(next_cursor) }))
    }

    /// Invite a staff user
    ///
    /// Adds a staff user to the caller's tenant and mails them where to sign in. They sign in with a mailed code. The
    /// response is 409 `conflict` if the address belongs to a staff user of any tenant; this counts as an invitation.
    #[oai(path = "/", method = "post", operation_id = "invite_staff")]
    async fn invite(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffEdit>,
        Body(body): Body<InviteStaff>,
    ) -> ApiResult<Created<StaffMember>, { codes::CONFLICT | limit::INVITE }> {
        let name = body.name.map(|Field(name)| name);
        let new = NewStaff { email: body.email.0, name, role: body.role.into() };
        Ok(Created(staff::invite(app, &caller, new).await?.into()))
    }

    /// Update a staff user
    ///
    /// Changes the given fields of a staff user. Of two requests at the same time that change the same field, the later
    /// one counts. The response is 409 `last_owner` if the last owner would get another role; service accounts are no
    /// owners. An owner may change their own role if another owner remains.
    #[oai(path = "/:staff_id", method = "patch", operation_id = "update_staff")]
    async fn update(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffEdit>,
        /// The id of the staff user.
        staff_id: Path<Field<StaffUserId>>,
        Body(body): Body<UpdateStaff>,
    ) -> ApiResult<Json<StaffMember>, { codes::NOT_FOUND | codes::LAST_OWNER }> {
        let change = StaffChange { name: body.name.map(|Field(name)| name), role: body.role.map(Into::into) };
        Ok(Json(staff::change(app, &caller, staff_id.0.0, change).await?.into()))
    }

    /// Remove a staff user
    ///
    /// Ends the sessions and the API tokens of the staff user immediately, and frees the address. The audit log keeps
    /// the name. Service accounts that the staff user has created stay. The response is 409 `last_owner` if it is the
    /// last owner. An owner may remove themselves if another owner remains.
    #[oai(path = "/:staff_id", method = "delete", operation_id = "remove_staff")]
    async fn remove(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffEdit>,
        /// The id of the staff user.
        staff_id: Path<Field<StaffUserId>>,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND | codes::LAST_OWNER }> {
        staff::remove(app, &caller, staff_id.0.0).await?;
        Ok(NoContent)
    }
}
