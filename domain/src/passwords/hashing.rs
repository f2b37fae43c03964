//! Hashing, on a pool of its own: a flood of sign-ins costs cores × hash memory, never more, and what needs no hash goes first.

use std::{
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

use crate::{
    actor::RequestContext,
    error::{Error, Result},
    metrics::{self, HashSlot, SlotDenied},
    random::Random,
    secret::Password,
};

/// How long a request waits for a slot before it is answered 503.
const SLOT_TIMEOUT: Duration = Duration::from_secs(3);
/// How far the hashing threads stand back (nice(2)): a hash takes a whole core for a third of a second, and all other requests
/// would wait for it in turns. Not all the way: whoever keeps the cores busy must not shut everybody out.
const HASHING_NICENESS: i32 = 10;

/// Something for a hashing thread to do.
type Work = Box<dyn FnOnce() + Send>;

/// Hashes passwords with scrypt (RFC 7914) into PHC strings, one at a time per core.
#[derive(Clone)]
pub struct Hasher {
    slots: Arc<Semaphore>,
    threads: mpsc::Sender<Work>,
    params: Params,
    /// Verified where there is no password, so that it takes the same time.
    dummy: Arc<str>,
}

/// A place in the pool, and its count among the busy ones.
struct Slot {
    _counted: HashSlot,
    _place: OwnedSemaphorePermit,
}

/// What verifying came to.
pub(crate) enum Verification {
    /// Not the password, or there is none.
    Wrong,
    /// The password; with a hash of the current cost where the stored one is of another.
    Right {
        /// The hash to store instead.
        rehashed: Option<String>,
    },
}

impl Hasher {
    /// A pool of one thread and one slot a core, for new hashes of this cost. The threads end with the last clone.
    pub fn new(params: Params) -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        metrics::hash_slots(cores);
        // A hash of nothing: 32 random bytes in the place of the output cost no hashing at start.
        let (salt, output) = (Random.bytes::<16>(), Random.bytes::<32>());
        let encode = |bytes: &[u8]| base64::Engine::encode(&base64::prelude::BASE64_STANDARD_NO_PAD, bytes);
        let (ln, r, p) = (params.log_n(), params.r(), params.p());
        let dummy = format!("$scrypt$ln={ln},r={r},p={p}${}${}", encode(&salt), encode(&output));
        Self { slots: Arc::new(Semaphore::new(cores)), threads: start(cores), params, dummy: dummy.into() }
    }

    /// The PHC string of `password`.
    ///
    /// # Errors
    /// `overloaded` when no slot came free in time, or the client has gone.
    pub async fn hash(&self, context: &RequestContext, password: &Password) -> Result<String> {
        let (slot, params, password) = (self.slot(context).await?, self.params, password.clone());
        self.run(slot, move || hash(&password, params)).await?
    }

    /// Whether `password` is that of `phc`. Without `phc` it takes as long, and is wrong.
    ///
    /// # Errors
    /// As for [`hash`](Self::hash).
    pub(crate) async fn verify(
        &self,
        context: &RequestContext,
        phc: Option<&str>,
        password: &Password,
    ) -> Result<Verification> {
        let (slot, params, password) = (self.slot(context).await?, self.params, password.clone());
        let phc = phc.unwrap_or(&self.dummy).to_owned();
        self.run(slot, move || {
            let stored = PasswordHash::new(&phc).map_err(|error| Error::Internal(format!("stored hash: {error}")))?;
            if Scrypt::default().verify_password(password.reveal().as_bytes(), &stored).is_err() {
                return Ok(Verification::Wrong);
            }
            let is_current = Params::try_from(&stored)
                .is_ok_and(|cost| (cost.log_n(), cost.r(), cost.p()) == (params.log_n(), params.r(), params.p()));
            let rehashed = if is_current { None } else { Some(hash(&password, params)?) };
            Ok(Verification::Right { rehashed })
        })
        .await?
    }

    async fn slot(&self, context: &RequestContext) -> Result<Slot> {
        let began = Instant::now();
        let refused = tokio::select! {
            slot = timeout(SLOT_TIMEOUT, self.slots.clone().acquire_owned()) => match slot {
                Ok(Ok(place)) => return Ok(Slot { _counted: metrics::hash_slot_taken(began.elapsed()), _place: place }),
                _ => SlotDenied::Full,
            },
            () = context.disconnected.cancelled() => SlotDenied::Gone,
        };
        metrics::hash_refused(refused);
        Err(Error::Overloaded)
    }

    /// Runs `work` on a hashing thread; the slot is free again when the work is done, whoever still waits for it.
    async fn run<T: Send + 'static>(&self, slot: Slot, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let work = move || {
            let done = work();
            drop(slot);
            let _ = answer.send(done);
        };
        let failed = || Error::Internal("hashing: the thread is gone".into());
        self.threads.send(Box::new(work)).map_err(|_| failed())?;
        answered.await.map_err(|_| failed())
    }
}

