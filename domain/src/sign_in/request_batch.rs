//! Asking for a mail that lets one in: forgotten passwords, lost and expired links.
//!
//! Nothing here depends on who asks, so those who ask at the same time are written down together, in one transaction: it costs
//! the database about as much as one of them.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::device::known_device;
use crate::{
    actor::{Actor, Anonymous},
    app::App,
    audit, database,
    error::{Error, Result},
    mail::{self, NewEmail},
    rate_limit::{self, Charge, Limit},
    sessions::Realm,
    tx,
};

/// The most requests that are written down together.
const MAX_BATCH: usize = 64;
/// How long that may take. Only a connection that hangs takes so long, and must not hold the others up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// How many transactions write them down at once.
const MAX_CONCURRENT: usize = 2;

/// Those who have asked and wait to be written down, and whose turn it is to do that.
pub struct MailRequests {
    pending: Mutex<Vec<PendingRequest>>,
    slots: Arc<Semaphore>,
}

struct PendingRequest {
    request: MailRequest,
    answer: oneshot::Sender<Result<()>>,
}

/// What one of them asks for.
struct MailRequest {
    caller: Anonymous,
    mail: NewEmail,
    event: audit::Event,
    charge: Charge,
}

/// Posts `mail` for somebody who asked for it, counts that, and writes it down. The same work whoever the address belongs
/// to; a known device of that address has its own count.
///
/// # Errors
/// `too_many_requests`, alike for strangers.
pub(crate) async fn request_mail(app: &App, caller: &Anonymous, mail: NewEmail, event: audit::Event) -> Result<()> {
    let device = known_device(app, &caller.context, Realm::Portal, &mail.to).unwrap_or_default();
    let (network, mailbox) = (caller.context.network(), mail.to.mailbox());
    let limits: [(Limit, &[&str]); 2] =
        [(Limit::RecoveryNetwork, &[&network]), (Limit::RecoveryAccount, &[&mailbox, &device])];
    let (answer, mut answered) = oneshot::channel();
    let requests = app.mail_requests();
    let request = MailRequest { caller: caller.clone(), mail, event, charge: Charge::of(app, &limits) };
    requests.pending().push(PendingRequest { request, answer });
    loop {
        tokio::select! {
            biased;
            answer = &mut answered => return await_result(answer),
            // Whoever gets a turn writes down those who come next, oneself perhaps among them.
            slot = requests.slots.clone().acquire_owned() => {
                let batch = requests.next();
                if batch.is_empty() {
                    // Somebody else is at it.
                    drop(slot);
                    return await_result(answered.await);
                }
                // A task of its own: whoever gives up waiting must not give up for the others.
                tokio::spawn(flush(app.clone(), batch, slot.ok()));
            }
        }
    }
}

fn await_result(answer: std::result::Result<Result<()>, oneshot::error::RecvError>) -> Result<()> {
    answer.map_err(|_| Error::Internal("a request for mail was lost".into()))??;
    tx::mark_not_retryable();
    Ok(())
}

impl Default for MailRequests {
    fn default() -> Self {
        Self { pending: Mutex::default(), slots: Arc::new(Semaphore::new(MAX_CONCURRENT)) }
    }
}

impl MailRequests {
    fn pending(&self) -> std::sync::MutexGuard<'_, Vec<PendingRequest>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes those who come next: no two whom the same limit counts, and if it can be as many as a power of two, so that the
    /// statements have few different texts.
    fn next(&self) -> Vec<PendingRequest> {
        let mut pending = self.pending();
        // Their requests have been told that nothing was done.
        pending.retain(|one| !one.answer.is_closed());
        let max_batch = pending.len().checked_ilog2().map_or(0, |power| MAX_BATCH.min(1 << power));
        let mut counted = HashSet::new();
        let mut batch = Vec::with_capacity(max_batch);
        for one in std::mem::take(&mut *pending) {
            let is_apart = one.request.charge.keys().all(|key| !counted.contains(key));
            if batch.len() < max_batch && is_apart {
                counted.extend(one.request.charge.keys().map(str::to_owned));
                batch.push(one);
            } else {
                pending.push(one);
            }
        }
        batch
    }
}

