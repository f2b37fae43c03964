//! `/api/v1/branding`: the brand of the tenant. Called by staff users.

use poem::{Request, RequestBody, web::Data};
use poem_openapi::{
    ApiRequest, Object, OpenApi,
    payload::{Json, ParsePayload, Payload},
    registry::{MetaSchema, MetaSchemaRef},
    types::MaybeUndefined,
};
use portico_domain::{
    platform::{
        actor::access::{SettingsEdit, SettingsRead},
        app::App,
        email_address::EmailAddress,
        locale::Locale,
        name::Name,
    },
    tenancy::branding::{self, BrandingChange, Color, MAX_UPLOAD_BYTES, Phone},
};

use super::{public_brand::BrandLogo, views::SupportContacts};
use crate::http::{
    auth::Authorized,
    body::{self, Body},
    error::{ApiResult, request},
    fields::Field,
    nullable::Nullable,
    tags::Tag,
};

/// The operations of the tag `branding` of staff users.
pub(crate) struct Branding;

/// The brand of the tenant on pages and in mails.
#[derive(Object)]
#[oai(rename = "Branding")]
struct BrandingView {
    /// The name of the tenant, 1 to 100 characters.
    name: String,
    /// The colours of links and buttons.
    colors: BrandColors,
    /// The contacts of the support, which only people of the tenant see.
    support: SupportContacts,
    /// The language for people who have chosen none, a BCP 47 tag such as `en` or `de-CH`.
    locale: String,
    /// The radius of corners, 0 to 24 pixels.
    radius: u8,
    /// The number of changes of the brand.
    version: u32,
    /// The logo; `null` if there is none.
    logo: Nullable<BrandLogo>,
}

/// The colours of links and buttons.
#[derive(Object)]
struct BrandColors {
    /// The colour in the light theme and in mails: `#` and six hexadecimal digits.
    accent: String,
    /// The colour in the dark theme: `#` and six hexadecimal digits.
    accent_dark: String,
}

/// The fields of the brand to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateBranding {
    /// The new name of the tenant, 1 to 100 characters.
    name: Option<Field<Name>>,
    /// The new colours.
    colors: Option<UpdateBrandColors>,
    /// The new contacts of the support.
    support: Option<UpdateSupportContacts>,
    /// The new language for people who have chosen none, a BCP 47 tag: `en`, `de`, `fr` or `es`, perhaps with a region,
    /// as in `de-CH`.
    locale: Option<Field<Locale>>,
    /// The new radius of corners, 0 to 24 pixels.
    #[oai(validator(minimum(value = "0"), maximum(value = "24")))]
    radius: Option<u8>,
}

/// The colours to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateBrandColors {
    /// The new colour in the light theme and in mails: `#` and six hexadecimal digits. Its contrast to `#ffffff`, to
    /// `#f6f7f9` and to text on it must be at least 4.5.
    accent: Option<Field<Color>>,
    /// The new colour in the dark theme: `#` and six hexadecimal digits. Its contrast to `#111418`, to `#1a1f26` and to
    /// text on it must be at least 4.5.
    accent_dark: Option<Field<Color>>,
}

/// The contacts of the support to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateSupportContacts {
    /// The new email address. `null` removes it.
    email: MaybeUndefined<Nullable<Field<EmailAddress>>>,
    /// The new telephone number: 3 to 15 digits, perhaps after a `+`, with spaces, `-`, `.`, `/`, `(` and `)` between
    /// them. `null` removes it.
    phone: MaybeUndefined<Nullable<Field<Phone>>>,
}

impl From<branding::Branding> for BrandingView {
    fn from(brand: branding::Branding) -> Self {
        let logo = brand.logo.as_ref().map(|logo| BrandLogo::new(logo, &brand.slug, brand.version));
        Self {
            name: brand.name,
            colors: BrandColors { accent: brand.accent.to_string(), accent_dark: brand.accent_dark.to_string() },
            support: brand.support.into(),
            locale: brand.locale,
            radius: brand.radius,
            version: brand.version,
            logo: Nullable(logo),
        }
    }
}

impl From<UpdateBranding> for BrandingChange {
    fn from(body: UpdateBranding) -> Self {
        let (colors, support) = (body.colors, body.support);
        let (accent, accent_dark) = colors.map(|colors| (colors.accent, colors.accent_dark)).unwrap_or_default();
        let (email, phone) = support.map_or((None, None), |support| (change(support.email), change(support.phone)));
        Self {
            name: body.name.map(|Field(name)| name),
            accent: accent.map(|Field(color)| color),
            accent_dark: accent_dark.map(|Field(color)| color),
            support_email: email,
            support_phone: phone,
            locale: body.locale.map(|Field(locale)| locale),
            radius: body.radius,
        }
    }
}

