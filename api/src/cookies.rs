//! Cookies: their names, how they are set and how they are read.

use poem::{
    Request,
    http::{HeaderValue, header},
};
use portico_domain::{
    app::App,
    error::{Error, Result},
    secret::PlainToken,
    sessions::{Realm, Tokens},
    settings::Settings,
    sign_in,
};

/// A year, in seconds.
const DEVICE_COOKIE_MAX_AGE_SECONDS: u64 = 365 * 86_400;

/// A cookie of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cookie {
    /// The access token.
    Access(Realm),
    /// The refresh token.
    Refresh(Realm),
    /// The known device.
    Device(Realm),
}

impl Cookie {
    /// All of them.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) const ALL: [Self; 6] = [
        Self::Access(Realm::Portal),
        Self::Access(Realm::Staff),
        Self::Refresh(Realm::Portal),
        Self::Refresh(Realm::Staff),
        Self::Device(Realm::Portal),
        Self::Device(Realm::Staff),
    ];

    /// Its plain name, as in the document.
    const fn plain_name(self) -> &'static str {
        match self {
            Self::Access(Realm::Portal) => "portico_portal",
            Self::Access(Realm::Staff) => "portico_staff",
            Self::Refresh(Realm::Portal) => "portico_portal_refresh",
            Self::Refresh(Realm::Staff) => "portico_staff_refresh",
            Self::Device(Realm::Portal) => "portico_device",
            Self::Device(Realm::Staff) => "portico_staff_device",
        }
    }

    /// Over https every name begins with `__Host-` (RFC 6265bis §4.1.3.2): no sibling domain can plant such a cookie.
    fn name(self, settings: &Settings) -> String {
        let prefix = if is_https(settings) { "__Host-" } else { "" };
        format!("{prefix}{}", self.plain_name())
    }

    /// The `Set-Cookie` header that gives it this value for so many seconds.
    pub(crate) fn set(self, settings: &Settings, value: &str, max_age: u64) -> Option<HeaderValue> {
        let secure = if is_https(settings) { "; Secure" } else { "" };
        // A refresh token is only ever sent by the portal's own pages.
        let same_site = if matches!(self, Self::Refresh(_)) { "Strict" } else { "Lax" };
        let name = self.name(settings);
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}; Max-Age={max_age}{secure}");
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// The cookie that the request carries.
    ///
    /// # Errors
    /// `unauthenticated` when it carries two of that name: one of them was planted.
    pub(crate) fn read(self, request: &Request, settings: &Settings) -> Result<Option<PlainToken>> {
        let name = self.name(settings);
        let mut found = None;
        for header in request.headers().get_all(header::COOKIE) {
            let Ok(header) = header.to_str() else { return Err(Error::UNAUTHENTICATED) };
            for pair in header.split(';') {
                let Some((key, value)) = pair.trim().split_once('=') else { continue };
                if key == name && found.replace(PlainToken::new(value)).is_some() {
                    return Err(Error::UNAUTHENTICATED);
                }
            }
        }
        Ok(found)
    }
}

/// The cookies of a session that was opened or refreshed; both live as long as the session.
pub(crate) fn session_cookies(app: &App, realm: Realm, tokens: &Tokens, lives: u64) -> Vec<HeaderValue> {
    let settings = app.settings();
    let access = Cookie::Access(realm).set(settings, tokens.access.reveal(), tokens.expires_in);
    let refresh = Cookie::Refresh(realm).set(settings, tokens.refresh.reveal(), lives);
    access.into_iter().chain(refresh).collect()
}

/// The cookie that makes the browser a known device of `email`.
pub(crate) fn device_cookie(app: &App, realm: Realm, email: &str) -> Option<HeaderValue> {
    Cookie::Device(realm).set(app.settings(), &sign_in::device_cookie(app, realm, email), DEVICE_COOKIE_MAX_AGE_SECONDS)
}

/// Takes the cookies of a session away.
pub(crate) fn expired_cookies(app: &App, realm: Realm) -> Vec<HeaderValue> {
    [Cookie::Access(realm), Cookie::Refresh(realm)]
        .into_iter()
        .filter_map(|cookie| cookie.set(app.settings(), "", 0))
        .collect()
}

fn is_https(settings: &Settings) -> bool {
    settings.public_url.scheme() == "https"
}
