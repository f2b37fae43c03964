//! Callers: the arguments by which a handler says who may call it.
//!
//! The argument authenticates the request, and documents the credential in the OpenAPI document.

use std::{marker::PhantomData, ops::Deref};

use poem::{
    FromRequest, Request, RequestBody,
    http::{HeaderValue, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};
use portico_domain::{
    entity::SessionId,
    identity::sessions,
    platform::{
        actor::{self, Access, Realm, RequestContext},
        app::App,
        error::Error,
        secret::PlainToken,
    },
    tenancy::api_tokens,
};

use crate::http::{cookies::Cookie, document, error::ApiError, rate_limit::FailureLimiter};

/// A caller without a credential.
pub(crate) struct Anonymous(actor::Anonymous);

/// A portal user with a live session.
pub(crate) struct PortalUser(actor::PortalUser);

/// A portal user with a live session, who is an administrator of the client that the user acts for. The document shows
/// [`actor::ClientAdmin::PERMISSION`] as `x-permission`.
///
/// # Errors
/// The extractor answers `unauthenticated` as for [`PortalUser`], and `forbidden` as
/// [`actor::PortalUser::authorize_admin`] does.
pub(crate) struct ClientAdmin(actor::ClientAdmin);

/// A portal user with a live session, and all clients that the user can act for.
pub(crate) struct PortalUserWithMemberships(pub(crate) actor::PortalUserWithMemberships);

/// A staff user with a live session.
pub(crate) struct StaffUser(actor::StaffUser);

/// A staff user whose session is fresh. The document shows it as `x-fresh-session`.
///
/// # Errors
/// The extractor answers `unauthenticated` as for [`StaffUser`], and `step_up_required` if the user has proved their
/// identity more than ten minutes ago.
pub(crate) struct FreshStaffUser(actor::FreshStaffUser);

/// A caller who acts for a tenant: a staff user with a live session, or a program with a live API token.
pub(crate) struct TenantCaller(actor::TenantCaller);

/// A caller who acts for a tenant and has what `A` asks for. The document shows the permission as `x-permission`, and
/// `x-fresh-session` if `A` needs a fresh session.
///
/// # Errors
/// The extractor answers `unauthenticated` as for [`TenantCaller`], and `forbidden` or `step_up_required` as
/// [`actor::TenantCaller::authorize`] does.
pub(crate) struct Authorized<A>(actor::Authorized<A>);

impl<A> Deref for Authorized<A> {
    type Target = actor::Authorized<A>;

    fn deref(&self) -> &actor::Authorized<A> {
        &self.0
    }
}

macro_rules! deref_to {
    ($caller:ident, $actor:ty) => {
        impl Deref for $caller {
            type Target = $actor;

            fn deref(&self) -> &$actor {
                &self.0
            }
        }
    };
}

deref_to!(Anonymous, actor::Anonymous);
deref_to!(PortalUser, actor::PortalUser);
deref_to!(ClientAdmin, actor::ClientAdmin);
deref_to!(StaffUser, actor::StaffUser);
deref_to!(FreshStaffUser, actor::FreshStaffUser);
deref_to!(TenantCaller, actor::TenantCaller);

impl<'a> FromRequest<'a> for Anonymous {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(actor::Anonymous { context: context(request)? }))
    }
}

/// A [`Realm`] as a type, for the extractors that exist once in each realm.
pub(crate) trait RealmType: Send + Sync + 'static {
    /// The realm.
    const REALM: Realm;
}

/// The realm of portal users.
pub(crate) struct Portal;

/// The realm of staff users.
pub(crate) struct Staff;

impl RealmType for Portal {
    const REALM: Realm = Realm::Portal;
}

impl RealmType for Staff {
    const REALM: Realm = Realm::Staff;
}

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
        register_access_schemes(registry, R::REALM);
        register_refresh_scheme(registry, R::REALM);
    }

    fn security_schemes() -> Vec<&'static str> {
        let [bearer, cookie] = access_schemes(R::REALM);
        vec![bearer, cookie, refresh_scheme(R::REALM)]
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
        register_refresh_scheme(registry, R::REALM);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![refresh_scheme(R::REALM)]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        let token = Cookie::Refresh(R::REALM).read(request, app(request)?.settings()).map_err(ApiError::Domain)?;
        Ok(Self(token.ok_or(ApiError::Domain(Error::UNAUTHENTICATED))?, PhantomData))
    }
}

