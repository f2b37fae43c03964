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
    actor::{Actor, Visitor},
    app::App,
    audit, database,
    error::{Error, Result},
    mail::{self, NewEmail},
    sessions::Realm,
    throttle::{self, Limit, Units},
    tx,
};

/// The most requests that are written down together.
const MOST: usize = 64;
/// How long that may take. Only a connection that hangs takes so long, and must not hold the others up.
const WITHIN: Duration = Duration::from_secs(20);
/// How many transactions write them down at once.
const TURNS: usize = 2;

/// Those who have asked and wait to be written down, and whose turn it is to do that.
pub struct Recovery {
    waiting: Mutex<Vec<Waiting>>,
    turns: Arc<Semaphore>,
}

struct Waiting {
    asked: Asked,
    answer: oneshot::Sender<Result<()>>,
}

/// What one of them asks for.
struct Asked {
    by: Visitor,
    mail: NewEmail,
    event: audit::Event,
    units: Units,
}

/// Posts `mail` for somebody who asked for it, counts that, and writes it down. The same work whoever the address belongs
/// to; a known device of that address has its own count.
///
/// # Errors
/// `too_many_requests`, alike for strangers.
pub(crate) async fn ask_for_mail(app: &App, by: &Visitor, mail: NewEmail, event: audit::Event) -> Result<()> {
    let device = known_device(app, &by.context, Realm::Portal, &mail.to).unwrap_or_default();
    let (network, mailbox) = (by.context.network(), mail.to.mailbox());
    let limits: [(Limit, &[&str]); 2] =
        [(Limit::RecoveryNetwork, &[&network]), (Limit::RecoveryAccount, &[&mailbox, &device])];
    let (answer, mut answered) = oneshot::channel();
    let recovery = app.recovery();
    let asked = Asked { by: by.clone(), mail, event, units: Units::of(app, &limits) };
    recovery.waiting().push(Waiting { asked, answer });
    loop {
        tokio::select! {
            biased;
            answer = &mut answered => return told(answer),
            // Whoever gets a turn writes down those who come next, oneself perhaps among them.
            turn = recovery.turns.clone().acquire_owned() => {
                let together = recovery.next();
                if together.is_empty() {
                    // Somebody else is at it.
                    drop(turn);
                    return told(answered.await);
                }
                // A task of its own: whoever gives up waiting must not give up for the others.
                tokio::spawn(write_down(app.clone(), together, turn.ok()));
            }
        }
    }
}

fn told(answer: std::result::Result<Result<()>, oneshot::error::RecvError>) -> Result<()> {
    answer.map_err(|_| Error::Internal("a request for mail was lost".into()))??;
    tx::forbid_replay();
    Ok(())
}

impl Default for Recovery {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turns: Arc::new(Semaphore::new(TURNS)) }
    }
}

impl Recovery {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes those who come next: no two whom the same limit counts, and if it can be as many as a power of two, so that the
    /// statements have few different texts.
    fn next(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        // Their requests have been told that nothing was done.
        waiting.retain(|one| !one.answer.is_closed());
        let most = waiting.len().checked_ilog2().map_or(0, |power| MOST.min(1 << power));
        let mut counted = HashSet::new();
        let mut together = Vec::with_capacity(most);
        for one in std::mem::take(&mut *waiting) {
            let is_apart = one.asked.units.keys().all(|key| !counted.contains(key));
            if together.len() < most && is_apart {
                counted.extend(one.asked.units.keys().map(str::to_owned));
                together.push(one);
            } else {
                waiting.push(one);
            }
        }
        together
    }
}

/// Writes them down and tells them; the turn is over then.
async fn write_down(app: App, together: Vec<Waiting>, turn: Option<OwnedSemaphorePermit>) {
    let (asked, answers): (Vec<_>, Vec<_>) = together.into_iter().map(|one| (one.asked, one.answer)).unzip();
    let mut tried = try_together(&app, &asked).await;
    if let Err(Error::Interrupted(_)) = tried {
        tried = try_together(&app, &asked).await;
    }
    let done = match tried {
        Ok(done) => done,
        Err(error @ Error::Unavailable(_)) => {
            // All who wait would find the same, each after a while of their own.
            for one in std::mem::take(&mut *app.recovery().waiting()) {
                let _ = one.answer.send(Err(error.clone()));
            }
            asked.iter().map(|_| Err(error.clone())).collect()
        }
        Err(error) if asked.len() == 1 => vec![Err(error)],
        // One of them cannot be written down, or is in somebody's way. The others need not suffer for it.
        Err(_) => {
            let mut done = Vec::with_capacity(asked.len());
            for one in asked.chunks(1) {
                done.push(match done.last() {
                    Some(Err(error @ Error::Unavailable(_))) => Err(error.clone()),
                    _ => try_together(&app, one).await.and_then(|mut done| done.pop().unwrap_or(Ok(()))),
                });
            }
            done
        }
    };
    drop(turn);
    for (answer, done) in answers.into_iter().zip(done) {
        // Who has gone meanwhile is written down all the same.
        let _ = answer.send(done);
    }
}

/// How it ended for each of them, or for all.
async fn try_together(app: &App, asked: &[Asked]) -> Result<Vec<Result<()>>> {
    let late = || Err(Error::Unavailable("requests for mail took too long to write down".into()));
    database::within(WITHIN, together(app, asked)).await.unwrap_or_else(late)
}

