//! What attackers try, and what holds: one file a group of cases. A story's name begins with the case that it shows, and
//! docs/security.md lists them all.

mod enumeration;
mod invitations;
mod passwords;
mod recovery;
mod throttling;
