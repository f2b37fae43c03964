//! API tokens: the credentials with which programs act for a tenant.
//!
//! A token belongs to a staff user (a personal access token) or to a service account. It opens `/api/v1` only. It can
//! use the permissions that its scopes name, as far as the role of its owner gives them at the time of use.

mod authenticate;
mod create;
pub(crate) mod created_email;
pub(crate) mod expiring_email;
mod list;
mod notice;
mod notify_expiring;
mod queries;
mod revoke;
mod secret;
mod uses;

use chrono::TimeDelta;
use portico_entity::{
    ServiceAccountId, StaffUserId, TenantId,
    api_token::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Select};

pub use authenticate::{authenticate, load};
pub use create::{IssuedToken, NewApiToken, create};
pub(crate) use create::{check_scopes, insert};
pub(crate) use list::page_of;
pub use list::{OwnedToken, list, list_own, presented};
pub(crate) use notice::compose;
pub use notify_expiring::NotifyExpiringTokens;
pub use queries::TokenQueries;
pub use revoke::{revoke, revoke_own, revoke_presented};
pub(crate) use revoke::{revoke_all, revoke_one};
pub use secret::{PREFIX, is_well_formed};
pub use uses::{TokenUses, record_uses};

use crate::platform::actor::TokenOwner;

/// How long a token is valid by default, in days.
pub const DEFAULT_DAYS: u16 = 90;
/// How long a token can be valid, in days.
pub const MAX_DAYS: u16 = 365;
/// How long before its end the owner of a token is told. No mail is sent about a token that lives no longer than this.
const EXPIRY_NOTICE: TimeDelta = TimeDelta::days(7);
/// How many live tokens one owner can have.
const MAX_LIVE: u64 = 100;

/// The tokens that belong together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TokensOf {
    /// All tokens of a tenant.
    Tenant(TenantId),
    /// The personal access tokens of a staff user.
    StaffUser(StaffUserId),
    /// The tokens of a service account.
    ServiceAccount(ServiceAccountId),
}

impl TokensOf {
    /// Returns the tokens of this owner.
    pub(crate) fn owner(owner: &TokenOwner) -> Self {
        match owner {
            TokenOwner::StaffUser(user) => Self::StaffUser(user.id),
            TokenOwner::ServiceAccount(account) => Self::ServiceAccount(account.id),
        }
    }

    /// Matches the tokens that were not revoked.
    fn condition(self) -> Condition {
        let own = match self {
            Self::Tenant(tenant) => Column::TenantId.eq(tenant),
            Self::StaffUser(user) => Column::StaffUserId.eq(user),
            Self::ServiceAccount(account) => Column::ServiceAccountId.eq(account),
        };
        Condition::all().add(own).add(Column::RevokedAt.is_null())
    }

    /// Returns a query for the tokens that were not revoked.
    fn query(self) -> Select<api_token::Entity> {
        Entity::find().filter(self.condition())
    }
}

/// Helpers for the unit tests of this capability.
#[cfg(test)]
mod testing {
    use portico_entity::staff_user::{self, Role};

    use super::{IssuedToken, NewApiToken, insert};
    use crate::{
        platform::actor::{Actor, Permission, Scopes, TokenOwner},
        tenancy::staff::{self, NewStaff},
        testing::TestApp,
    };

    /// Inserts an owner of a new tenant.
    pub(super) async fn insert_owner(app: &TestApp) -> staff_user::Model {
        let tenant = app.insert_client().await.tenant_id;
        let new = NewStaff { email: "owner@x.test".parse().unwrap(), name: None, role: Role::Owner };
        let mut tx = app.begin().await.unwrap();
        let user = staff::insert(&mut tx, tenant, &new, None, Actor::SYSTEM).await.unwrap();
        tx.commit().await.unwrap();
        user
    }

    /// Creates a token of `owner` that is valid for `days` days.
    pub(super) async fn insert_token(app: &TestApp, owner: &staff_user::Model, days: u16) -> IssuedToken {
        let scopes = Scopes::new(&[Permission::ClientsRead]);
        let new = NewApiToken { name: "Export".parse().unwrap(), scopes, days };
        let mut tx = app.begin().await.unwrap();
        let owner_of_token = TokenOwner::StaffUser(owner.clone());
        let token = insert(&mut tx, &owner_of_token, owner.id, new, Actor::SYSTEM).await.unwrap();
        tx.commit().await.unwrap();
        token
    }
}
