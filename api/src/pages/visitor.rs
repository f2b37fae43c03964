//! What a request for a page says about its visitor: the language and the tenant.
//!
//! The pages set the cookies with scripts. Over https too, their names have no prefix: they hold no secret, and a
//! sibling domain that sets one can only choose a language or a brand, as a link with `?tenant=` can. So the pages need
//! not know how browsers reach Portico.

use poem::{Request, http::header};
use portico_domain::platform::language::Language;

use super::language::accepted;

/// The cookie with the language that the visitor has chosen on a page.
const LOCALE_COOKIE: &str = "portico_locale";
/// The cookie with the slug of the tenant whose brand the last page had.
const BRAND_COOKIE: &str = "portico_brand";

/// Returns the language of the visitor: the chosen one, else the one that the browser prefers, else `default`, else
/// English.
pub(super) fn language(request: &Request, default: Option<&str>) -> Language {
    let chosen = cookie(request, LOCALE_COOKIE).and_then(Language::of);
    let preferred = || accepted(request.header(header::ACCEPT_LANGUAGE)?);
    chosen.or_else(preferred).or_else(|| Language::of(default?)).unwrap_or(Language::English)
}

/// Returns the slug of the tenant whose brand the visitor sees: that of the query, else that of the cookie. There may
/// be no such tenant.
pub(super) fn tenant(request: &Request) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "tenant");
    asked.map(|(_, slug)| slug.into_owned()).or_else(|| cookie(request, BRAND_COOKIE).map(str::to_owned))
}

/// Returns the first value of a cookie. Other cookies may have any bytes.
fn cookie<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let headers = request.headers().get_all(header::COOKIE).iter();
    let mut pairs = headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    let value = pairs.find_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    str::from_utf8(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(&'static str, &[u8])]) -> Request {
        let request = Request::builder().uri(uri.parse().unwrap());
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).finish()
    }

    #[test]
    fn chosen_language_comes_before_that_of_the_browser_and_of_the_tenant() {
        let language = |headers: &[(&'static str, &[u8])], default| language(&request("/", headers), default);
        assert_eq!(
            language(&[("cookie", b"portico_locale=fr"), ("accept-language", b"de")], Some("es")),
            Language::French
        );
        assert_eq!(
            language(&[("cookie", b"portico_locale=xx"), ("accept-language", b"de")], Some("es")),
            Language::German
        );
        assert_eq!(language(&[("accept-language", b"nl")], Some("es-MX")), Language::Spanish);
        assert_eq!(language(&[("accept-language", b"\xff")], Some("nl")), Language::English);
        assert_eq!(language(&[], None), Language::English);
    }

    #[test]
    fn tenant_of_the_query_comes_before_that_of_the_cookie() {
        let cookie: (&str, &[u8]) = ("cookie", b"a=\xff; portico_brand=acme;portico_brand=other");
        let tenant = |uri: &str| tenant(&request(uri, &[cookie]));
        assert_eq!(tenant("/portal?x=1&tenant=blue%20harbour&tenant=y").as_deref(), Some("blue harbour"));
        assert_eq!(tenant("/portal?tenant=").as_deref(), Some(""));
        assert_eq!(tenant("/portal").as_deref(), Some("acme"));
        assert_eq!(super::tenant(&request("/portal", &[])), None);
    }
}
