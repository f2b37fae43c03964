//! Every metric, a line each, and the one-line calls by which the code moves them.
//!
//! The counters are this process's own. Labels are closed sets of words in the code: never an address, an id or a path,
//! which are nobody's business here and would never stop growing.

mod macros;
mod process;
mod scrape;

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use portico_entity::{background_job::Lane, email};
use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry,
};

use crate::{clock::Time, jobs::lane_name};
use macros::metrics;

pub use scrape::render;

/// Buckets in seconds, for what should be over in a moment…
const SHORT: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// …and for what may have to wait.
const LONG: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0];

metrics! {
    // Requests to the public listener.

    /// Requests answered by this process, by operation id and status; the status of a client that left first is `gone`.
    requests: IntCounterVec = "portico_http_requests_total" ["operation", "status"];
    /// Time from a request's head to its answer.
    request_seconds: HistogramVec = "portico_http_request_seconds" ["operation"] SHORT;
    /// Requests that this process is working on.
    requests_in_flight: IntGauge = "portico_http_requests_in_flight" [];
    /// Requests turned away by a limit, by the limit's name.
    rate_limited: IntCounterVec = "portico_rate_limited_total" ["limit"];

    // Password hashing.

    /// How many passwords this process may hash at once.
    hash_slots: IntGauge = "portico_hash_slots" [];
    /// How many passwords this process is hashing.
    hash_slots_busy: IntGauge = "portico_hash_slots_busy" [];
    /// Time that a request waited for a hashing slot and got it.
    hash_wait_seconds: Histogram = "portico_hash_wait_seconds" [] SHORT;
    /// Time that a hashing slot was held.
    hash_seconds: Histogram = "portico_hash_seconds" [] SHORT;
    /// Requests that got no hashing slot: `full` were answered 503, `gone` had left.
    hash_refused: IntCounterVec = "portico_hash_refused_total" ["reason"];

    // What people do, as the audit log names it.

    /// Acts written to the audit log by this process.
    audit_events: IntCounterVec = "portico_audit_events_total" ["action", "outcome"];
    /// Sessions ended because an old refresh token came back: two held what one was given.
    refresh_reused: IntCounter = "portico_refresh_tokens_reused_total" [];
    /// Sessions ended before their time.
    sessions_ended: IntCounterVec = "portico_sessions_ended_total" ["reason"];

    // Jobs.

    /// Runs of jobs by this process; `retry` and `unavailable` come again, `dead` does not, `unknown` waits for another version.
    jobs: IntCounterVec = "portico_jobs_total" ["job", "outcome"];
    /// Time that one run of a job took.
    job_seconds: HistogramVec = "portico_job_seconds" ["job"] SHORT;
    /// Time from when a job was due to when it began.
    job_start_seconds: HistogramVec = "portico_job_start_seconds" ["lane"] LONG;

    // Mail.

    /// Mails that this process tried to send; `transient` and `down` come again.
    mails: IntCounterVec = "portico_mails_total" ["kind", "outcome"];
    /// Time from the act that caused a mail to its acceptance by the mail server.
    mail_seconds: HistogramVec = "portico_mail_seconds" ["kind"] LONG;
    /// Times that the mail server refused the credentials of MAIL_URL.
    credentials_refused: IntCounter = "portico_smtp_credentials_refused_total" [];

    // What the whole installation has waiting, from the database. Every process says the same.

    /// Jobs of the whole installation that are due and not running; take the max over processes, not the sum.
    jobs_due: GaugeVec = "portico_jobs_due" ["lane"];
    /// How long the oldest due job of the whole installation has waited.
    jobs_oldest_seconds: GaugeVec = "portico_jobs_oldest_seconds" ["lane"];
    /// Jobs of the whole installation that were given up and wait to be looked at.
    jobs_dead: GaugeVec = "portico_jobs_dead" ["lane"];
    /// Ids of the whole installation that wait on the queue's wire.
    jobs_in_queue: GaugeVec = "portico_jobs_in_queue" ["lane"];
    /// Mails of the whole installation that are neither sent nor given up.
    mails_waiting: GaugeVec = "portico_mails_waiting" [];
    /// How long the oldest mail of the whole installation has waited.
    mails_oldest_seconds: GaugeVec = "portico_mails_oldest_seconds" [];
    /// Workers of the whole installation that gave a sign of life lately.
    workers: GaugeVec = "portico_workers" [];

    // What this process leans on.

    /// Whether this process reaches its database and its queue.
    dependency_up: IntGaugeVec = "portico_dependency_up" ["dependency"];
    /// Times that this process looked whether a dependency is there.
    probes: IntCounterVec = "portico_probes_total" ["dependency", "outcome"];
    /// Database connections of this process.
    connections: IntGaugeVec = "portico_database_connections" ["state"];
    /// How many database connections this process may have.
    connections_max: IntGauge = "portico_database_connections_max" [];
    /// Statements that got no database connection: all were busy for too long, or the database is away.
    acquire_failures: IntCounter = "portico_database_acquire_failures_total" [];
    /// Spans of traces that did not reach the collector.
    spans_dropped: IntCounter = "portico_trace_spans_dropped_total" [];

    // The process itself, by the names that every Prometheus client uses.

    /// Always 1; the label tells the version.
    build_info: IntGaugeVec = "portico_build_info" ["version"];
    /// Memory that this process holds.
    memory: IntGauge = "process_resident_memory_bytes" [];
    /// Files and sockets that this process has open.
    open_files: IntGauge = "process_open_fds" [];
    /// Files and sockets that this process may have open.
    max_files: IntGauge = "process_max_fds" [];
    /// Time that this process has spent on processors.
    cpu_seconds: Counter = "process_cpu_seconds_total" [];
    /// When this process began, in seconds since 1970.
    started_at: Gauge = "process_start_time_seconds" [];
}

