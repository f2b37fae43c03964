//! Holds: while a mail server refuses Portico itself, no process sends mail to it.
//!
//! The first process that gets such an answer inserts a row into `mail_holds`. Then all mails wait. One of them is sent
//! as a probe after a minute, and further ones at growing intervals. The first mail that the server accepts ends the
//! hold.

use std::{cmp::min, collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use portico_entity::{
    JobId,
    background_job::{self, State},
    email, mail_hold,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::{MailError, MailSettings, MailUrl, SendMail};
use crate::platform::{
    app::App,
    cached::Cached,
    clock::Time,
    error::Result,
    job::Job,
    keys::KeyUse,
    smtp::{Outcome, Stage},
};

/// How old the known state of the hold may be in a process.
const CACHE_TTL: Duration = Duration::from_secs(1);
/// When the first probe is sent. The delay doubles after each probe.
const FIRST_PROBE_AFTER: TimeDelta = TimeDelta::minutes(1);
/// The maximum delay between two probes.
const MAX_PROBE_DELAY: TimeDelta = TimeDelta::minutes(15);
/// When mails are made due again after the end of a hold. A job that has read the hold may be queued after the first
/// time.
const LATECOMER_PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(20)];
/// Refusals that are older than this do not count as evidence.
const EVIDENCE_PERIOD: TimeDelta = TimeDelta::days(3);
/// The maximum number of refusals that are considered.
const MAX_EVIDENCE: u64 = 1_000;

/// How the reason of a mail begins that waits for the end of a hold. [`end`] finds these mails by it.
pub(super) const ON_HOLD: &str = "on hold: ";
/// How the reason of a mail begins that its own recipient has refused and that may be the probe.
pub(super) const REFUSED_ON_HOLD: &str = "refused, and on hold: ";
/// How the recorded refusal of a mail begins whose answer means [`Outcome::Hold`].
pub(super) const HOLD_REFUSAL: &str = "hold ";
/// How many mails become due when a probe said nothing about the hold.
const PROBE_CANDIDATES: u64 = 10;

/// All holds, as they were read last.
#[derive(Default)]
pub struct HoldCache(Cached<Vec<mail_hold::Model>>);

/// Whether a mail may be sent now.
pub(super) enum Permission {
    /// The server is not on hold.
    Send,
    /// The server is on hold, and this mail is the probe.
    Probe,
    /// The mail must wait until this time.
    Wait(Time),
}

/// Returns whether a mail may be sent. At the time of a probe, one caller of all processes may send.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn permission(app: &App) -> Result<Permission> {
    let own = server(app);
    if !known(app).await?.iter().any(|hold| hold.server == own) {
        return Ok(Permission::Send);
    }
    // Read again, because another process may have ended the hold a moment ago.
    let Some(hold) = read(app).await? else {
        app.get::<HoldCache>().0.clear().await;
        return Ok(Permission::Send);
    };
    let now = app.now();
    let latest = now + MAX_PROBE_DELAY;
    // A time that is further ahead was written by a wrong clock.
    if hold.next_probe_at > now && hold.next_probe_at <= latest {
        return Ok(Permission::Wait(hold.next_probe_at));
    }
    let next_probe_at = now + probe_delay(hold.probes + 1);
    let claimed = mail_hold::Entity::update_many()
        .col_expr(mail_hold::Column::NextProbeAt, Expr::value(next_probe_at))
        .col_expr(mail_hold::Column::Probes, Expr::col(mail_hold::Column::Probes).add(1))
        .filter(mail_hold::Column::Server.eq(&hold.server))
        .filter(mail_hold::Column::NextProbeAt.eq(hold.next_probe_at))
        .exec(app.db())
        .await?;
    if claimed.rows_affected == 1 {
        info!(probes = hold.probes + 1, "one mail is sent to find out whether the mail server accepts mail again");
        return Ok(Permission::Probe);
    }
    Ok(Permission::Wait(read(app).await?.map_or(now, |hold| min(hold.next_probe_at, latest))))
}

