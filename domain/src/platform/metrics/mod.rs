//! All metrics, and the functions that update them.
//!
//! Counters count the events of this process only. The values of labels are fixed sets of words in the code. They are
//! never addresses, ids or paths, because these would expose personal data and would grow without limit.

mod macros;
mod process;

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use portico_entity::{background_job::Lane, email};
use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry,
};

use chrono::{DateTime, Utc};
use macros::metrics;

pub(super) use process::refresh as refresh_process;

/// Histogram buckets in seconds, for durations that are normally below a second.
const SHORT: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Histogram buckets in seconds, for waiting times of up to hours.
const LONG: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0];

metrics! {
    // Requests to the public listener.

    /// Requests that this process has handled, by operation id and HTTP status. If the client disconnected before the
    /// response, the status is `gone`.
    requests: IntCounterVec = "portico_http_requests_total" ["operation", "status"];
    /// Time in seconds from reading the head of a request to its response, by operation id.
    request_seconds: HistogramVec = "portico_http_request_seconds" ["operation"] SHORT;
    /// Requests that this process is handling now.
    requests_in_flight: IntGauge = "portico_http_requests_in_flight" [];
    /// Requests that a rate limit has refused, by the name of the limit.
    rate_limited: IntCounterVec = "portico_rate_limited_total" ["limit"];

    // Password hashing.

    /// Maximum number of passwords that this process hashes at the same time.
    hash_slots: IntGauge = "portico_hash_slots" [];
    /// Number of passwords that this process is hashing now.
    hash_slots_busy: IntGauge = "portico_hash_slots_busy" [];
    /// Time in seconds that a request waited for a hashing slot. Requests that got no slot are not included.
    hash_wait_seconds: Histogram = "portico_hash_wait_seconds" [] SHORT;
    /// Time in seconds that a hashing slot was in use for one request.
    hash_seconds: Histogram = "portico_hash_seconds" [] SHORT;
    /// Requests that got no hashing slot, by reason. `full`: no slot was free in time, so the response was 503.
    /// `gone`: the client disconnected while waiting.
    hash_refused: IntCounterVec = "portico_hash_refused_total" ["reason"];

    // Audit events and sessions.

    /// Events that this process has written to the audit log, by action and outcome.
    audit_events: IntCounterVec = "portico_audit_events_total" ["action", "outcome"];
    /// Sessions revoked because a refresh token was used again after it had been exchanged. Such a token may have been
    /// copied.
    refresh_reused: IntCounter = "portico_refresh_tokens_reused_total" [];
    /// Sessions that were ended before they expired, by reason.
    sessions_ended: IntCounterVec = "portico_sessions_ended_total" ["reason"];

    // Jobs.

    /// Runs of jobs by this process, by job name and outcome. After `retry` and `unavailable` the job runs again. After
    /// `dead` it does not. After `unknown` it waits for a worker of a version that knows its name.
    jobs: IntCounterVec = "portico_jobs_total" ["job", "outcome"];
    /// Time in seconds that one run of a job took, by job name.
    job_seconds: HistogramVec = "portico_job_seconds" ["job"] SHORT;
    /// Time in seconds from when a job was due until it started, by lane.
    job_start_seconds: HistogramVec = "portico_job_start_seconds" ["lane"] LONG;

    // Mail.

    /// Attempts of this process to send a mail, by mail kind and outcome. After `transient`, `down`, `held` and
    /// `unknown` the mail is tried again.
    mails: IntCounterVec = "portico_mails_total" ["kind", "outcome"];
    /// Time in seconds from when a mail was enqueued until the mail server accepted it, by mail kind.
    mail_seconds: HistogramVec = "portico_mail_seconds" ["kind"] LONG;

    // The backlog of the whole installation, from the database. Every process reports the same values.

    /// Jobs of the whole installation that are due and not running, by lane. Every process reports the same value, so
    /// use the maximum over processes, not the sum.
    jobs_due: GaugeVec = "portico_jobs_due" ["lane"];
    /// Time in seconds that the oldest due job of the whole installation has been due, by lane.
    jobs_oldest_seconds: GaugeVec = "portico_jobs_oldest_seconds" ["lane"];
    /// Dead jobs of the whole installation, by lane. They wait for an operator to retry or discard them.
    jobs_dead: GaugeVec = "portico_jobs_dead" ["lane"];
    /// Job ids of the whole installation that wait in the job queue, by lane.
    jobs_in_queue: GaugeVec = "portico_jobs_in_queue" ["lane"];
    /// Queued mails of the whole installation: neither sent, failed nor suppressed.
    mails_waiting: GaugeVec = "portico_mails_waiting" [];
    /// Queued mails of the whole installation whose recipient or text was refused for now, and not because of the state
    /// of the mail server. They are tried again.
    mails_deferred: GaugeVec = "portico_mails_deferred" [];
    /// 1 while no process sends mail, because the mail server refuses Portico itself, else 0. The label is the stage of
    /// the last refusal.
    mail_held: GaugeVec = "portico_mail_held" ["stage"];
    /// Time in seconds since the oldest queued mail of the whole installation was enqueued, without deferred mails.
    mails_oldest_seconds: GaugeVec = "portico_mails_oldest_seconds" [];
    /// Workers of the whole installation that have recorded a heartbeat in the last 30 seconds.
    workers: GaugeVec = "portico_workers" [];

    // The dependencies of this process.

    /// Whether this process can reach a dependency, its database or its job queue: 1 if it can, else 0.
    dependency_up: IntGaugeVec = "portico_dependency_up" ["dependency"];
    /// Number of times that this process has checked whether it can reach a dependency, by outcome.
    probes: IntCounterVec = "portico_probes_total" ["dependency", "outcome"];
    /// Open database connections of this process, by state.
    connections: IntGaugeVec = "portico_database_connections" ["state"];
    /// Maximum number of database connections of this process.
    connections_max: IntGauge = "portico_database_connections_max" [];
    /// Statements that got no database connection, because all were busy for too long or the database was unavailable.
    acquire_failures: IntCounter = "portico_database_acquire_failures_total" [];
    /// Trace spans that did not reach the collector.
    spans_dropped: IntCounter = "portico_trace_spans_dropped_total" [];
    /// Log lines that could not be written to stderr, because its reader has stopped or closed it.
    log_lines_dropped: IntCounter = "portico_log_lines_dropped_total" [];

    // The process itself, under the names that all Prometheus client libraries use.

    /// Always 1. The label `version` is the version of Portico.
    build_info: IntGaugeVec = "portico_build_info" ["version"];
    /// Resident memory of this process in bytes.
    memory: IntGauge = "process_resident_memory_bytes" [];
    /// Number of open file descriptors of this process, including sockets.
    open_files: IntGauge = "process_open_fds" [];
    /// Maximum number of open file descriptors of this process.
    max_files: IntGauge = "process_max_fds" [];
    /// Processor time that this process has used, in seconds.
    cpu_seconds: Counter = "process_cpu_seconds_total" [];
    /// When this process created its app, in seconds since 1970.
    started_at: Gauge = "process_start_time_seconds" [];
}

