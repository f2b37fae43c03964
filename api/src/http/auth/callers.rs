//! How each kind of caller is authenticated.

use std::{marker::PhantomData, ops::Deref};

use poem::Request;
use portico_domain::{
    identity::sessions,
    platform::{
        actor::{self, Access, Principal, Realm, RequestContext},
        app::App,
        error::Error,
        secret::PlainToken,
    },
    tenancy::api_tokens,
};

use super::{
    Authenticate, RealmType, app, context,
    credentials::{access_token, api_token},
    schemes::Scheme,
};
use crate::http::{error::ApiError, rate_limit::FailureLimiter};

impl Authenticate for actor::Anonymous {
    const SCHEMES: &'static [Scheme] = &[];

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        Ok(Self { context: context(request)? })
    }
}

impl Authenticate for actor::PortalUser {
    const SCHEMES: &'static [Scheme] = &Scheme::access(Realm::Portal);

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        Ok(actor::Unenrolled::<Self>::authenticate(request).await?.check(app(request)?.now())?)
    }
}

impl Authenticate for actor::Unenrolled<actor::PortalUser> {
    const SCHEMES: &'static [Scheme] = &Scheme::access(Realm::Portal);
    const MAY_BE_UNENROLLED: bool = true;

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        by_access_token(request, Realm::Portal, sessions::authenticate_portal).await
    }
}

impl Authenticate for actor::PortalUserWithMemberships {
    const SCHEMES: &'static [Scheme] = &Scheme::access(Realm::Portal);
    const MAY_BE_UNENROLLED: bool = true;

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        by_access_token(request, Realm::Portal, sessions::authenticate_with_memberships).await
    }
}

impl Authenticate for actor::ClientAdmin {
    const SCHEMES: &'static [Scheme] = &Scheme::access(Realm::Portal);
    const PERMISSION: Option<&'static str> = Some(Self::PERMISSION);

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        Ok(actor::PortalUser::authenticate(request).await?.authorize_admin()?)
    }
}

impl Authenticate for actor::StaffUser {
    const SCHEMES: &'static [Scheme] = &Scheme::access(Realm::Staff);

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        Ok(actor::Unenrolled::<Self>::authenticate(request).await?.check(app(request)?.now())?)
    }
}

impl Authenticate for actor::Unenrolled<actor::StaffUser> {
    const SCHEMES: &'static [Scheme] = &Scheme::access(Realm::Staff);
    const MAY_BE_UNENROLLED: bool = true;

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        by_access_token(request, Realm::Staff, sessions::authenticate_staff).await
    }
}

impl Authenticate for actor::FreshStaffUser {
    const SCHEMES: &'static [Scheme] = &Scheme::access(Realm::Staff);
    const IS_FRESH: bool = true;

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        Ok(actor::StaffUser::authenticate(request).await?.fresh(app(request)?.now())?)
    }
}

/// A caller `T` of either realm, in the realm `R`.
pub(crate) struct OfRealm<R, T>(T, PhantomData<R>);

impl<R, T> Deref for OfRealm<R, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<R: RealmType> Authenticate for OfRealm<R, actor::SessionUser> {
    const SCHEMES: &'static [Scheme] = &Scheme::access(R::REALM);

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        let user = by_access_token_of(request, R::REALM).await?;
        Ok(Self(user.check(app(request)?.now())?, PhantomData))
    }
}

impl<R: RealmType> Authenticate for OfRealm<R, actor::Unenrolled<actor::SessionUser>> {
    const SCHEMES: &'static [Scheme] = &Scheme::access(R::REALM);
    const MAY_BE_UNENROLLED: bool = true;

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        Ok(Self(by_access_token_of(request, R::REALM).await?, PhantomData))
    }
}

