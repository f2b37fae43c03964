//! `/api/v1/overview`: figures about a tenant, for a page with charts.

use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, param::Query, payload::Json};
use portico_domain::{
    platform::{
        actor::access::ClientsRead,
        app::App,
        mail::{self, Reason},
    },
    tenancy::overview::{self, Days},
};

use crate::http::{
    auth::Authorized,
    error::ApiResult,
    fields::{Day, Field},
    nullable::Nullable,
    tags::Tag,
};

/// The operation of the tag `overview`.
pub(crate) struct OverviewFigures;

/// Figures about the caller's tenant.
#[derive(Object)]
struct Overview {
    /// Every day of the range, the first day first.
    funnel: Vec<FunnelDay>,
    /// How many of the mails that were requested on these days have failed, by reason, the most frequent reason first.
    /// The sum is the number of mails that `list_emails` returns for `status=failed` and the same days.
    failed_mail: Vec<FailedMail>,
    /// How many seconds ago the mail was requested that has waited longest to be sent; `null` if no mail waits. It does
    /// not depend on the range.
    oldest_queued_seconds: Nullable<u64>,
}

/// The invitations that were created on one day, and how many of them have come how far until now.
///
/// All numbers of a day count invitations of that day: one that was created on Monday and accepted on Tuesday counts
/// for Monday. So the numbers of a day show how many persons were lost between two steps.
#[derive(Object)]
struct FunnelDay {
    /// The day (UTC), such as `2026-11-26`.
    day: String,
    /// The number of invitations that were created, also of those that were cancelled or have expired since.
    invited: u64,
    /// How many of these a mail server has accepted a mail for. An invitation that was accepted by its link counts even
    /// if its mail is so old that the mail log no longer has it.
    delivered: u64,
    /// How many of these were accepted. A person who has a password and a membership at the tenant joins at once.
    activated: u64,
    /// How many of these were accepted and have been followed by a sign-in of the person at the client. The session
    /// that an activation opens counts.
    signed_in: u64,
}

/// How many mails have failed for one reason.
#[derive(Object)]
struct FailedMail {
    /// Why the mails have failed.
    reason: FailedMailReason,
    /// The number of mails, at least 1. A mail that was sent again counts too.
    count: u64,
}

/// Why a mail has failed.
///
/// - `recipient_refused`: the mail server of the recipient refused the address.
/// - `message_refused`: the mail server refused the text of the mail.
/// - `refused`: the mail server refused the mail four times.
/// - `outcome_unknown`: the mail server did not say whether it accepted the mail.
/// - `gave_up`: the mail server did not accept the mail within 72 hours.
/// - `undeliverable`: the mail could not be made for this address.
/// - `discarded`: an operator discarded the mail, or it could not be processed.
/// - `other`: another version of Portico has recorded another reason or none.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum FailedMailReason {
    /// There is no such recipient.
    RecipientRefused,
    /// The text was refused.
    MessageRefused,
    /// The mail was refused four times.
    Refused,
    /// The outcome is not known.
    OutcomeUnknown,
    /// The mail could not be sent in time.
    GaveUp,
    /// The mail could not be made.
    Undeliverable,
    /// The mail was discarded.
    Discarded,
    /// Another reason.
    Other,
}

impl From<overview::FunnelDay> for FunnelDay {
    fn from(counts: overview::FunnelDay) -> Self {
        let overview::FunnelDay { day, invited, delivered, activated, signed_in } = counts;
        Self { day: day.to_string(), invited, delivered, activated, signed_in }
    }
}

impl From<mail::FailedMails> for FailedMail {
    fn from(failed: mail::FailedMails) -> Self {
        let reason = match failed.reason {
            Some(Reason::RecipientRefused) => FailedMailReason::RecipientRefused,
            Some(Reason::MessageRefused) => FailedMailReason::MessageRefused,
            Some(Reason::Refused) => FailedMailReason::Refused,
            Some(Reason::OutcomeUnknown) => FailedMailReason::OutcomeUnknown,
            Some(Reason::GaveUp) => FailedMailReason::GaveUp,
            Some(Reason::Undeliverable) => FailedMailReason::Undeliverable,
            Some(Reason::Discarded) => FailedMailReason::Discarded,
            None => FailedMailReason::Other,
        };
        Self { reason, count: failed.count }
    }
}

#[OpenApi(prefix_path = "/api/v1/overview", tag = "Tag::Overview")]
impl OverviewFigures {
    /// Get the overview
    ///
    /// Returns what became of the invitations of each day, which mails have failed, and how long the oldest mail has
    /// waited. Only the caller's tenant counts. Personal mail, such as a reset link, belongs to no tenant. The range
    /// has at most 366 days.
    #[oai(path = "/", method = "get", operation_id = "get_overview")]
    async fn get(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsRead>,
        /// The first day (UTC), such as `2026-11-01`. If it is absent, the range has 30 days.
        from: Query<Option<Field<Day>>>,
        /// The last day (UTC), which belongs to the range. The default is today.
        to: Query<Option<Field<Day>>>,
    ) -> ApiResult<Json<Overview>, 0> {
        let day = |day: Option<Field<Day>>| day.map(|Field(Day(day))| day);
        let days = Days::new(day(from.0), day(to.0), app.now())?;
        let overview::Overview { funnel, failed_mail, oldest_queued_seconds } =
            overview::show(app, &caller, days).await?;
        Ok(Json(Overview {
            funnel: funnel.into_iter().map(Into::into).collect(),
            failed_mail: failed_mail.into_iter().map(Into::into).collect(),
            oldest_queued_seconds: Nullable(oldest_queued_seconds),
        }))
    }
}
