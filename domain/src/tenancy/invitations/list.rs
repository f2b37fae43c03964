//! Listing invitations with the delivery of their mails, one page at a time.

use std::collections::HashMap;

use portico_entity::{
    ClientId, InvitationId, TenantId, client, email,
    invitation::{self, Column, Status},
    search_word::Subject,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, Order, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, Query, SelectStatement},
};

use crate::{
    platform::{
        actor::{Authorized, access::ClientsRead},
        app::App,
        clock::Time,
        error::Result,
        mail,
        page::{Page, PageRequest},
        search::{self, SearchText},
    },
    tenancy::clients,
};

/// Which invitations a list returns. A field that is `None` does not restrict the list.
#[derive(Debug, Default)]
pub struct InvitationFilter {
    /// Only invitations with a word of the name, or an address, that begins with this text.
    pub search: Option<SearchText>,
    /// Only invitations with this status.
    pub status: Option<Status>,
    /// Only invitations whose latest mail has this status.
    pub delivery: Option<email::Status>,
}

/// What became of the latest mail of an invitation.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The status of the mail.
    pub status: email::Status,
    /// The outcome as a sentence.
    pub detail: String,
    /// When the last attempt to send the mail ended. `None` before that.
    pub last_attempt_at: Option<Time>,
}

impl Delivery {
    /// Returns the delivery of a mail that was just enqueued.
    pub fn queued() -> Self {
        Self { status: email::Status::Queued, detail: mail::WAITS.into(), last_attempt_at: None }
    }
}

impl From<&email::Model> for Delivery {
    fn from(row: &email::Model) -> Self {
        Self { status: row.status, detail: mail::tenant_detail(row), last_attempt_at: row.last_attempt_at }
    }
}

/// An item of a list of invitations.
#[derive(Clone, Debug)]
pub struct ListedInvitation {
    /// The invitation. Its status is `expired` from its expiry time on, whether a job has marked it or not, and also if
    /// the person has renewed it.
    pub invitation: invitation::Model,
    /// The client.
    pub client: client::Model,
    /// The delivery of the latest mail that the tenant has caused for the invitation. `None` if the mail log holds no
    /// such mail any more.
    pub delivery: Option<Delivery>,
}

/// Returns a page of the invitations of the caller's tenant that match `filter`, newest first.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list(
    app: &App,
    caller: &Authorized<ClientsRead>,
    filter: &InvitationFilter,
    page: &PageRequest,
) -> Result<Page<ListedInvitation>> {
    load(app, caller.tenant.id, Column::TenantId.eq(caller.tenant.id), filter, page).await
}

/// Returns a page of the invitations to a client of the caller's tenant that match `filter`, newest first.
///
/// # Errors
/// - `not_found`: the tenant has no client with this id.
/// - `unavailable` or `internal`: a database query failed.
pub async fn list_at(
    app: &App,
    caller: &Authorized<ClientsRead>,
    client: ClientId,
    filter: &InvitationFilter,
    page: &PageRequest,
) -> Result<Page<ListedInvitation>> {
    list_at_as(app, caller.tenant.id, client, filter, page).await
}

/// Returns a page of the invitations to a client of `tenant` as [`list_at`] does. The function checks no permission.
///
/// # Errors
/// The errors of [`list_at`].
pub(crate) async fn list_at_as(
    app: &App,
    tenant: TenantId,
    client: ClientId,
    filter: &InvitationFilter,
    page: &PageRequest,
) -> Result<Page<ListedInvitation>> {
    let client = clients::of(tenant).find(app.db(), client).await?;
    load(app, tenant, Column::ClientId.eq(client.id), filter, page).await
}