impl<'a, A: Access> ApiExtractor<'a> for Authorized<A> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_access_schemes(registry, Realm::Staff);
        registry.create_security_scheme(API_TOKEN_SCHEME, api_token_scheme());
    }

    fn security_schemes() -> Vec<&'static str> {
        let [bearer, cookie] = access_schemes(Realm::Staff);
        // An API token never has what needs a fresh session.
        let last = if A::IS_FRESH { document::FRESH_SESSION_MARKER } else { API_TOKEN_SCHEME };
        vec![bearer, cookie, A::PERMISSION.name(), last]
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let TenantCaller(caller) = TenantCaller::from_request(request, body, options).await?;
        Ok(Self(caller.authorize(app(request)?.now()).map_err(ApiError::Domain)?))
    }
}

impl<'a> ApiExtractor<'a> for TenantCaller {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_access_schemes(registry, Realm::Staff);
        registry.create_security_scheme(API_TOKEN_SCHEME, api_token_scheme());
    }

    fn security_schemes() -> Vec<&'static str> {
        let [bearer, cookie] = access_schemes(Realm::Staff);
        vec![bearer, cookie, API_TOKEN_SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let Some(token) = api_token(request)? else {
            let StaffUser(user) = StaffUser::from_request(request, body, options).await?;
            return Ok(Self(user.into()));
        };
        let context = context(request)?;
        let network = context.network();
        let authenticate = api_tokens::authenticate(app(request)?, &token, context);
        Ok(Self(limit_failures(request, &network, authenticate).await?))
    }
}

impl<'a> ApiExtractor<'a> for FreshStaffUser {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_access_schemes(registry, Realm::Staff);
    }

    fn security_schemes() -> Vec<&'static str> {
        let [bearer, cookie] = access_schemes(Realm::Staff);
        vec![bearer, cookie, document::FRESH_SESSION_MARKER]
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let StaffUser(user) = StaffUser::from_request(request, body, options).await?;
        Ok(Self(user.fresh(app(request)?.now()).map_err(ApiError::Domain)?))
    }
}

impl<'a> ApiExtractor<'a> for ClientAdmin {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_access_schemes(registry, Realm::Portal);
    }

    fn security_schemes() -> Vec<&'static str> {
        let [bearer, cookie] = access_schemes(Realm::Portal);
        vec![bearer, cookie, actor::ClientAdmin::PERMISSION]
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let PortalUser(user) = PortalUser::from_request(request, body, options).await?;
        Ok(Self(user.authorize_admin().map_err(ApiError::Domain)?))
    }
}

/// A user of realm `R` with a live session, for operations that exist once in each realm.
pub(crate) struct SessionUser<R>(pub(crate) actor::SessionUser, PhantomData<R>);

impl<'a, R: RealmType> ApiExtractor<'a> for SessionUser<R> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_access_schemes(registry, R::REALM);
    }

    fn security_schemes() -> Vec<&'static str> {
        access_schemes(R::REALM).into()
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        let caller = authenticate(request, R::REALM, async |app, token, context| {
            sessions::authenticate(app, R::REALM, token, context).await
        });
        Ok(Self(caller.await?, PhantomData))
    }
}

/// Returns the caller that `authenticate` finds for the access token of `request` in `realm`.
async fn authenticate<T>(
    request: &Request,
    realm: Realm,
    authenticate: impl AsyncFnOnce(&App, &PlainToken, RequestContext) -> Result<T, Error>,
) -> poem::Result<T> {
    let (app, context) = (app(request)?, context(request)?);
    let token = credential(request, app, realm)?;
    let token = token.ok_or(ApiError::Domain(Error::UNAUTHENTICATED))?;
    let network = context.network();
    Ok(limit_failures(request, &network, authenticate(app, &token, context)).await?)
}

/// Implements the extractor of a caller with an access token.
macro_rules! impl_auth_extractor {
    ($caller:ident, $realm:expr, $authenticate:path) => {
        impl<'a> ApiExtractor<'a> for $caller {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                register_access_schemes(registry, $realm);
            }

            fn security_schemes() -> Vec<&'static str> {
                access_schemes($realm).into()
            }

            async fn from_request(
                request: &'a Request,
                _: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                let caller =
                    authenticate(request, $realm, async |app, token, context| $authenticate(app, token, context).await);
                Ok(Self(caller.await?))
            }
        }
    };
}

impl_auth_extractor!(PortalUser, Realm::Portal, sessions::authenticate_portal);
impl_auth_extractor!(PortalUserWithMemberships, Realm::Portal, sessions::authenticate_with_memberships);
impl_auth_extractor!(StaffUser, Realm::Staff, sessions::authenticate_staff);