/// One process is one Portico, so its metrics are the process's.
static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// A request that is being worked on; counted when this is dropped.
pub struct Request {
    operation: &'static str,
    status: Option<u16>,
    began: Instant,
}

impl Request {
    /// A request to this operation has come.
    pub fn begin(operation: &'static str) -> Self {
        METRICS.requests_in_flight.inc();
        Self { operation, status: None, began: Instant::now() }
    }

    /// It is answered.
    pub fn answered(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let status = self.status.map_or_else(|| "gone".to_owned(), |status| status.to_string());
        METRICS.requests_in_flight.dec();
        METRICS.requests.with_label_values(&[self.operation, &status]).inc();
        METRICS.request_seconds.with_label_values(&[self.operation]).observe(self.began.elapsed().as_secs_f64());
    }
}

/// A request was turned away by this limit.
pub fn rate_limited(limit: &'static str) {
    METRICS.rate_limited.with_label_values(&[limit]).inc();
}

/// A span of a trace was lost.
pub fn spans_dropped(count: u64) {
    METRICS.spans_dropped.inc_by(count);
}

/// The hashing pool has so many slots.
pub(crate) fn hash_slots(slots: usize) {
    METRICS.hash_slots.set(i64::try_from(slots).unwrap_or(i64::MAX));
}

/// A hashing slot was got after `wait`, and is held for as long as the answer lives.
pub(crate) fn hash_slot_taken(wait: Duration) -> HashSlot {
    METRICS.hash_wait_seconds.observe(wait.as_secs_f64());
    METRICS.hash_slots_busy.inc();
    HashSlot { taken: Instant::now() }
}

/// A hashing slot that is held.
pub(crate) struct HashSlot {
    taken: Instant,
}

impl Drop for HashSlot {
    fn drop(&mut self) {
        METRICS.hash_slots_busy.dec();
        METRICS.hash_seconds.observe(self.taken.elapsed().as_secs_f64());
    }
}

/// Why a request got no hashing slot.
#[derive(Clone, Copy)]
pub(crate) enum SlotDenied {
    Full,
    Gone,
}

/// A request got no hashing slot.
pub(crate) fn hash_refused(why: SlotDenied) {
    let reason = match why {
        SlotDenied::Full => "full",
        SlotDenied::Gone => "gone",
    };
    METRICS.hash_refused.with_label_values(&[reason]).inc();
}

/// An act was written to the audit log.
pub(crate) fn audit_event(action: &'static str, is_success: bool) {
    METRICS.audit_events.with_label_values(&[action, if is_success { "success" } else { "failure" }]).inc();
}

/// A refresh token came back that had been traded before.
pub(crate) fn refresh_reused() {
    METRICS.refresh_reused.inc();
}

/// Sessions were ended for `reason`.
pub(crate) fn sessions_ended(reason: &'static str, count: u64) {
    METRICS.sessions_ended.with_label_values(&[reason]).inc_by(count);
}

/// A job that was due at `due` begins.
pub(crate) fn job_began(lane: Lane, due: Time, now: Time) {
    let waited = (now - due).to_std().unwrap_or_default();
    METRICS.job_start_seconds.with_label_values(&[lane_name(lane)]).observe(waited.as_secs_f64());
}

/// How a run of a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobOutcome {
    Done,
    Retry,
    Unavailable,
    Dead,
    Unknown,
}

impl JobOutcome {
    /// Its word in metrics and traces.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retry => "retry",
            Self::Unavailable => "unavailable",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        }
    }
}

/// A run of a job that began at `began` has ended.
pub(crate) fn job_finished(job: &'static str, outcome: JobOutcome, began: Instant) {
    METRICS.jobs.with_label_values(&[job, outcome.name()]).inc();
    METRICS.job_seconds.with_label_values(&[job]).observe(began.elapsed().as_secs_f64());
}

/// How an attempt to send a mail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailOutcome {
    Sent,
    Suppressed,
    Failed,
    Transient,
    Down,
}

impl MailOutcome {
    /// Its word in metrics and traces.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Suppressed => "suppressed",
            Self::Failed => "failed",
            Self::Transient => "transient",
            Self::Down => "down",
        }
    }
}

/// An attempt to send this mail has ended.
pub(crate) fn mail_tried(mail: &email::Model, outcome: MailOutcome, now: Time) {
    let kind = mail.kind.name();
    METRICS.mails.with_label_values(&[kind, outcome.name()]).inc();
    if outcome == MailOutcome::Sent {
        let took = (now - mail.created_at).to_std().unwrap_or_default();
        METRICS.mail_seconds.with_label_values(&[kind]).observe(took.as_secs_f64());
    }
}

/// The mail server refused our credentials.
pub(crate) fn credentials_refused() {
    METRICS.credentials_refused.inc();
}

/// A statement got no connection.
pub(crate) fn acquire_failed() {
    METRICS.acquire_failures.inc();
}

/// This process looked whether `dependency` is there.
pub(crate) fn probed(dependency: &'static str, is_up: bool) {
    METRICS.dependency_up.with_label_values(&[dependency]).set(i64::from(is_up));
    METRICS.probes.with_label_values(&[dependency, if is_up { "up" } else { "down" }]).inc();
}