/// Starts the threads. They live as long as the pool, so each keeps the memory of one hash at most.
fn start(cores: usize) -> mpsc::Sender<Work> {
    let (sender, receiver) = mpsc::channel::<Work>();
    let receiver = Arc::new(Mutex::new(receiver));
    for n in 0..cores {
        let receiver = receiver.clone();
        let body = move || {
            // Where it is forbidden, hashing is as urgent as all else.
            let _ = rustix::process::nice(HASHING_NICENESS);
            loop {
                let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(work) = next else { return };
                // A panic is told by the answer that does not come; the thread goes on.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            }
        };
        if let Err(error) = thread::Builder::new().name(format!("hashing-{n}")).spawn(body) {
            tracing::error!(%error, "a hashing thread cannot start");
        }
    }
    sender
}

fn hash(password: &Password, params: Params) -> Result<String> {
    let salt = Random.bytes::<16>();
    Scrypt::default()
        .hash_password_customized(password.reveal().as_bytes(), &salt, None, None, params)
        .map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(format!("hashing: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn the_whole_password_counts_and_older_costs_are_made_anew() {
        let (old, new) = (Hasher::new(Params::new(10, 8, 1).unwrap()), Hasher::new(Params::new(11, 8, 1).unwrap()));
        let context = testing::context();
        let long = Password::new(&"p".repeat(100));
        let phc = old.hash(&context, &long).await.unwrap();
        assert!(phc.starts_with("$scrypt$ln=10,r=8,p=1$"), "{phc}");
        assert!(matches!(
            old.verify(&context, Some(&phc), &long).await.unwrap(),
            Verification::Right { rehashed: None }
        ));
        let Verification::Right { rehashed: Some(anew) } = new.verify(&context, Some(&phc), &long).await.unwrap()
        else {
            panic!("an older cost is made anew")
        };
        assert!(anew.starts_with("$scrypt$ln=11,"));
        for wrong in ["p".repeat(99), "p".repeat(72), format!("{}\0", "p".repeat(100))] {
            assert!(matches!(
                old.verify(&context, Some(&phc), &Password::new(&wrong)).await.unwrap(),
                Verification::Wrong
            ));
        }
        assert!(matches!(old.verify(&context, None, &long).await.unwrap(), Verification::Wrong));
    }

    #[tokio::test]
    async fn whoever_finds_no_slot_in_time_is_turned_away() {
        let hasher = Hasher::new(Params::new(10, 8, 1).unwrap());
        let all = hasher.slots.clone().acquire_many_owned(hasher.slots.available_permits() as u32).await.unwrap();
        let (context, password) = (testing::context(), Password::new("x"));
        assert!(matches!(hasher.hash(&context, &password).await, Err(Error::Overloaded)));
        drop(all);
        hasher.hash(&context, &password).await.unwrap();
    }

    #[tokio::test]
    async fn whoever_has_gone_does_not_wait_for_a_slot() {
        let hasher = Hasher::new(Params::new(10, 8, 1).unwrap());
        let _all = hasher.slots.clone().acquire_many_owned(hasher.slots.available_permits() as u32).await.unwrap();
        let context = testing::context();
        context.disconnected.cancel();
        assert!(matches!(hasher.hash(&context, &Password::new("x")).await, Err(Error::Overloaded)));
    }
}
