//! What attackers try, and what Portico does about it, one file for each group of cases. The name of a story begins
//! with the case that it shows; docs/security.md lists the cases.

mod aborted_requests;
mod access_tokens;
mod addresses;
mod audit;
mod authorization;
mod authorization_callers;
mod branding;
mod codes;
mod connections;
mod cross_site;
mod enumeration;
mod http;
mod invitations;
mod mail_content;
mod malformed_credentials;
mod pages;
mod passkeys;
mod passwords;
mod rate_limit_quotas;
mod rate_limits;
mod raw;
mod recovery;
pub(crate) mod responses;
mod second_factors;
mod sessions;
mod several_tenants;

use crate::support::{Process, World, unique};

/// The public URL of a shared world, which is also the origin of the portal's own pages.
fn public_url(world: &World) -> String {
    match &*world.apis {
        [api] => api.replace("127.0.0.1", "localhost"),
        _ => "http://localhost:4000".into(),
    }
}

/// Returns a request id that no other request of this test run has, nor of another run at the same time.
fn request_id() -> String {
    let number: u64 = unique("").rsplit('-').next().unwrap().parse().unwrap();
    format!("01a1fdba-f86f-76f5-8000-{:012x}", u64::from(std::process::id()) << 20 | number)
}

/// The processor time that a process has used, in hundredths of a second.
fn processor_time(process: &Process) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
