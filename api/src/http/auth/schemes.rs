//! The security schemes of the document: where a request carries its credential.

use poem_openapi::registry::{MetaSecurityScheme, Registry};
use portico_domain::platform::actor::Realm;

use crate::http::cookies::Cookie;

/// Where a request carries a credential.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scheme {
    /// An access token in the `Authorization` header.
    AccessHeader(Realm),
    /// An access token in a cookie.
    AccessCookie(Realm),
    /// A refresh token in a cookie.
    RefreshCookie(Realm),
    /// An API token in the `Authorization` header.
    ApiToken,
}

impl Scheme {
    /// Returns where a request carries an access token.
    pub(super) const fn access(realm: Realm) -> [Self; 2] {
        [Self::AccessHeader(realm), Self::AccessCookie(realm)]
    }

    /// Returns where a request of a staff user or of a program carries its credential.
    pub(super) const fn access_or_api_token() -> [Self; 3] {
        [Self::AccessHeader(Realm::Staff), Self::AccessCookie(Realm::Staff), Self::ApiToken]
    }

    /// Returns the name in the document.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AccessHeader(Realm::Portal) => "PortalBearer",
            Self::AccessHeader(Realm::Staff) => "StaffBearer",
            Self::AccessCookie(Realm::Portal) => "PortalCookie",
            Self::AccessCookie(Realm::Staff) => "StaffCookie",
            Self::RefreshCookie(Realm::Portal) => "PortalRefreshCookie",
            Self::RefreshCookie(Realm::Staff) => "StaffRefreshCookie",
            Self::ApiToken => "ApiToken",
        }
    }

    /// Returns the description in the document.
    fn meta(self) -> MetaSecurityScheme {
        match self {
            Self::AccessHeader(_) => {
                bearer("JWT", "The access token. If a request has this header, its cookies are ignored.")
            }
            Self::ApiToken => bearer(
                "pat_",
                "An API token, which begins with `pat_`: a personal access token of a staff user, or the token of a \
                 service account. It is valid for `/api/v1` only, and never where a fresh session is needed.",
            ),
            Self::AccessCookie(realm) => cookie(Cookie::Access(realm), "The access token, set at sign-in."),
            Self::RefreshCookie(realm) => cookie(Cookie::Refresh(realm), "The refresh token, set at sign-in."),
        }
    }
}

/// Adds `schemes` to the document.
pub(super) fn register(registry: &mut Registry, schemes: &[Scheme]) {
    for scheme in schemes {
        registry.create_security_scheme(scheme.name(), scheme.meta());
    }
}

fn bearer(format: &'static str, description: &'static str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "http",
        description: Some(description),
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: Some(format),
        flows: None,
        openid_connect_url: None,
    }
}

fn cookie(cookie: Cookie, description: &'static str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "apiKey",
        description: Some(description),
        name: Some(cookie.name_without_prefix()),
        key_in: Some("cookie"),
        scheme: None,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    }
}