async fn together(app: &App, asked: &[Asked]) -> Result<Vec<Result<()>>> {
    // One commit for all of it: there is no secret here that must be looked at after it was counted.
    let mut tx = app.begin().await?;
    let units: Vec<&Units> = asked.iter().map(|one| &one.units).collect();
    let taken = throttle::take_each(&tx, &units).await?;
    let allowed = || asked.iter().zip(&taken).filter(|(_, taken)| taken.is_ok()).map(|(one, _)| one);
    mail::post_all(&mut tx, allowed().map(|one| (one.mail.clone(), Some(one.by.context.request_id)))).await?;
    audit::record_all(&mut tx, allowed().map(|one| (Actor::from(&one.by), one.event.clone()))).await?;
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
    fn visitor(app: &App, n: u8) -> Visitor {
        Visitor { context: RequestContext::new(app.new_id(), Some([192, 0, 2, n].into()), Some("test"), Vec::new()) }
    }

    fn address(n: u8) -> EmailAddress {
        format!("robin-{n}@x.test").parse().unwrap()
    }

    async fn ask(app: &App, by: Visitor, mail: NewEmail) -> Result<()> {
        ask_for_mail(app, &by, mail, audit::Event::new("password.reset_requested")).await
    }

    #[tokio::test]
    async fn each_of_many_at_once_is_written_down_once_and_under_their_own_request() {
        let app = testing::app().await;
        let asked: Vec<_> = (0..100).map(|n| (visitor(&app, n), address(n))).collect();
        let asks = asked.iter().map(|(by, to)| ask(&app, by.clone(), NewEmail::new(Kind::Reset, to)));
        assert!(join_all(asks).await.iter().all(Result::is_ok));

        let mails = email::Entity::find().all(app.db()).await.unwrap();
        let jobs = background_job::Entity::find().all(app.db()).await.unwrap();
        let events = audit_event::Entity::find().all(app.db()).await.unwrap();
        assert_eq!((mails.len(), jobs.len(), events.len()), (100, 100, 100));
        for (by, to) in asked {
            let mail = mails.iter().find(|mail| mail.recipient == to.as_str()).unwrap();
            let request = Some(by.context.request_id.to_string());
            let job = jobs.iter().find(|job| job.request_id == request).unwrap();
            assert_eq!(job.payload["email"], mail.id.to_string());
            let event = events.iter().find(|event| event.request_id == request).unwrap();
            assert_eq!(event.ip, by.context.ip.map(|ip| ip.to_string()));
        }
    }

    #[tokio::test]
    async fn of_many_at_once_for_one_mailbox_as_many_get_through_as_the_limit_allows() {
        let app = testing::app().await;
        let burst = app.settings().limits.recovery_account.unwrap().burst as usize;
        let ann = address(0);
        let asks = (0..40).map(|n| {
            let to = if n % 2 == 0 { ann.clone() } else { address(n) };
            ask(&app, visitor(&app, n), NewEmail::new(Kind::Reset, &to))
        });
        let done = join_all(asks).await;
        let refused = done.iter().filter(|done| matches!(done, Err(Error::TooMany { .. }))).count();
        assert_eq!((done.iter().filter(|done| done.is_ok()).count(), refused), (20 + burst, 20 - burst));
        assert_eq!(email::Entity::find().count(app.db()).await.unwrap() as usize, 20 + burst);
        // Whom the mailbox's limit turned away has taken nothing of their network's.
        let network = app.settings().limits.recovery_network.unwrap().burst;
        for n in 0..network {
            ask(&app, visitor(&app, 38), NewEmail::new(Kind::Reset, &address(100 + n as u8))).await.unwrap();
        }
    }

    #[tokio::test]
    async fn one_that_cannot_be_written_down_harms_no_other() {
        let app = testing::app().await;
        let asks = (0..16).map(|n| {
            let nobody = (n == 7).then(|| PortalUserId(app.new_id()));
            let mail = NewEmail { portal_user: nobody, ..NewEmail::new(Kind::Reset, &address(n)) };
            ask(&app, visitor(&app, n), mail)
        });
        let done = join_all(asks).await;
        for (n, done) in done.iter().enumerate() {
            assert_eq!(done.is_err(), n == 7, "{n}: {done:?}");
        }
        assert_eq!(email::Entity::find().count(app.db()).await.unwrap(), 15);
    }

    #[tokio::test]
    async fn who_gives_up_waiting_takes_nobody_along() {
        let app = testing::app().await;
        let turns = app.recovery().turns.clone().acquire_many_owned(TURNS as u32).await.unwrap();
        let mut first = Box::pin(ask(&app, visitor(&app, 0), NewEmail::new(Kind::Reset, &address(0))));
        let mut second = Box::pin(ask(&app, visitor(&app, 1), NewEmail::new(Kind::Reset, &address(1))));
        assert!(futures_util::poll!(&mut first).is_pending() && futures_util::poll!(&mut second).is_pending());
        drop(turns);
        // The turn is the first one's, who is gone, and has been told that nothing was done.
        drop(first);
        second.await.unwrap();
        assert_eq!(email::Entity::find().one(app.db()).await.unwrap().unwrap().recipient, address(1).as_str());
        assert_eq!(email::Entity::find().count(app.db()).await.unwrap(), 1);
    }
}