impl<R: RealmType> Authenticate for OfRealm<R, actor::FreshSessionUser> {
    const SCHEMES: &'static [Scheme] = &Scheme::access(R::REALM);
    const IS_FRESH: bool = true;
    const MAY_BE_UNENROLLED: bool = true;

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        let user = by_access_token_of(request, R::REALM).await?.unchecked();
        Ok(Self(user.fresh(app(request)?.now())?, PhantomData))
    }
}

/// Returns the user of `realm` whose access token the request carries.
async fn by_access_token_of(
    request: &Request,
    realm: Realm,
) -> Result<actor::Unenrolled<actor::SessionUser>, ApiError> {
    let authenticate =
        async |app: &App, token: &PlainToken, context| sessions::authenticate(app, realm, token, context).await;
    by_access_token(request, realm, authenticate).await
}

impl Authenticate for actor::TenantCaller {
    const SCHEMES: &'static [Scheme] = &Scheme::access_or_api_token();

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        let Some(token) = api_token(request)? else {
            return Ok(actor::StaffUser::authenticate(request).await?.into());
        };
        let context = context(request)?;
        let network = context.network();
        let found = api_tokens::authenticate(app(request)?, &token, context);
        limit_failures(request.data(), &network, found).await
    }
}

impl<A: Access> Authenticate for actor::Authorized<A> {
    // An API token never has what needs a fresh session, nor a permission that is no scope.
    const SCHEMES: &'static [Scheme] = if A::IS_FRESH || !A::PERMISSION.is_scope() {
        &Scheme::access(Realm::Staff)
    } else {
        &Scheme::access_or_api_token()
    };
    const PERMISSION: Option<&'static str> = Some(A::PERMISSION.name());
    const IS_FRESH: bool = A::IS_FRESH;

    async fn authenticate(request: &Request) -> Result<Self, ApiError> {
        Ok(actor::TenantCaller::authenticate(request).await?.authorize(app(request)?.now())?)
    }
}

/// Checks that `caller` can still do what `A` asks for. A request that lasts for long calls it from time to time: a
/// change of the session, the token, the user, the role or the tenant must take effect at once.
///
/// # Errors
/// The errors of [`Authorized`](super::Authorized) as an extractor.
pub(crate) async fn check_still_authorized<A: Access>(app: &App, caller: &actor::Authorized<A>) -> Result<(), Error> {
    let context = caller.context.clone();
    let now: actor::TenantCaller = match &caller.principal {
        Principal::StaffUser { session, .. } => {
            sessions::load_staff(app, session.id, context).await?.check(app.now())?.into()
        }
        Principal::ApiToken(token) => api_tokens::load(app, token, context).await?,
    };
    now.authorize::<A>(app.now()).map(drop)
}

/// Returns the caller that `authenticate` finds for the access token of `request` in `realm`.
async fn by_access_token<T>(
    request: &Request,
    realm: Realm,
    authenticate: impl AsyncFnOnce(&App, &PlainToken, RequestContext) -> Result<T, Error>,
) -> Result<T, ApiError> {
    let (app, context) = (app(request)?, context(request)?);
    let token = access_token(request, app, realm)?.ok_or(Error::UNAUTHENTICATED)?;
    let network = context.network();
    limit_failures(request.data(), &network, authenticate(app, &token, context)).await
}

/// Returns the result of `authenticate`, which looks at a token, and counts a failure in `limiter`. A network that has
/// presented too many tokens that are not valid is refused before that.
///
/// # Errors
/// `too_many_requests`, and the errors of `authenticate`.
pub(super) async fn limit_failures<T>(
    limiter: Option<&FailureLimiter>,
    network: &str,
    authenticate: impl Future<Output = Result<T, Error>>,
) -> Result<T, ApiError> {
    if let Some(limiter) = limiter {
        limiter.check(network)?;
    }
    let caller = authenticate.await;
    if let (Some(limiter), Err(Error::Unauthenticated(_))) = (limiter, &caller) {
        limiter.count(network);
    }
    Ok(caller?)
}
