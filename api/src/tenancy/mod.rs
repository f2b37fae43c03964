//! The operations on clients and on the portal users who belong to them.

pub(crate) mod clients;
pub(crate) mod invitations;
pub(crate) mod views;
