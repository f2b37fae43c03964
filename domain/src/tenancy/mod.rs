//! Who belongs where: tenants, their clients and staff users, and the persons at the clients.

pub mod api_tokens;
pub mod branding;
pub mod client_admins;
pub mod clients;
pub mod colleagues;
pub mod invitations;
pub mod memberships;
pub mod overview;
pub mod search;
pub mod service_accounts;
pub mod sign_in_policy;
pub mod staff;
pub mod tenants;
