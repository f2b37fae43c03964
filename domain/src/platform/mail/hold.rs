//! Holds: while a mail server refuses Portico itself, no process sends mail to it.
//!
//! The first process that gets such an answer inserts a row into `mail_holds`. Then all mails wait. One of them is sent
//! as a probe after a minute, and further ones at growing intervals. The first mail that the server accepts ends the
//! hold.

use std::{cmp::min, collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use portico_entity::{
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

/// The hold of the mail server of this process, as it was read last.
#[derive(Default)]
pub struct HoldCache(Cached<Option<mail_hold::Model>>);

/// Whether a mail may be sent now.
pub(super) enum Permission {
    /// The server is not on hold, or this mail is the probe.
    Send,
    /// The mail must wait until this time.
    Wait(Time),
}

/// Returns whether a mail may be sent. At the time of a probe, one caller of all processes may send.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn permission(app: &App) -> Result<Permission> {
    let Some(_) = app.get::<HoldCache>().0.get_or_load(CACHE_TTL, || read(app)).await? else {
        return Ok(Permission::Send);
    };
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
        return Ok(Permission::Send);
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

/// Makes the next probe due now, because the last one said nothing about the hold.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn probe_again(app: &App) -> Result<()> {
    if is_held(app).await? {
        mail_hold::Entity::update_many()
            .col_expr(mail_hold::Column::NextProbeAt, Expr::value(app.now()))
            .filter(mail_hold::Column::Server.eq(server(app)))
            .exec(app.db())
            .await?;
    }
    Ok(())
}

/// Ends all holds, if this process knows of one, because a mail was accepted. The mails that wait become due.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn end(app: &App) -> Result<()> {
    if is_held(app).await? { end_all(app).await } else { Ok(()) }
}

/// Ends all holds. The mails that wait become due.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn end_all(app: &App) -> Result<()> {
    let holds = mail_hold::Entity::delete_many().exec_with_returning(app.db()).await?;
    app.get::<HoldCache>().0.clear().await;
    if holds.is_empty() {
        return Ok(());
    }
    info!("the mail server accepts mail again");
    let probes: Vec<Time> = holds.into_iter().map(|hold| hold.next_probe_at).collect();
    make_due(app, &probes).await?;
    let app = app.clone();
    tokio::spawn(async move {
        for pause in LATECOMER_PAUSES {
            sleep(pause).await;
            if let Err(error) = make_due(&app, &probes).await {
                warn!(%error, "mails that waited for the mail server may wait until the time of its next probe");
            }
        }
    });
    Ok(())
}

/// Makes the mails due that wait for a probe at one of these times. Other mails wait because of their own recipient.
async fn make_due(app: &App, probes: &[Time]) -> Result<()> {
    use background_job::Column;
    background_job::Entity::update_many()
        .col_expr(Column::RunAt, Expr::value(app.now()))
        .filter(Column::Name.eq(SendMail::NAME))
        .filter(Column::State.eq(State::Queued))
        .filter(Column::RunAt.is_in(probes.iter().copied()))
        .exec(app.db())
        .await?;
    Ok(())
}

async fn is_held(app: &App) -> Result<bool> {
    Ok(app.get::<HoldCache>().0.get_or_load(CACHE_TTL, || read(app)).await?.is_some())
}

/// Returns whether the refusals of `recipients`' servers show that the fault is not theirs: mails to enough domains got
/// the same answer as `row`, and the mail server has accepted no mail in between.
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
        .filter(Column::Refusal.eq(failure.refusal.clone()))
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

/// Returns the keyed hash of the server, the credentials and the sender.
fn server(app: &App) -> String {
    let MailSettings { url, from } = app.section();
    let parts = match url {
        MailUrl::Smtp(server) => {
            let (user, password) = server.credentials.clone().unwrap_or_default();
            [server.host.clone(), format!("{:?}", server), user, password]
        }
        MailUrl::Folder(_) | MailUrl::Memory => Default::default(),
    };
    let mut bytes: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    let from = from.to_string();
    bytes.push(from.as_bytes());
    hex::encode(&app.keys().newest().mac(KeyUse::MailServer, &bytes)[..16])
}