/// The metrics of this process. They are global, because a process has one `App`.
pub(super) static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// A request that is being handled. It is counted when this value is dropped.
pub struct Request {
    operation: &'static str,
    status: Option<u16>,
    began: Instant,
}

impl Request {
    /// Records that a request to `operation` has arrived. `operation` is an operation id.
    pub fn begin(operation: &'static str) -> Self {
        METRICS.requests_in_flight.inc();
        Self { operation, status: None, began: Instant::now() }
    }

    /// Records the HTTP status of the response. Without this call the request counts as `gone`.
    pub fn responded(mut self, status: u16) {
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

/// Counts a request that the rate limit with the name `limit` has refused.
pub fn rate_limited(limit: &'static str) {
    METRICS.rate_limited.with_label_values(&[limit]).inc();
}

/// Counts `count` trace spans that did not reach the collector.
pub fn spans_dropped(count: u64) {
    METRICS.spans_dropped.inc_by(count);
}

/// Counts a log line that could not be written.
pub fn log_line_dropped() {
    METRICS.log_lines_dropped.inc();
}

/// Sets the number of slots of the hashing pool.
pub(crate) fn hash_slots(slots: usize) {
    METRICS.hash_slots.set(i64::try_from(slots).unwrap_or(i64::MAX));
}

/// Records that a request got a hashing slot after it had waited for `wait`. The slot counts as busy until the returned
/// value is dropped.
pub(crate) fn hash_slot_taken(wait: Duration) -> HashSlot {
    METRICS.hash_wait_seconds.observe(wait.as_secs_f64());
    METRICS.hash_slots_busy.inc();
    HashSlot { taken: Instant::now() }
}

/// A hashing slot that is in use.
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
    /// No slot was free in time.
    Full,
    /// The client disconnected while waiting.
    Gone,
}

/// Counts a request that got no hashing slot.
pub(crate) fn hash_refused(why: SlotDenied) {
    let reason = match why {
        SlotDenied::Full => "full",
        SlotDenied::Gone => "gone",
    };
    METRICS.hash_refused.with_label_values(&[reason]).inc();
}

/// Counts an event that was written to the audit log.
pub(crate) fn audit_event(action: &'static str, is_success: bool) {
    METRICS.audit_events.with_label_values(&[action, if is_success { "success" } else { "failure" }]).inc();
}

/// Counts a refresh token that was used again after it had been exchanged.
pub(crate) fn refresh_reused() {
    METRICS.refresh_reused.inc();
}

/// Counts `count` sessions that were ended before they expired, for `reason`.
pub(crate) fn sessions_ended(reason: &'static str, count: u64) {
    METRICS.sessions_ended.with_label_values(&[reason]).inc_by(count);
}

/// Records that a job of `lane`, which was due at `due`, starts.
pub(crate) fn job_began(lane: Lane, due: DateTime<Utc>, now: DateTime<Utc>) {
    let waited = (now - due).to_std().unwrap_or_default();
    METRICS.job_start_seconds.with_label_values(&[lane.name()]).observe(waited.as_secs_f64());
}

/// How a run of a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobOutcome {
    /// The job did its work.
    Done,
    /// The job failed and has attempts left.
    Retry,
    /// A service that the job needs was unavailable. The job runs again.
    Unavailable,
    /// The job must wait. It runs again.
    Postponed,
    /// The job failed and will not run again.
    Dead,
    /// This version does not know the name of the job.
    Unknown,
}

