//! The argument for a session that an operation needs only if the body proves nothing.

use poem::{Request, RequestBody};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, registry::Registry};
use portico_domain::{
    identity::sessions,
    platform::{
        actor::{self, Anonymous, Realm, RequestContext},
        app::App,
        error::Error,
        secret::PlainToken,
    },
};

use super::{
    app,
    callers::limit_failures,
    context,
    credentials::access_token,
    schemes::{self, Scheme},
};
use crate::http::{error::ApiError, rate_limit::FailureLimiter};

/// The portal session of the request, if there is one. It is not checked until the operation needs it: the page of a
/// mailed link must work in a browser whose session has ended. The document lists the credentials, and says that they
/// are optional.
pub(crate) struct OptionalSession {
    token: Option<PlainToken>,
    context: RequestContext,
    limiter: Option<FailureLimiter>,
}

impl OptionalSession {
    /// Returns the network that the request came from.
    pub(crate) fn network(&self) -> String {
        self.context.network()
    }

    /// Returns the caller without the session.
    pub(crate) fn anonymous(self) -> Anonymous {
        Anonymous { context: self.context }
    }

    /// Returns the portal user of the session.
    ///
    /// # Errors
    /// As for [`PortalUser`](super::PortalUser) as an extractor.
    pub(crate) async fn portal_user(self, app: &App) -> Result<actor::PortalUser, ApiError> {
        let token = self.token.ok_or(Error::UNAUTHENTICATED)?;
        let network = self.context.network();
        let user = sessions::authenticate_portal(app, &token, self.context);
        Ok(limit_failures(self.limiter.as_ref(), &network, user).await?.check(app.now())?)
    }
}

impl<'a> ApiExtractor<'a> for OptionalSession {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        schemes::register(registry, &Scheme::access(Realm::Portal));
    }

    fn security_schemes() -> Vec<&'static str> {
        Scheme::access(Realm::Portal).map(Scheme::name).into()
    }

    fn has_security_fallback() -> bool {
        true
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        // A credential that cannot be read counts as none.
        let token = access_token(request, app(request)?, Realm::Portal).ok().flatten();
        Ok(Self { token, context: context(request)?, limiter: request.data::<FailureLimiter>().cloned() })
    }
}
