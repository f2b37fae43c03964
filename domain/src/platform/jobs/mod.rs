//! What worker processes and operators do with background jobs.
//!
//! The row in `background_jobs` is the truth about a job; the queue carries ids only.
//! [`Tx::enqueue`](super::tx::Tx::enqueue) inserts the row.
//!
//! - `run`, `lease`, `complete`: a worker claims a job, runs it and records the outcome.
//! - `backoff`: how long a job waits after a failed attempt.
//! - `sweep`: puts ids into the queue that the queue has lost.
//! - `schedule`: enqueues periodic jobs.
//! - `clock_check`: whether the clock of this process is behind.
//! - `admin`, `pause`, `canary`: what operators do through `portico jobs`.
//! - `heartbeat`: which workers run.

mod admin;
mod backoff;
mod canary;
pub(crate) mod clock_check;
mod complete;
mod heartbeat;
mod lease;
mod pause;
mod run;
mod schedule;
mod settings;
mod sweep;

pub use admin::{JobFilter, discard, list, retry};
pub(crate) use backoff::Backoff;
pub use canary::{Canary, CanaryReport, run as run_canary};
pub use complete::complete;
pub(crate) use heartbeat::WORKER_TIMEOUT;
pub use heartbeat::{HEARTBEAT_INTERVAL, deregister_worker, record_heartbeat};
pub use lease::{release, renew};
pub use pause::{pause, paused, resume};
pub use run::{ClaimedJob, FinishedJob, Worker, claim, run};
pub use schedule::{Schedule, Scheduler, Schedules};
pub use settings::{Concurrency, JobSettings};
pub use sweep::sweep;
