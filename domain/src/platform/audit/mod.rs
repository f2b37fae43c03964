//! The audit log: one row for each event, written in the transaction of the use case.
//!
//! A worker seals the events into chains, so that a change of the database from outside is found: [`seal_events`]
//! extends the chains, [`verify`] checks them, and [`CutAuditLog`] deletes what is older than the retention. Each
//! tenant has a chain, and the installation has one for the events of no tenant. `docs/decisions/0015-audit-chain.md`
//! gives the format and the reasons.

mod canonical;
mod chain;
mod checkpoint;
mod export;
mod list;
mod log_heads;
mod record;
mod retention;
mod seal;
mod settings;
mod start_check;
mod verify;

pub use chain::{ChainHead, Scope};
pub use checkpoint::reseal;
pub use export::{Export, MAX_EXPORTS};
pub use list::{AuditFilter, list, list_in};
pub(crate) use record::record_all;
pub use record::{Event, record};
pub use retention::CutAuditLog;
pub use seal::seal_events;
pub use settings::AuditSettings;
pub use start_check::chains_without_key;
pub use verify::{ChainReport, Finding, Problem, Status, verify};

#[cfg(test)]
mod tests;
