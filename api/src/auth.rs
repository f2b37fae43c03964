//! Who is asking: the arguments by which a handler says whom it serves.

use std::ops::Deref;

use poem::{FromRequest, Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};
use portico_domain::{
    actor::{self, RequestContext},
    app::App,
    entity::SessionId,
    error::{Error, Result},
    secret::PlainToken,
    sessions::{self, Realm},
};

use crate::{cookies::Cookie, error::ApiError, middleware::FailedAuthLimiter};

/// Anybody.
pub(crate) struct Anonymous(actor::Anonymous);

/// A portal user in a live session.
pub(crate) struct PortalUser(actor::PortalUser);

/// A portal user in a live session, with all the clients that they can act for.
pub(crate) struct PortalUserWithMemberships(pub(crate) actor::PortalUserWithMemberships);

/// Staff in a live session.
pub(crate) struct StaffUser(actor::StaffUser);

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
deref_to!(StaffUser, actor::StaffUser);

impl<'a> FromRequest<'a> for Anonymous {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(actor::Anonymous { context: context(request)? }))
    }
}

/// The session that a visitor's browser shows, to be ended by whatever opens another; a bad one is none.
pub(crate) struct CurrentSession<const STAFF: bool>(pub(crate) Option<SessionId>);

impl<'a, const STAFF: bool> FromRequest<'a> for CurrentSession<STAFF> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let app = app(request)?;
        let realm = if STAFF { Realm::Staff } else { Realm::Portal };
        let access = credential(request, app, realm).unwrap_or_default();
        let refresh = Cookie::Refresh(realm).read(request, app.settings()).unwrap_or_default();
        let session = sessions::identify(app, realm, access.as_ref(), refresh.as_ref()).await;
        Ok(Self(session.map_err(ApiError::Domain)?))
    }
}

/// The session to be ended: as [`CurrentSession`], and documented as what the operation takes, though it asks for none.
pub(crate) struct OptionalSession<const STAFF: bool>(pub(crate) Option<SessionId>);

impl<'a, const STAFF: bool> ApiExtractor<'a> for OptionalSession<STAFF> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        if STAFF {
            <StaffUser as ApiExtractor>::register(registry);
        } else {
            <PortalUser as ApiExtractor>::register(registry);
        }
        <RefreshToken<STAFF> as ApiExtractor>::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        let access = if STAFF {
            <StaffUser as ApiExtractor>::security_schemes()
        } else {
            <PortalUser as ApiExtractor>::security_schemes()
        };
        [access, <RefreshToken<STAFF> as ApiExtractor>::security_schemes()].concat()
    }

    fn has_security_fallback() -> bool {
        true
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let CurrentSession(session) = <CurrentSession<STAFF> as FromRequest>::from_request(request, body).await?;
        Ok(Self(session))
    }
}

/// The refresh token of a request, and nothing else that it shows.
pub(crate) struct RefreshToken<const STAFF: bool>(pub(crate) PlainToken);

impl<'a, const STAFF: bool> ApiExtractor<'a> for RefreshToken<STAFF> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let (scheme, cookie) = if STAFF {
            ("StaffRefreshCookie", "portico_staff_refresh")
        } else {
            ("PortalRefreshCookie", "portico_portal_refresh")
        };
        registry.create_security_scheme(scheme, cookie_scheme(cookie, "The refresh token, set at sign-in."));
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![if STAFF { "StaffRefreshCookie" } else { "PortalRefreshCookie" }]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        let realm = if STAFF { Realm::Staff } else { Realm::Portal };
        let token = Cookie::Refresh(realm).read(request, app(request)?.settings()).map_err(ApiError::Domain)?;
        Ok(Self(token.ok_or(ApiError::Domain(Error::UNAUTHENTICATED))?))
    }
}

macro_rules! impl_auth_extractor {
    ($caller:ident, $realm:expr, $authenticate:path, $bearer:literal, $cookie:literal, $name:literal) => {
        impl<'a> ApiExtractor<'a> for $caller {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                registry.create_security_scheme($bearer, bearer_scheme());
                registry.create_security_scheme($cookie, cookie_scheme($name, "The access token, set at sign-in."));
            }

            fn security_schemes() -> Vec<&'static str> {
                vec![$bearer, $cookie]
            }

            async fn from_request(
                request: &'a Request,
                _: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                let (app, context) = (app(request)?, context(request)?);
                let token = credential(request, app, $realm).map_err(ApiError::Domain)?;
                let token = token.ok_or(ApiError::Domain(Error::UNAUTHENTICATED))?;
                let network = context.network();
                let bad = request.data::<FailedAuthLimiter>();
                if let Some(bad) = bad {
                    bad.check(&network).map_err(ApiError::Domain)?;
                }
                let caller = $authenticate(app, &token, context).await;
                if let (Some(bad), Err(Error::Unauthenticated(_))) = (bad, &caller) {
                    bad.count(&network);
                }
                Ok(Self(caller.map_err(ApiError::Domain)?))
            }
        }
    };
}

impl_auth_extractor!(
    PortalUser,
    Realm::Portal,
    sessions::authenticate_portal,
    "PortalBearer",
    "PortalCookie",
    "portico_portal"
);
impl_auth_extractor!(
    PortalUserWithMemberships,
    Realm::Portal,
    sessions::authenticate_with_memberships,
    "PortalBearer",
    "PortalCookie",
    "portico_portal"
);
impl_auth_extractor!(
    StaffUser,
    Realm::Staff,
    sessions::authenticate_staff,
    "StaffBearer",
    "StaffCookie",
    "portico_staff"
);

/// The access token of the request: an `Authorization` header alone decides if there is one, else the cookie.
fn credential(request: &Request, app: &App, realm: Realm) -> Result<Option<PlainToken>> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION).iter();
    match (headers.next(), headers.next()) {
        (None, _) => Cookie::Access(realm).read(request, app.settings()),
        (Some(value), None) => {
            let token = value.to_str().ok().and_then(|value| value.split_once(' ')).filter(|(scheme, token)| {
                scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ')
            });
            token.map(|(_, token)| Some(PlainToken::new(token))).ok_or(Error::UNAUTHENTICATED)
        }
        (Some(_), Some(_)) => Err(Error::UNAUTHENTICATED),
    }
}

fn app(request: &Request) -> poem::Result<&App> {
    request.data::<App>().ok_or_else(|| ApiError::Domain(Error::Internal("no app in the request".into())).into())
}

/// Where the request came from; the outermost middleware has found it out.
fn context(request: &Request) -> poem::Result<RequestContext> {
    let context = request.data::<RequestContext>().cloned();
    context.ok_or_else(|| ApiError::Domain(Error::Internal("no context in the request".into())).into())
}

fn bearer_scheme() -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "http",
        description: Some("The access token. If this header is there, cookies do not count."),
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
