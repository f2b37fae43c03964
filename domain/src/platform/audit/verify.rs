//! Verifying the chains of the audit log.

use std::fmt;

use portico_entity::{
    audit_anchor::{self, Kind},
    audit_chain,
    audit_event::{Column, Entity, Model},
    tenant,
};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::IntoCondition,
};
use uuid::Uuid;

use super::{
    Scope,
    canonical::{Personal, personal_values},
    chain::{self, AnchorState, ChainHead, Point},
    seal::to_seal,
};
use crate::platform::{app::App, error::Result};

/// How many events one query reads.
const PAGE: u64 = 1_000;
/// How often a chain is verified again because it was cut at the same time.
const MAX_RUNS: u32 = 3;

/// What [`verify`] says about a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Every sealed event is as it was sealed.
    Intact,
    /// The chain was changed.
    Broken,
    /// No change was found, but some events were sealed by an entry that is not in `PORTICO_SECRET`, and no checkpoint
    /// of a present entry vouches for them.
    Unverifiable,
}

/// How a chain differs from what was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The event has other values than when it was sealed, or was not sealed by Portico.
    Changed,
    /// There is no event with this sequence, but there are later ones.
    Removed,
    /// The event was sealed with another sequence.
    Reordered,
    /// A further event has a sequence that another event has, or that was deleted by the clean-up.
    Inserted,
    /// The chain ends before this sequence.
    CutOff,
    /// The head of the chain in `audit_chains` was changed.
    HeadChanged,
    /// An anchor of the chain was changed, or is missing.
    AnchorChanged,
    /// The entry of `PORTICO_SECRET` that sealed the event is not in the list.
    KeyGone,
    /// The head to compare with is older than the oldest event that was kept.
    HeadTooOld,
}

impl Finding {
    /// Returns the name, in snake_case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Reordered => "reordered",
            Self::Inserted => "inserted",
            Self::CutOff => "cut_off",
            Self::HeadChanged => "head_changed",
            Self::AnchorChanged => "anchor_changed",
            Self::KeyGone => "key_gone",
            Self::HeadTooOld => "head_too_old",
        }
    }

    /// Returns the status of a chain with this finding.
    const fn status(self) -> Status {
        match self {
            Self::KeyGone | Self::HeadTooOld => Status::Unverifiable,
            _ => Status::Broken,
        }
    }
}

/// The first difference that was found in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The sequence where it is.
    pub sequence: i64,
    /// What it is.
    pub finding: Finding,
    /// A sentence for operators, without the values of the event.
    pub detail: String,
}

