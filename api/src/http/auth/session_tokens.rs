//! Arguments for the tokens of a session, in the operations that open, refresh and end sessions.

use std::marker::PhantomData;

use poem::{FromRequest, Request, RequestBody};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, registry::Registry};
use portico_domain::{
    entity::SessionId,
    identity::sessions,
    platform::{error::Error, secret::PlainToken},
};

use super::{
    RealmType, app,
    credentials::presented_tokens,
    schemes::{self, Scheme},
};
use crate::http::{cookies::Cookie, document::UNENROLLED_MARKER, error::ApiError};

/// The session in realm `R` that the request's access token or refresh token belongs to. `None` if neither is valid.
///
/// The document does not mention it: it is the session of the browser, which an operation that opens a session ends.
pub(crate) struct ReplacedSession<R>(pub(crate) Option<SessionId>, PhantomData<R>);

impl<'a, R: RealmType> FromRequest<'a> for ReplacedSession<R> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let (access, refresh) = presented_tokens(request, R::REALM)?;
        let sessions = sessions::identify_all(app(request)?, R::REALM, &access, &refresh).await;
        let session = sessions.map_err(ApiError::Domain)?.first().copied();
        Ok(Self(session, PhantomData))
    }
}

/// Every session in realm `R` that an access token, also an expired one, or a refresh token in the request belongs to.
/// The operation ends them. The document lists the credentials, and says that they are optional.
pub(crate) struct SignOutSessions<R>(pub(crate) Vec<SessionId>, PhantomData<R>);

impl<'a, R: RealmType> ApiExtractor<'a> for SignOutSessions<R> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        schemes::register(registry, &Scheme::access(R::REALM));
        schemes::register(registry, &[Scheme::RefreshCookie(R::REALM)]);
    }

    fn security_schemes() -> Vec<&'static str> {
        let [bearer, cookie] = Scheme::access(R::REALM);
        [bearer, cookie, Scheme::RefreshCookie(R::REALM)].map(Scheme::name).into()
    }

    fn has_security_fallback() -> bool {
        true
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        let (access, refresh) = presented_tokens(request, R::REALM)?;
        let sessions = sessions::identify_for_sign_out(app(request)?, R::REALM, &access, &refresh).await;
        Ok(Self(sessions.map_err(ApiError::Domain)?, PhantomData))
    }
}

/// The refresh token of realm `R` in the request's cookie.
///
/// # Errors
/// The extractor answers `unauthenticated` without exactly one such cookie. It does not verify the token.
pub(crate) struct RefreshToken<R>(pub(crate) PlainToken, PhantomData<R>);

impl<'a, R: RealmType> ApiExtractor<'a> for RefreshToken<R> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        schemes::register(registry, &[Scheme::RefreshCookie(R::REALM)]);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![Scheme::RefreshCookie(R::REALM).name(), UNENROLLED_MARKER]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        let token = Cookie::Refresh(R::REALM).read(request, app(request)?.settings()).map_err(ApiError::Domain)?;
        Ok(Self(token.ok_or(ApiError::Domain(Error::UNAUTHENTICATED))?, PhantomData))
    }
}
