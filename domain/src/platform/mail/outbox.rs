//! The outbox: enqueues a mail as a row in `emails` and a job, in the transaction of the use case that causes the mail.

use chrono::TimeDelta;
use portico_entity::{
    ApiTokenId, ClientId, CodeFlowId, EmailId, InvitationId, PortalUserId, SessionId, StaffUserId, TenantId,
    email::{self, Kind, SecurityEvent, Status},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use super::{MailRoute, MailSettings, SendMail};
use crate::platform::{
    app::App,
    clock::Time,
    email_address::EmailAddress,
    error::{Error, Result},
    tx::Tx,
};

/// How long a mail without an expiry time of its own, such as a notice, can be sent while the mail server is
/// unavailable.
pub(super) const NOTICE_TTL: TimeDelta = TimeDelta::days(3);
/// How many mails one statement inserts. Each has 28 values, and SQLite takes at most 32,766 in a statement.
const BATCH: usize = 1_000;
/// The detail of a mail that [`replace`] has ended.
pub(crate) const REPLACED: &str = "replaced by a mail with a new secret";

/// A mail to be enqueued.
#[derive(Clone)]
pub(crate) struct NewEmail {
    /// The kind of the mail, which decides its texts and its lane.
    pub(crate) kind: Kind,
    /// The recipient.
    pub(crate) to: EmailAddress,
    /// The tenant whose mail log shows the mail; `None` for mail that concerns the user and not a tenant.
    pub(crate) tenant: Option<TenantId>,
    /// The client that the mail is about.
    pub(crate) client: Option<ClientId>,
    /// The recipient as a portal user, if known.
    pub(crate) portal_user: Option<PortalUserId>,
    /// The recipient as a staff user, if known.
    pub(crate) staff_user: Option<StaffUserId>,
    /// The portal user that the mail is about, if that is one other person than the recipient.
    pub(crate) about: Option<PortalUserId>,
    /// The invitation that the mail is about.
    pub(crate) invitation: Option<InvitationId>,
    /// The code flow whose code the mail carries.
    pub(crate) code_flow: Option<CodeFlowId>,
    /// The session that the mail is about.
    pub(crate) session: Option<SessionId>,
    /// The API token that the mail is about.
    pub(crate) api_token: Option<ApiTokenId>,
    /// What a security notice is about.
    pub(crate) security_event: Option<SecurityEvent>,
    /// When the link or code in the mail expires. After this time the mail is not sent. `None` means three days from
    /// now.
    pub(crate) expires_at: Option<Time>,
}

impl NewEmail {
    /// Returns a mail of this `kind` to an address, which may be unknown. All other fields are `None`.
    pub(crate) fn new(kind: Kind, to: &EmailAddress) -> Self {
        Self {
            kind,
            to: to.clone(),
            tenant: None,
            client: None,
            portal_user: None,
            staff_user: None,
            about: None,
            invitation: None,
            code_flow: None,
            session: None,
            api_token: None,
            security_event: None,
            expires_at: None,
        }
    }
}

/// Enqueues `mail` and returns the id of its row. The mail is sent after `tx` is committed, and only then.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn enqueue(tx: &mut Tx, mail: NewEmail) -> Result<EmailId> {
    let caused_by = tx.request_id();
    let ids = enqueue_all(tx, [(mail, caused_by)]).await?;
    ids.first().copied().ok_or_else(|| Error::Internal("no row was inserted for a mail".into()))
}

/// Enqueues several mails as [`enqueue`] does, with one statement for at most [`BATCH`] rows, and returns the ids of
/// their rows. Each mail comes with the id of the request that caused it.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn enqueue_all(
    tx: &mut Tx,
    mails: impl IntoIterator<Item = (NewEmail, Option<Uuid>)>,
) -> Result<Vec<EmailId>> {
    let (mut batches, mut ids): (Vec<(Vec<_>, Vec<_>)>, _) = (Vec::new(), Vec::new());
    for (mail, request) in mails {
        let id = EmailId(tx.app().new_id());
        let job = (MailRoute::of(tx.app(), mail.kind).lane, SendMail { email: id }, request);
        let row = row(tx.app(), id, mail);
        match batches.last_mut() {
            Some((rows, jobs)) if rows.len() < BATCH => {
                rows.push(row);
                jobs.push(job);
            }
            _ => batches.push((vec![row], vec![job])),
        }
        ids.push(id);
    }
    for (rows, jobs) in batches {
        email::Entity::insert_many(rows).exec_without_returning(tx.db()).await?;
        tx.enqueue_with_requests(jobs).await?;
    }
    Ok(ids)
}

