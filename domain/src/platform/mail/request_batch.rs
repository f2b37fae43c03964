//! Requests for mail, written in batches.
//!
//! The response to such a request does not depend on whether the address is known. Requests that arrive at the same
//! time are written in one transaction, which takes about as long as the transaction of one request.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{NewEmail, enqueue_all};
use crate::platform::{
    actor::{Actor, Anonymous},
    app::App,
    audit,
    error::{Error, Result},
    rate_limit::{self, Charge},
};

/// The maximum number of requests in one transaction.
const MAX_BATCH: usize = 64;
/// How long writing one batch may take. Only a hanging connection takes this long, and it must not block other batches.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// How many batches are written at the same time.
const MAX_CONCURRENT: usize = 2;

/// Pending mail requests of this process, which are written in batches.
pub struct MailRequests {
    pending: Mutex<Vec<PendingRequest>>,
    slots: Arc<Semaphore>,
}

/// A request and the channel for its result.
struct PendingRequest {
    request: MailRequest,
    result: oneshot::Sender<Result<()>>,
}

/// What one request writes.
struct MailRequest {
    caller: Anonymous,
    mail: NewEmail,
    event: audit::Event,
    charge: Charge,
}

/// Charges `charge`, enqueues `mail` and records `event`, in one transaction with other requests.
///
/// # Errors
/// - `too_many_requests`: the charge exceeds a limit.
/// - `unavailable` or `internal`: the database failed.
/// - `internal`: [`registry`](crate::registry) does not list the job that sends mails.
pub(crate) async fn request(
    app: &App,
    caller: &Anonymous,
    mail: NewEmail,
    event: audit::Event,
    charge: Charge,
) -> Result<()> {
    let (sender, mut receiver) = oneshot::channel();
    let requests = app.get::<MailRequests>();
    let request = MailRequest { caller: caller.clone(), mail, event, charge };
    requests.pending().push(PendingRequest { request, result: sender });
    loop {
        tokio::select! {
            biased;
            result = &mut receiver => return received(result),
            // The request that gets a slot writes the next batch, which may or may not contain itself.
            slot = requests.slots.clone().acquire_owned() => {
                let batch = requests.next_batch();
                if batch.is_empty() {
                    // Another task writes the batch that contains this request.
                    drop(slot);
                    return received(receiver.await);
                }
                // In its own task, so that the batch is written even if this request is dropped.
                tokio::spawn(flush(app.clone(), batch, slot.ok()));
            }
        }
    }
}

fn received(result: std::result::Result<Result<()>, oneshot::error::RecvError>) -> Result<()> {
    result.map_err(|_| Error::Internal("the result of a mail request was lost".into()))?
}

impl Default for MailRequests {
    fn default() -> Self {
        Self { pending: Mutex::default(), slots: Arc::new(Semaphore::new(MAX_CONCURRENT)) }
    }
}

impl MailRequests {
    fn pending(&self) -> MutexGuard<'_, Vec<PendingRequest>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes and returns the next batch. No two of its requests are counted by the same rate limit. If possible its
    /// size is a power of two, so that the statements have few different texts.
    fn next_batch(&self) -> Vec<PendingRequest> {
        let mut pending = self.pending();
        // The callers of these requests have disconnected before anything was done.
        pending.retain(|waiting| !waiting.result.is_closed());
        let max_batch = pending.len().checked_ilog2().map_or(0, |power| MAX_BATCH.min(1 << power));
        let mut counted = HashSet::new();
        let mut batch = Vec::with_capacity(max_batch);
        for waiting in std::mem::take(&mut *pending) {
            let is_independent = waiting.request.charge.keys().all(|key| !counted.contains(key));
            if batch.len() < max_batch && is_independent {
                counted.extend(waiting.request.charge.keys().map(str::to_owned));
                batch.push(waiting);
            } else {
                pending.push(waiting);
            }
        }
        batch
    }
}

