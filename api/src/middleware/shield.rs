//! Limits of this process alone, taken before any work: cheap, approximate over several processes, and the first line
//! before the exact counters in the database.

use std::sync::Arc;

use governor::{DefaultKeyedRateLimiter, RateLimiter, clock::Clock, clock::DefaultClock};
use portico_domain::{
    error::Error,
    throttle::{LimitSettings, Quota},
};

/// One keyed limit; none when it is off.
struct Limiter(Option<DefaultKeyedRateLimiter<String>>);

impl Limiter {
    fn new(quota: Option<Quota>) -> Self {
        let quota = quota.and_then(|quota| {
            let interval = quota.per / quota.burst;
            Some(governor::Quota::with_period(interval)?.allow_burst(quota.burst.try_into().ok()?))
        });
        Self(quota.map(RateLimiter::keyed))
    }

    fn take(&self, network: &str) -> Result<(), Error> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(&network.to_owned()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            Error::TooMany { retry_after: wait.as_secs() + u64::from(wait.subsec_nanos() > 0).max(1) }
        })
    }

    /// Keys that have all their units back are forgotten, so that memory is bounded by what comes in a minute.
    fn forget(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// The limits of this process.
pub(crate) struct Shield {
    requests: Limiter,
    passwords: Limiter,
    tokens: Limiter,
    bad_bearers: BadBearers,
}

impl Shield {
    pub(crate) fn new(limits: &LimitSettings) -> Arc<Self> {
        Arc::new(Self {
            requests: Limiter::new(limits.requests),
            passwords: Limiter::new(limits.sign_in_rate),
            tokens: Limiter::new(limits.token_network),
            bad_bearers: BadBearers(Arc::new(Limiter::new(limits.bearer)), Arc::default()),
        })
    }

    /// The counter of bad bearer tokens, for whoever finds one.
    pub(crate) fn bad_bearers(&self) -> BadBearers {
        self.bad_bearers.clone()
    }

    /// Takes one request of this network to this path.
    pub(super) fn take(&self, network: &str, path: &str) -> Result<(), Error> {
        self.requests.take(network)?;
        match path {
            "/api/portal/auth/sign-in" | "/api/portal/auth/change-password" => self.passwords.take(network),
            "/api/staff/auth/verify-code"
            | "/api/portal/auth/check-token"
            | "/api/portal/auth/activate"
            | "/api/portal/auth/reset-password"
            | "/api/portal/auth/request-new-link"
            | "/api/portal/invitations/accept" => self.tokens.take(network),
            _ => Ok(()),
        }
    }

    /// To be called each minute.
    pub(crate) fn forget(&self) {
        self.requests.forget();
        self.passwords.forget();
        self.tokens.forget();
        self.bad_bearers.0.forget();
    }
}

/// Counts bad bearer tokens; a network that has used them up is turned away before its token is looked at.
#[derive(Clone)]
pub(crate) struct BadBearers(
    Arc<Limiter>,
    Arc<std::sync::Mutex<std::collections::HashMap<String, std::time::Instant>>>,
);

impl BadBearers {
    /// Whether this network may show another token.
    pub(crate) fn check(&self, network: &str) -> Result<(), Error> {
        let mut shut = self.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(until) = shut.get(network).copied() else { return Ok(()) };
        match until.checked_duration_since(std::time::Instant::now()) {
            Some(wait) => Err(Error::TooMany { retry_after: wait.as_secs() + 1 }),
            None => {
                shut.remove(network);
                Ok(())
            }
        }
    }

    /// Counts one bad token.
    pub(crate) fn count(&self, network: &str) {
        if let Err(Error::TooMany { retry_after }) = self.0.take(network) {
            let until = std::time::Instant::now() + std::time::Duration::from_secs(retry_after);
            let mut shut = self.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            shut.insert(network.to_owned(), until);
        }
    }
}
