//! The brand that a page shows: whose page it is.

use portico_domain::platform::app::App;
use serde_json::{Value, json};

/// What everyone may know of the brand of a tenant.
pub(super) struct Brand {
    /// The slug of the tenant. `None` if the brand is neutral.
    pub(super) tenant: Option<String>,
    /// The name that the pages show.
    pub(super) name: String,
    /// The default language of the tenant.
    pub(super) locale: Option<String>,
    /// The version, which changes with every change of the brand.
    pub(super) version: u32,
}

impl Brand {
    /// Returns the brand in the form of `GET /api/portal/brand`.
    pub(super) fn to_json(&self) -> Value {
        let Self { tenant, name, locale, version } = self;
        json!({ "tenant": tenant, "name": name, "logo": null, "locale": locale, "version": version })
    }
}

/// Returns the brand of the tenant with this slug.
pub(super) async fn of_slug(_: &App, _: Option<&str>) -> Brand {
    Brand { tenant: None, name: "Client portal".into(), locale: None, version: 0 }
}