/// Puts the mail server on hold because of `failure`, unless it is already. Returns when the next probe is due.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn begin(app: &App, failure: &MailError) -> Result<Time> {
    let next_probe_at = app.now() + FIRST_PROBE_AFTER;
    let hold = mail_hold::ActiveModel {
        server: Set(server(app)),
        stage: Set(failure.stage.name().into()),
        detail: Set(Some(failure.detail.clone())),
        held_at: Set(app.now()),
        next_probe_at: Set(next_probe_at),
        probes: Set(0),
    };
    let inserted = mail_hold::Entity::insert(hold)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(app.db())
        .await?;
    app.get::<HoldCache>().0.clear().await;
    if inserted > 0 {
        error!(
            stage = failure.stage.name(),
            answer = failure.detail,
            "the mail server refuses Portico itself; all mail waits until it accepts a probe"
        );
        return Ok(next_probe_at);
    }
    Ok(read(app).await?.map_or(next_probe_at, |hold| hold.next_probe_at))
}

/// Makes the next probe due now, because the last one said nothing about the hold, and some of the mails that wait.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn probe_again(app: &App) -> Result<()> {
    let own = server(app);
    if !known(app).await?.iter().any(|hold| hold.server == own) {
        return Ok(());
    }
    mail_hold::Entity::update_many()
        .col_expr(mail_hold::Column::NextProbeAt, Expr::value(app.now()))
        .filter(mail_hold::Column::Server.eq(own))
        .exec(app.db())
        .await?;
    let candidates = background_job::Entity::find()
        .select_only()
        .column(background_job::Column::Id)
        .filter(waiting())
        .limit(PROBE_CANDIDATES)
        .into_tuple::<JobId>()
        .all(app.db())
        .await?;
    make_due(app, waiting().add(background_job::Column::Id.is_in(candidates))).await
}

/// Ends the holds that began before `began`, if this process knows of one, because a mail was accepted whose attempt
/// began then. The mails that wait become due.
///
/// An attempt that began earlier used a connection from before the hold, so it says nothing about new connections. A
/// hold under older settings ends too.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn end(app: &App, began: Time) -> Result<()> {
    if known(app).await?.is_empty() {
        return Ok(());
    }
    end_where(app, mail_hold::Column::HeldAt.lt(began).into()).await
}

/// Ends all holds. The mails that wait become due.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn end_all(app: &App) -> Result<()> {
    end_where(app, Condition::all()).await
}

async fn end_where(app: &App, condition: Condition) -> Result<()> {
    let ended = mail_hold::Entity::delete_many().filter(condition).exec(app.db()).await?.rows_affected;
    if ended == 0 {
        return Ok(());
    }
    app.get::<HoldCache>().0.clear().await;
    info!("the mail server accepts mail again");
    make_due(app, waiting()).await?;
    let app = app.clone();
    tokio::spawn(async move {
        for pause in LATECOMER_PAUSES {
            sleep(pause).await;
            if let Err(error) = make_due(&app, waiting()).await {
                warn!(%error, "mails that waited for the mail server may wait until the time of its next probe");
            }
        }
    });
    Ok(())
}

/// Makes the mails due that wait for the end of a hold, if the only holds are under older settings: `MAIL_URL` was
/// changed while mail waited. To be called when a worker starts.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn release_after_change(app: &App) -> Result<()> {
    let (holds, own) = (known(app).await?, server(app));
    if holds.is_empty() || holds.iter().any(|hold| hold.server == own) {
        return Ok(());
    }
    info!("the mail settings have changed, so mail that waits for a mail server is sent now");
    make_due(app, waiting()).await
}

/// Matches the mails that wait for the end of a hold. Other mails wait because of their own recipient.
fn waiting() -> Condition {
    use background_job::Column;
    Condition::all()
        .add(Column::Name.eq(SendMail::NAME))
        .add(Column::State.eq(State::Queued))
        .add(Column::LastError.starts_with(ON_HOLD))
}

async fn make_due(app: &App, jobs: Condition) -> Result<()> {
    use background_job::Column;
    background_job::Entity::update_many()
        .col_expr(Column::RunAt, Expr::value(app.now()))
        .filter(jobs)
        .filter(Column::RunAt.gt(app.now()))
        .exec(app.db())
        .await?;
    Ok(())
}

/// Returns all holds, as they were at most [`CACHE_TTL`] ago.
async fn known(app: &App) -> Result<Vec<mail_hold::Model>> {
    let load = || async { Ok(mail_hold::Entity::find().all(app.db()).await?) };
    app.get::<HoldCache>().0.get_or_load(CACHE_TTL, load).await
}

