//! Deleting what is older than the retention.

use chrono::TimeDelta;
use portico_entity::{
    audit_anchor::{self, Kind},
    audit_chain,
    audit_event::{ActorRealm, Column, Entity, Model},
    background_job::Lane,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};
use tracing::info;
use uuid::Uuid;

use super::{
    AuditSettings,
    chain::{self, Point},
};
use crate::platform::{
    app::App,
    clock::{MAX_CLOCK_ERROR, Time, first_id_at},
    error::Result,
    job::{Job, JobError},
};

/// How many events one transaction deletes.
const BATCH: u64 = 1_000;
/// How long an event of an anonymous caller that belongs to no tenant keeps the address and the user agent.
const ANONYMOUS_ADDRESS_RETENTION: TimeDelta = TimeDelta::days(90);

/// Deletes the events that are older than `PORTICO_AUDIT_RETENTION`, from the beginning of each chain, and writes an
/// anchor at each cut. Erases the addresses of anonymous callers after 90 days.
#[derive(Default, Serialize, Deserialize)]
pub struct CutAuditLog {}

impl Job for CutAuditLog {
    const NAME: &'static str = "cut_audit_log";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        let retention = TimeDelta::from_std(app.section::<AuditSettings>().retention).unwrap_or(TimeDelta::MAX);
        let before = app.now().checked_sub_signed(retention).unwrap_or(Time::MIN_UTC);
        let chains: Vec<Uuid> = {
            use audit_chain::{Column, Entity};
            Entity::find().select_only().column(Column::Id).into_tuple().all(app.db()).await?
        };
        let (mut deleted, mut cut) = (0, 0);
        for id in chains {
            let in_chain = cut_chain(app, id, before).await?;
            (deleted, cut) = (deleted + in_chain, cut + u64::from(in_chain > 0));
        }
        delete_unsealed(app, app.now() - ANONYMOUS_ADDRESS_RETENTION).await?;
        let redacted = redact_anonymous(app, app.now() - ANONYMOUS_ADDRESS_RETENTION).await?;
        info!(events = deleted, chains = cut, redacted, "deleted old events of the audit log");
        Ok(())
    }
}

/// Deletes the oldest events of a chain that are from before `before`. Returns how many.
async fn cut_chain(app: &App, id: Uuid, before: Time) -> Result<u64> {
    let mut deleted = 0;
    loop {
        let batch = cut_batch(app, id, before).await?;
        deleted += batch;
        if batch < BATCH {
            return Ok(deleted);
        }
    }
}

/// Deletes at most [`BATCH`] events of a chain and moves its anchor, in one transaction.
async fn cut_batch(app: &App, id: Uuid, before: Time) -> Result<u64> {
    // A time further ahead than clocks can differ was recorded by a wrong clock. Such an event goes with those after
    // it.
    let from_wrong_clock = |event: &Model| event.at > app.now() + MAX_CLOCK_ERROR;
    let first = oldest(app.db(), id, 1).await?;
    if first.first().is_none_or(|event| event.at >= before && !from_wrong_clock(event)) {
        return Ok(0);
    }
    let mut tx = app.begin().await?;
    let locked = chain::lock(&mut tx, id).await?;
    // Without its entry, the chain cannot be anchored.
    let known = locked.key.as_deref().and_then(|fingerprint| app.keys().by_fingerprint(fingerprint));
    let Some(key) = known else { return Ok(0) };
    let anchors = chain::anchors(tx.db(), id).await?;
    let cut = anchors.iter().rev().find(|anchor| anchor.kind == Kind::Cut);
    let start = cut.map(Point::of_anchor).unwrap_or_default();
    let events = oldest(tx.db(), id, BATCH).await?;
    let (mut point, mut read) = (start.clone(), start.clone());
    for event in events.iter().take_while(|event| event.at < before || from_wrong_clock(event)) {
        // A gap is evidence of a removed event. An anchor after it would hide that.
        if event.sequence != Some(read.sequence + 1) {
            break;
        }
        read = read.next(event);
        if event.at < before {
            point = read.clone();
        }
    }
    if point == start {
        return Ok(0);
    }
    chain::insert_anchor(&mut tx, id, Kind::Cut, &point, key).await?;
    audit_anchor::Entity::delete_many()
        .filter(audit_anchor::Column::Id.is_in(outdated(&anchors, point.sequence)))
        .exec(tx.db())
        .await?;
    let done = Entity::delete_many()
        .filter(chain::events_of(id))
        .filter(Column::Sequence.lte(point.sequence))
        .exec(tx.db())
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected)
}

/// Deletes the anonymous events of no tenant from before `before` that were never sealed: see [`super::seal::to_seal`].
async fn delete_unsealed(app: &App, before: Time) -> Result<()> {
    Entity::delete_many()
        .filter(Column::TenantId.is_null())
        .filter(Column::ActorRealm.eq(ActorRealm::Anonymous))
        .filter(Column::Sequence.is_null())
        .filter(Column::Id.lt(first_id_at(before)))
        .exec(app.db())
        .await?;
    Ok(())
}

/// Returns the oldest sealed events of a chain.
async fn oldest(db: &impl sea_orm::ConnectionTrait, id: Uuid, limit: u64) -> Result<Vec<Model>> {
    let query = Entity::find().filter(chain::events_of(id)).filter(Column::Sequence.is_not_null());
    Ok(query.order_by_asc(Column::Sequence).limit(limit).all(db).await?)
}

/// Returns the ids of the anchors that a cut at `sequence` replaces: the older cut, and the anchors of deleted events.
/// A checkpoint at the cut itself stays, because the next event needs it.
fn outdated(anchors: &[audit_anchor::Model], sequence: i64) -> Vec<portico_entity::AuditAnchorId> {
    let is_outdated = |anchor: &&audit_anchor::Model| match anchor.kind {
        Kind::Cut => true,
        Kind::Checkpoint | Kind::Unproven => anchor.sequence < sequence,
    };
    anchors.iter().filter(is_outdated).map(|anchor| anchor.id).collect()
}

/// Erases address and user agent, with their salts, of the anonymous events of no tenant from before `before`. Returns
/// how many events were changed. The chain stays valid, because the commitments stay.
async fn redact_anonymous(app: &App, before: Time) -> Result<u64> {
    let mut tx = app.begin().await?;
    // The lock keeps a worker from sealing these events at the same time, and from writing the salts again.
    let locked = chain::lock(&mut tx, Uuid::nil()).await?;
    let mut update = Entity::update_many()
        .col_expr(Column::Ip, Expr::value(None::<String>))
        .col_expr(Column::IpSalt, Expr::value(None::<String>))
        .col_expr(Column::UserAgent, Expr::value(None::<String>))
        .col_expr(Column::UserAgentSalt, Expr::value(None::<String>))
        .filter(Column::TenantId.is_null())
        .filter(Column::ActorRealm.eq(ActorRealm::Anonymous))
        .filter(Column::At.lt(before))
        .filter(Column::Id.lt(first_id_at(before)));
    if let Some(done) = locked.redacted_before {
        update = update.filter(Column::Id.gte(first_id_at(done)));
    }
    let redacted = update.exec(tx.db()).await?.rows_affected;
    audit_chain::Entity::update_many()
        .col_expr(audit_chain::Column::RedactedBefore, Expr::value(before))
        .filter(audit_chain::Column::Id.eq(Uuid::nil()))
        .exec(tx.db())
        .await?;
    tx.commit().await?;
    Ok(redacted)
}
