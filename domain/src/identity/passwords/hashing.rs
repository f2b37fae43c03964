//! Password hashing on a pool of its own threads.
//!
//! The pool has one thread for each core, so any number of concurrent sign-ins uses at most the memory of one hash for
//! each core. The threads have a low priority, so requests that need no hash run first.

use std::{
    collections::BTreeSet,
    num::NonZero,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, available_parallelism},
    time::{Duration, Instant},
};

use scrypt::{
    Params, Scrypt,
    password_hash::{CustomizedPasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use super::Cost;
use crate::platform::{
    actor::RequestContext,
    error::{Error, Result},
    metrics::{self, HashSlot, SlotDenied},
    random::Random,
    secret::Password,
};

/// How long a request waits for a hashing slot before it fails with `overloaded`, which is status 503.
const SLOT_TIMEOUT: Duration = Duration::from_secs(3);
/// The nice value that is added to the hashing threads; see nice(2).
///
/// A hash keeps one core busy for about a third of a second, and without this value all other requests would wait for
/// the scheduler to switch to them. The value is below the maximum of 19, so that another busy process cannot block
/// all sign-ins.
const HASHING_NICENESS: i32 = 10;

/// A task for a hashing thread.
type Work = Box<dyn FnOnce() + Send>;

/// Hashes passwords with scrypt (RFC 7914) into PHC strings, one at a time on each core. Clones share one pool.
#[derive(Clone)]
pub struct Hasher {
    slots: Arc<Semaphore>,
    threads: mpsc::Sender<Work>,
    /// The cost of new hashes.
    current: Cost,
}

/// A hashing slot that is in use. Dropping it frees the slot and updates the metrics.
struct Slot {
    _counted: HashSlot,
    _permit: OwnedSemaphorePermit,
}

/// The result of verifying a password.
pub(crate) enum Verification {
    /// The password is wrong, or the account has no password.
    Wrong,
    /// The password is right.
    Right {
        /// A hash with the current cost, to replace a stored hash with another cost. `None` if the stored hash is
        /// current.
        rehashed: Option<String>,
    },
}

impl Hasher {
    /// Starts a pool with one thread and one slot for each core. New hashes have the cost `current`.
    ///
    /// The threads end when the last clone is dropped.
    pub fn new(current: Params) -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        metrics::hash_slots(cores);
        Self { slots: Arc::new(Semaphore::new(cores)), threads: start(cores), current: Cost(current) }
    }

    /// Hashes `password` with a random salt and returns the PHC string.
    ///
    /// # Errors
    /// - `overloaded`: no hashing slot was free within 3 seconds, or the client of `context` disconnected while it
    ///   waited.
    /// - `internal`: hashing failed.
    pub async fn hash(&self, context: &RequestContext, password: &Password) -> Result<String> {
        let (slot, current, password) = (self.slot(context).await?, self.current, password.clone());
        self.run(slot, move || hash(&password, current)).await?
    }

    /// Verifies `password` against the PHC string `phc`.
    ///
    /// Computes one hash of each cost in `costs`, of the current cost, and of the cost of `phc`, in one slot. One of
    /// them is the verification. So the work is the same for every `phc` whose cost is in `costs`, and without `phc`,
    /// which is [`Verification::Wrong`]. The hash with the current cost replaces a stored hash of another cost.
    ///
    /// # Errors
    /// - `overloaded`: no hashing slot was free within 3 seconds, or the client of `context` disconnected while it
    ///   waited.
    /// - `internal`: `phc` is not a PHC string, or hashing failed.
    pub(crate) async fn verify(
        &self,
        context: &RequestContext,
        phc: Option<&str>,
        password: &Password,
        mut costs: BTreeSet<Cost>,
    ) -> Result<Verification> {
        let (slot, current, password) = (self.slot(context).await?, self.current, password.clone());
        let phc = phc.map(str::to_owned);
        self.run(slot, move || {
            let stored = phc.as_deref().map(PasswordHash::new).transpose();
            let stored = stored
                .map_err(|error| Error::Internal(format!("the stored password hash is not a PHC string: {error}")))?;
            let stored_cost = phc.as_deref().and_then(Cost::in_phc);
            costs.extend([current].into_iter().chain(stored_cost));
            let (mut is_right, mut rehashed) = (false, None);
            for cost in costs {
                match &stored {
                    Some(stored) if stored_cost == Some(cost) => {
                        is_right = Scrypt::default().verify_password(password.reveal().as_bytes(), stored).is_ok();
                    }
                    _ if cost == current => rehashed = Some(hash(&password, cost)?),
                    _ => drop(hash(&password, cost)?),
                }
            }
            Ok(if is_right { Verification::Right { rehashed } } else { Verification::Wrong })
        })
        .await?
    }

    /// Waits for a free hashing slot and takes it, or fails with `overloaded`.
    async fn slot(&self, context: &RequestContext) -> Result<Slot> {
        let started = Instant::now();
        let refused = tokio::select! {
            slot = timeout(SLOT_TIMEOUT, self.slots.clone().acquire_owned()) => match slot {
                Ok(Ok(permit)) => {
                    return Ok(Slot { _counted: metrics::hash_slot_taken(started.elapsed()), _permit: permit });
                }
                _ => SlotDenied::Full,
            },
            () = context.disconnected.cancelled() => SlotDenied::Gone,
        };
        metrics::hash_refused(refused);
        Err(Error::Overloaded)
    }

    /// Runs `work` on a hashing thread and returns its result. The slot is freed when the work is done, even if the
    /// caller no longer waits for the result.
    async fn run<T: Send + 'static>(&self, slot: Slot, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        let work = move || {
            let result = work();
            drop(slot);
            let _ = sender.send(result);
        };
        let failed = || Error::Internal("password hashing: the hashing thread has ended or panicked".into());
        self.threads.send(Box::new(work)).map_err(|_| failed())?;
        receiver.await.map_err(|_| failed())
    }
}

