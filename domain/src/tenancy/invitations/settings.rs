//! The settings of invitations.

use std::time::Duration;

use crate::platform::{
    env_reader::{EnvReader, duration},
    settings::Section,
};

/// How long an invitation and its links are valid, and whether people are reminded of it.
#[derive(Clone, Debug)]
pub struct InvitationSettings {
    /// `PORTICO_ACTIVATION_TTL`: how long an invitation and its links are valid, 72 hours by default.
    pub activation_ttl: Duration,
    /// `PORTICO_INVITE_REMINDERS`: whether invited people are reminded before the invitation expires. Off by default.
    pub are_reminders_on: bool,
}

impl Section for InvitationSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "How long an invitation and its links are valid.";
        let activation_ttl = env.read("PORTICO_ACTIVATION_TTL", "72h", description, duration);
        let description = "Whether invited people get a reminder when half of that time has passed, and one when nine \
                           tenths have: `on` or `off`. A worker looks every five minutes, so the reminders are for lifetimes \
                           of an hour or more.";
        let are_reminders_on = env.read("PORTICO_INVITE_REMINDERS", "off", description, on_or_off);
        Some(Self { activation_ttl: activation_ttl?, are_reminders_on: are_reminders_on? })
    }
}

fn on_or_off(value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be on or off, e.g. on".into()),
    }
}
