//! The cookies that Portico sets: their names, and how they are written and read.

use poem::{
    Request,
    http::{HeaderValue, header},
};
use portico_domain::{
    identity::{devices, sessions::Tokens, trusted_devices::NewTrustedDevice},
    platform::{
        actor::Realm,
        app::App,
        clock::Time,
        error::{Error, Result},
        secret::PlainToken,
        settings::Settings,
    },
};

/// The lifetime of a device cookie, in seconds: one year.
const DEVICE_COOKIE_MAX_AGE_SECONDS: u64 = 365 * 86_400;

/// A cookie that Portico sets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cookie {
    /// The access token.
    Access(Realm),
    /// The refresh token.
    Refresh(Realm),
    /// The proof of a known device.
    Device(Realm),
    /// The secret of a trusted device of a portal user.
    TrustedDevice,
}

impl Cookie {
    /// Every cookie.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) const ALL: [Self; 7] = [
        Self::Access(Realm::Portal),
        Self::Access(Realm::Staff),
        Self::Refresh(Realm::Portal),
        Self::Refresh(Realm::Staff),
        Self::Device(Realm::Portal),
        Self::Device(Realm::Staff),
        Self::TrustedDevice,
    ];

    /// Returns the name without a prefix, as in the OpenAPI document.
    pub(crate) const fn name_without_prefix(self) -> &'static str {
        match self {
            Self::Access(Realm::Portal) => "portico_portal",
            Self::Access(Realm::Staff) => "portico_staff",
            Self::Refresh(Realm::Portal) => "portico_portal_refresh",
            Self::Refresh(Realm::Staff) => "portico_staff_refresh",
            Self::Device(Realm::Portal) => "portico_device",
            Self::Device(Realm::Staff) => "portico_staff_device",
            Self::TrustedDevice => "portico_portal_trusted",
        }
    }

    /// Returns the name that browsers see.
    ///
    /// Over https it starts with `__Host-` (RFC 6265bis §4.1.3.2), so that a sibling domain cannot set the cookie.
    fn name(self, settings: &Settings) -> String {
        let prefix = if is_https(settings) { "__Host-" } else { "" };
        format!("{prefix}{}", self.name_without_prefix())
    }

    /// Returns the `Set-Cookie` header value that sets the cookie to `value` for `max_age` seconds.
    ///
    /// `None` if `value` contains a character that a header cannot carry.
    pub(crate) fn set_cookie_header(self, settings: &Settings, value: &str, max_age: u64) -> Option<HeaderValue> {
        let secure = if is_https(settings) { "; Secure" } else { "" };
        // Only pages of the same site send a refresh token or the secret of a trusted device.
        let same_site = if matches!(self, Self::Refresh(_) | Self::TrustedDevice) { "Strict" } else { "Lax" };
        let name = self.name(settings);
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}; Max-Age={max_age}{secure}");
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Returns the value of the cookie in the request; `None` if the request does not carry the cookie.
    ///
    /// # Errors
    /// `unauthenticated` if the request carries the cookie twice, because then an attacker may have set one of them,
    /// or if its value is not ASCII. Cookies with other names may have any bytes.
    pub(crate) fn read(self, request: &Request, settings: &Settings) -> Result<Option<PlainToken>> {
        match self.values(request, settings).as_slice() {
            [] => Ok(None),
            [value] => as_token(value).map(Some).ok_or(Error::UNAUTHENTICATED),
            _ => Err(Error::UNAUTHENTICATED),
        }
    }

    /// Returns every value of the cookie in the request, as often as the request carries it. Leaves out values that are
    /// not ASCII, which no credential is.
    pub(crate) fn read_all(self, request: &Request, settings: &Settings) -> Vec<PlainToken> {
        self.values(request, settings).into_iter().filter_map(as_token).collect()
    }

    /// Returns the bytes of every value of the cookie in the request. Cookies with other names may have any bytes.
    fn values<'a>(self, request: &'a Request, settings: &Settings) -> Vec<&'a [u8]> {
        let name = self.name(settings);
        let headers = request.headers().get_all(header::COOKIE).iter();
        let pairs = headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
        let value = |pair: &'a [u8]| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"=");
        pairs.filter_map(value).collect()
    }
}

