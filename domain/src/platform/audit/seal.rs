//! Sealing: gives each event its place in its chain.

use chrono::TimeDelta;
use portico_entity::{
    TenantId,
    audit_anchor::Kind,
    audit_chain,
    audit_event::{ActorRealm, Column, Entity, Model},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};
use tracing::{info, warn};
use uuid::Uuid;

use super::{
    canonical::commit,
    chain::{self, Point},
    checkpoint, log_heads,
};
use crate::platform::{
    app::App,
    clock::{MAX_CLOCK_ERROR, Time, first_id_at},
    error::Result,
    keys::{Key, ServerKeys},
    tx::Tx,
};

/// How many events one transaction seals. A statement has 27 values for each, and SQLite takes at most 32,766.
const BATCH: u64 = 1_000;
/// How many batches of one chain are sealed before it is the turn of the next chain.
const MAX_BATCHES: u32 = 20;
/// At which age an anonymous event of no tenant is not sealed any more. Versions without chains delete such events
/// after 90 days. While a worker of such a version runs, or after a return to it, it must find no sealed event to
/// delete.
const MAX_AGE_OF_ANONYMOUS: TimeDelta = TimeDelta::days(60);
/// How long a chain keeps the entry of `PORTICO_SECRET` that took it over last. While processes with the old and the
/// new first entry run at the same time, they would otherwise write a checkpoint at each turn.
const KEY_CHANGE_INTERVAL: TimeDelta = TimeDelta::minutes(10);

/// Seals every event that has no sequence, logs the heads of chains, and writes the checkpoints that are due. Returns
/// how many events were sealed.
///
/// Each worker calls this every 3 seconds. The row of a chain is locked while its events are sealed, so one worker at a
/// time extends a chain. A chain whose events come faster than this call seals them is continued by the next call. An
/// event that is committed after a later one was sealed gets the next sequence: the order of a chain is the order of
/// sealing.
///
/// # Errors
/// `unavailable`, `aborted` or `internal` if the database fails. What was sealed before stays sealed.
pub async fn seal_events(app: &App) -> Result<u64> {
    let mut total = 0;
    for tenant in chains_to_extend(app).await? {
        let id = chain::chain_id(tenant);
        for _ in 0..MAX_BATCHES {
            let sealed = seal_batch(app, id).await?;
            total += sealed;
            if sealed < BATCH {
                break;
            }
        }
    }
    if total > 0 {
        info!(events = total, "sealed events of the audit log");
    }
    for id in checkpoint::sealed_by_older_keys(app, Some(app.now() - KEY_CHANGE_INTERVAL)).await? {
        // The lock shows whether the chain still needs the checkpoint.
        let mut tx = app.begin().await?;
        let mut locked = chain::lock(&mut tx, id).await?;
        if let Some(key) = key_for(app, &locked).filter(|key| locked.key.as_deref() != Some(key.fingerprint())) {
            checkpoint::take_over(&mut tx, &mut locked, key).await?;
            tx.commit().await?;
        }
    }
    log_heads::log_heads(app).await?;
    Ok(total)
}

/// A condition for the events that are not sealed and will be. The others are from before the chains, and
/// [`CutAuditLog`](super::CutAuditLog) deletes them.
pub(super) fn to_seal(now: Time) -> Condition {
    let is_left_out = Column::TenantId
        .is_null()
        .and(Column::ActorRealm.eq(ActorRealm::Anonymous))
        .and(Column::Id.lt(first_id_at(now - MAX_AGE_OF_ANONYMOUS)));
    Condition::all().add(Column::Sequence.is_null()).add(is_left_out.not())
}

/// Returns the tenants that have an event without a sequence; `None` stands for the installation.
async fn chains_to_extend(app: &App) -> Result<Vec<Option<TenantId>>> {
    let query = Entity::find().select_only().column(Column::TenantId).distinct().filter(to_seal(app.now()));
    Ok(query.into_tuple().all(app.db()).await?)
}

/// Seals the oldest events of a chain that have no sequence, at most [`BATCH`]. Returns how many.
async fn seal_batch(app: &App, id: Uuid) -> Result<u64> {
    let mut tx = app.begin().await?;
    let mut locked = chain::lock(&mut tx, id).await?;
    let Some(key) = key_for(app, &locked) else {
        warn!(chain = %id, "PORTICO_SECRET lacks the entry that sealed the audit log; its new events stay unsealed");
        return Ok(0);
    };
    let events = Entity::find()
        .filter(chain::events_of(id))
        .filter(to_seal(app.now()))
        .order_by_asc(Column::Id)
        .limit(BATCH)
        .all(tx.db())
        .await?;
    if events.is_empty() {
        return Ok(0);
    }
    if locked.key.as_deref().is_some_and(|fingerprint| fingerprint != key.fingerprint()) {
        checkpoint::take_over(&mut tx, &mut locked, key).await?;
    } else if chain::is_head_proven(app, &locked) != Some(true) {
        checkpoint::report_unproven(&locked);
        chain::insert_anchor(&mut tx, id, Kind::Unproven, &Point::head(&locked), key).await?;
    }
    let count = events.len() as u64;
    let head = write_seals(&mut tx, Point::head(&locked), events, key).await?;
    chain::store_head(&mut tx, &mut locked, head, key).await?;
    tx.commit().await?;
    Ok(count)
}

/// Seals `events` after `head` and stores their seals with one statement. Returns the new head.
async fn write_seals(tx: &mut Tx, mut head: Point, events: Vec<Model>, key: &Key) -> Result<Point> {
    let random = tx.app().random();
    let rows: Vec<_> = events
        .into_iter()
        .map(|mut event| {
            commit(&mut event, random);
            event.sequence = Some(head.sequence + 1);
            event.seal_key = Some(key.fingerprint().into());
            event.mac = Some(head.mac_of_next(key, &event));
            head = head.next(&event);
            event.into_active_model().reset_all()
        })
        .collect();
    // The rows exist, so each of them conflicts and is updated: the one statement for many rows and different values
    // that both databases have.
    let update = OnConflict::column(Column::Id)
        .update_columns([
            Column::Sequence,
            Column::Mac,
            Column::SealKey,
            Column::ActorNameSalt,
            Column::ActorNameCommitment,
            Column::ActorAddressSalt,
            Column::ActorAddressCommitment,
            Column::IpSalt,
            Column::IpCommitment,
            Column::UserAgentSalt,
            Column::UserAgentCommitment,
        ])
        .to_owned();
    Entity::insert_many(rows).on_conflict(update).exec_without_returning(tx.db()).await?;
    Ok(head)
}

/// Returns the entry that seals the next event of a chain: the first one of `PORTICO_SECRET`, or the present one if it
/// has taken the chain over only now. Returns `None` if the list lacks the present one.
fn key_for<'a>(app: &'a App, chain: &audit_chain::Model) -> Option<&'a Key> {
    let keys: &ServerKeys = app.keys();
    let Some(fingerprint) = &chain.key else { return Some(keys.newest()) };
    let present = keys.by_fingerprint(fingerprint)?;
    // A time too far ahead was recorded by a wrong clock.
    let is_recent = |at| (-MAX_CLOCK_ERROR..KEY_CHANGE_INTERVAL).contains(&(app.now() - at));
    if chain.key_changed_at.is_some_and(is_recent) { Some(present) } else { Some(keys.newest()) }
}
