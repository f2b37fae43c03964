//! Limits of this process alone, taken before any work: cheap, approximate over several processes, and the first line
//! before the exact counters in the database.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use governor::{
    DefaultKeyedRateLimiter, RateLimiter,
    clock::{Clock, DefaultClock},
};
use portico_domain::{
    error::Error,
    rate_limit::{Policy, Quota, RateLimitSettings},
};

/// Operations by which a password could be guessed.
const PASSWORD_PATHS: [&str; 2] = ["/api/portal/auth/sign-in", "/api/portal/auth/change-password"];
/// Operations by which a link or a code could be guessed.
const TOKEN_PATHS: [&str; 6] = [
    "/api/staff/auth/verify-code",
    "/api/portal/auth/check-token",
    "/api/portal/auth/activate",
    "/api/portal/auth/reset-password",
    "/api/portal/auth/request-new-link",
    "/api/portal/invitations/accept",
];

/// One limit, keyed by network.
struct Limiter {
    policy: Policy,
    limiter: DefaultKeyedRateLimiter<String>,
}

impl Limiter {
    /// None when the limit is off.
    fn new(name: &'static str, quota: Option<Quota>) -> Option<Self> {
        let quota = quota?;
        let rate = governor::Quota::with_period(quota.per / quota.burst)?.allow_burst(quota.burst.try_into().ok()?);
        Some(Self { policy: Policy { name, quota }, limiter: RateLimiter::keyed(rate) })
    }

    fn take(&self, network: &str) -> Result<(), Error> {
        self.limiter.check_key(&network.to_owned()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            self.rate_limited(wait)
        })
    }

    fn rate_limited(&self, wait: Duration) -> Error {
        Error::RateLimited { policy: self.policy, retry_after: (wait.as_secs_f64().ceil() as u64).max(1) }
    }

    /// Keys that have all their units back are forgotten, so that memory is bounded by what comes in a minute.
    fn evict_expired(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// The limits of this process.
pub(crate) struct RateLimits {
    requests: Option<Limiter>,
    passwords: Option<Limiter>,
    tokens: Option<Limiter>,
    failed_auth: FailedAuthLimiter,
}

impl RateLimits {
    pub(crate) fn new(limits: &RateLimitSettings) -> Arc<Self> {
        Arc::new(Self {
            requests: Limiter::new("requests", limits.requests),
            passwords: Limiter::new("sign_in_rate", limits.sign_in_rate),
            tokens: Limiter::new("token_network", limits.token_network),
            failed_auth: FailedAuthLimiter::new(limits.bearer),
        })
    }

    /// The counter of bad bearer tokens, for whoever finds one.
    pub(crate) fn failed_auth(&self) -> FailedAuthLimiter {
        self.failed_auth.clone()
    }

    /// Takes one request of this network to this path.
    pub(super) fn take(&self, network: &str, path: &str) -> Result<(), Error> {
        let special = match path {
            path if PASSWORD_PATHS.contains(&path) => &self.passwords,
            path if TOKEN_PATHS.contains(&path) => &self.tokens,
            _ => &None,
        };
        [&self.requests, special].into_iter().flatten().try_for_each(|limiter| limiter.take(network))
    }

    /// To be called each minute.
    pub(crate) fn evict_expired(&self) {
        [&self.requests, &self.passwords, &self.tokens].into_iter().flatten().for_each(Limiter::evict_expired);
        self.failed_auth.evict_expired();
    }
}

/// Counts bad bearer tokens; a network that has used them up is turned away before its token is looked at.
#[derive(Clone)]
pub(crate) struct FailedAuthLimiter(Arc<FailedAuth>);

struct FailedAuth {
    limiter: Option<Limiter>,
    /// Networks that are turned away, and until when.
    blocked: Mutex<HashMap<String, Instant>>,
}

impl FailedAuthLimiter {
    fn new(quota: Option<Quota>) -> Self {
        Self(Arc::new(FailedAuth { limiter: Limiter::new("bearer", quota), blocked: Mutex::default() }))
    }

    /// Whether this network may show another token.
    pub(crate) fn check(&self, network: &str) -> Result<(), Error> {
        let Some(limiter) = &self.0.limiter else { return Ok(()) };
        let until = self.blocked().get(network).copied();
        match until.and_then(|until| until.checked_duration_since(Instant::now())) {
            Some(wait) => Err(limiter.rate_limited(wait)),
            None => Ok(()),
        }
    }

    /// Counts one bad token.
    pub(crate) fn count(&self, network: &str) {
        let Some(limiter) = &self.0.limiter else { return };
        if let Err(Error::RateLimited { retry_after, .. }) = limiter.take(network) {
            self.blocked().insert(network.to_owned(), Instant::now() + Duration::from_secs(retry_after));
        }
    }

    fn evict_expired(&self) {
        let now = Instant::now();
        self.blocked().retain(|_, until| *until > now);
        if let Some(limiter) = &self.0.limiter {
            limiter.evict_expired();
        }
    }

    fn blocked(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi;

    /// THR-12: a million networks that come once are forgotten.
    #[test]
    fn networks_that_have_all_their_units_back_are_forgotten() {
        let quota = Quota { burst: 600, per: Duration::from_millis(600) };
        let limiter = Limiter::new("requests", Some(quota)).unwrap();
        for n in 0..20_000 {
            limiter.take(&n.to_string()).unwrap();
        }
        let started = Instant::now();
        while !limiter.limiter.is_empty() {
            assert!(started.elapsed() < Duration::from_secs(10), "{} are kept", limiter.limiter.len());
            limiter.evict_expired();
        }
    }

    #[test]
    fn every_path_with_a_limit_of_its_own_is_an_operation() {
        for path in PASSWORD_PATHS.iter().chain(&TOKEN_PATHS) {
            assert_eq!(openapi::allowed_methods(path), "POST", "{path}");
        }
    }
}
