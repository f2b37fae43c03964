//! The values of the rate limits.

use std::collections::HashMap;

use super::{Limit, Quota, Scope};
use crate::platform::env_reader::{EnvReader, duration};

/// The value of each rate limit. A limit that is off has none.
#[derive(Clone, Debug, Default)]
pub struct RateLimitSettings {
    quotas: HashMap<&'static str, Quota>,
    max_streaks: HashMap<&'static str, u32>,
}

impl RateLimitSettings {
    /// Reads the variables of `limits`. Returns `None` if one of them is wrong; `env` then holds the errors.
    pub fn read(env: &mut EnvReader, limits: &'static [Limit]) -> Option<Self> {
        let (mut settings, mut is_valid) = (Self::default(), true);
        for limit in limits {
            let is_read = match limit.scope {
                Scope::Shared | Scope::Process => read_limit(env, limit, "N/duration", parse_quota)
                    .map(|quota| settings.quotas.extend(quota.map(|quota| (limit.name, quota)))),
                Scope::Streak => read_limit(env, limit, "1 to 1000", parse_streak)
                    .map(|max| settings.max_streaks.extend(max.map(|max| (limit.name, max)))),
            };
            is_valid &= is_read.is_some();
        }
        is_valid.then_some(settings)
    }

    /// Returns the quota of a limit, or `None` if the limit is off.
    ///
    /// # Panics
    /// In debug builds, if the scope of the limit is [`Scope::Streak`], which has no quota.
    pub fn quota(&self, limit: &Limit) -> Option<Quota> {
        debug_assert_ne!(limit.scope, Scope::Streak, "{}", limit.name);
        self.quotas.get(limit.name).copied()
    }

    /// Returns the number of consecutive failures that a limit allows, or `None` if the limit is off.
    ///
    /// # Panics
    /// In debug builds, if the scope of the limit is not [`Scope::Streak`].
    pub fn max_streak(&self, limit: &Limit) -> Option<u32> {
        debug_assert_eq!(limit.scope, Scope::Streak, "{}", limit.name);
        self.max_streaks.get(limit.name).copied()
    }
}

fn read_limit<T>(env: &mut EnvReader, limit: &Limit, form: &str, parse: fn(&str) -> Option<T>) -> Option<Option<T>> {
    let production = env.is_production();
    let development = (!production && !env.is_set(limit.setting)).then_some(limit.development);
    let example = format!("e.g. {}={}", limit.setting, limit.default);
    env.read(limit.setting, limit.default, limit.description, |value| match development.unwrap_or(value) {
        "off" if production => Err(format!("must not be off in production, {example}")),
        "off" => Ok(None),
        value => parse(value).map(Some).ok_or_else(|| format!("must be {form}, {example}")),
    })
}

fn parse_quota(value: &str) -> Option<Quota> {
    let (burst, window) = value.split_once('/')?;
    let burst = burst.parse().ok().filter(|burst| (1..=1_000_000).contains(burst))?;
    Some(Quota { burst, window: duration(window).ok()? })
}

fn parse_streak(value: &str) -> Option<u32> {
    value.parse().ok().filter(|count| (1..=1_000).contains(count))
}
