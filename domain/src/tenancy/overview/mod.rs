//! Figures about a tenant: what became of its invitations day by day, and how its mail is delivered.

mod days;
mod funnel;
mod queue;
mod show;

pub use days::Days;
pub use funnel::FunnelDay;
pub use queue::OverviewQueue;
pub use show::{Overview, show};
