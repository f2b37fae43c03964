//! What became of the invitations of each day.

use std::collections::HashMap;

use chrono::NaiveDate;
use portico_entity::{
    TenantId, email,
    invitation::{Column, Entity, Mode, Status},
    membership,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect, Select,
    sea_query::{Alias, Expr, IntoCondition, SimpleExpr},
};

use super::Days;
use crate::platform::{
    app::App,
    clock::{MAX_CLOCK_ERROR, first_id_at},
    error::Result,
    mail,
};

/// The invitations that were created on one day, and how many of them have come how far until now.
///
/// Each number counts invitations of the same day, so the numbers of a day show where persons are lost. An invitation
/// of yesterday that is accepted today counts for yesterday. Cancelled and expired invitations count as invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunnelDay {
    /// The day (UTC).
    pub day: NaiveDate,
    /// The invitations that were created.
    pub invited: u64,
    /// Those of which a mail server has accepted a mail of the tenant. An invitation that was accepted by its link
    /// counts in any case, because the mail log does not keep mails as long as invitations.
    pub delivered: u64,
    /// Those that were accepted: the person has joined the client. A person with a password and a membership at the
    /// tenant joins at once.
    pub activated: u64,
    /// Those that were accepted and whose person has signed in at the client since.
    pub signed_in: u64,
}

/// The counts of one day, as the database returns them. Days without invitations have none.
#[derive(FromQueryResult)]
struct Counts {
    /// The day in the form of `NaiveDate`.
    day: String,
    invited: i64,
    joined_by_link: i64,
    activated: i64,
    signed_in: i64,
}

/// The delivered invitations of one day that were not accepted by their link.
#[derive(FromQueryResult)]
struct Delivered {
    day: String,
    delivered: i64,
}

/// Returns the numbers of each day of `days`, the first day first.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub(super) async fn read(app: &App, tenant: TenantId, days: Days) -> Result<Vec<FunnelDay>> {
    let counts = count(tenant, days).into_model::<Counts>().all(app.db()).await?;
    let delivered = count_delivered(tenant, days).into_model::<Delivered>().all(app.db()).await?;
    let counts: HashMap<_, _> = counts.into_iter().map(|counts| (counts.day.clone(), counts)).collect();
    let delivered: HashMap<_, _> = delivered.into_iter().map(|row| (row.day, row.delivered)).collect();
    let day = |day: NaiveDate| {
        let key = day.to_string();
        let count = |of: fn(&Counts) -> i64| counts.get(&key).map_or(0, of).unsigned_abs();
        let by_mail = delivered.get(&key).copied().unwrap_or_default().unsigned_abs();
        FunnelDay {
            day,
            invited: count(|counts| counts.invited),
            delivered: count(|counts| counts.joined_by_link) + by_mail,
            activated: count(|counts| counts.activated),
            signed_in: count(|counts| counts.signed_in),
        }
    };
    Ok(days.iter().map(day).collect())
}

fn count(tenant: TenantId, days: Days) -> Select<Entity> {
    let is_accepted = Column::Status.eq(Status::Accepted);
    let has_signed_in = is_accepted.clone().and(membership::Column::LastUsedAt.is_not_null());
    let membership = Condition::all()
        .add(Expr::col((membership::Entity, membership::Column::ClientId)).equals((Entity, Column::ClientId)))
        .add(Expr::col((membership::Entity, membership::Column::PortalUserId)).equals((Entity, Column::PortalUserId)));
    let mut select = invitations_of(tenant, days)
        .column_as(Column::Id.count(), "invited")
        .column_as(count_if(joined_by_link()), "joined_by_link")
        .column_as(count_if(is_accepted), "activated")
        .column_as(count_if(has_signed_in), "signed_in");
    QuerySelect::query(&mut select).join(JoinType::LeftJoin, membership::Entity, membership);
    select
}

/// Counts the other invitations of which a mail server has accepted a mail. It is a query of its own, because SQLite
/// would read all mails once for each invitation if it had to keep the invitations without mails.
fn count_delivered(tenant: TenantId, days: Days) -> Select<Entity> {
    let mail = Expr::col((email::Entity, email::Column::InvitationId)).equals((Entity, Column::Id));
    let mut select = invitations_of(tenant, days)
        .column_as(Expr::col((Entity, Column::Id)).count_distinct(), "delivered")
        .filter(joined_by_link().not())
        .filter(mail::sent_since(tenant, days.start()));
    QuerySelect::query(&mut select).join(JoinType::InnerJoin, email::Entity, mail);
    select
}

/// Whether an invitation was accepted by its link, and so was delivered.
fn joined_by_link() -> SimpleExpr {
    Column::Status.eq(Status::Accepted).and(Column::Mode.eq(Mode::Setup))
}

/// Selects the invitations of each day.
fn invitations_of(tenant: TenantId, days: Days) -> Select<Entity> {
    let mut select = Entity::find()
        .select_only()
        // Both databases write a time in UTC as text that begins with the day. There is no function that both have.
        .column_as(Expr::cust(r#"substr(CAST("invitations"."created_at" AS text), 1, 10)"#), "day")
        .filter(Column::TenantId.eq(tenant))
        // The times in the ids let the database read a range of an index.
        .filter(Column::Id.gte(first_id_at(days.start() - MAX_CLOCK_ERROR)))
        .filter(Column::Id.lt(first_id_at(days.end() + MAX_CLOCK_ERROR)))
        .filter(Column::CreatedAt.gte(days.start()))
        .filter(Column::CreatedAt.lt(days.end()));
    QuerySelect::query(&mut select).group_by_col(Alias::new("day"));
    select
}

/// Returns the number of rows that match `condition`.
fn count_if(condition: impl IntoCondition) -> SimpleExpr {
    // The numbers are no parameters, whose type Postgres would have to guess.
    Expr::case(condition, Expr::cust("1")).finally(Expr::cust("0")).sum()
}
