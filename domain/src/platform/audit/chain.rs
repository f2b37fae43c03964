//! The chains of the audit log: their heads, and the MACs that extend and anchor them.

use std::{fmt, str::FromStr};

use portico_entity::{
    AuditAnchorId, TenantId, audit_anchor,
    audit_chain::{self, Column, Entity, Model},
    audit_event, tenant,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::canonical::canonical;
use crate::platform::{
    app::App,
    error::{Error, Result},
    keys::{Key, KeyUse},
    tx::Tx,
};

/// The part of the audit log that a command of the command line reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// The events of no tenant.
    Installation,
    /// The events of one tenant.
    Tenant(TenantId),
}

impl Scope {
    /// Returns the events of the tenant with this slug.
    ///
    /// # Errors
    /// - `not_found`: no tenant has the slug.
    /// - `unavailable` or `internal`: a database query failed.
    pub async fn of_tenant(app: &App, slug: &str) -> Result<Self> {
        let tenant = tenant::Entity::find().filter(tenant::Column::Slug.eq(slug)).one(app.db()).await?;
        tenant.map(|tenant| Self::Tenant(tenant.id)).ok_or(Error::NOT_FOUND)
    }
}

/// A head of a chain as operators keep it: the sequence and the MAC of an event, as `SEQUENCE:MAC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The sequence of the event.
    pub sequence: i64,
    /// The MAC of the event, 64 hexadecimal digits.
    pub mac: String,
}

impl fmt::Display for ChainHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.mac)
    }
}

impl FromStr for ChainHead {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || "must be a head as the log shows it: a number, a colon and 64 hexadecimal digits".to_owned();
        let (sequence, mac) = text.split_once(':').ok_or_else(wrong)?;
        let sequence = sequence.parse().ok().filter(|sequence| *sequence > 0).ok_or_else(wrong)?;
        if hex::decode(mac).is_ok_and(|bytes| bytes.len() == 32) {
            Ok(Self { sequence, mac: mac.to_ascii_lowercase() })
        } else {
            Err(wrong())
        }
    }
}

/// A point of a chain: everything that the next event builds on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Point {
    /// The sequence of the event; 0 before the first one.
    pub(super) sequence: i64,
    /// The MAC of the event; empty before the first one.
    pub(super) mac: String,
    /// The hash over all events up to this one; empty before the first one.
    pub(super) digest: String,
}

impl Point {
    /// Returns the head of a chain.
    pub(super) fn head(chain: &Model) -> Self {
        Self {
            sequence: chain.sequence,
            mac: chain.mac.clone().unwrap_or_default(),
            digest: chain.digest.clone().unwrap_or_default(),
        }
    }

    /// Returns the point that an anchor seals.
    pub(super) fn of_anchor(anchor: &audit_anchor::Model) -> Self {
        Self { sequence: anchor.sequence, mac: anchor.mac.clone(), digest: anchor.digest.clone() }
    }

    /// Returns the MAC of `event`, which follows this point: HMAC-SHA-256 over the MAC of this point, as hexadecimal
    /// text, and the canonical form of the event.
    pub(super) fn mac_of_next(&self, key: &Key, event: &audit_event::Model) -> String {
        hex::encode(key.mac(KeyUse::AuditSeal, &[self.mac.as_bytes(), canonical(event).as_bytes()]))
    }

    /// Returns the point of `event`, which follows this point and has a sequence and a MAC. Its digest is the SHA-256
    /// hash of the digest before it, the MAC, both as hexadecimal text, and the canonical form of the event.
    pub(super) fn next(&self, event: &audit_event::Model) -> Self {
        let mac = event.mac.clone().unwrap_or_default();
        let digest = Sha256::new().chain_update(&self.digest).chain_update(&mac).chain_update(canonical(event));
        Self { sequence: event.sequence.unwrap_or_default(), mac, digest: hex::encode(digest.finalize()) }
    }
}

/// Returns the id of the chain that holds the events of `tenant`.
pub(super) fn chain_id(tenant: Option<TenantId>) -> Uuid {
    tenant.map_or(Uuid::nil(), |tenant| tenant.0)
}

/// Returns the tenant of a chain; `None` for the chain of the installation.
pub(super) fn tenant_of(chain: Uuid) -> Option<TenantId> {
    (!chain.is_nil()).then_some(TenantId(chain))
}

/// Matches the events of a chain, sealed or not.
pub(super) fn events_of(chain: Uuid) -> Condition {
    let column = audit_event::Column::TenantId;
    Condition::all().add(tenant_of(chain).map_or(column.is_null(), |tenant| column.eq(tenant)))
}

/// Locks the row of a chain until the transaction ends, and returns it. Inserts it if it does not exist.
pub(super) async fn lock(tx: &mut Tx, id: Uuid) -> Result<Model> {
    for _ in 0..2 {
        // An update that keeps the value locks the row on Postgres and on SQLite.
        let locked = Entity::update_many()
            .col_expr(Column::Sequence, Expr::col(Column::Sequence))
            .filter(Column::Id.eq(id))
            .exec_with_returning(tx.db())
            .await?;
        if let Some(chain) = locked.into_iter().next() {
            return Ok(chain);
        }
        let row = Model {
            id,
            sequence: 0,
            mac: None,
            digest: None,
            key: None,
            seal: None,
            key_changed_at: None,
            logged_sequence: 0,
            logged_at: None,
            redacted_before: None,
        };
        Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned())
            .exec_without_returning(tx.db())
            .await?;
    }
    Err(Error::Internal(format!("the audit_chains row {id} is missing")))
}

