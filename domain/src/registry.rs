//! The only module that knows every capability: jobs, schedules, mail kinds, settings sections and state, a line each.
//!
//! The platform must not import a capability, so it receives these lists at start, as values.

use portico_entity::{Realm, background_job::Lane, email::Kind};
use url::Url;

use crate::{
    identity::{
        activation::link_email,
        link_tokens::{CorrectLinkTimes, LinkTokenSettings},
        mailed_codes::{MailedCodeSettings, code_email, enrol_email},
        mfa::{MfaSettings, security_notice_email},
        not_me::new_device_email,
        notices,
        passkeys::{PasskeySettings, Passkeys},
        passwords::{CostCache, Hasher, PasswordJudge, PasswordSettings, changed_email, locked_email, reset_email},
        sessions::{CorrectSessionTimes, RotateSigningKeys, SessionQueries, SessionSettings, SigningKeys, ended_email},
        sso::{SsoSettings, oidc::RelyingParty},
    },
    limits,
    operations::maintenance::DeleteExpired,
    platform::{
        audit::{AuditSettings, CutAuditLog},
        env_reader::EnvReader,
        extensions::Extensions,
        health::HealthCache,
        job_type::{JobType, JobTypes},
        jobs::{Canary, JobSettings, Schedule, Schedules},
        keys::ServerKeys,
        mail::{HoldCache, MailRequests, MailRoute, MailRouting, MailSettings, Mailer, SendMail},
        outbound::{OutboundClient, Resolver},
        rate_limit::RateLimitSettings,
        sealed::{ResealSecrets, SealedTables},
        settings::{Section, Settings},
    },
    tenancy::{
        api_tokens::{self, NotifyExpiringTokens, TokenQueries, TokenUses, created_email, expiring_email},
        branding::{BrandCache, ImageQueue},
        client_admins::new_admin_email,
        invitations::{
            self, DeleteUnusedPortalUsers, ExpireInvitations, InvitationSettings, RemindInvited, access_notice_email,
        },
        overview::OverviewQueue,
        search::{IndexSearchWords, ReindexClients},
        staff::invitation_email,
    },
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// Every job that a worker can run.
const JOBS: &[JobType] = &[
    JobType::of::<SendMail>(),
    JobType::of::<ExpireInvitations>(),
    JobType::of::<RemindInvited>(),
    JobType::of::<DeleteUnusedPortalUsers>(),
    JobType::of::<RotateSigningKeys>(),
    JobType::of::<ResealSecrets>(),
    JobType::of::<DeleteExpired>(),
    JobType::of::<CorrectSessionTimes>(),
    JobType::of::<CorrectLinkTimes>(),
    JobType::of::<IndexSearchWords>(),
    JobType::of::<ReindexClients>(),
    JobType::of::<CutAuditLog>(),
    JobType::of::<NotifyExpiringTokens>(),
    JobType::of::<Canary>(),
];

/// Every job that is enqueued periodically, with its period in seconds.
const SCHEDULES: &[Schedule] = &[
    Schedule::every::<DeleteExpired>(5 * MINUTE),
    Schedule::every::<ExpireInvitations>(5 * MINUTE),
    Schedule::every::<RemindInvited>(5 * MINUTE),
    Schedule::every::<DeleteUnusedPortalUsers>(HOUR),
    Schedule::every::<RotateSigningKeys>(HOUR),
    Schedule::every::<ResealSecrets>(HOUR),
    Schedule::every::<CorrectSessionTimes>(5 * MINUTE),
    Schedule::every::<CorrectLinkTimes>(5 * MINUTE),
    Schedule::every::<IndexSearchWords>(MINUTE),
    Schedule::every::<ReindexClients>(12 * HOUR),
    Schedule::every::<CutAuditLog>(HOUR),
    Schedule::every::<NotifyExpiringTokens>(HOUR),
];

/// Every table with sealed secrets. A test compares it with the columns of all tables.
const SEALED_TABLES: &[&str] = &["totp_secrets"];

/// Returns the lane of a mail kind and the function that composes its mails. Codes and resets overtake all other mail.
fn mail_route(kind: Kind) -> MailRoute {
    use Lane::{Bulk, Urgent};
    match kind {
        Kind::Activation => MailRoute::new(Bulk, |app, row| Box::pin(link_email::compose_activation(app, row))),
        Kind::Invitation => MailRoute::new(Bulk, |app, row| Box::pin(link_email::compose_invitation(app, row)))
            .retried_until(|tx, row| Box::pin(invitations::retry_until(tx, row))),
        Kind::InvitationReminder => MailRoute::new(Bulk, |app, row| Box::pin(link_email::compose_invitation(app, row)))
            .retried_until(|tx, row| Box::pin(invitations::retry_until(tx, row))),
        Kind::AccessNotice => MailRoute::new(Bulk, |app, row| Box::pin(access_notice_email::compose(app, row))),
        Kind::NewAdmin => MailRoute::new(Bulk, |app, row| Box::pin(new_admin_email::compose(app, row))),
        Kind::Reset => MailRoute::new(Urgent, |app, row| Box::pin(reset_email::compose(app, row))),
        Kind::PasswordChanged => {
            MailRoute::new(Bulk, |app, row| Box::pin(notices::compose(app, row, changed_email::render)))
        }
        Kind::PasswordLocked => {
            MailRoute::new(Bulk, |app, row| Box::pin(notices::compose(app, row, locked_email::render)))
        }
        Kind::SessionEnded => {
            MailRoute::new(Bulk, |app, row| Box::pin(notices::compose(app, row, ended_email::render)))
        }
        Kind::NewDevice => MailRoute::new(Bulk, |app, row| Box::pin(new_device_email::compose(app, row))),
        Kind::StaffInvitation => MailRoute::new(Bulk, |app, row| Box::pin(invitation_email::compose(app, row))),
        Kind::TokenCreated => {
            MailRoute::new(Bulk, |app, row| Box::pin(api_tokens::compose(app, row, created_email::render)))
        }
        Kind::TokenExpiring => {
            MailRoute::new(Bulk, |app, row| Box::pin(api_tokens::compose(app, row, expiring_email::render)))
        }
        Kind::StaffCode => MailRoute::new(Urgent, |app, row| Box::pin(code_email::compose(app, row, Realm::Staff))),
        Kind::PortalCode => MailRoute::new(Urgent, |app, row| Box::pin(code_email::compose(app, row, Realm::Portal))),
        Kind::EnrolCode => MailRoute::new(Urgent, |app, row| Box::pin(enrol_email::compose(app, row))),
        Kind::SecurityNotice => MailRoute::new(Bulk, |app, row| Box::pin(security_notice_email::compose(app, row))),
    }
}

/// Reads the settings, with the sections of every capability.
///
/// `secret` and `public_url` are used if their variables are not set; development passes them. Returns `None` if a
/// variable is wrong or missing; `env` then holds the errors.
pub fn read_settings(env: &mut EnvReader, secret: Option<ServerKeys>, public_url: Option<Url>) -> Option<Settings> {
    Settings::read(env, secret, public_url, |env| {
        // Every section is read before the first `?`, so that the start reports all errors together.
        let invitations = InvitationSettings::read(env);
        let link_tokens = LinkTokenSettings::read(env);
        let mailed_codes = MailedCodeSettings::read(env);
        let mfa = MfaSettings::read(env);
        let passkeys = PasskeySettings::read(env);
        let passwords = PasswordSettings::read(env);
        let sessions = SessionSettings::read(env);
        let sso = SsoSettings::read(env);
        let rate_limits = RateLimitSettings::read(env, limits::ALL);
        let mail = MailSettings::read(env);
        let jobs = JobSettings::read(env);
        let audit = AuditSettings::read(env);
        let sections = Extensions::default()
            .with(invitations?)
            .with(link_tokens?)
            .with(mailed_codes?)
            .with(mfa?)
            .with(passkeys?)
            .with(passwords?)
            .with(sessions?)
            .with(sso?)
            .with(rate_limits?)
            .with(mail?)
            .with(jobs?)
            .with(audit?);
        Some(sections)
    })
}

/// Returns what [`App::new`](crate::platform::app::App::new) needs of the capabilities: the lists above, and the state
/// that they keep in this process.
///
/// # Errors
/// If mail, passkeys or single sign-on cannot be set up. The text names `MAIL_URL`, `PORTICO_PASSKEY_RP_ID` or
/// `PORTICO_SSO_CA`.
pub fn capabilities(settings: &Settings) -> Result<Extensions, String> {
    let outbound = OutboundClient::new(&settings.section::<SsoSettings>().outbound, Resolver::System)
        .map_err(|error| format!("PORTICO_SSO_CA: {error}"))?;
    Ok(Extensions::default()
        .with(JobTypes(JOBS))
        .with(Schedules(SCHEDULES))
        .with(SealedTables(SEALED_TABLES))
        .with(MailRouting(mail_route))
        .with(Mailer::new(settings.section(), &settings.public_url)?)
        .with(HoldCache::default())
        .with(MailRequests::default())
        .with(HealthCache::default())
        .with(Hasher::new(settings.section::<PasswordSettings>().scrypt))
        .with(PasswordJudge::default())
        .with(CostCache::default())
        .with(Passkeys::new(settings.section(), &settings.public_url)?)
        .with(SigningKeys::default())
        .with(SessionQueries::default())
        .with(RelyingParty::new(outbound))
        .with(TokenQueries::default())
        .with(TokenUses::default())
        .with(BrandCache::default())
        .with(ImageQueue::default())
        .with(OverviewQueue::default()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn job_names_are_unique() {
        let names: BTreeSet<_> = JOBS.iter().map(JobType::name).collect();
        assert_eq!(names.len(), JOBS.len());
    }
}