/// Returns whether the refusals of several recipients' servers show that the fault is not theirs: mails to two domains
/// got an answer that means [`Outcome::Hold`], or mails to three domains the same answer that means [`Outcome::Doubt`].
/// In between, the mail server has accepted no mail.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn is_general(app: &App, row: &email::Model, failure: &MailError) -> Result<bool> {
    use email::{Column, Entity, Status};
    let needed = match (failure.outcome, failure.stage) {
        (Outcome::Hold, Stage::Rcpt | Stage::Dot) => 2,
        (Outcome::Hold, _) => return Ok(true),
        (Outcome::Doubt, _) => 3,
        (Outcome::Sent | Outcome::Final | Outcome::Later | Outcome::Unknown, _) => return Ok(false),
    };
    let (now, since) = (app.now(), app.now() - EVIDENCE_PERIOD);
    let refusals = Entity::find()
        .select_only()
        .columns([Column::Recipient, Column::LastAttemptAt])
        .filter(Column::Status.is_in([Status::Queued, Status::Failed]))
        .filter(Column::CreatedAt.gt(since - EVIDENCE_PERIOD))
        .filter(match failure.outcome {
            Outcome::Hold => Column::Refusal.starts_with(HOLD_REFUSAL),
            _ => Column::Refusal.eq(failure.refusal.clone()),
        })
        .filter(Column::LastAttemptAt.gt(since))
        .order_by_desc(Column::LastAttemptAt)
        .limit(MAX_EVIDENCE)
        .into_tuple::<(String, Option<Time>)>()
        .all(app.db())
        .await?;
    let mut latest_by_domain = BTreeMap::from([(domain(&row.recipient).to_owned(), now)]);
    for (recipient, at) in &refusals {
        latest_by_domain.entry(domain(recipient).to_owned()).or_insert(at.unwrap_or(since));
    }
    let mut times: Vec<Time> = latest_by_domain.into_values().collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    let Some(first) = times.get(needed - 1) else { return Ok(false) };
    let accepted_since = Condition::all().add(Column::Status.eq(Status::Sent)).add(Column::SentAt.gt(*first));
    let accepted = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(accepted_since)
        .filter(Column::CreatedAt.gt(*first - EVIDENCE_PERIOD))
        .into_tuple::<portico_entity::EmailId>()
        .one(app.db())
        .await?;
    Ok(accepted.is_none())
}

/// Returns when the next probe follows the probe with this number. The first probe is 1.
fn probe_delay(probe: i32) -> TimeDelta {
    let doublings = min(u32::try_from(probe).unwrap_or(0), 4);
    min(FIRST_PROBE_AFTER * 2i32.pow(doublings), MAX_PROBE_DELAY)
}

fn domain(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or_default()
}

async fn read(app: &App) -> Result<Option<mail_hold::Model>> {
    Ok(mail_hold::Entity::find_by_id(server(app)).one(app.db()).await?)
}

/// Returns the keyed hash of what a mail server may refuse: the way to it, the credentials, the names that Portico
/// says, and the sender.
fn server(app: &App) -> String {
    let MailSettings { url, from, log_retention: _ } = app.section();
    let mut parts = vec![from.to_string(), app.public_url("")];
    if let MailUrl::Smtp(server) = url {
        let (user, password) = server.credentials.clone().unwrap_or_default();
        parts.extend([format!("{server:?} {:?} {:?}", server.trust, server.ehlo), user, password]);
    }
    let bytes: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    hex::encode(&app.keys().newest().mac(KeyUse::MailServer, &bytes)[..16])
}

#[cfg(test)]
mod tests {
    use portico_entity::email::Kind;
    use sea_orm::{ActiveModelTrait, IntoActiveModel, PaginatorTrait};

    use super::*;
    use crate::{
        platform::mail::{self, NewEmail},
        testing::{self, TestApp},
    };

    fn refused() -> MailError {
        MailError {
            outcome: Outcome::Hold,
            stage: Stage::Auth,
            refusal: None,
            reaction: mail::mailer::Reaction::Reply,
            is_counted: false,
            detail: "AUTH: 535".into(),
        }
    }

    async fn holds(app: &App) -> u64 {
        mail_hold::Entity::find().count(app.db()).await.unwrap()
    }

