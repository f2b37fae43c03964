//! A signed-in browser or program, of a portal user or of staff, never both.

use sea_orm::{ExprTrait, entity::prelude::*, sea_query::IntoCondition};

use crate::{ClientId, PortalUserId, SessionId, StaffUserId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub portal_user_id: Option<PortalUserId>,
    pub staff_user_id: Option<StaffUserId>,
    /// The client that the person acts for.
    pub client_id: Option<ClientId>,
    /// How often the refresh token was rotated.
    pub generation: i32,
    pub rotated_at: DateTimeUtc,
    /// Mixed into the refresh token, so that the server key alone makes none.
    pub nonce: String,
    pub credential_version: i32,
    pub user_agent: Option<String>,
    pub ip: Option<String>,
    /// When the person last proved who they are; a refresh does not move it.
    pub auth_time: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub last_seen_at: DateTimeUtc,
    /// Where the realm has an idle limit: when it strikes unless a refresh comes first.
    pub idle_until: Option<DateTimeUtc>,
    pub expires_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
    pub revoked_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::portal_user::Entity",
        from = "Column::PortalUserId",
        to = "super::portal_user::Column::Id"
    )]
    PortalUser,
    #[sea_orm(
        belongs_to = "super::staff_user::Entity",
        from = "Column::StaffUserId",
        to = "super::staff_user::Column::Id"
    )]
    StaffUser,
}

impl Related<super::portal_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::PortalUser.def()
    }
}

impl Related<super::staff_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::StaffUser.def()
    }
}

/// The membership that a session acts through: the person's, at the session's client.
impl Related<super::membership::Entity> for Entity {
    fn to() -> RelationDef {
        use super::membership;
        Entity::belongs_to(membership::Entity)
            .from(Column::ClientId)
            .to(membership::Column::ClientId)
            .on_condition(|session, membership| {
                Expr::col((session, Column::PortalUserId))
                    .equals((membership, membership::Column::PortalUserId))
                    .into_condition()
            })
            .into()
    }
}

impl ActiveModelBehavior for ActiveModel {}
