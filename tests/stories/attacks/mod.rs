//! What attackers try, and what holds: one file a group of cases. A story's name begins with the case that it shows, and
//! docs/security.md lists them all.

mod access_tokens;
mod addresses;
mod answers;
mod audit;
mod codes;
mod enumeration;
mod http;
mod invitations;
mod limits;
mod mail_content;
mod passwords;
mod raw;
mod recovery;
mod sessions;
mod rate_limits;