/// Returns the `Set-Cookie` header values of a session that was opened or refreshed.
///
/// The access cookie lives as long as the access token, the refresh cookie for `max_age` seconds.
pub(crate) fn session_cookies(app: &App, realm: Realm, tokens: &Tokens, max_age: u64) -> Vec<HeaderValue> {
    let settings = app.settings();
    let access = Cookie::Access(realm).set_cookie_header(settings, tokens.access.reveal(), tokens.expires_in);
    let refresh = Cookie::Refresh(realm).set_cookie_header(settings, tokens.refresh.reveal(), max_age);
    access.into_iter().chain(refresh).collect()
}

/// Returns the `Set-Cookie` header value that makes the browser a known device of the user with the address `email`,
/// who signed in at `since`.
pub(crate) fn device_cookie(app: &App, realm: Realm, email: &str, since: Time) -> Option<HeaderValue> {
    Cookie::Device(realm).set_cookie_header(
        app.settings(),
        &devices::device_cookie(app, realm, email, since),
        DEVICE_COOKIE_MAX_AGE_SECONDS,
    )
}

/// Returns the `Set-Cookie` header value that makes the browser a trusted device.
pub(crate) fn trusted_device_cookie(app: &App, device: &NewTrustedDevice) -> Option<HeaderValue> {
    let max_age = device.ttl.num_seconds().max(0).unsigned_abs();
    Cookie::TrustedDevice.set_cookie_header(app.settings(), device.secret.reveal(), max_age)
}

/// Returns the `Set-Cookie` header values that delete the access cookie and the refresh cookie.
pub(crate) fn deletion_cookies(app: &App, realm: Realm) -> Vec<HeaderValue> {
    [Cookie::Access(realm), Cookie::Refresh(realm)]
        .into_iter()
        .filter_map(|cookie| cookie.set_cookie_header(app.settings(), "", 0))
        .collect()
}

/// Returns the value of a cookie as text; `None` if it is not ASCII.
fn as_token(value: &[u8]) -> Option<PlainToken> {
    str::from_utf8(value).ok().filter(|value| value.is_ascii()).map(PlainToken::new)
}

/// Whether browsers reach Portico over https.
fn is_https(settings: &Settings) -> bool {
    settings.public_url.scheme() == "https"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::settings;

    fn read(header: &[u8]) -> Result<Option<PlainToken>> {
        let request = Request::builder().header(header::COOKIE, header).finish();
        Cookie::Access(Realm::Portal).read(&request, settings())
    }

    /// Another application on the same host may set cookies with any bytes.
    #[test]
    fn foreign_cookie_with_any_bytes_does_not_hide_the_own_cookie() {
        let headers: [&[u8]; 3] = [
            "name=Jürgen; portico_portal=x".as_bytes(),
            b"portico_portal=x; theme=\xff\xfe",
            b"\xe9; portico_portalx=y;portico_portal=x",
        ];
        for header in headers {
            assert_eq!(read(header).unwrap().unwrap().reveal(), "x", "{}", String::from_utf8_lossy(header));
        }
        assert!(read("portico_portal=ü".as_bytes()).is_err());
        let all = |header: &[u8]| {
            let request = Request::builder().header(header::COOKIE, header).header(header::COOKIE, header).finish();
            let values = Cookie::Access(Realm::Portal).read_all(&request, settings());
            values.iter().map(|value| value.reveal().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(all("a=é; portico_portal=x; portico_portal=ü;portico_portal=y".as_bytes()), ["x", "y", "x", "y"]);
        assert!(read(b"portico_portal=x; a=\xff; portico_portal=x").is_err());
    }
}