impl JobOutcome {
    /// Returns the name of the outcome in metrics and traces.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retry => "retry",
            Self::Unavailable => "unavailable",
            Self::Postponed => "postponed",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        }
    }
}

/// Records that a run of `job`, which started at `began`, has ended.
pub(crate) fn job_finished(job: &'static str, outcome: JobOutcome, began: Instant) {
    METRICS.jobs.with_label_values(&[job, outcome.name()]).inc();
    METRICS.job_seconds.with_label_values(&[job]).observe(began.elapsed().as_secs_f64());
}

/// How an attempt to send a mail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailOutcome {
    /// The mail server accepted the mail.
    Sent,
    /// The mail must not be sent, for example because its link has expired.
    Suppressed,
    /// The mail server refused the mail permanently, or the mail could not be built.
    Failed,
    /// The mail server refused the mail for now.
    Transient,
    /// The mail server did not answer, or the connection failed.
    Down,
    /// The mail server refuses Portico itself, so no process sends mail for now.
    Held,
    /// The mail server may or may not have accepted the mail.
    Unknown,
}

impl MailOutcome {
    /// Returns the name of the outcome in metrics and traces.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Suppressed => "suppressed",
            Self::Failed => "failed",
            Self::Transient => "transient",
            Self::Down => "down",
            Self::Held => "held",
            Self::Unknown => "unknown",
        }
    }
}

/// Records that an attempt to send `mail` has ended.
pub(crate) fn mail_tried(mail: &email::Model, outcome: MailOutcome, now: DateTime<Utc>) {
    let kind = mail.kind.name();
    METRICS.mails.with_label_values(&[kind, outcome.name()]).inc();
    if outcome == MailOutcome::Sent {
        let took = (now - mail.created_at).to_std().unwrap_or_default();
        METRICS.mail_seconds.with_label_values(&[kind]).observe(took.as_secs_f64());
    }
}

/// Counts a statement that got no database connection.
pub(crate) fn acquire_failed() {
    METRICS.acquire_failures.inc();
}

/// Records whether this process could reach `dependency`.
pub(crate) fn probed(dependency: &'static str, is_up: bool) {
    METRICS.dependency_up.with_label_values(&[dependency]).set(i64::from(is_up));
    METRICS.probes.with_label_values(&[dependency, if is_up { "up" } else { "down" }]).inc();
}

/// Records when this process created its app.
pub(super) fn set_started_at(now: DateTime<Utc>) {
    METRICS.started_at.set(now.timestamp_millis() as f64 / 1_000.0);
}