/// Writes them down and tells them; the turn is over then.
async fn flush(app: App, batch: Vec<PendingRequest>, slot: Option<OwnedSemaphorePermit>) {
    let (requests, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.request, one.answer)).unzip();
    let mut tried = try_write_batch(&app, &requests).await;
    if let Err(Error::Aborted(_)) = tried {
        tried = try_write_batch(&app, &requests).await;
    }
    let done = match tried {
        Ok(done) => done,
        Err(error @ Error::Unavailable(_)) => {
            // All who wait would find the same, each after a while of their own.
            for one in std::mem::take(&mut *app.mail_requests().pending()) {
                let _ = one.answer.send(Err(error.clone()));
            }
            requests.iter().map(|_| Err(error.clone())).collect()
        }
        Err(error) if requests.len() == 1 => vec![Err(error)],
        // One of them cannot be written down, or is in somebody's way. The others need not suffer for it.
        Err(_) => {
            let mut done = Vec::with_capacity(requests.len());
            for one in requests.chunks(1) {
                done.push(match done.last() {
                    Some(Err(error @ Error::Unavailable(_))) => Err(error.clone()),
                    _ => try_write_batch(&app, one).await.and_then(|mut done| done.pop().unwrap_or(Ok(()))),
                });
            }
            done
        }
    };
    drop(slot);
    for (answer, done) in answers.into_iter().zip(done) {
        // Who has gone meanwhile is written down all the same.
        let _ = answer.send(done);
    }
}

/// How it ended for each of them, or for all.
async fn try_write_batch(app: &App, requests: &[MailRequest]) -> Result<Vec<Result<()>>> {
    let late = || Err(Error::Unavailable("requests for mail took too long to write down".into()));
    database::with_timeout(WRITE_TIMEOUT, write_batch(app, requests)).await.unwrap_or_else(late)
}

