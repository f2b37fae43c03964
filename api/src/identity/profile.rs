//! `/api/portal/profile`: the profile of the signed-in portal user.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, payload::Json, types::MaybeUndefined};
use portico_domain::{
    identity::profile::{self, ProfileChange},
    platform::{app::App, locale::Locale, name::Name},
};

use crate::{
    http::{auth::PortalUser, body::Body, error::ApiResult, fields::Field, nullable::Nullable, tags::Tag},
    identity::views::User,
};

/// The operations of the tag `profile`.
pub(crate) struct Profile;

/// The fields of the profile to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateProfile {
    /// The new name, 1 to 100 characters.
    name: Option<Field<Name>>,
    /// The language of the user's mail as a BCP 47 tag: `en`, `de`, `fr` or `es`, perhaps with a region, as in `de-CH`.
    /// `null` selects the language of the tenant.
    locale: MaybeUndefined<Nullable<Field<Locale>>>,
}

#[OpenApi(prefix_path = "/api/portal/profile", tag = "Tag::Profile")]
impl Profile {
    /// Get the profile
    ///
    /// Returns the profile of the signed-in portal user.
    #[oai(path = "/", method = "get", operation_id = "get_profile")]
    async fn get(&self, caller: PortalUser) -> ApiResult<Json<User>, 0> {
        Ok(Json(User::from(&caller.user)))
    }

    /// Update the profile
    ///
    /// Changes the given fields of the profile. The name is the user's own: a tenant continues to see the name that it
    /// has entered. The address and the role cannot be changed. Of two concurrent updates, each field keeps the value
    /// of the one that was written last.
    #[oai(path = "/", method = "patch", operation_id = "update_profile")]
    async fn update(
        &self,
        Data(app): Data<&App>,
        caller: PortalUser,
        Body(body): Body<UpdateProfile>,
    ) -> ApiResult<Json<User>, 0> {
        let locale = match body.locale {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(Nullable(locale)) => Some(locale.map(|Field(locale)| locale)),
        };
        let change = ProfileChange { name: body.name.map(|Field(name)| name), locale };
        Ok(Json(User::from(&profile::change(app, &caller, change).await?)))
    }
}
