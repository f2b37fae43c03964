//! The setting of the audit log.

use std::time::Duration;

use crate::platform::{
    env_reader::{EnvReader, duration},
    settings::Section,
};

/// The shortest retention.
const MIN_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// How long events are kept.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// `PORTICO_AUDIT_RETENTION`: after this time, events are deleted. At least one day; 400 days by default.
    pub retention: Duration,
}

impl Section for AuditSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "After this time, events of the audit log are deleted. At least 1d.";
        let retention = env.read("PORTICO_AUDIT_RETENTION", "400d", description, |value| {
            let retention = duration(value).map_err(|_| "must be a duration of 1d or more, e.g. 400d".to_owned())?;
            if retention < MIN_RETENTION { Err("must be 1d or more, e.g. 400d".into()) } else { Ok(retention) }
        });
        Some(Self { retention: retention? })
    }
}