async fn write_batch(app: &App, requests: &[MailRequest]) -> Result<Vec<Result<()>>> {
    // One commit for all of it: there is no secret here that must be looked at after it was counted.
    let mut tx = app.begin().await?;
    let charge: Vec<&Charge> = requests.iter().map(|one| &one.charge).collect();
    let taken = rate_limit::reserve_each(&tx, &charge).await?;
    let allowed = || requests.iter().zip(&taken).filter(|(_, taken)| taken.is_ok()).map(|(one, _)| one);
    mail::enqueue_all(&mut tx, allowed().map(|one| (one.mail.clone(), Some(one.caller.context.request_id)))).await?;
    audit::record_all(&mut tx, allowed().map(|one| (Actor::from(&one.caller), one.event.clone()))).await?;
    tx.commit().await?;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use portico_entity::{PortalUserId, audit_event, background_job, email, email::Kind};
    use sea_orm::{EntityTrait, PaginatorTrait};

    use super::*;
    use crate::{actor::RequestContext, email_address::EmailAddress, testing};

    /// Somebody in the `n`th network.
    fn anonymous(app: &App, n: u8) -> Anonymous {
        Anonymous { context: RequestContext::new(app.new_id(), Some([192, 0, 2, n].into()), Some("test"), Vec::new()) }
    }

    fn address(n: u8) -> EmailAddress {
        format!("robin-{n}@x.test").parse().unwrap()
    }

    async fn request(app: &App, caller: Anonymous, mail: NewEmail) -> Result<()> {
        request_mail(app, &caller, mail, audit::Event::new("password.reset_requested")).await
    }

    #[tokio::test]
    async fn each_of_many_at_once_is_written_down_once_and_under_their_own_request() {
        let app = testing::app().await;
        let callers: Vec<_> = (0..100).map(|n| (anonymous(&app, n), address(n))).collect();
        let requests = callers.iter().map(|(caller, to)| request(&app, caller.clone(), NewEmail::new(Kind::Reset, to)));
        assert!(join_all(requests).await.iter().all(Result::is_ok));

        let mails = email::Entity::find().all(app.db()).await.unwrap();
        let jobs = background_job::Entity::find().all(app.db()).await.unwrap();
        let events = audit_event::Entity::find().all(app.db()).await.unwrap();
        assert_eq!((mails.len(), jobs.len(), events.len()), (100, 100, 100));
        for (caller, to) in callers {
            let mail = mails.iter().find(|mail| mail.recipient == to.as_str()).unwrap();
            let request = Some(caller.context.request_id.to_string());
            let job = jobs.iter().find(|job| job.request_id == request).unwrap();
            assert_eq!(job.payload["email"], mail.id.to_string());
            let event = events.iter().find(|event| event.request_id == request).unwrap();
            assert_eq!(event.ip, caller.context.ip.map(|ip| ip.to_string()));
        }
    }

    #[tokio::test]
    async fn of_many_at_once_for_one_mailbox_as_many_get_through_as_the_limit_allows() {
        let app = testing::app().await;
        let burst = app.settings().rate_limits.recovery_account.unwrap().burst as usize;
        let ann = address(0);
        let requests = (0..40).map(|n| {
            let to = if n % 2 == 0 { ann.clone() } else { address(n) };
            request(&app, anonymous(&app, n), NewEmail::new(Kind::Reset, &to))
        });
        let done = join_all(requests).await;
        let refused = done.iter().filter(|done| matches!(done, Err(Error::RateLimited { .. }))).count();
        assert_eq!((done.iter().filter(|done| done.is_ok()).count(), refused), (20 + burst, 20 - burst));
        assert_eq!(email::Entity::find().count(app.db()).await.unwrap() as usize, 20 + burst);
        // Whom the mailbox's limit turned away has taken nothing of their network's.
        let network = app.settings().rate_limits.recovery_network.unwrap().burst;
        for n in 0..network {
            request(&app, anonymous(&app, 38), NewEmail::new(Kind::Reset, &address(100 + n as u8))).await.unwrap();
        }
    }

    #[tokio::test]
    async fn one_that_cannot_be_written_down_harms_no_other() {
        let app = testing::app().await;
        let requests = (0..16).map(|n| {
            let nobody = (n == 7).then(|| PortalUserId(app.new_id()));
            let mail = NewEmail { portal_user: nobody, ..NewEmail::new(Kind::Reset, &address(n)) };
            request(&app, anonymous(&app, n), mail)
        });
        let done = join_all(requests).await;
        for (n, done) in done.iter().enumerate() {
            assert_eq!(done.is_err(), n == 7, "{n}: {done:?}");
        }
        assert_eq!(email::Entity::find().count(app.db()).await.unwrap(), 15);
    }

    #[tokio::test]
    async fn who_gives_up_waiting_takes_nobody_along() {
        let app = testing::app().await;
        let slots = app.mail_requests().slots.clone().acquire_many_owned(MAX_CONCURRENT as u32).await.unwrap();
        let mut first = Box::pin(request(&app, anonymous(&app, 0), NewEmail::new(Kind::Reset, &address(0))));
        let mut second = Box::pin(request(&app, anonymous(&app, 1), NewEmail::new(Kind::Reset, &address(1))));
        assert!(futures_util::poll!(&mut first).is_pending() && futures_util::poll!(&mut second).is_pending());
        drop(slots);
        // The turn is the first one's, who is gone, and has been told that nothing was done.
        drop(first);
        second.await.unwrap();
        assert_eq!(email::Entity::find().one(app.db()).await.unwrap().unwrap().recipient, address(1).as_str());
        assert_eq!(email::Entity::find().count(app.db()).await.unwrap(), 1);
    }
}