/// Returns the result of `authenticate`, which looks at a token. A network that has presented too many tokens that are
/// not valid is refused before that.
///
/// # Errors
/// `too_many_requests`, and the errors of `authenticate`.
async fn limit_failures<T>(
    request: &Request,
    network: &str,
    authenticate: impl Future<Output = Result<T, Error>>,
) -> Result<T, ApiError> {
    let limiter = request.data::<FailureLimiter>();
    if let Some(limiter) = limiter {
        limiter.check(network)?;
    }
    let caller = authenticate.await;
    if let (Some(limiter), Err(Error::Unauthenticated(_))) = (limiter, &caller) {
        limiter.count(network);
    }
    Ok(caller?)
}

/// The name of the security scheme of an API token.
const API_TOKEN_SCHEME: &str = "ApiToken";

/// Returns the names of the security schemes of an access token: in the `Authorization` header, and in the cookie.
const fn access_schemes(realm: Realm) -> [&'static str; 2] {
    match realm {
        Realm::Portal => ["PortalBearer", "PortalCookie"],
        Realm::Staff => ["StaffBearer", "StaffCookie"],
    }
}

/// Returns the name of the security scheme of a refresh token.
const fn refresh_scheme(realm: Realm) -> &'static str {
    match realm {
        Realm::Portal => "PortalRefreshCookie",
        Realm::Staff => "StaffRefreshCookie",
    }
}

fn register_access_schemes(registry: &mut Registry, realm: Realm) {
    let [bearer, cookie] = access_schemes(realm);
    registry.create_security_scheme(bearer, bearer_scheme());
    let name = Cookie::Access(realm).name_without_prefix();
    registry.create_security_scheme(cookie, cookie_scheme(name, "The access token, set at sign-in."));
}

fn register_refresh_scheme(registry: &mut Registry, realm: Realm) {
    let name = Cookie::Refresh(realm).name_without_prefix();
    registry.create_security_scheme(refresh_scheme(realm), cookie_scheme(name, "The refresh token, set at sign-in."));
}

/// Returns the access token of the request: from the `Authorization` header (RFC 6750 §2.1) if there is one, else from
/// the cookie. `None` if there is neither.
///
/// # Errors
/// `unauthenticated` if the header does not carry a bearer token, or if the cookie is repeated. `malformed_request` as
/// for [`authorization`].
fn credential(request: &Request, app: &App, realm: Realm) -> Result<Option<PlainToken>, ApiError> {
    match authorization(request)? {
        None => Ok(Cookie::Access(realm).read(request, app.settings())?),
        Some(value) => Ok(Some(bearer_token(value).ok_or(Error::UNAUTHENTICATED)?)),
    }
}

/// Returns the bearer token of the request if it begins like an API token. A cookie never holds one.
///
/// # Errors
/// `malformed_request` as for [`authorization`].
fn api_token(request: &Request) -> Result<Option<PlainToken>, ApiError> {
    let token = authorization(request)?.and_then(bearer_token);
    Ok(token.filter(|token| token.reveal().starts_with(api_tokens::PREFIX)))
}

/// Returns the session of the request's access token, as [`sessions::session_of_token`] does.
pub(super) fn signed_session(request: &Request) -> Option<SessionId> {
    let app = app(request).ok()?;
    let token = |realm| credential(request, app, realm).ok().flatten();
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
fn presented_tokens(request: &Request, realm: Realm) -> poem::Result<(Vec<PlainToken>, Vec<PlainToken>)> {
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
pub(super) fn authorization(request: &Request) -> Result<Option<&HeaderValue>, ApiError> {
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

/// Returns the app that the outermost middleware has added to the request.
fn app(request: &Request) -> poem::Result<&App> {
    request.data::<App>().ok_or_else(|| ApiError::Domain(Error::Internal("no app in the request".into())).into())
}

/// Returns where the request came from. The outermost middleware has added it to the request.
fn context(request: &Request) -> poem::Result<RequestContext> {
    let context = request.data::<RequestContext>().cloned();
    context.ok_or_else(|| ApiError::Domain(Error::Internal("no context in the request".into())).into())
}

fn api_token_scheme() -> MetaSecurityScheme {
    MetaSecurityScheme {
        description: Some(
            "An API token, which begins with `pat_`: a personal access token of a staff user, or the token of a service \
             account. It is valid for `/api/v1` only, and never where a fresh session is needed.",
        ),
        bearer_format: Some("pat_"),
        ..bearer_scheme()
    }
}

fn bearer_scheme() -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "http",
        description: Some("The access token. If a request has this header, its cookies are ignored."),
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: Some("JWT"),
        flows: None,
        openid_connect_url: None,
    }
}

fn cookie_scheme(name: &'static str, description: &'static str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "apiKey",
        description: Some(description),
        name: Some(name),
        key_in: Some("cookie"),
        scheme: None,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    }
}
