//! The job that marks expired invitations. The mark is for display only: expired links already fail.

use portico_entity::{
    background_job::Lane,
    invitation::{self, Column, Status},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};

use crate::platform::{
    app::App,
    job::{Job, JobError},
};

/// Sets the status of pending invitations whose expiry time has passed to `expired`.
#[derive(Default, Serialize, Deserialize)]
pub struct ExpireInvitations {}

impl Job for ExpireInvitations {
    const NAME: &'static str = "expire_invitations";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> Result<(), JobError> {
        invitation::Entity::update_many()
            .col_expr(Column::Status, Expr::value(Status::Expired))
            .filter(Column::Status.eq(Status::Pending))
            .filter(Column::ExpiresAt.lte(app.now()))
            .exec(app.db())
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use portico_entity::{ClientId, InvitationId, invitation::Mode, membership::Role, portal_user};
    use sea_orm::{ActiveModelTrait, ActiveValue::Set};

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn pending_invitation_expires_and_accepted_one_stays() {
        let app = testing::app().await;
        let (client, user) = (app.insert_client().await, app.insert_portal_user().await);
        let pending = insert(&app, client.id, &user, Status::Pending).await;
        let accepted = insert(&app, client.id, &user, Status::Accepted).await;
        let status = async |id| invitation::Entity::find_by_id(id).one(app.db()).await.unwrap().unwrap().status;

        ExpireInvitations {}.run(&app).await.unwrap();
        assert_eq!(status(pending).await, Status::Pending);
        app.clock().advance(chrono::TimeDelta::hours(72));
        ExpireInvitations {}.run(&app).await.unwrap();
        assert_eq!((status(pending).await, status(accepted).await), (Status::Expired, Status::Accepted));
    }

    async fn insert(app: &App, client: ClientId, user: &portal_user::Model, status: Status) -> InvitationId {
        let row = invitation::ActiveModel {
            id: Set(InvitationId(app.new_id())),
            client_id: Set(client),
            portal_user_id: Set(user.id),
            email: Set(user.email.clone()),
            name: Set(user.name.clone()),
            role: Set(Role::Member),
            mode: Set(Mode::Setup),
            status: Set(status),
            sent_count: Set(1),
            last_sent_at: Set(app.now()),
            links_valid_from: Set(app.now()),
            renewals: Set(0),
            expires_at: Set(app.now() + chrono::TimeDelta::hours(72)),
            created_by: Set(None),
            created_by_portal_user: Set(None),
            cancelled_at: Set(None),
            shown_expires_at: Set(None),
            locale: Set(None),
            reminders_sent: Set(0),
            created_at: Set(app.now()),
            tenant_id: Set(None),
            is_search_indexed: Set(false),
        };
        row.insert(app.db()).await.unwrap().id
    }
}