/// Writes a batch and sends each request its result. Holds `slot` until the batch is written.
async fn flush(app: App, batch: Vec<PendingRequest>, slot: Option<OwnedSemaphorePermit>) {
    let (requests, senders): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|pending| (pending.request, pending.result)).unzip();
    let mut written = try_write_batch(&app, &requests).await;
    if let Err(Error::Aborted(_)) = written {
        written = try_write_batch(&app, &requests).await;
    }
    let results = match written {
        Ok(results) => results,
        Err(error @ Error::Unavailable(_)) => {
            // Every pending request would find the same, each after a timeout of its own.
            for pending in std::mem::take(&mut *app.get::<MailRequests>().pending()) {
                let _ = pending.result.send(Err(error.clone()));
            }
            requests.iter().map(|_| Err(error.clone())).collect()
        }
        Err(error) if requests.len() == 1 => vec![Err(error)],
        // One of the requests cannot be written. The others must not fail with it.
        Err(_) => write_one_by_one(&app, &requests).await,
    };
    drop(slot);
    for (sender, result) in senders.into_iter().zip(results) {
        // The request was written even if its caller has disconnected.
        let _ = sender.send(result);
    }
}

async fn write_one_by_one(app: &App, requests: &[MailRequest]) -> Vec<Result<()>> {
    let mut results = Vec::with_capacity(requests.len());
    for request in requests.chunks(1) {
        results.push(match results.last() {
            Some(Err(error @ Error::Unavailable(_))) => Err(error.clone()),
            _ => try_write_batch(app, request).await.and_then(|mut results| results.pop().unwrap_or(Ok(()))),
        });
    }
    results
}

/// Returns the result of each request, or one error for all of them.
async fn try_write_batch(app: &App, requests: &[MailRequest]) -> Result<Vec<Result<()>>> {
    let timed_out = || Err(Error::Unavailable("writing mail requests took too long".into()));
    app.db().with_timeout(WRITE_TIMEOUT, write_batch(app, requests)).await.unwrap_or_else(timed_out)
}

