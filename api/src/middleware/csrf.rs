//! Cross-site request forgery: an unsafe request that a browser sends must come from a page of ours.

use poem::{
    Request,
    http::{HeaderMap, Method, header},
};
use portico_domain::error::Error;

/// Refuses an unsafe request that carries `Origin` or `Sec-Fetch-Site` and does not come from an allowed origin, whether
/// it carries cookies or not. One that carries neither was not sent by a browser's page and passes.
pub(super) fn check(request: &Request, allowed: &[String]) -> Result<(), Error> {
    let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if is_safe || is_from_us(request.headers(), allowed) { Ok(()) } else { Err(Error::Forbidden("csrf_rejected")) }
}

fn is_from_us(headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => origin.to_str().is_ok_and(|origin| allowed.iter().any(|one| one == origin)),
        (Some(_), Some(_)) => false,
        (None, _) => {
            let mut sites = headers.get_all("sec-fetch-site").iter();
            sites.all(|site| site == "same-origin")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_and_no_browser_at_all() {
        let allowed = ["https://portal.test".to_owned()];
        let check = |headers: &[(&'static str, &str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            is_from_us(&map, &allowed)
        };
        assert!(check(&[]), "curl");
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
