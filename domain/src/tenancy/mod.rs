//! Who belongs where: tenants, their clients and staff users, and the persons at the clients.

pub mod clients;
pub mod invitations;
pub mod memberships;
pub mod search;
pub mod staff;
pub mod tenants;