    /// Enqueues a mail whose job waits until `run_at`, for this reason.
    async fn waiting_mail(app: &TestApp, run_at: Time, why: &str) {
        let mut tx = app.begin().await.unwrap();
        mail::enqueue(&mut tx, NewEmail::new(Kind::Reset, &"ann@x.test".parse().unwrap())).await.unwrap();
        tx.commit().await.unwrap();
        background_job::Entity::update_many()
            .col_expr(background_job::Column::RunAt, Expr::value(run_at))
            .col_expr(background_job::Column::LastError, Expr::value(why))
            .filter(background_job::Column::LastError.is_null())
            .exec(app.db())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn one_mail_of_all_is_the_probe() {
        let app = testing::app().await;
        let probe_at = begin(&app, &refused()).await.unwrap();
        assert!(matches!(permission(&app).await.unwrap(), Permission::Wait(until) if until == probe_at));
        for minutes in [1, 2, 4, 8, 15, 15] {
            app.clock().advance(TimeDelta::minutes(minutes));
            assert!(matches!(permission(&app).await.unwrap(), Permission::Probe), "{minutes}");
            assert!(matches!(permission(&app).await.unwrap(), Permission::Wait(_)), "{minutes}");
        }
    }

    #[tokio::test]
    async fn a_time_that_is_too_far_ahead_does_not_delay_the_probe() {
        let app = testing::app().await;
        app.clock().advance(TimeDelta::days(400));
        begin(&app, &refused()).await.unwrap();
        app.clock().advance(TimeDelta::days(-400));
        assert!(matches!(permission(&app).await.unwrap(), Permission::Probe));
    }

    #[tokio::test]
    async fn a_mail_that_began_before_the_hold_does_not_end_it() {
        let app = testing::app().await;
        let before = app.now();
        app.clock().advance(TimeDelta::seconds(1));
        begin(&app, &refused()).await.unwrap();
        end(&app, before).await.unwrap();
        assert_eq!(holds(&app).await, 1);
        app.clock().advance(TimeDelta::seconds(1));
        end(&app, app.now()).await.unwrap();
        assert_eq!(holds(&app).await, 0);
    }

    #[tokio::test]
    async fn a_hold_under_older_settings_ends_with_the_first_accepted_mail() {
        let app = testing::app().await;
        begin(&app, &refused()).await.unwrap();
        let row = mail_hold::Entity::find().one(app.db()).await.unwrap().unwrap();
        let older = mail_hold::Model { server: "other settings".into(), ..row };
        mail_hold::Entity::delete_many().exec(app.db()).await.unwrap();
        older.into_active_model().insert(app.db()).await.unwrap();
        app.get::<HoldCache>().0.clear().await;
        assert!(matches!(permission(&app).await.unwrap(), Permission::Send));
        app.clock().advance(TimeDelta::seconds(1));
        end(&app, app.now()).await.unwrap();
        assert_eq!(holds(&app).await, 0);
    }

    #[tokio::test]
    async fn mails_that_wait_become_due_when_the_settings_have_changed() {
        let app = testing::app().await;
        app.leave_jobs();
        begin(&app, &refused()).await.unwrap();
        waiting_mail(&app, app.now() + TimeDelta::minutes(10), "on hold: no").await;
        let due = async || {
            let due = background_job::Entity::find().filter(background_job::Column::RunAt.lte(app.now()));
            due.count(app.db()).await.unwrap()
        };
        release_after_change(&app).await.unwrap();
        assert_eq!(due().await, 0, "the hold is under the current settings");
        let row = mail_hold::Entity::find().one(app.db()).await.unwrap().unwrap();
        mail_hold::Entity::delete_many().exec(app.db()).await.unwrap();
        let older = mail_hold::Model { server: "other settings".into(), ..row };
        older.into_active_model().insert(app.db()).await.unwrap();
        app.get::<HoldCache>().0.clear().await;
        release_after_change(&app).await.unwrap();
        assert_eq!(due().await, 1);
    }

    #[tokio::test]
    async fn all_mails_that_wait_for_a_hold_become_due_at_its_end_and_no_other() {
        let app = testing::app().await;
        app.leave_jobs();
        begin(&app, &refused()).await.unwrap();
        for minutes in [1, 10, 15] {
            waiting_mail(&app, app.now() + TimeDelta::minutes(minutes), "on hold: no").await;
        }
        waiting_mail(&app, app.now() + TimeDelta::minutes(5), "RCPT TO: 450").await;
        end_all(&app).await.unwrap();
        let due = background_job::Entity::find().filter(background_job::Column::RunAt.lte(app.now()));
        assert_eq!(due.count(app.db()).await.unwrap(), 3);
    }
}
