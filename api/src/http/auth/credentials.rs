//! Reading the credentials of a request. Nothing here verifies a token, except its signature in [`signed_session`].

use poem::{
    Request,
    http::{HeaderValue, header},
};
use portico_domain::{
    entity::SessionId,
    identity::sessions,
    platform::{actor::Realm, app::App, error::Error, secret::PlainToken},
    tenancy::api_tokens,
};

use super::app;
use crate::http::{cookies::Cookie, error::ApiError};

/// Returns the access token of the request: from the `Authorization` header (RFC 6750 §2.1) if there is one, else from
/// the cookie. `None` if there is neither.
///
/// # Errors
/// `unauthenticated` if the header does not carry a bearer token, or if the cookie is repeated. `malformed_request` as
/// for [`authorization`].
pub(super) fn access_token(request: &Request, app: &App, realm: Realm) -> Result<Option<PlainToken>, ApiError> {
    match authorization(request)? {
        None => Ok(Cookie::Access(realm).read(request, app.settings())?),
        Some(value) => Ok(Some(bearer_token(value).ok_or(Error::UNAUTHENTICATED)?)),
    }
}

/// Returns the bearer token of the request if it begins like an API token. A cookie never holds one.
///
/// # Errors
/// `malformed_request` as for [`authorization`].
pub(super) fn api_token(request: &Request) -> Result<Option<PlainToken>, ApiError> {
    let token = authorization(request)?.and_then(bearer_token);
    Ok(token.filter(|token| token.reveal().starts_with(api_tokens::PREFIX)))
}

/// Returns the session of the request's access token, as [`sessions::session_of_token`] does.
pub(in crate::http) fn signed_session(request: &Request) -> Option<SessionId> {
    let app = app(request).ok()?;
    let token = |realm| access_token(request, app, realm).ok().flatten();
    let (portal, staff) = (token(Realm::Portal), token(Realm::Staff));
    // A bearer token is the credential in both realms, and its signature is verified once.
    let other = staff.filter(|staff| portal.as_ref().is_none_or(|portal| portal.reveal() != staff.reveal()));
    [portal, other].into_iter().flatten().find_map(|token| sessions::session_of_token(app, &token))
}

/// Returns every access token and every refresh token of `realm` in the request. They are not verified.
///
/// All values under the names of Portico's cookies count, also several of one name: a browser may hold a cookie of
/// another path or domain beside the current one, and none of them may keep a session alive after a sign-out.
///
/// # Errors
/// `malformed_request` if two `Authorization` headers count.
pub(super) fn presented_tokens(
    request: &Request,
    realm: Realm,
) -> Result<(Vec<PlainToken>, Vec<PlainToken>), ApiError> {
    let app = app(request)?;
    let bearer = authorization(request)?.and_then(bearer_token);
    let access = Cookie::Access(realm).read_all(request, app.settings());
    let refresh = Cookie::Refresh(realm).read_all(request, app.settings());
    Ok((bearer.into_iter().chain(access).collect(), refresh))
}

/// Returns the `Authorization` header of the request; `None` if there is none.
///
/// A header of the scheme `Basic` (RFC 7617) does not count: a proxy in front of Portico may ask for a password of its
/// own, and browsers then send that with every request.
///
/// # Errors
/// `malformed_request` if two headers count (RFC 9110 §5.3).
pub(in crate::http) fn authorization(request: &Request) -> Result<Option<&HeaderValue>, ApiError> {
    let is_basic = |value: &HeaderValue| {
        let scheme = value.as_bytes().split(|byte| byte.is_ascii_whitespace()).next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
    };
    let mut headers = request.headers().get_all(header::AUTHORIZATION).iter().filter(|value| !is_basic(value));
    match (headers.next(), headers.next()) {
        (value, None) => Ok(value),
        _ => Err(ApiError::Malformed("The request has two Authorization headers.")),
    }
}

/// Returns the token of an `Authorization` header of the scheme `Bearer`; `None` for any other value.
fn bearer_token(value: &HeaderValue) -> Option<PlainToken> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ');
    is_bearer.then(|| PlainToken::new(token))
}