async fn write_batch(app: &App, requests: &[MailRequest]) -> Result<Vec<Result<()>>> {
    // The charge is committed together with the mail, because there is no secret to check between the two.
    let mut tx = app.begin().await?;
    let charges: Vec<&Charge> = requests.iter().map(|request| &request.charge).collect();
    let results = rate_limit::reserve_each(&tx, &charges).await?;
    let allowed = || requests.iter().zip(&results).filter(|(_, result)| result.is_ok()).map(|(request, _)| request);
    let mails = allowed().map(|request| (request.mail.clone(), Some(request.caller.context.request_id)));
    enqueue_all(&mut tx, mails).await?;
    audit::record_all(&mut tx, allowed().map(|request| (Actor::from(&request.caller), request.event.clone()))).await?;
    tx.commit().await?;
    Ok(results)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use portico_entity::{PortalUserId, audit_event, background_job, email, email::Kind};
    use sea_orm::{EntityTrait, PaginatorTrait};

    use super::*;
    use crate::{
        limits,
        platform::{
            actor::RequestContext,
            email_address::EmailAddress,
            rate_limit::{Limit, RateLimitSettings},
        },
        testing,
    };

    /// A caller in network `n`.
    fn caller(app: &App, n: u8) -> Anonymous {
        Anonymous { context: RequestContext::new(app.new_id(), Some([192, 0, 2, n].into()), Some("test"), Vec::new()) }
    }

    fn address(n: u8) -> EmailAddress {
        format!("robin-{n}@x.test").parse().unwrap()
    }

    async fn request_reset(app: &App, caller: Anonymous, mail: NewEmail) -> Result<()> {
        let (network, mailbox) = (caller.context.network(), mail.to.mailbox());
        let charged: [(&Limit, &[&str]); 2] =
            [(&limits::RECOVERY_NETWORK, &[&network]), (&limits::RECOVERY_ACCOUNT, &[&mailbox, ""])];
        let event = audit::Event::new("password.reset_requested");
        request(app, &caller, mail, event, Charge::of(app, &charged)).await
    }

    #[tokio::test]
    async fn each_concurrent_request_is_written_once_with_its_own_request_id() {
        let app = testing::app().await;
        let callers: Vec<_> = (0..100).map(|n| (caller(&app, n), address(n))).collect();
        let requests =
            callers.iter().map(|(caller, to)| request_reset(&app, caller.clone(), NewEmail::new(Kind::Reset, to)));
        assert!(join_all(requests).await.iter().all(Result::is_ok));

        let mails = email::Entity::find().all(app.db()).await.unwrap();
        let jobs = background_job::Entity::find().all(app.db()).await.unwrap();
        let events = audit_event::Entity::find().all(app.db()).await.unwrap();
        assert_eq!((mails.len(), jobs.len(), events.len()), (100, 100, 100));
        for (caller, to) in callers {
            let mail = mails.iter().find(|mail| mail.recipient == to.as_str()).unwrap();
            let request_id = Some(caller.context.request_id.to_string());
            let job = jobs.iter().find(|job| job.request_id == request_id).unwrap();
            assert_eq!(job.payload["email"], mail.id.to_string());
            let event = events.iter().find(|event| event.request_id == request_id).unwrap();
            assert_eq!(event.ip, caller.context.ip.map(|ip| ip.to_string()));
        }
        app.run_queue().await;
    }

    #[tokio::test]
    async fn concurrent_requests_for_one_mailbox_share_its_limit() {
        let app = testing::app().await;
        let burst = |limit| app.section::<RateLimitSettings>().quota(limit).unwrap().burst;
        let of_mailbox = burst(&limits::RECOVERY_ACCOUNT) as usize;
        let requests = (0..40).map(|n| {
            let to = address(if n % 2 == 0 { 0 } else { n });
            request_reset(&app, caller(&app, n), NewEmail::new(Kind::Reset, &to))
        });
        let results = join_all(requests).await;
        let refused = results.iter().filter(|result| matches!(result, Err(Error::RateLimited(_)))).count();
        assert_eq!(refused, 20 - of_mailbox);
        assert_eq!(email::Entity::find().count(app.db()).await.unwrap() as usize, 20 + of_mailbox);
        // A request that the limit of the mailbox refused does not count for its network.
        for n in 0..burst(&limits::RECOVERY_NETWORK) {
            let mail = NewEmail::new(Kind::Reset, &address(100 + n as u8));
            request_reset(&app, caller(&app, 38), mail).await.unwrap();
        }
        app.run_queue().await;
    }

    #[tokio::test]
    async fn a_request_that_cannot_be_written_does_not_fail_the_others() {
        let app = testing::app().await;
        let requests = (0..16).map(|n| {
            let unknown_user = (n == 7).then(|| PortalUserId(app.new_id()));
            let mail = NewEmail { portal_user: unknown_user, ..NewEmail::new(Kind::Reset, &address(n)) };
            request_reset(&app, caller(&app, n), mail)
        });
        for (n, result) in join_all(requests).await.iter().enumerate() {
            assert_eq!(result.is_err(), n == 7, "{n}: {result:?}");
        }
        assert_eq!(email::Entity::find().count(app.db()).await.unwrap(), 15);
        app.run_queue().await;
    }

    #[tokio::test]
    async fn a_dropped_request_is_not_written_and_blocks_no_other() {
        let app = testing::app().await;
        let slots = app.get::<MailRequests>().slots.clone().acquire_many_owned(MAX_CONCURRENT as u32).await.unwrap();
        let mut first = Box::pin(request_reset(&app, caller(&app, 0), NewEmail::new(Kind::Reset, &address(0))));
        let mut second = Box::pin(request_reset(&app, caller(&app, 1), NewEmail::new(Kind::Reset, &address(1))));
        assert!(futures_util::poll!(&mut first).is_pending() && futures_util::poll!(&mut second).is_pending());
        drop(slots);
        // The slot belongs to the first request, which is dropped before it writes anything.
        drop(first);
        second.await.unwrap();
        let mails = email::Entity::find().all(app.db()).await.unwrap();
        assert_eq!(mails.iter().map(|mail| mail.recipient.as_str()).collect::<Vec<_>>(), [address(1).as_str()]);
        app.run_queue().await;
    }
}
