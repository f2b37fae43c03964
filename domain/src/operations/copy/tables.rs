//! The list of all tables that a copy covers.

use futures_util::future::LocalBoxFuture;
use portico_entity::{
    api_token, audit_anchor, audit_chain, audit_event, audit_export, background_job, ceremony, cli_login, client,
    code_flow, device_cutoff, email, idempotency_key, invitation, link_token, mail_hold, membership, passkey,
    paused_lane, portal_user, process, rate_limit, recovery_code, recovery_set, schedule_run, search_word,
    service_account, session, sign_in_challenge, signing_key, staff_user, tenant, tenant_logo, totp_secret,
    trusted_device, worker,
};
use sea_orm::{DatabaseTransaction, EntityTrait, IntoActiveModel};

use super::{
    digest::Digest,
    error::{CopyError, Side},
    rows,
};

/// The future of a [`Table`] operation.
type TableFuture<'a, T> = LocalBoxFuture<'a, Result<T, CopyError>>;

/// A table with the operations of a copy. The function pointers hide the entity type, so that all tables have one type.
pub(super) struct Table {
    /// The name of the table in the database.
    pub(super) name: &'static str,
    /// Returns whether the table has a row.
    pub(super) has_rows: for<'a> fn(&'a DatabaseTransaction) -> TableFuture<'a, bool>,
    /// Copies all rows from the first transaction into the second and returns their digest.
    pub(super) copy: for<'a> fn(&'a DatabaseTransaction, &'a DatabaseTransaction) -> TableFuture<'a, Digest>,
    /// Reads all rows and returns their digest. The [`Side`] says which database an error names.
    pub(super) digest: for<'a> fn(&'a DatabaseTransaction, Side) -> TableFuture<'a, Digest>,
    /// Returns the names of the table's columns.
    #[cfg(test)]
    pub(super) columns: fn() -> Vec<String>,
}

/// Returns all tables. Each table comes after the tables that its foreign keys refer to.
pub(super) fn all() -> [Table; 36] {
    [
        table::<tenant::Entity>(),
        table::<tenant_logo::Entity>(),
        table::<client::Entity>(),
        table::<portal_user::Entity>(),
        table::<membership::Entity>(),
        table::<staff_user::Entity>(),
        table::<service_account::Entity>(),
        table::<api_token::Entity>(),
        table::<invitation::Entity>(),
        table::<search_word::Entity>(),
        table::<email::Entity>(),
        table::<code_flow::Entity>(),
        table::<link_token::Entity>(),
        table::<session::Entity>(),
        table::<cli_login::Entity>(),
        table::<totp_secret::Entity>(),
        table::<recovery_set::Entity>(),
        table::<recovery_code::Entity>(),
        table::<sign_in_challenge::Entity>(),
        table::<trusted_device::Entity>(),
        table::<passkey::Entity>(),
        table::<ceremony::Entity>(),
        table::<signing_key::Entity>(),
        table::<idempotency_key::Entity>(),
        table::<device_cutoff::Entity>(),
        table::<rate_limit::Entity>(),
        table::<audit_event::Entity>(),
        table::<audit_chain::Entity>(),
        table::<audit_anchor::Entity>(),
        table::<audit_export::Entity>(),
        table::<background_job::Entity>(),
        table::<schedule_run::Entity>(),
        table::<paused_lane::Entity>(),
        table::<mail_hold::Entity>(),
        table::<worker::Entity>(),
        table::<process::Entity>(),
    ]
}

/// Returns the [`Table`] of the entity `E`.
fn table<E: EntityTrait>() -> Table
where
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
{
    Table {
        name: E::default().table_name(),
        has_rows: |to| Box::pin(rows::has_rows::<E>(to)),
        copy: |from, to| Box::pin(rows::copy::<E>(from, to)),
        digest: |tx, side| Box::pin(rows::digest::<E>(tx, side)),
        #[cfg(test)]
        columns: || {
            use sea_orm::{IdenStatic, Iterable};
            E::Column::iter().map(|column| column.as_str().to_owned()).collect()
        },
    }
}
