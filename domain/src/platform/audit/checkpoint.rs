//! Checkpoints: the first entry of `PORTICO_SECRET` takes a chain over from an older entry.

use portico_entity::{
    audit_anchor::{self, Kind},
    audit_chain::{Column, Entity, Model},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use tracing::{error, info};
use uuid::Uuid;

use super::chain::{self, AnchorState, Point};
use crate::platform::{app::App, clock::Time, error::Result, keys::Key, tx::Tx};

/// Takes a locked chain over: writes a checkpoint that `key` seals, and seals the other anchors of the chain again.
///
/// The checkpoint holds the digest of all events up to the head, so it vouches for them when the older entry is gone.
/// If the head was changed outside of Portico, the anchor says so instead.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn take_over(tx: &mut Tx, chain: &mut Model, key: &Key) -> Result<()> {
    let app = tx.app().clone();
    for mut anchor in chain::anchors(tx.db(), chain.id).await? {
        if chain::check_anchor(&app, &anchor) == AnchorState::Right && anchor.key != key.fingerprint() {
            chain::seal_anchor(key, &mut anchor);
            audit_anchor::Entity::update(anchor.into_active_model().reset_all()).exec(tx.db()).await?;
        }
    }
    let head = Point::head(chain);
    let is_proven = chain::is_head_proven(&app, chain).unwrap_or(false);
    let kind = if is_proven { Kind::Checkpoint } else { Kind::Unproven };
    chain::insert_anchor(tx, chain.id, kind, &head, key).await?;
    if is_proven {
        info!(chain = %chain.id, sequence = head.sequence, key = key.fingerprint(), "the audit log has a checkpoint");
    } else {
        report_unproven(chain);
    }
    chain.key_changed_at = Some(app.now());
    chain::store_head(tx, chain, head, key).await
}

/// Logs that the head of a chain was changed outside of Portico.
pub(super) fn report_unproven(chain: &Model) {
    error!(
        chain = %chain.id,
        sequence = chain.sequence,
        "the head of the audit log was changed outside of Portico; run `portico audit verify`"
    );
}

/// Writes a checkpoint under the first entry of `PORTICO_SECRET` for every chain that another entry has sealed. Returns
/// how many were written.
///
/// Chains whose entry is not in the list are left as they are: see [`chains_without_key`](super::chains_without_key).
///
/// # Errors
/// `unavailable` or `internal` if the database fails. Each chain has a transaction of its own.
pub async fn reseal(app: &App) -> Result<u64> {
    let mut written = 0;
    for id in sealed_by_older_keys(app, None).await? {
        written += u64::from(reseal_chain(app, id).await?);
    }
    Ok(written)
}

/// Writes a checkpoint for one chain. Returns `false` if it does not need one any more.
async fn reseal_chain(app: &App, id: Uuid) -> Result<bool> {
    let mut tx = app.begin().await?;
    let mut chain = chain::lock(&mut tx, id).await?;
    let key = app.keys().newest();
    let is_known = chain.key.as_deref().is_some_and(|fingerprint| app.keys().by_fingerprint(fingerprint).is_some());
    if !is_known || chain.key.as_deref() == Some(key.fingerprint()) {
        return Ok(false);
    }
    take_over(&mut tx, &mut chain, key).await?;
    tx.commit().await?;
    Ok(true)
}

/// Returns the chains whose head an older entry of the list has sealed, and that changed their entry before `before`.
pub(super) async fn sealed_by_older_keys(app: &App, before: Option<Time>) -> Result<Vec<Uuid>> {
    let newest = app.keys().newest().fingerprint();
    let older: Vec<_> = app.keys().fingerprints().filter(|fingerprint| *fingerprint != newest).collect();
    if older.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Entity::find().select_only().column(Column::Id).filter(Column::Key.is_in(older));
    if let Some(before) = before {
        let is_old = Condition::any().add(Column::KeyChangedAt.is_null()).add(Column::KeyChangedAt.lt(before));
        query = query.filter(is_old);
    }
    Ok(query.into_tuple().all(app.db()).await?)
}