impl Problem {
    fn new(sequence: i64, finding: Finding, detail: impl Into<String>) -> Self {
        Self { sequence, finding, detail: detail.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sequence {}: {}: {}", self.sequence, self.finding.name().replace('_', " "), self.detail)
    }
}

/// What [`verify`] found out about one chain.
#[derive(Clone, Debug)]
pub struct ChainReport {
    /// The slug of the tenant, or `installation`.
    pub name: String,
    /// The sequence of the last event that the clean-up deleted; 0 if it has deleted none.
    pub cut_at: i64,
    /// The newest sealed event. `None` if there is none.
    pub head: Option<ChainHead>,
    /// How many sealed events were read.
    pub events: u64,
    /// The events up to this sequence were verified by a checkpoint only, because the entry that sealed them is not in
    /// `PORTICO_SECRET`. `None` if the MAC of every event was verified.
    pub by_checkpoint: Option<i64>,
    /// How many events are not sealed yet. They are not covered.
    pub unsealed: u64,
    /// How many personal values were erased.
    pub erased_values: u64,
    /// The first difference. `None` if the chain is intact.
    pub problem: Option<Problem>,
}

impl ChainReport {
    /// Returns what the report says about the chain.
    pub fn status(&self) -> Status {
        self.problem.as_ref().map_or(Status::Intact, |problem| problem.finding.status())
    }
}

/// Verifies the chains of `scope`, reading page by page without a transaction. The chain of the installation has no
/// report while it has no events. A tenant without events is a problem, because its creation is one.
///
/// `head` is a head of the one chain that `scope` names, from a log that the database cannot change. Without it, events
/// that were removed from the end of a chain are not found, if the rest was made to fit. Events that are not sealed
/// yet, which are those of about the last 10 seconds, are never covered.
///
/// # Errors
/// `unavailable`, `aborted` or `internal` if the database fails.
pub async fn verify(app: &App, scope: Scope, head: Option<&ChainHead>) -> Result<Vec<ChainReport>> {
    let chains = match scope {
        Scope::Installation => vec![Uuid::nil()],
        Scope::Tenant(tenant) => vec![tenant.0],
        Scope::All => all_chains(app).await?,
    };
    let mut reports = Vec::new();
    for id in chains {
        let mut report = verify_chain(app, id, head).await?;
        let is_empty = report.events == 0 && report.unsealed == 0 && report.cut_at == 0;
        if is_empty && report.problem.is_none() && id != Uuid::nil() {
            let detail = "the log is empty, although the creation of the tenant is an event";
            report.problem = Some(Problem::new(1, Finding::CutOff, detail));
        }
        if report.events > 0 || report.unsealed > 0 || report.problem.is_some() || scope != Scope::All {
            reports.push(report);
        }
    }
    Ok(reports)
}

/// Returns the id of each chain that may have events. It does not trust `audit_chains` to be complete.
async fn all_chains(app: &App) -> Result<Vec<Uuid>> {
    let tenants = tenant::Entity::find().select_only().column(tenant::Column::Id).into_tuple::<Uuid>();
    let chains = audit_chain::Entity::find().select_only().column(audit_chain::Column::Id).into_tuple::<Uuid>();
    let mut all = vec![Uuid::nil()];
    all.extend(tenants.all(app.db()).await?);
    all.extend(chains.all(app.db()).await?);
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

async fn verify_chain(app: &App, id: Uuid, head: Option<&ChainHead>) -> Result<ChainReport> {
    let mut runs = 0;
    loop {
        runs += 1;
        let anchors = chain::anchors(app.db(), id).await?;
        let report = Walk::new(app, id, head, &anchors).run().await?;
        // The clean-up may have cut the chain since the anchors were read.
        let is_same = report.status() != Status::Broken || chain::anchors(app.db(), id).await? == anchors;
        if is_same || runs == MAX_RUNS {
            return Ok(report);
        }
    }
}

/// The state of one run over a chain.
struct Walk<'a> {
    app: &'a App,
    id: Uuid,
    /// The head to compare with.
    wanted: Option<&'a ChainHead>,
    anchors: &'a [audit_anchor::Model],
    /// The last point that was read.
    point: Point,
    /// The fingerprint in the last event that was read.
    key: Option<String>,
    /// The first event that no present entry has vouched for yet.
    unproven_from: Option<i64>,
    events: u64,
    erased_values: u64,
    by_checkpoint: Option<i64>,
}

impl<'a> Walk<'a> {
    fn new(app: &'a App, id: Uuid, wanted: Option<&'a ChainHead>, anchors: &'a [audit_anchor::Model]) -> Self {
        Self {
            app,
            id,
            wanted,
            anchors,
            point: Point::default(),
            key: None,
            unproven_from: None,
            events: 0,
            erased_values: 0,
            by_checkpoint: None,
        }
    }

    async fn run(mut self) -> Result<ChainReport> {
        let cut = self.anchors.iter().rev().find(|anchor| anchor.kind == Kind::Cut);
        if let Some(cut) = cut {
            self.point = Point::of_anchor(cut);
        }
        let cut_at = self.point.sequence;
        let problem = match self.check_anchors() {
            Some(problem) => Some(problem),
            None => self.check_all().await?,
        };
        let unsealed = self.count(to_seal(self.app.now())).await?;
        let Point { sequence, mac, .. } = self.point;
        Ok(ChainReport {
            name: chain::name_of(self.app, self.id).await?,
            cut_at,
            head: (sequence > 0).then_some(ChainHead { sequence, mac }),
            events: self.events,
            by_checkpoint: self.by_checkpoint,
            unsealed,
            erased_values: self.erased_values,
            problem,
        })
    }

    /// Checks the seals of the anchors.
    fn check_anchors(&mut self) -> Option<Problem> {
        for anchor in self.anchors {
            let problem = |finding, detail| Some(Problem::new(anchor.sequence, finding, detail));
            match (chain::check_anchor(self.app, anchor), anchor.kind) {
                (AnchorState::Wrong, _) => {
                    return problem(Finding::AnchorChanged, "the anchor here was not sealed by Portico");
                }
                (AnchorState::Right, Kind::Unproven) => {
                    return problem(Finding::HeadChanged, "the head was changed here before the chain was continued");
                }
                // Only a checkpoint after it can prove the events from here on.
                (AnchorState::KeyUnknown, Kind::Cut) if anchor.sequence == self.point.sequence => {
                    self.unproven_from = Some(anchor.sequence);
                }
                (AnchorState::Right | AnchorState::KeyUnknown, _) => {}
            }
        }
        None
    }