/// Returns a page of the invitations that match `of` and `filter`.
async fn load(
    app: &App,
    tenant: TenantId,
    of: Expr,
    filter: &InvitationFilter,
    page: &PageRequest,
) -> Result<Page<ListedInvitation>> {
    let now = app.now();
    let mut query = invitation::Entity::find().find_also_related(client::Entity).filter(of);
    if let Some(text) = &filter.search {
        query = query.filter(Column::Id.in_subquery(search::ids(tenant, Subject::Invitation, text)));
    }
    if let Some(status) = filter.status {
        query = query.filter(has_status(status, now));
    }
    if let Some(status) = filter.delivery {
        query = query.filter(Expr::exists(latest_mail_of_row([status])));
    }
    let rows = page.select(query, Column::Id, Order::Desc).all(app.db()).await?;
    let page = page.page(rows, |(invitation, _)| invitation.id.0);
    let mut deliveries = deliveries(app, page.data.iter().map(|(invitation, _)| invitation.id)).await?;
    let data = page.data.into_iter().filter_map(|(invitation, client)| {
        let (status, expires_at) = (status_at(&invitation, now), shown_expiry(&invitation));
        let delivery = deliveries.remove(&invitation.id);
        let invitation = invitation::Model { status, expires_at, ..invitation };
        Some(ListedInvitation { invitation, client: client?, delivery })
    });
    Ok(Page { data: data.collect(), next_cursor: page.next_cursor })
}

/// Returns when the invitation expires or has expired for its inviter, who does not see renewals by the person.
pub(super) fn shown_expiry(invitation: &invitation::Model) -> Time {
    invitation.shown_expires_at.unwrap_or(invitation.expires_at)
}

/// Returns the status of an invitation at the time `now`. A pending invitation whose expiry time has passed is expired,
/// also before the job has marked it.
pub(super) fn status_at(invitation: &invitation::Model, now: Time) -> Status {
    match invitation.status {
        Status::Pending if shown_expiry(invitation) <= now => Status::Expired,
        status => status,
    }
}

/// A condition for the invitations that have this status at the time `now`.
fn has_status(status: Status, now: Time) -> Condition {
    let pending = Condition::all().add(Column::Status.eq(Status::Pending));
    match status {
        Status::Pending => pending.add(Column::ShownExpiresAt.is_null()).add(Column::ExpiresAt.gt(now)),
        Status::Expired => {
            let overdue = Condition::any().add(Column::ShownExpiresAt.is_not_null()).add(Column::ExpiresAt.lte(now));
            Condition::any().add(Column::Status.eq(Status::Expired)).add(pending.add(overdue))
        }
        Status::Accepted | Status::Cancelled => Condition::all().add(Column::Status.eq(status)),
    }
}

/// Returns the delivery of each of `invitations`, by one query.
async fn deliveries(
    app: &App,
    invitations: impl Iterator<Item = InvitationId>,
) -> Result<HashMap<InvitationId, Delivery>> {
    let mails = latest_mails().filter(email::Column::InvitationId.is_in(invitations)).all(app.db()).await?;
    Ok(mails.iter().filter_map(|mail| Some((mail.invitation_id?, Delivery::from(mail)))).collect())
}

/// A query for the latest mail of each invitation, among those that a tenant has caused.
///
/// Mail that the person has caused belongs to no tenant. It would tell a tenant what the person does elsewhere. All
/// other mail of an invitation belongs to the tenant of its client.
fn latest_mails() -> Select<email::Entity> {
    let newer = Alias::new("newer");
    let of_newer = |column: email::Column| Expr::col((newer.clone(), column));
    let of_row = |column: email::Column| (email::Entity, column);
    let newer_mail = Query::select()
        .expr(Expr::val(1))
        .from_as(email::Entity, newer.clone())
        .and_where(of_newer(email::Column::InvitationId).equals(of_row(email::Column::InvitationId)))
        .and_where(of_newer(email::Column::TenantId).is_not_null())
        .and_where(of_newer(email::Column::Id).gt(Expr::col(of_row(email::Column::Id))))
        .take();
    email::Entity::find().filter(email::Column::TenantId.is_not_null()).filter(Expr::exists(newer_mail).not())
}

/// A subquery that is not empty if the latest mail of the invitation in the outer query has one of these `statuses`.
pub(super) fn latest_mail_of_row(statuses: impl IntoIterator<Item = email::Status>) -> SelectStatement {
    latest_mails()
        .select_only()
        .expr(Expr::val(1))
        .filter(Expr::col((email::Entity, email::Column::InvitationId)).equals((invitation::Entity, Column::Id)))
        .filter(email::Column::Status.is_in(statuses))
        .into_query()
}