/// Returns `None` for an absent field, `Some(None)` for `null`, and the value otherwise.
fn change<T>(field: MaybeUndefined<Nullable<Field<T>>>) -> Option<Option<T>> {
    match field {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(Nullable(value)) => Some(value.map(|Field(value)| value)),
    }
}

/// An image file.
#[derive(ApiRequest)]
enum LogoUpload {
    /// A PNG file.
    Png(PngUpload),
    /// A JPEG file.
    Jpeg(JpegUpload),
    /// A WebP file.
    Webp(WebpUpload),
}

/// Defines a request body of one media type of images. The content is not looked at: the use case decides what it is.
macro_rules! image_payload {
    ($(#[$doc:meta])* $name:ident, $media_type:literal) => {
        $(#[$doc])*
        struct $name(Vec<u8>);

        impl Payload for $name {
            const CONTENT_TYPE: &'static str = $media_type;

            fn check_content_type(content_type: &str) -> bool {
                body::has_type(content_type, $media_type, &[])
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")))
            }
        }

        impl ParsePayload for $name {
            const IS_REQUIRED: bool = true;

            async fn from_request(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
                Ok(Self(body::read(request, body, MAX_UPLOAD_BYTES).await?))
            }
        }
    };
}

image_payload!(
    /// A body of the media type `image/png`.
    PngUpload,
    "image/png"
);
image_payload!(
    /// A body of the media type `image/jpeg`.
    JpegUpload,
    "image/jpeg"
);
image_payload!(
    /// A body of the media type `image/webp`.
    WebpUpload,
    "image/webp"
);

#[OpenApi(prefix_path = "/api/v1/branding", tag = "Tag::Branding")]
impl Branding {
    /// Get the brand
    ///
    /// Returns the brand of the caller's tenant.
    #[oai(path = "/", method = "get", operation_id = "get_branding")]
    async fn get(&self, Data(app): Data<&App>, caller: Authorized<SettingsRead>) -> ApiResult<Json<BrandingView>, 0> {
        Ok(Json(branding::get(app, &caller).await?.into()))
    }

    /// Update the brand
    ///
    /// Changes the given fields of the brand, on pages within 15 seconds and in mails at once. A colour that cannot be
    /// read is 422 with the field code `contrast_too_low`, and `suggestion` is the nearest colour of the same hue that
    /// can. The colour of text on buttons is white or nearly black, the one with the better contrast.
    #[oai(path = "/", method = "patch", operation_id = "update_branding")]
    async fn update(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<SettingsEdit>,
        Body(body): Body<UpdateBranding>,
    ) -> ApiResult<Json<BrandingView>, 0> {
        Ok(Json(branding::change(app, &caller, body.into()).await?.into()))
    }

    /// Replace the logo
    ///
    /// Takes a PNG, JPEG or WebP file of at most 1 MiB, whose image has at most 16 megapixels and 16,384 pixels on each
    /// side. The image is turned as its metadata says, scaled down to at most 800 by 320 pixels, and stored as PNG
    /// without metadata. Of an animation, the first image is taken. A file that cannot be decoded is 422 with the field
    /// code `image_invalid`, and a larger image is 422 with `image_too_large`.
    #[oai(path = "/logo", method = "put", operation_id = "set_logo")]
    async fn set_logo(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<SettingsEdit>,
        upload: LogoUpload,
    ) -> ApiResult<Json<BrandingView>, { request::LARGE_BODY }> {
        let (LogoUpload::Png(PngUpload(file))
        | LogoUpload::Jpeg(JpegUpload(file))
        | LogoUpload::Webp(WebpUpload(file))) = upload;
        Ok(Json(branding::set_logo(app, &caller, file).await?.into()))
    }

    /// Remove the logo
    ///
    /// Removes the logo of the caller's tenant. The response is the same if it has none.
    #[oai(path = "/logo", method = "delete", operation_id = "remove_logo")]
    async fn remove_logo(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<SettingsEdit>,
    ) -> ApiResult<Json<BrandingView>, 0> {
        Ok(Json(branding::remove_logo(app, &caller).await?.into()))
    }
}
