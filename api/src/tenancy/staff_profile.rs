//! `/api/staff/profile`: what staff users can read and change of themselves.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, payload::Json, types::MaybeUndefined};
use portico_domain::{
    entity::staff_user,
    platform::{app::App, locale::Locale, name::Name},
    tenancy::staff::{self, ProfileChange},
};
use uuid::Uuid;

use crate::{
    http::{auth::StaffUser, body::Body, error::ApiResult, fields::Field, nullable::Nullable, tags::Tag},
    tenancy::views::StaffRole,
};

/// The operations of the tag `staff` on the staff user's own profile.
pub(crate) struct StaffProfile;

/// The profile of the signed-in staff user.
#[derive(Object)]
#[oai(rename = "StaffProfile")]
struct Profile {
    /// The id of the staff user (UUIDv7).
    id: Uuid,
    /// The email address, in lower case. It cannot be changed.
    email: String,
    /// The name, 1 to 100 characters.
    name: String,
    /// The preferred language as a BCP 47 tag: `en`, `de`, `fr` or `es`, perhaps with a region, as in `de-CH`; `null`
    /// for that of the tenant.
    locale: Nullable<String>,
    /// The role. Only an owner can change it.
    role: StaffRole,
}

/// The fields of the profile to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateStaffProfile {
    /// The new name, 1 to 100 characters.
    name: Option<Field<Name>>,
    /// The new preferred language as a BCP 47 tag: `en`, `de`, `fr` or `es`, perhaps with a region, as in `de-CH`.
    /// `null` removes it.
    locale: MaybeUndefined<Nullable<Field<Locale>>>,
}

impl From<&staff_user::Model> for Profile {
    fn from(user: &staff_user::Model) -> Self {
        Self {
            id: user.id.0,
            email: user.email.clone(),
            name: user.name.clone(),
            locale: Nullable(user.locale.clone()),
            role: user.role.into(),
        }
    }
}

#[OpenApi(prefix_path = "/api/staff/profile", tag = "Tag::Staff")]
impl StaffProfile {
    /// Get the own profile of a staff user
    ///
    /// Returns the profile of the signed-in staff user.
    #[oai(path = "/", method = "get", operation_id = "get_staff_profile")]
    async fn get(&self, caller: StaffUser) -> ApiResult<Json<Profile>, 0> {
        Ok(Json((&caller.user).into()))
    }

    /// Update the own profile of a staff user
    ///
    /// Changes the given fields of the signed-in staff user's profile. Of two requests at the same time that change the
    /// same field, the later one counts.
    #[oai(path = "/", method = "patch", operation_id = "update_staff_profile")]
    async fn update(
        &self,
        Data(app): Data<&App>,
        caller: StaffUser,
        Body(body): Body<UpdateStaffProfile>,
    ) -> ApiResult<Json<Profile>, 0> {
        let locale = match body.locale {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(Nullable(locale)) => Some(locale.map(|Field(locale)| locale.to_string())),
        };
        let change = ProfileChange { name: body.name.map(|Field(name)| name), locale };
        Ok(Json((&staff::change_profile(app, &caller, change).await?).into()))
    }
}
