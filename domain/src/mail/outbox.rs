//! Posting mail: a row and a job, in the act's own transaction.

use chrono::TimeDelta;
use portico_entity::{
    ClientId, CodeFlowId, EmailId, InvitationId, PortalUserId, StaffUserId, TenantId,
    background_job::Lane,
    email::{self, Kind, Status},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use super::SendMail;
use crate::{
    app::App,
    clock::Time,
    email_address::EmailAddress,
    error::{Error, Result},
    tx::Tx,
};

/// How long a notice is worth sending when the mail server is down.
const NOTICE_TTL: TimeDelta = TimeDelta::days(3);

/// A mail to be posted.
#[derive(Clone)]
pub(crate) struct NewEmail {
    pub(crate) kind: Kind,
    pub(crate) to: EmailAddress,
    /// Whose mail log shows it; none for personal mail.
    pub(crate) tenant: Option<TenantId>,
    pub(crate) client: Option<ClientId>,
    pub(crate) portal_user: Option<PortalUserId>,
    pub(crate) staff_user: Option<StaffUserId>,
    pub(crate) invitation: Option<InvitationId>,
    pub(crate) code_flow: Option<CodeFlowId>,
    /// When what it carries dies; notices live three days.
    pub(crate) expires_at: Option<Time>,
}

impl NewEmail {
    /// A mail to a person, or to a stranger who may turn out to be none.
    pub(crate) fn new(kind: Kind, to: &EmailAddress) -> Self {
        Self {
            kind,
            to: to.clone(),
            tenant: None,
            client: None,
            portal_user: None,
            staff_user: None,
            invitation: None,
            code_flow: None,
            expires_at: None,
        }
    }
}

/// Codes and resets overtake invitations and notices.
pub(super) const fn lane(kind: Kind) -> Lane {
    match kind {
        Kind::Reset | Kind::StaffCode => Lane::Urgent,
        Kind::Activation
        | Kind::Invitation
        | Kind::AccessNotice
        | Kind::PasswordChanged
        | Kind::PasswordLocked
        | Kind::SessionEnded => Lane::Bulk,
    }
}

/// Posts `mail`: it goes out once the transaction is committed, and never otherwise.
///
/// # Errors
/// When the database fails.
pub(crate) async fn enqueue(tx: &mut Tx, mail: NewEmail) -> Result<EmailId> {
    let caused_by = tx.request_id();
    let ids = enqueue_all(tx, [(mail, caused_by)]).await?;
    ids.first().copied().ok_or_else(|| Error::Internal("a mail was not posted".into()))
}

/// Posts several mails as [`post`] does, by one statement, each for the request that caused it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn enqueue_all(
    tx: &mut Tx,
    mails: impl IntoIterator<Item = (NewEmail, Option<Uuid>)>,
) -> Result<Vec<EmailId>> {
    let (mut rows, mut jobs, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for (mail, request) in mails {
        let id = EmailId(tx.app().new_id());
        jobs.push((lane(mail.kind), SendMail { email: id }, request));
        rows.push(row(tx.app(), id, mail));
        ids.push(id);
    }
    if !rows.is_empty() {
        email::Entity::insert_many(rows).exec_without_returning(tx.db()).await?;
        tx.enqueue_each(jobs).await?;
    }
    Ok(ids)
}

fn row(app: &App, id: EmailId, mail: NewEmail) -> email::ActiveModel {
    let host = app.settings().mail.from.email.domain();
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
        message_id: Set(format!("<{id}@{host}>")),
        expires_at: Set(Some(mail.expires_at.unwrap_or(app.now() + NOTICE_TTL))),
        created_at: Set(app.now()),
        sent_at: Set(None),
    }
}

/// Notes that a mail to an address turned out to be for this person, so that it is kept with their other mail.
///
/// # Errors
/// When the database fails.
pub(crate) async fn set_recipient_user(app: &App, row: &email::Model, user: PortalUserId) -> Result<()> {
    email::Entity::update_many()
        .col_expr(email::Column::PortalUserId, Expr::value(user))
        .filter(email::Column::Id.eq(row.id))
        .exec(app.db())
        .await?;
    Ok(())
}
