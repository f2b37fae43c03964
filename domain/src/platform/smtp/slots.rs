//! How many connections one process uses at the same time, and how many mails it sends in a period.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::settings::SendRate;

/// How long further demands for fewer connections are ignored, because they answer connections from before the last
/// one.
const HALVE_INTERVAL: Duration = Duration::from_secs(5);
/// How long the number of slots stays as it is after a change, before it grows by one.
const GROW_INTERVAL: Duration = Duration::from_secs(60);

/// The first pause after the server has taken no mail. It doubles with each further failure.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The maximum pause.
const MAX_PAUSE: Duration = Duration::from_secs(8);

/// The slots of one process. At most half of them, but always one, are kept free for urgent mail.
///
/// If the server says that it is overloaded, the number of slots is halved. It then grows by one each minute, as long
/// as the server accepts mail.
///
/// If the server takes no mail at all, there is one slot, and a pause before each attempt, until the server takes a
/// mail again. Otherwise all waiting mails would try at once, with a login each.
pub(super) struct Slots {
    max: usize,
    state: Mutex<State>,
    released: Notify,
    rate: Option<Rate>,
}

struct State {
    limit: usize,
    changed_at: Instant,
    halved_at: Option<Instant>,
    in_use: usize,
    bulk_in_use: usize,
    /// How many times in succession the server has taken no mail.
    failures: u32,
    /// No slot is free until this time.
    paused_until: Option<Instant>,
    /// The number of urgent mails that wait for a slot. Bulk mail does not take the last slot from them.
    urgent_waiting: usize,
}

/// The limiter, and the lock for which bulk mail waits in a row, so that urgent mail waits behind one of them only.
struct Rate {
    limiter: DefaultDirectRateLimiter,
    bulk_turn: tokio::sync::Mutex<()>,
}

/// A slot that is in use until this value is dropped.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    is_urgent: bool,
}

impl Slots {
    /// Creates `max` slots, and a limiter of the rate if there is one.
    pub(super) fn new(max: usize, rate: Option<SendRate>) -> Self {
        let state = State {
            limit: max,
            changed_at: Instant::now(),
            halved_at: None,
            in_use: 0,
            bulk_in_use: 0,
            failures: 0,
            paused_until: None,
            urgent_waiting: 0,
        };
        let rate = rate.and_then(|rate| {
            let quota = Quota::with_period(rate.window / rate.mails)?.allow_burst(NonZeroU32::MIN);
            Some(Rate { limiter: RateLimiter::direct(quota), bulk_turn: tokio::sync::Mutex::default() })
        });
        Self { max, state: Mutex::new(state), released: Notify::new(), rate }
    }

    /// Waits for a slot and for the rate.
    pub(super) async fn acquire(self: &Arc<Self>, is_urgent: bool) -> Slot {
        let slot = self.acquire_slot(is_urgent).await;
        // After the slot, so that no more mails than there are slots leave at the same time after a pause.
        if let Some(rate) = &self.rate {
            let _turn = if is_urgent { None } else { Some(rate.bulk_turn.lock().await) };
            rate.limiter.until_ready().await;
        }
        slot
    }

    async fn acquire_slot(self: &Arc<Self>, is_urgent: bool) -> Slot {
        let _waiting = is_urgent.then(|| UrgentWaiting::new(self));
        loop {
            // Registered before the check, so that a release in between is not missed.
            let released = self.released.notified();
            let paused_until = {
                let mut state = self.state();
                if state.try_take(is_urgent) {
                    return Slot { slots: self.clone(), is_urgent };
                }
                state.paused_until.filter(|until| *until > Instant::now())
            };
            match paused_until {
                Some(until) => tokio::select! { () = released => {}, () = sleep_until(until) => {} },
                None => released.await,
            }
        }
    }

    /// Halves the number of slots. Connections that are in use stay open.
    pub(super) fn halve(&self) {
        let mut state = self.state();
        if state.halved_at.is_some_and(|at| at.elapsed() < HALVE_INTERVAL) {
            return;
        }
        state.limit = (state.limit / 2).max(1);
        state.changed_at = Instant::now();
        state.halved_at = Some(state.changed_at);
    }

    /// Records that the server has taken no mail. Pauses, unless a pause is under way, which other attempts of the same
    /// time have caused.
    pub(super) fn pause(&self) {
        let mut state = self.state();
        let now = Instant::now();
        if state.paused_until.is_none_or(|until| until <= now) {
            let pause = FIRST_PAUSE * 2u32.pow(state.failures.min(10));
            state.paused_until = Some(now + pause.min(MAX_PAUSE));
            state.failures += 1;
        }
    }

    /// Ends the pauses.
    pub(super) fn resume(&self) {
        let mut state = self.state();
        if std::mem::take(&mut state.failures) > 0 {
            state.paused_until = None;
            drop(state);
            self.released.notify_waiters();
        }
    }

