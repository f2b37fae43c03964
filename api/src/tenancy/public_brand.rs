//! `/api/portal/brand`: the brand of a tenant, as everyone may see it.

use std::sync::Arc;

use poem::{Request, web::Data};
use poem_openapi::{Object, OpenApi, param::Query, payload::Json};
use portico_domain::{
    limits,
    platform::{actor::RequestContext, app::App, error::Error, metrics, slug::Slug},
    tenancy::branding::{self, Logo, PublicBrand},
};

use crate::http::{
    auth::Anonymous,
    cacheable::{Cacheable, Css, Png},
    error::{ApiResult, codes, request},
    nullable::Nullable,
    rate_limit::RateLimits,
    tags::Tag,
};

/// The operations of the tag `branding` that everyone may call.
pub(crate) struct PublicBrands;

/// The brand of a tenant, or the neutral one.
#[derive(Object)]
pub(crate) struct Brand {
    /// The slug of the tenant; `null` for the neutral brand.
    tenant: Nullable<String>,
    /// The name.
    name: String,
    /// The logo; `null` if there is none.
    logo: Nullable<BrandLogo>,
    /// The language for people who have chosen none, a BCP 47 tag; `null` for the neutral brand.
    locale: Nullable<String>,
    /// The number of changes of the brand; 0 for the neutral brand.
    version: u32,
}

/// A logo.
#[derive(Object)]
pub(crate) struct BrandLogo {
    /// The address of the image, below the address of Portico. It changes with the brand.
    url: String,
    /// The width of the image, in pixels.
    width: u32,
    /// The height of the image, in pixels.
    height: u32,
}

impl BrandLogo {
    /// Returns the view of a logo of the tenant with this slug.
    pub(crate) fn new(logo: &Logo, slug: &str, version: u32) -> Self {
        let url = format!("/api/portal/logo?tenant={slug}&v={version}");
        Self { url, width: logo.width, height: logo.height }
    }
}

impl From<&PublicBrand> for Brand {
    fn from(brand: &PublicBrand) -> Self {
        let slug = brand.tenant.as_deref().unwrap_or_default();
        Self {
            tenant: Nullable(brand.tenant.clone()),
            name: brand.name.clone(),
            logo: Nullable(brand.logo.as_ref().map(|logo| BrandLogo::new(logo, slug, brand.version))),
            locale: Nullable(brand.locale.clone()),
            version: brand.version,
        }
    }
}

#[OpenApi(prefix_path = "/api/portal", tag = "Tag::Branding")]
impl PublicBrands {
    /// Get the brand of a tenant
    ///
    /// Returns what a page needs to show the brand before a person has signed in. The response is the neutral brand for
    /// a tenant that does not exist or is suspended. A network that asks for many of these gets the neutral brand for
    /// every tenant for a while. A change may take 15 seconds to be seen.
    #[oai(path = "/brand", method = "get", operation_id = "get_brand")]
    async fn brand(
        &self,
        Data(app): Data<&App>,
        Data(rate_limits): Data<&Arc<RateLimits>>,
        caller: Anonymous,
        /// The slug of the tenant. If it is absent, the neutral brand is returned.
        tenant: Query<Option<String>>,
    ) -> ApiResult<Json<Brand>, { request::UNCOUNTED }> {
        let (brand, _) = find(app, rate_limits, &caller.context, tenant.0.as_deref(), None).await?;
        Ok(Json(Brand::from(&*brand)))
    }

    /// Get the style sheet of a brand
    ///
    /// Returns a style sheet of one rule, which sets the custom properties of the brand for `:root`. It may be cached
    /// for five minutes, unless `v` names another version than the response has.
    #[oai(path = "/brand.css", method = "get", operation_id = "get_brand_style")]
    async fn style(
        &self,
        Data(app): Data<&App>,
        Data(rate_limits): Data<&Arc<RateLimits>>,
        request: &Request,
        caller: Anonymous,
        /// The slug of the tenant. If it is absent, the style sheet of the neutral brand is returned.
        tenant: Query<Option<String>>,
        /// The version of the brand, so that the address changes with the brand.
        v: Query<Option<String>>,
    ) -> ApiResult<Cacheable<Css>, { request::UNCOUNTED }> {
        let (brand, is_fresh) = find(app, rate_limits, &caller.context, tenant.0.as_deref(), v.0.as_deref()).await?;
        Ok(Cacheable::new(request, branding::css(&brand).as_bytes(), is_fresh))
    }

    /// Get the logo of a tenant
    ///
    /// Returns the logo as a PNG image of at most 800 by 320 pixels. The response is 404 if the tenant does not exist,
    /// is suspended or has no logo. It may be cached for five minutes, unless `v` names another version of the brand
    /// than the response has.
    #[oai(path = "/logo", method = "get", operation_id = "get_logo")]
    async fn logo(
        &self,
        Data(app): Data<&App>,
        Data(rate_limits): Data<&Arc<RateLimits>>,
        request: &Request,
        caller: Anonymous,
        /// The slug of the tenant.
        tenant: Query<Option<String>>,
        /// The version of the brand, so that the address changes with the brand.
        v: Query<Option<String>>,
    ) -> ApiResult<Cacheable<Png>, { codes::NOT_FOUND | request::UNCOUNTED }> {
        let (brand, is_fresh) = find(app, rate_limits, &caller.context, tenant.0.as_deref(), v.0.as_deref()).await?;
        let image = branding::logo_image(app, &brand).await?.ok_or(Error::NOT_FOUND)?;
        Ok(Cacheable::with_hash(request, &image.png, &image.hash, is_fresh))
    }
}

/// Returns the brand of the active tenant with this slug, or the neutral brand if there is none. Also returns whether
/// it may be cached: whether it is the version that the request names. A request without a version takes any.
///
/// Each slug that no active tenant has is counted for the network of the request. After too many of them, the network
/// gets the neutral brand for every slug, so that slugs cannot be guessed. A page is shown all the same.
///
/// # Errors
/// `unavailable` or `internal`: the database failed.
pub(crate) async fn find(
    app: &App,
    rate_limits: &RateLimits,
    context: &RequestContext,
    slug: Option<&str>,
    version: Option<&str>,
) -> Result<(Arc<PublicBrand>, bool), Error> {
    let version: Option<u32> = version.and_then(|version| version.parse().ok());
    let (misses, network) = (rate_limits.brand_misses(), context.network());
    // A text that cannot be a slug tells nothing about tenants.
    let slug = slug.filter(|slug| slug.parse::<Slug>().is_ok());
    let is_limited = || slug.is_some() && misses.check(&network).is_err();
    let hidden = || {
        metrics::rate_limited(limits::BRAND_MISSES.name);
        (Arc::new(PublicBrand::neutral()), false)
    };
    if is_limited() {
        return Ok(hidden());
    }
    let brand = branding::find_public(app, slug, version.unwrap_or(0)).await?;
    if slug.is_some() && brand.tenant.is_none() {
        misses.count(&network);
    }
    // Guesses that are sent at the same time are all looked up before the first one is counted.
    if is_limited() {
        return Ok(hidden());
    }
    let is_fresh = version.is_none_or(|version| version == brand.version);
    Ok((brand, is_fresh))
}