/// Stores `head` as the head of a locked chain, sealed by `key`.
pub(super) async fn store_head(tx: &mut Tx, chain: &mut Model, head: Point, key: &Key) -> Result<()> {
    chain.seal = Some(hex::encode(head_seal(key, chain.id, &head)));
    chain.key = Some(key.fingerprint().into());
    (chain.sequence, chain.mac, chain.digest) = (head.sequence, Some(head.mac), Some(head.digest));
    let stored = audit_chain::ActiveModel {
        id: Set(chain.id),
        sequence: Set(chain.sequence),
        mac: Set(chain.mac.clone()),
        digest: Set(chain.digest.clone()),
        key: Set(chain.key.clone()),
        seal: Set(chain.seal.clone()),
        key_changed_at: Set(chain.key_changed_at),
        ..Default::default()
    };
    Entity::update(stored).exec(tx.db()).await?;
    Ok(())
}

/// Returns whether the head of a chain is as its last seal left it; `None` if `key` is not in `PORTICO_SECRET`.
pub(super) fn is_head_proven(app: &App, chain: &Model) -> Option<bool> {
    let Some(fingerprint) = &chain.key else { return Some(chain.sequence == 0) };
    let key = app.keys().by_fingerprint(fingerprint)?;
    let expected = head_seal(key, chain.id, &Point::head(chain));
    Some(is_equal(&expected, chain.seal.as_deref().unwrap_or_default()))
}

/// Returns the MAC of the head of a chain.
fn head_seal(key: &Key, chain: Uuid, head: &Point) -> [u8; 32] {
    let sequence = head.sequence.to_be_bytes();
    let parts: [&[u8]; 5] = [b"head", chain.as_bytes(), &sequence, head.mac.as_bytes(), head.digest.as_bytes()];
    key.mac(KeyUse::AuditAnchor, &parts)
}

/// Returns the MAC of an anchor.
fn anchor_seal(key: &Key, anchor: &audit_anchor::Model) -> [u8; 32] {
    let (sequence, at) = (anchor.sequence.to_be_bytes(), anchor.at.timestamp_micros().to_be_bytes());
    let kind = anchor.kind.name().as_bytes();
    let (mac, digest) = (anchor.mac.as_bytes(), anchor.digest.as_bytes());
    key.mac(KeyUse::AuditAnchor, &[kind, anchor.chain_id.as_bytes(), &sequence, mac, digest, &at])
}

/// Whether the seal of an anchor is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnchorState {
    /// An entry of `PORTICO_SECRET` made it.
    Right,
    /// The entry that it names did not make it.
    Wrong,
    /// The entry that it names is not in `PORTICO_SECRET`.
    KeyUnknown,
}

/// Checks the seal of an anchor.
pub(super) fn check_anchor(app: &App, anchor: &audit_anchor::Model) -> AnchorState {
    match app.keys().by_fingerprint(&anchor.key) {
        None => AnchorState::KeyUnknown,
        Some(key) if is_equal(&anchor_seal(key, anchor), &anchor.seal) => AnchorState::Right,
        Some(_) => AnchorState::Wrong,
    }
}

/// Seals an anchor by `key`.
pub(super) fn seal_anchor(key: &Key, anchor: &mut audit_anchor::Model) {
    anchor.key = key.fingerprint().into();
    anchor.seal = hex::encode(anchor_seal(key, anchor));
}

/// Inserts an anchor at a point of a chain, sealed by `key`.
pub(super) async fn insert_anchor(
    tx: &mut Tx,
    chain: Uuid,
    kind: audit_anchor::Kind,
    point: &Point,
    key: &Key,
) -> Result<()> {
    let Point { sequence, mac, digest } = point.clone();
    let (id, at) = (AuditAnchorId(tx.app().new_id()), tx.app().now());
    let (key_name, seal) = (String::new(), String::new());
    let mut anchor = audit_anchor::Model { id, chain_id: chain, kind, sequence, mac, digest, key: key_name, seal, at };
    seal_anchor(key, &mut anchor);
    audit_anchor::Entity::insert(anchor.into_active_model()).exec_without_returning(tx.db()).await?;
    Ok(())
}

/// Returns the anchors of a chain in the order of their sequences.
pub(super) async fn anchors(db: &impl ConnectionTrait, chain: Uuid) -> Result<Vec<audit_anchor::Model>> {
    use audit_anchor::{Column, Entity};
    let query = Entity::find().filter(Column::ChainId.eq(chain));
    Ok(query.order_by_asc(Column::Sequence).order_by_asc(Column::Id).all(db).await?)
}

/// Compares a MAC with hexadecimal text in constant time.
pub(super) fn is_equal(mac: &[u8; 32], text: &str) -> bool {
    hex::decode(text).is_ok_and(|bytes| bool::from(bytes.ct_eq(mac)))
}

/// Returns the name of a chain for people: the slug of its tenant, or `installation`.
pub(super) async fn name_of(app: &App, chain: Uuid) -> Result<String> {
    let Some(id) = tenant_of(chain) else { return Ok("installation".into()) };
    let tenant = tenant::Entity::find_by_id(id).one(app.db()).await?;
    Ok(tenant.map_or_else(|| id.to_string(), |tenant| tenant.slug))
}