    /// Records that the server has accepted a mail.
    pub(super) fn accepted(&self) {
        self.resume();
        let mut state = self.state();
        if state.limit < self.max && state.changed_at.elapsed() >= GROW_INTERVAL {
            state.limit += 1;
            state.changed_at = Instant::now();
            drop(state);
            self.released.notify_waiters();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn try_take(&mut self, is_urgent: bool) -> bool {
        if self.paused_until.is_some_and(|until| until > Instant::now()) {
            return false;
        }
        let limit = if self.failures > 0 { 1 } else { self.limit };
        let bulk_limit = (limit - limit / 2).clamp(1, limit.saturating_sub(1).max(1));
        let is_last = self.in_use + 1 >= limit;
        let may_bulk = self.bulk_in_use < bulk_limit && !(is_last && self.urgent_waiting > 0);
        let is_free = self.in_use < limit && (is_urgent || may_bulk);
        if is_free {
            self.in_use += 1;
            self.bulk_in_use += usize::from(!is_urgent);
        }
        is_free
    }
}

/// An urgent mail that waits for a slot, until this value is dropped.
struct UrgentWaiting<'a>(&'a Slots);

impl<'a> UrgentWaiting<'a> {
    fn new(slots: &'a Slots) -> Self {
        slots.state().urgent_waiting += 1;
        Self(slots)
    }
}

impl Drop for UrgentWaiting<'_> {
    fn drop(&mut self) {
        self.0.state().urgent_waiting -= 1;
        self.0.released.notify_waiters();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.slots.state();
        state.in_use -= 1;
        state.bulk_in_use -= usize::from(!self.is_urgent);
        drop(state);
        self.slots.released.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn try_acquire(slots: &Arc<Slots>, is_urgent: bool) -> Option<Slot> {
        slots.acquire(is_urgent).now_or_never()
    }

    #[test]
    fn urgent_mail_has_slots_of_its_own() {
        for (max, bulk) in [(1, 1), (2, 1), (3, 2), (4, 2), (32, 16)] {
            let slots = Arc::new(Slots::new(max, None));
            let taken: Vec<_> = std::iter::from_fn(|| try_acquire(&slots, false)).collect();
            assert_eq!(taken.len(), bulk, "of {max}");
            let urgent: Vec<_> = std::iter::from_fn(|| try_acquire(&slots, true)).collect();
            assert_eq!(urgent.len(), max - bulk, "of {max}");
        }
    }

    #[test]
    fn slots_are_halved_and_grow_again() {
        let slots = Arc::new(Slots::new(4, None));
        slots.halve();
        let _first = try_acquire(&slots, true).unwrap();
        let second = try_acquire(&slots, true).unwrap();
        assert!(try_acquire(&slots, true).is_none());
        slots.accepted();
        assert!(try_acquire(&slots, true).is_none(), "a minute has not passed");
        slots.state().changed_at -= GROW_INTERVAL;
        slots.accepted();
        let _third = try_acquire(&slots, true).unwrap();
        drop(second);
        assert!(try_acquire(&slots, true).is_some());
        for _ in 0..9 {
            slots.halve();
            slots.state().halved_at = None;
        }
        assert!(try_acquire(&slots, true).is_none());
    }

    #[tokio::test]
    async fn urgent_mail_that_waits_gets_the_last_slot() {
        let slots = Arc::new(Slots::new(1, None));
        let used = try_acquire(&slots, false).unwrap();
        let mut urgent = Box::pin(slots.acquire(true));
        assert!((&mut urgent).now_or_never().is_none());
        drop(used);
        assert!(try_acquire(&slots, false).is_none(), "an urgent mail waits");
        assert!((&mut urgent).now_or_never().is_some());
    }

    #[test]
    fn answers_to_connections_of_the_same_time_halve_once() {
        let slots = Arc::new(Slots::new(8, None));
        (0..3).for_each(|_| slots.halve());
        assert_eq!(slots.state().limit, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn one_mail_at_a_time_tries_a_server_that_takes_no_mail() {
        let slots = Arc::new(Slots::new(8, None));
        let mut began = Instant::now();
        for milliseconds in [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000] {
            (0..3).for_each(|_| slots.pause());
            assert!(try_acquire(&slots, true).is_none());
            let slot = slots.acquire(false).await;
            assert_eq!(began.elapsed().as_millis() / 10, milliseconds / 10);
            assert!(try_acquire(&slots, false).is_none(), "there is one slot");
            drop(slot);
            began = Instant::now();
        }
        slots.pause();
        slots.resume();
        let taken: Vec<_> = std::iter::from_fn(|| try_acquire(&slots, false)).collect();
        assert_eq!(taken.len(), 4);
    }

    #[tokio::test]
    async fn the_rate_limits_the_mails() {
        let rate = SendRate { mails: 2, window: Duration::from_secs(3_600) };
        let slots = Arc::new(Slots::new(4, Some(rate)));
        assert!(try_acquire(&slots, false).is_some());
        assert!(try_acquire(&slots, false).is_none());
        assert!(try_acquire(&slots, true).is_none());
    }
}
