//! Callers: the arguments by which a handler says who may call it.
//!
//! The argument authenticates the request, and documents the credential in the OpenAPI document.

mod callers;
mod credentials;
mod optional_session;
mod schemes;
mod session_tokens;

use std::ops::Deref;

use poem::{Request, RequestBody};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, registry::Registry};
use portico_domain::platform::{
    actor::{self, Realm, RequestContext},
    app::App,
    error::Error,
};
use schemes::Scheme;

pub(crate) use self::callers::check_still_authorized;
pub(super) use self::credentials::{authorization, signed_session};
pub(crate) use self::optional_session::OptionalSession;
pub(crate) use self::session_tokens::{RefreshToken, ReplacedSession, SignOutSessions};
use crate::http::{
    document::{FRESH_SESSION_MARKER, UNENROLLED_MARKER},
    error::ApiError,
};

/// The caller `T` as an argument of a handler.
pub(crate) struct Caller<T>(pub(crate) T);

/// A caller without a credential.
pub(crate) type Anonymous = Caller<actor::Anonymous>;
/// A portal user with a live session.
pub(crate) type PortalUser = Caller<actor::PortalUser>;
/// A portal user with a live session, and all clients that the user can act for. The user may have yet to set up a
/// second factor.
pub(crate) type PortalUserWithMemberships = Caller<actor::PortalUserWithMemberships>;
/// A portal user with a live session who may have yet to set up a second factor.
pub(crate) type UnenrolledPortalUser = Caller<actor::Unenrolled<actor::PortalUser>>;
/// A staff user with a live session who may have yet to set up a second factor.
pub(crate) type UnenrolledStaffUser = Caller<actor::Unenrolled<actor::StaffUser>>;
/// A portal user with a live session, who is an administrator of the client that the user acts for.
pub(crate) type ClientAdmin = Caller<actor::ClientAdmin>;
/// A staff user with a live session.
pub(crate) type StaffUser = Caller<actor::StaffUser>;
/// A staff user whose session is fresh.
pub(crate) type FreshStaffUser = Caller<actor::FreshStaffUser>;
/// A user of realm `R` with a live session, for operations that exist once in each realm.
pub(crate) type SessionUser<R> = Caller<callers::OfRealm<R, actor::SessionUser>>;
/// A user of realm `R` with a live session, who may have yet to set up a second factor.
pub(crate) type UnenrolledUser<R> = Caller<callers::OfRealm<R, actor::Unenrolled<actor::SessionUser>>>;
/// A user of realm `R` with a fresh session, who may have yet to set up a second factor.
pub(crate) type FreshUnenrolledUser<R> = Caller<callers::OfRealm<R, actor::FreshSessionUser>>;
/// A caller who acts for a tenant: a staff user with a live session, or a program with a live API token.
pub(crate) type TenantCaller = Caller<actor::TenantCaller>;
/// A caller who acts for a tenant and has what `A` asks for.
pub(crate) type Authorized<A> = Caller<actor::Authorized<A>>;

/// A caller who is recognised by the credentials of a request.
pub(crate) trait Authenticate: Sized {
    /// The credentials, each of which suffices. The document lists them.
    const SCHEMES: &'static [Scheme];
    /// The name of the permission that the caller has. The document shows it as `x-permission`.
    const PERMISSION: Option<&'static str> = None;
    /// Whether the session of the caller is fresh. The document shows it as `x-fresh-session`.
    const IS_FRESH: bool = false;
    /// Whether the user may have yet to set up a second factor. The document shows it as `x-unenrolled`.
    const MAY_BE_UNENROLLED: bool = false;

    /// Returns the caller of `request`.
    ///
    /// # Errors
    /// `unauthenticated` without a valid credential, and `forbidden` or `step_up_required` if the caller lacks what the
    /// type needs.
    fn authenticate(request: &Request) -> impl Future<Output = Result<Self, ApiError>> + Send;
}

impl<T> Deref for Caller<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'a, T: Authenticate> ApiExtractor<'a> for Caller<T> {
    const TYPES: &'static [ApiExtractorType] =
        if T::SCHEMES.is_empty() { &[ApiExtractorType::PoemExtractor] } else { &[ApiExtractorType::SecurityScheme] };
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        schemes::register(registry, T::SCHEMES);
    }

    fn security_schemes() -> Vec<&'static str> {
        let schemes = T::SCHEMES.iter().map(|scheme| scheme.name());
        let fresh = T::IS_FRESH.then_some(FRESH_SESSION_MARKER);
        let unenrolled = T::MAY_BE_UNENROLLED.then_some(UNENROLLED_MARKER);
        schemes.chain(T::PERMISSION).chain(fresh).chain(unenrolled).collect()
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        Ok(Self(T::authenticate(request).await?))
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

/// Returns the app that the outermost middleware has added to the request.
fn app(request: &Request) -> Result<&App, ApiError> {
    request.data::<App>().ok_or_else(|| Error::Internal("no app in the request".into()).into())
}

/// Returns where the request came from. The outermost middleware has added it to the request.
fn context(request: &Request) -> Result<RequestContext, ApiError> {
    let context = request.data::<RequestContext>().cloned();
    context.ok_or_else(|| Error::Internal("no context in the request".into()).into())
}
