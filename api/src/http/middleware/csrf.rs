//! Protection against cross-site request forgery: an unsafe request of a browser must come from a page of an allowed
//! origin.

use poem::{
    Request,
    http::{HeaderMap, Method, header},
};

use super::AllowedOrigins;
use crate::http::error::ApiError;

/// Checks the origin of a request with an unsafe method (RFC 9110 §9.2.1), with or without cookies.
///
/// A request with neither `Origin` nor `Sec-Fetch-Site` was not sent by a page in a browser and passes.
///
/// # Errors
/// `csrf_rejected` if the request carries `Origin` or `Sec-Fetch-Site` and does not come from an allowed origin. The
/// detail and the log name the origin and the setting that would allow it.
pub(super) fn check(request: &Request, origins: &AllowedOrigins) -> Result<(), ApiError> {
    let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if is_safe || is_allowed_origin(request.headers(), origins) {
        return Ok(());
    }
    Err(ApiError::CsrfRejected(origins.refuse(request.headers()).detail))
}

/// Returns whether the headers name one allowed origin, or do not come from a page of another origin.
fn is_allowed_origin(headers: &HeaderMap, allowed: &AllowedOrigins) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => allowed.allows(origin),
        (Some(_), Some(_)) => false,
        (None, _) => {
            let mut sites = headers.get_all("sec-fetch-site").iter();
            sites.all(|site| site == "same-origin")
        }
    }
}

#[cfg(test)]
mod tests {
    use portico_domain::platform::env_reader::Environment;
    use url::Url;

    use super::*;

    #[test]
    fn foreign_pages_are_refused_and_programs_pass() {
        let public_url = Url::parse("https://portal.test").unwrap();
        let allowed = AllowedOrigins::new(&public_url, &[], Environment::Production);
        let check = |headers: &[(&'static str, &str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            is_allowed_origin(&map, &allowed)
        };
        assert!(check(&[]), "a program that is not a browser");
        assert!(check(&[("origin", "https://portal.test"), ("sec-fetch-site", "same-origin")]));
        assert!(check(&[("sec-fetch-site", "same-origin")]));
        for origin in [
            "https://evil.test",
            "null",
            "http://portal.test",
            "https://portal.test.evil",
            "https://portal.test:444",
            "",
        ] {
            assert!(!check(&[("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!check(&[("sec-fetch-site", site)]), "{site}");
        }
        assert!(!check(&[("origin", "https://portal.test"), ("origin", "https://evil.test")]));
    }
}
