//! The rate limits that are counted in the memory of this process, before any other work.
//!
//! They are cheap, and approximate if several processes run. The exact limits are counted in the database, in
//! `domain/src/platform/rate_limit`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use governor::{
    DefaultKeyedRateLimiter, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};
use portico_domain::{
    entity::SessionId,
    limits,
    platform::{
        error::{Error, RateLimited},
        rate_limit::{Limit, Quota, RateLimitSettings, Scope},
    },
};

/// A limit that is on. The key is a network, or the id of a session.
struct Limiter {
    name: &'static str,
    quota: Quota,
    limiter: DefaultKeyedRateLimiter<String, StateInformationMiddleware>,
}

impl Limiter {
    fn new(name: &'static str, quota: Quota) -> Option<Self> {
        let rate = governor::Quota::with_period(quota.window / quota.burst)?.allow_burst(quota.burst.try_into().ok()?);
        Some(Self { name, quota, limiter: RateLimiter::keyed(rate).with_middleware() })
    }

    /// Takes one unit of `key`, and returns how many are left.
    ///
    /// # Errors
    /// `too_many_requests` if there is none.
    fn take(&self, key: &str) -> Result<u32, Error> {
        let taken = self.limiter.check_key(&key.to_owned());
        taken.map(|state| state.remaining_burst_capacity()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            self.refusal(wait)
        })
    }

    /// Returns the error of a request that may be repeated after `wait`.
    fn refusal(&self, wait: Duration) -> Error {
        let retry_after = (wait.as_secs_f64().ceil() as u64).max(1);
        let Quota { burst, window } = self.quota;
        Error::RateLimited(RateLimited { limit: self.name, burst, window, retry_after })
    }

    /// Removes the keys that have all their units again, so that the number of keys in memory is bounded.
    fn evict_expired(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// The rate limits of this process.
pub(crate) struct RateLimits {
    limiters: HashMap<&'static str, Limiter>,
    failed_auth: FailureLimiter,
    /// The limit of [`TOKEN_NETWORK`](limits::TOKEN_NETWORK).
    misses: FailureLimiter,
    /// The limit of [`CHECK_PASSWORD`](limits::CHECK_PASSWORD).
    judged_passwords: FailureLimiter,
    /// The limit of [`BRAND_MISSES`](limits::BRAND_MISSES).
    brand_misses: FailureLimiter,
}

impl RateLimits {
    /// Creates the limiters of every limit with [`Scope::Process`] that is on.
    pub(crate) fn new(settings: &RateLimitSettings) -> Arc<Self> {
        let of_process = limits::ALL.iter().filter(|limit| limit.scope == Scope::Process);
        let limiters = of_process.filter_map(|limit| Limiter::new(limit.name, settings.quota(limit)?));
        let mut limiters: HashMap<_, _> = limiters.map(|limiter| (limiter.name, limiter)).collect();
        let mut of_failures = |limit: &Limit| FailureLimiter::new(limiters.remove(limit.name));
        let (failed_auth, misses) = (of_failures(&limits::BEARER), of_failures(&limits::TOKEN_NETWORK));
        let (judged_passwords, brand_misses) =
            (of_failures(&limits::CHECK_PASSWORD), of_failures(&limits::BRAND_MISSES));
        Arc::new(Self { limiters, failed_auth, misses, judged_passwords, brand_misses })
    }

    /// Returns the counter of failed bearer tokens. It is shared.
    pub(crate) fn failed_auth(&self) -> FailureLimiter {
        self.failed_auth.clone()
    }

    /// Takes one unit of [`REQUESTS`](limits::REQUESTS) of the session, or of the network if the request has no
    /// session. Takes one unit of each limit that the operation has `declared`, always of the network. Takes none of
    /// [`TOKEN_NETWORK`](limits::TOKEN_NETWORK), which [`count_miss`](Self::count_miss) does after the response, and
    /// none of [`CHECK_PASSWORD`](limits::CHECK_PASSWORD), which the operations do. A network that has exhausted one of
    /// these two is refused.
    ///
    /// # Errors
    /// `too_many_requests` if one of the limits has no unit left.
    pub(crate) fn take(&self, network: &str, session: Option<SessionId>, declared: &[&str]) -> Result<(), Error> {
        if declared.contains(&limits::TOKEN_NETWORK.name) {
            self.misses.check(network)?;
        }
        if declared.contains(&limits::CHECK_PASSWORD.name) {
            self.judged_passwords.check(&refused_passwords_of(network))?;
        }
        if let Some(limiter) = self.limiters.get(limits::REQUESTS.name) {
            match session {
                Some(session) => limiter.take(&session.to_string())?,
                None => limiter.take(network)?,
            };
        }
        for limiter in declared.iter().filter_map(|name| self.limiters.get(name)) {
            limiter.take(network)?;
        }
        Ok(())
    }

    /// Counts a link token or a code that is not valid, if the operation has `declared` the limit of these.
    pub(crate) fn count_miss(&self, network: &str, declared: &[&str]) {
        if declared.contains(&limits::TOKEN_NETWORK.name) {
            self.misses.count(network);
        }
    }

    /// Takes one unit of [`CHECK_PASSWORD`](limits::CHECK_PASSWORD) for a password that is judged and not set.
    ///
    /// # Errors
    /// `too_many_requests` if there is none.
    pub(crate) fn take_judgement(&self, network: &str) -> Result<(), Error> {
        self.judged_passwords.take(network)
    }

    /// Counts a password that the policy has refused in an operation that would have set it: the judgement has cost as
    /// much as one that [`take_judgement`](Self::take_judgement) counts. A password that was set counts nothing.
    /// Returns `result`, the result of the use case.
    ///
    /// # Errors
    /// The error of `result`.
    pub(crate) fn count_refused_password<T>(&self, network: &str, result: Result<T, Error>) -> Result<T, Error> {
        // The body was parsed before, so only the policy finds an invalid field.
        if matches!(result, Err(Error::Invalid(_))) {
            self.judged_passwords.count(&refused_passwords_of(network));
        }
        result
    }

    /// Returns the counter of slugs that no tenant has.
    pub(crate) fn brand_misses(&self) -> &FailureLimiter {
        &self.brand_misses
    }

    /// Removes the networks and sessions that have all their units again. To be called each minute.
    pub(crate) fn evict_expired(&self) {
        self.limiters.values().for_each(Limiter::evict_expired);
        self.failed_auth.evict_expired();
        self.misses.evict_expired();
        self.judged_passwords.evict_expired();
        self.brand_misses.evict_expired();
    }
}

/// Returns the key of the refused passwords of a network. They have units of their own, because an office shares an
/// address: what some people type into a form must not keep others from setting their passwords.
fn refused_passwords_of(network: &str) -> String {
    format!("refused {network}")
}

/// Counts failures only, such as secrets that are not valid. A network that has exhausted the limit is refused before
/// its secret is looked at.
#[derive(Clone)]
pub(crate) struct FailureLimiter(Arc<Failures>);

struct Failures {
    /// `None` if the limit is off.
    limiter: Option<Limiter>,
    /// The networks that are refused, and until when.
    blocked: Mutex<HashMap<String, Instant>>,
}

impl FailureLimiter {
    fn new(limiter: Option<Limiter>) -> Self {
        Self(Arc::new(Failures { limiter, blocked: Mutex::default() }))
    }

    /// Checks that `network` may present another secret.
    ///
    /// # Errors
    /// `too_many_requests` if it may not yet.
    pub(crate) fn check(&self, network: &str) -> Result<(), Error> {
        let Some(limiter) = &self.0.limiter else { return Ok(()) };
        let until = self.blocked().get(network).copied();
        match until.and_then(|until| until.checked_duration_since(Instant::now())) {
            Some(wait) => Err(limiter.refusal(wait)),
            None => Ok(()),
        }
    }

    /// Counts one failure of `network`.
    pub(crate) fn count(&self, network: &str) {
        // If no unit is left, the network is refused already.
        let _ = self.take(network);
    }

    /// Counts what is about to fail.
    ///
    /// # Errors
    /// `too_many_requests` if `network` has no unit left.
    fn take(&self, network: &str) -> Result<(), Error> {
        let Some(limiter) = &self.0.limiter else { return Ok(()) };
        let taken = limiter.take(network);
        if !taken.as_ref().is_ok_and(|left| *left > 0) {
            let until = Instant::now() + limiter.quota.window / limiter.quota.burst;
            self.blocked().insert(network.to_owned(), until);
        }
        taken.map(drop)
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

    /// A million networks that each send one request must not stay in memory (THR-12).
    #[test]
    fn networks_that_have_all_their_units_again_are_evicted() {
        let limiter = Limiter::new("requests", Quota { burst: 600, window: Duration::from_millis(600) }).unwrap();
        for n in 0..20_000 {
            limiter.take(&n.to_string()).unwrap();
        }
        let started = Instant::now();
        while !limiter.limiter.is_empty() {
            assert!(started.elapsed() < Duration::from_secs(10), "{} networks stay in memory", limiter.limiter.len());
            limiter.evict_expired();
        }
    }
}
