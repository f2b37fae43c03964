//! The brand that a page shows: whose page it is.

use std::time::Duration;

use poem_openapi::types::ToJSON;
use portico_domain::{
    platform::{actor::RequestContext, app::App},
    tenancy::branding,
};
use serde_json::Value;
use tokio::time::timeout;
use tracing::warn;

use crate::{http::rate_limit::RateLimits, tenancy::public_brand};

/// How long a page waits for its brand. Without it, the page has the neutral one.
const BRAND_TIMEOUT: Duration = Duration::from_secs(2);

/// What the shell shows of the brand of a tenant.
#[derive(Clone, Debug)]
pub(super) struct Brand {
    /// The slug of the tenant. `None` if the brand is neutral.
    pub(super) tenant: Option<String>,
    /// The name that the pages show.
    pub(super) name: String,
    /// The default language of the tenant.
    pub(super) locale: Option<String>,
    /// The version, which changes with every change of the brand.
    pub(super) version: u32,
    /// The answer of `GET /api/portal/brand`, which the scripts read.
    pub(super) json: Value,
}

impl From<&branding::PublicBrand> for Brand {
    fn from(brand: &branding::PublicBrand) -> Self {
        Self {
            tenant: brand.tenant.clone(),
            name: brand.name.clone(),
            locale: brand.locale.clone(),
            version: brand.version,
            json: public_brand::Brand::from(brand).to_json().unwrap_or_default(),
        }
    }
}

/// Returns the brand of the tenant with this slug, as [`public_brand::find`] does, or the neutral one if the database
/// does not answer: a page is shown in any case.
pub(super) async fn of_slug(
    app: &App,
    rate_limits: &RateLimits,
    context: &RequestContext,
    slug: Option<&str>,
) -> Brand {
    match timeout(BRAND_TIMEOUT, public_brand::find(app, rate_limits, context, slug, None)).await {
        Ok(Ok((brand, _))) => return Brand::from(&*brand),
        Ok(Err(error)) => warn!(%error, "cannot read the brand of a tenant; the page has the neutral one"),
        Err(_) => warn!("the database does not answer; the page has the neutral brand"),
    }
    Brand::from(&branding::PublicBrand::neutral())
}