fn row(app: &App, id: EmailId, mail: NewEmail) -> email::ActiveModel {
    email::ActiveModel {
        id: Set(id),
        kind: Set(mail.kind),
        recipient: Set(mail.to.to_string()),
        tenant_id: Set(mail.tenant),
        client_id: Set(mail.client),
        portal_user_id: Set(mail.portal_user),
        staff_user_id: Set(mail.staff_user),
        invitation_id: Set(mail.invitation),
        code_flow_id: Set(mail.code_flow),
        status: Set(Status::Queued),
        attempts: Set(0),
        detail: Set(None),
        message_id: Set(message_id(app, id)),
        expires_at: Set(Some(mail.expires_at.unwrap_or(app.now() + NOTICE_TTL))),
        created_at: Set(app.now()),
        sent_at: Set(None),
        reason: Set(None),
        refusal: Set(None),
        unconfirmed: Set(0),
        unconfirmed_at: Set(None),
        doubts: Set(0),
        deferrals: Set(0),
        last_attempt_at: Set(None),
        retried_by: Set(None),
        about_portal_user_id: Set(mail.about),
        session_id: Set(mail.session),
        api_token_id: Set(mail.api_token),
        security_event: Set(mail.security_event),
    }
}

/// Enqueues a new mail in place of the mail `row`, and ends `row`: its link or code can no longer be used, for example
/// because the entry of `PORTICO_SECRET` that made it was removed, so the mail would arrive with another secret. Other
/// content needs another `Message-ID`, which is that of the new row. What the new mail carries expires when it would
/// have expired in the old one.
///
/// Returns the id of the new row, or `None` if `row` is no longer queued.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn replace(tx: &mut Tx, row: &email::Model) -> Result<Option<EmailId>> {
    let ended = email::Entity::update_many()
        .col_expr(email::Column::Status, Expr::value(Status::Suppressed))
        .col_expr(email::Column::Detail, Expr::value(REPLACED))
        // The mail log of the tenant shows one mail. Two would tell that the person has set a password elsewhere.
        .col_expr(email::Column::TenantId, Expr::value(None::<TenantId>))
        .filter(email::Column::Id.eq(row.id))
        .filter(email::Column::Status.eq(Status::Queued))
        .exec(tx.db())
        .await?;
    if ended.rows_affected == 0 {
        return Ok(None);
    }
    let id = EmailId(tx.app().new_id());
    enqueue_copies(tx, [email::Model { id, ..row.clone() }]).await?;
    Ok(Some(id))
}

/// Enqueues mails with the ids, the recipients, the subject matters and the times of `rows`, about 1,000 at most. The
/// worker gives each a link or code of its own.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn enqueue_copies(tx: &mut Tx, rows: impl IntoIterator<Item = email::Model>) -> Result<()> {
    let (mut copies, mut jobs) = (Vec::new(), Vec::new());
    for row in rows {
        jobs.push((MailRoute::of(tx.app(), row.kind).lane, SendMail { email: row.id }, tx.request_id()));
        copies.push(queued_copy(tx.app(), row).into_active_model());
    }
    if !copies.is_empty() {
        email::Entity::insert_many(copies).exec_without_returning(tx.db()).await?;
        tx.enqueue_with_requests(jobs).await?;
    }
    Ok(())
}

/// Returns `row` as a mail that waits for its first attempt.
pub(super) fn queued_copy(app: &App, row: email::Model) -> email::Model {
    email::Model {
        status: Status::Queued,
        detail: None,
        message_id: message_id(app, row.id),
        sent_at: None,
        reason: None,
        refusal: None,
        unconfirmed: 0,
        unconfirmed_at: None,
        doubts: 0,
        deferrals: 0,
        last_attempt_at: None,
        retried_by: None,
        ..row
    }
}

/// Returns the `Message-ID` of the mail `id`.
fn message_id(app: &App, id: EmailId) -> String {
    format!("<{id}@{}>", app.section::<MailSettings>().from.email.domain())
}

/// Records that the address of the mail `row` belongs to the portal user `user`. The row is then kept like the other
/// mail of the user, and not deleted as mail to an unknown address.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn set_recipient_user(app: &App, row: &email::Model, user: PortalUserId) -> Result<()> {
    email::Entity::update_many()
        .col_expr(email::Column::PortalUserId, Expr::value(user))
        .filter(email::Column::Id.eq(row.id))
        .exec(app.db())
        .await?;
    Ok(())
}
