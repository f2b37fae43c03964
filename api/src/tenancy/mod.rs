//! The operations on clients, on the portal users who belong to them, on the staff and the programs of a tenant, and on
//! its logs.

pub(crate) mod api_tokens;
pub(crate) mod audit_events;
pub(crate) mod branding;
pub(crate) mod bulk_invitations;
pub(crate) mod clients;
pub(crate) mod colleagues;
pub(crate) mod emails;
pub(crate) mod invitation_lists;
pub(crate) mod invitations;
pub(crate) mod overview;
pub(crate) mod portal_users;
pub(crate) mod public_brand;
pub(crate) mod service_accounts;
pub(crate) mod sign_in_policy;
pub(crate) mod staff;
pub(crate) mod staff_profile;
pub(crate) mod views;
