//! Marking invitations whose time is over. Their links are dead already: this is for the eye.

use portico_entity::{
    background_job::Lane,
    invitation::{self, Column, Status},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    jobs::{Job, JobError},
};

/// Marks pending invitations as expired once their time is over.
#[derive(Serialize, Deserialize)]
pub struct ExpireInvitations {}

impl Job for ExpireInvitations {
    const NAME: &'static str = "expire_invitations";
    const LANE: Lane = Lane::Upkeep;

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
