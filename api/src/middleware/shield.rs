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
    throttle::{LimitSettings, Policy, Quota},
};

/// Operations by which a password could be guessed.
const TRY_A_PASSWORD: [&str; 2] = ["/api/portal/auth/sign-in", "/api/portal/auth/change-password"];
/// Operations by which a link or a code could be guessed.
const TRY_A_TOKEN: [&str; 6] = [
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
            self.refusal(wait)
        })
    }

    fn refusal(&self, wait: Duration) -> Error {
        Error::TooMany { policy: self.policy, retry_after: (wait.as_secs_f64().ceil() as u64).max(1) }
    }

    /// Keys that have all their units back are forgotten, so that memory is bounded by what comes in a minute.
    fn forget(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// The limits of this process.
pub(crate) struct Shield {
    requests: Option<Limiter>,
    passwords: Option<Limiter>,
    tokens: Option<Limiter>,
    bad_bearers: BadBearers,
}

impl Shield {
    pub(crate) fn new(limits: &LimitSettings) -> Arc<Self> {
        Arc::new(Self {
            requests: Limiter::new("requests", limits.requests),
            passwords: Limiter::new("sign_in_rate", limits.sign_in_rate),
            tokens: Limiter::new("token_network", limits.token_network),
            bad_bearers: BadBearers::new(limits.bearer),
        })
    }

    /// The counter of bad bearer tokens, for whoever finds one.
    pub(crate) fn bad_bearers(&self) -> BadBearers {
        self.bad_bearers.clone()
    }

    /// Takes one request of this network to this path.
    pub(super) fn take(&self, network: &str, path: &str) -> Result<(), Error> {
        let special = match path {
            path if TRY_A_PASSWORD.contains(&path) => &self.passwords,
            path if TRY_A_TOKEN.contains(&path) => &self.tokens,
            _ => &None,
        };
        [&self.requests, special].into_iter().flatten().try_for_each(|limiter| limiter.take(network))
    }

    /// To be called each minute.
    pub(crate) fn forget(&self) {
        [&self.requests, &self.passwords, &self.tokens].into_iter().flatten().for_each(Limiter::forget);
        self.bad_bearers.forget();
    }
}

/// Counts bad bearer tokens; a network that has used them up is turned away before its token is looked at.
#[derive(Clone)]
pub(crate) struct BadBearers(Arc<Bad>);

struct Bad {
    limiter: Option<Limiter>,
    /// Networks that are turned away, and until when.
    shut: Mutex<HashMap<String, Instant>>,
}

impl BadBearers {
    fn new(quota: Option<Quota>) -> Self {
        Self(Arc::new(Bad { limiter: Limiter::new("bearer", quota), shut: Mutex::default() }))
    }

    /// Whether this network may show another token.
    pub(crate) fn check(&self, network: &str) -> Result<(), Error> {
        let Some(limiter) = &self.0.limiter else { return Ok(()) };
        let until = self.shut().get(network).copied();
        match until.and_then(|until| until.checked_duration_since(Instant::now())) {
            Some(wait) => Err(limiter.refusal(wait)),
            None => Ok(()),
        }
    }

    /// Counts one bad token.
    pub(crate) fn count(&self, network: &str) {
        let Some(limiter) = &self.0.limiter else { return };
        if let Err(Error::TooMany { retry_after, .. }) = limiter.take(network) {
            self.shut().insert(network.to_owned(), Instant::now() + Duration::from_secs(retry_after));
        }
    }

    fn forget(&self) {
        let now = Instant::now();
        self.shut().retain(|_, until| *until > now);
        if let Some(limiter) = &self.0.limiter {
            limiter.forget();
        }
    }

    fn shut(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.shut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

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
            limiter.forget();
        }
    }

    #[test]
    fn every_path_with_a_limit_of_its_own_is_an_operation() {
        for path in TRY_A_PASSWORD.iter().chain(&TRY_A_TOKEN) {
            assert_eq!(document::allowed_methods(path), "POST", "{path}");
        }
    }
}