    /// Reads the events up to the head. Returns the first difference.
    async fn check_all(&mut self) -> Result<Option<Problem>> {
        if let Some(event) = self.page(None).await?.first() {
            let detail = "the clean-up has deleted the events up to here, and there is one";
            return Ok(Some(Problem::new(event.sequence.unwrap_or_default(), Finding::Inserted, detail)));
        }
        if let Some(problem) = self.check_wanted_at_cut() {
            return Ok(Some(problem));
        }
        loop {
            let page = self.page(Some(self.point.sequence)).await?;
            for event in &page {
                if let Some(problem) = self.check(event, &page) {
                    return Ok(Some(problem));
                }
            }
            if !page.is_empty() {
                continue;
            }
            // Seals and head are committed together, so the head that is read now has at least the events above.
            let stored = audit_chain::Entity::find_by_id(self.id).one(self.app.db()).await?;
            let head = stored.as_ref().map(Point::head).unwrap_or_default();
            if head.sequence > self.point.sequence && !self.page(Some(self.point.sequence)).await?.is_empty() {
                continue;
            }
            return Ok(self.check_end(stored.as_ref(), &head));
        }
    }

    /// Returns the next events after a sequence; without one, the sealed events that should have been deleted.
    async fn page(&self, after: Option<i64>) -> Result<Vec<Model>> {
        let range = match after {
            Some(sequence) => Column::Sequence.gt(sequence),
            None => Column::Sequence.lte(self.point.sequence),
        };
        let query = Entity::find().filter(chain::events_of(self.id)).filter(range);
        let query = query.order_by_asc(Column::Sequence).order_by_asc(Column::Id).limit(PAGE);
        Ok(query.all(self.app.db()).await?)
    }

    async fn count(&self, filter: impl IntoCondition) -> Result<u64> {
        Ok(Entity::find().filter(chain::events_of(self.id)).filter(filter).count(self.app.db()).await?)
    }

    /// Compares the wanted head with the point of the last cut.
    fn check_wanted_at_cut(&self) -> Option<Problem> {
        let wanted = self.wanted.filter(|wanted| wanted.sequence <= self.point.sequence)?;
        if wanted.sequence < self.point.sequence {
            let detail = "the clean-up has deleted the event of --head; compare with a newer one";
            return Some(Problem::new(wanted.sequence, Finding::HeadTooOld, detail));
        }
        let detail = "the event is not the one of --head";
        (wanted.mac != self.point.mac).then(|| Problem::new(wanted.sequence, Finding::Changed, detail))
    }

    /// Checks one event and moves on to it. `page` holds the events around it.
    fn check(&mut self, event: &Model, page: &[Model]) -> Option<Problem> {
        let sequence = event.sequence.unwrap_or_default();
        let expected = self.point.sequence + 1;
        if sequence < expected {
            return Some(Problem::new(sequence, Finding::Inserted, "more than one event has this sequence"));
        }
        if sequence > expected {
            let detail = format!("the next event has the sequence {sequence}");
            return Some(Problem::new(expected, Finding::Removed, detail));
        }
        if let Some(problem) = self.check_personal_values(event).or_else(|| self.check_key(event)) {
            return Some(problem);
        }
        let key = event.seal_key.as_deref().and_then(|fingerprint| self.app.keys().by_fingerprint(fingerprint));
        match key {
            Some(key) => {
                let mac = event.mac.as_deref().unwrap_or_default();
                if self.point.mac_of_next(key, event) != mac {
                    return Some(self.describe_change(event, page));
                }
            }
            None => {
                self.unproven_from.get_or_insert(sequence);
            }
        }
        self.point = self.point.next(event);
        self.events += 1;
        self.check_wanted(event).or_else(|| self.check_checkpoint())
    }

    fn check_personal_values(&mut self, event: &Model) -> Option<Problem> {
        for (column, state) in personal_values(event) {
            match state {
                Personal::Absent | Personal::Kept => {}
                Personal::Erased => self.erased_values += 1,
                Personal::Changed => {
                    let detail = format!("{column} of the event {} was changed", event.id);
                    return Some(Problem::new(self.point.sequence + 1, Finding::Changed, detail));
                }
            }
        }
        None
    }

