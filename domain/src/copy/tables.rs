//! Every table, a line each.

use futures_util::future::LocalBoxFuture;
use portico_entity::{
    audit_event, background_job, client, code_flow, email, invitation, link_token, membership, paused_lane,
    portal_user, rate_limit, schedule_run, session, signing_key, staff_user, tenant, worker,
};
use sea_orm::{DatabaseTransaction, EntityTrait, IntoActiveModel};

use super::{
    digest::Digest,
    error::{CopyError, Side},
    rows,
};

type Later<'a, T> = LocalBoxFuture<'a, Result<T, CopyError>>;

/// What can be done with a table, whatever its columns.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Whether the target has any row of it.
    pub(super) has_rows: for<'a> fn(&'a DatabaseTransaction) -> Later<'a, bool>,
    /// From the first into the second.
    pub(super) copy: for<'a> fn(&'a DatabaseTransaction, &'a DatabaseTransaction) -> Later<'a, Digest>,
    /// What this side holds of it.
    pub(super) digest: for<'a> fn(&'a DatabaseTransaction, Side) -> Later<'a, Digest>,
    #[cfg(test)]
    pub(super) columns: fn() -> Vec<String>,
}

/// All tables, each after those that its foreign keys refer to.
pub(super) fn all() -> [Table; 17] {
    [
        table::<tenant::Entity>(),
        table::<client::Entity>(),
        table::<portal_user::Entity>(),
        table::<membership::Entity>(),
        table::<staff_user::Entity>(),
        table::<invitation::Entity>(),
        table::<email::Entity>(),
        table::<code_flow::Entity>(),
        table::<link_token::Entity>(),
        table::<session::Entity>(),
        table::<signing_key::Entity>(),
        table::<rate_limit::Entity>(),
        table::<audit_event::Entity>(),
        table::<background_job::Entity>(),
        table::<schedule_run::Entity>(),
        table::<paused_lane::Entity>(),
        table::<worker::Entity>(),
    ]
}

fn table<E: EntityTrait>() -> Table
where
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
{
    Table {
        name: E::default().table_name(),
        has_rows: |to| Box::pin(rows::any::<E>(to)),
        copy: |from, to| Box::pin(rows::copy::<E>(from, to)),
        digest: |tx, side| Box::pin(rows::digest::<E>(tx, side)),
        #[cfg(test)]
        columns: || {
            use sea_orm::{IdenStatic, Iterable};
            E::Column::iter().map(|column| column.as_str().to_owned()).collect()
        },
    }
}