/// Starts one hashing thread for each core and returns the channel to them.
///
/// The threads live as long as the pool, so each thread keeps the memory of at most one hash.
fn start(cores: usize) -> mpsc::Sender<Work> {
    let (sender, receiver) = mpsc::channel::<Work>();
    let receiver = Arc::new(Mutex::new(receiver));
    for n in 0..cores {
        let receiver = receiver.clone();
        let body = move || {
            // If the system refuses the nice value, the thread keeps its normal priority.
            let _ = rustix::process::nice(HASHING_NICENESS);
            loop {
                let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(work) = next else { return };
                // A panic drops the sender of the result, so the caller gets an error. The thread continues.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            }
        };
        if let Err(error) = thread::Builder::new().name(format!("hashing-{n}")).spawn(body) {
            tracing::error!(%error, "cannot start a hashing thread");
        }
    }
    sender
}

/// Hashes `password` with a random salt of 16 bytes and returns the PHC string.
fn hash(password: &Password, Cost(params): Cost) -> Result<String> {
    let salt = Random.bytes::<16>();
    Scrypt::default()
        .hash_password_customized(password.reveal().as_bytes(), &salt, None, None, params)
        .map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(format!("password hashing: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn whole_password_is_compared_and_hash_of_other_cost_is_replaced() {
        let (old, new) = (Hasher::new(Params::new(10, 8, 1).unwrap()), Hasher::new(Params::new(11, 8, 1).unwrap()));
        let context = testing::context();
        let long = Password::new(&"p".repeat(100));
        let phc = old.hash(&context, &long).await.unwrap();
        assert!(phc.starts_with("$scrypt$ln=10,r=8,p=1$"), "{phc}");
        assert!(matches!(
            old.verify(&context, Some(&phc), &long, BTreeSet::new()).await.unwrap(),
            Verification::Right { rehashed: None }
        ));
        // The costs of other hashes change nothing.
        let others = BTreeSet::from([9, 10, 12].map(|ln| Cost(Params::new(ln, 8, 1).unwrap())));
        assert!(matches!(
            old.verify(&context, Some(&phc), &long, others).await.unwrap(),
            Verification::Right { rehashed: None }
        ));
        let Verification::Right { rehashed: Some(rehashed) } =
            new.verify(&context, Some(&phc), &long, BTreeSet::new()).await.unwrap()
        else {
            panic!("a hash of another cost is replaced")
        };
        assert!(rehashed.starts_with("$scrypt$ln=11,"));
        for wrong in ["p".repeat(99), "p".repeat(72), format!("{}\0", "p".repeat(100))] {
            assert!(matches!(
                old.verify(&context, Some(&phc), &Password::new(&wrong), BTreeSet::new()).await.unwrap(),
                Verification::Wrong
            ));
        }
        assert!(matches!(old.verify(&context, None, &long, BTreeSet::new()).await.unwrap(), Verification::Wrong));
    }

    #[tokio::test]
    async fn waiting_too_long_for_a_slot_is_overloaded() {
        let hasher = Hasher::new(Params::new(10, 8, 1).unwrap());
        let all = hasher.slots.clone().acquire_many_owned(hasher.slots.available_permits() as u32).await.unwrap();
        let (context, password) = (testing::context(), Password::new("x"));
        assert!(matches!(hasher.hash(&context, &password).await, Err(Error::Overloaded)));
        drop(all);
        hasher.hash(&context, &password).await.unwrap();
    }

    #[tokio::test]
    async fn disconnected_client_does_not_wait_for_a_slot() {
        let hasher = Hasher::new(Params::new(10, 8, 1).unwrap());
        let _all = hasher.slots.clone().acquire_many_owned(hasher.slots.available_permits() as u32).await.unwrap();
        let context = testing::context();
        context.disconnected.cancel();
        assert!(matches!(hasher.hash(&context, &Password::new("x")).await, Err(Error::Overloaded)));
    }
}