    /// Checks that a checkpoint lies between events that different entries have sealed.
    fn check_key(&mut self, event: &Model) -> Option<Problem> {
        let before = std::mem::replace(&mut self.key, event.seal_key.clone());
        let is_switch = before.is_some() && before != event.seal_key;
        let is_here = |anchor: &audit_anchor::Model| anchor.sequence == self.point.sequence && anchor.kind != Kind::Cut;
        let is_missing = is_switch && !self.anchors.iter().any(is_here);
        let detail = "another entry of PORTICO_SECRET seals the events after this one, and there is no checkpoint";
        is_missing.then(|| Problem::new(self.point.sequence, Finding::AnchorChanged, detail))
    }

    /// Compares an event with the wanted head.
    fn check_wanted(&self, event: &Model) -> Option<Problem> {
        let wanted = self.wanted.filter(|wanted| event.sequence == Some(wanted.sequence))?;
        let detail = "the event is not the one of --head: the chain was cut off before it and continued";
        (Some(&wanted.mac) != event.mac.as_ref()).then(|| Problem::new(wanted.sequence, Finding::CutOff, detail))
    }

    /// Compares the events up to here with the checkpoint here, if there is one.
    fn check_checkpoint(&mut self) -> Option<Problem> {
        let sequence = self.point.sequence;
        for anchor in self.anchors.iter().filter(|anchor| anchor.sequence == sequence) {
            if chain::check_anchor(self.app, anchor) != AnchorState::Right {
                continue;
            }
            if Point::of_anchor(anchor) != self.point {
                let detail = "the events up to here are not those that the anchor here has sealed";
                return Some(Problem::new(sequence, Finding::Changed, detail));
            }
            if self.unproven_from.take().is_some() {
                self.by_checkpoint = Some(sequence);
            }
        }
        None
    }

    /// Checks that the chain ends where it should.
    fn check_end(&self, stored: Option<&audit_chain::Model>, head: &Point) -> Option<Problem> {
        let end = self.point.sequence;
        if let Some(anchor) = self.anchors.iter().find(|anchor| anchor.sequence > end) {
            let detail = format!("an anchor has the sequence {}", anchor.sequence);
            return Some(Problem::new(end + 1, Finding::CutOff, detail));
        }
        if head.sequence > end {
            let detail = format!("the head has the sequence {}", head.sequence);
            return Some(Problem::new(end + 1, Finding::CutOff, detail));
        }
        if let Some(wanted) = self.wanted.filter(|wanted| wanted.sequence > end) {
            let detail = format!("--head has the sequence {}", wanted.sequence);
            return Some(Problem::new(end + 1, Finding::CutOff, detail));
        }
        let is_proven = stored.map_or(Some(end == 0), |stored| chain::is_head_proven(self.app, stored));
        if *head != self.point || is_proven == Some(false) {
            let detail = "the head in audit_chains is not that of the last event, or was not sealed by Portico";
            return Some(Problem::new(end, Finding::HeadChanged, detail));
        }
        let from = self.unproven_from.or_else(|| is_proven.is_none().then_some(end))?;
        let detail = "PORTICO_SECRET lacks the entry that sealed the events from here on, and no checkpoint follows";
        Some(Problem::new(from, Finding::KeyGone, detail))
    }

    /// Returns what was done to an event whose MAC is wrong: it was moved, if its MAC is right at the place of another
    /// event of the page, and otherwise it was changed.
    fn describe_change(&self, event: &Model, page: &[Model]) -> Problem {
        let sequence = self.point.sequence + 1;
        if page.iter().any(|other| other.sequence == event.sequence && other.id != event.id) {
            return Problem::new(sequence, Finding::Inserted, "more than one event has this sequence");
        }
        let key = event.seal_key.as_deref().and_then(|fingerprint| self.app.keys().by_fingerprint(fingerprint));
        let mac_at = |sequence: i64| {
            let at = page.iter().find(|other| other.sequence == Some(sequence));
            at.and_then(|other| other.mac.clone())
                .or_else(|| (sequence == self.point.sequence).then(|| self.point.mac.clone()))
        };
        for place in page.iter().filter_map(|other| other.sequence).filter(|place| *place != sequence) {
            let moved = Model { sequence: Some(place), ..event.clone() };
            // If two neighbours were exchanged, the MAC before the event is that of the event now at its place.
            for mac in [mac_at(place - 1), mac_at(place)].into_iter().flatten() {
                let before = Point { mac, ..Point::default() };
                if key.is_some_and(|key| Some(before.mac_of_next(key, &moved)) == event.mac) {
                    let detail = format!("the event {} was sealed with the sequence {place}", event.id);
                    return Problem::new(sequence, Finding::Reordered, detail);
                }
            }
        }
        let detail = format!("the event {} is not as it was sealed, or does not follow the event before it", event.id);
        Problem::new(sequence, Finding::Changed, detail)
    }
}
