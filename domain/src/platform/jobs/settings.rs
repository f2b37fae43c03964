//! How background work runs.

use std::time::Duration;

use portico_entity::background_job::Lane;

use crate::platform::{
    env_reader::{EnvReader, duration},
    settings::Section,
};

/// How background work runs.
#[derive(Clone, Debug)]
pub struct JobSettings {
    /// `PORTICO_JOB_LEASE`: after this time without a renewal of its lease, a running job is run by another worker. At
    /// least 3 seconds; 20 seconds by default.
    pub lease: Duration,
    /// `PORTICO_WORKER_CONCURRENCY`: how many jobs of each lane one worker runs at the same time. The default is
    /// `urgent=16,bulk=8,maintenance=2`.
    pub concurrency: Concurrency,
}

/// How many jobs of each lane one worker runs at the same time, each 1 to 1024.
#[derive(Clone, Copy, Debug)]
pub struct Concurrency {
    urgent: usize,
    bulk: usize,
    maintenance: usize,
}

impl Concurrency {
    /// Returns how many jobs of `lane` run at the same time.
    pub fn of(self, lane: Lane) -> usize {
        match lane {
            Lane::Urgent => self.urgent,
            Lane::Bulk => self.bulk,
            Lane::Maintenance => self.maintenance,
        }
    }
}

impl Section for JobSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description =
            "After this time without a renewal of its lease, a running job is run by another worker. At least 3s.";
        let lease = env.read("PORTICO_JOB_LEASE", "20s", description, |value| {
            let lease = duration(value).map_err(|_| "must be a duration of 3s or more, e.g. 20s".to_owned())?;
            if lease.as_secs() < 3 { Err("must be 3s or more, e.g. 20s".into()) } else { Ok(lease) }
        });
        let description = "How many jobs of each lane one worker runs at the same time, each 1 to 1024.";
        let concurrency =
            env.read("PORTICO_WORKER_CONCURRENCY", "urgent=16,bulk=8,maintenance=2", description, parse_concurrency);
        Some(Self { lease: lease?, concurrency: concurrency? })
    }
}

fn parse_concurrency(value: &str) -> Result<Concurrency, String> {
    let wrong = || "must give each lane 1 to 1024, e.g. urgent=16,bulk=8,maintenance=2".to_owned();
    let mut concurrency = Concurrency { urgent: 0, bulk: 0, maintenance: 0 };
    for part in value.split(',') {
        let (lane, number) = part.trim().split_once('=').ok_or_else(wrong)?;
        let slot = match lane {
            "urgent" => &mut concurrency.urgent,
            "bulk" => &mut concurrency.bulk,
            "maintenance" => &mut concurrency.maintenance,
            _ => return Err(wrong()),
        };
        *slot = number.parse().ok().filter(|number| (1..=1024).contains(number)).ok_or_else(wrong)?;
    }
    let all = [concurrency.urgent, concurrency.bulk, concurrency.maintenance];
    if all.contains(&0) { Err(wrong()) } else { Ok(concurrency) }
}
