//! The demo tenant that development begins with.

use portico_entity::{
    ClientId,
    client::{self, Status},
    staff_user::Role,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use crate::{
    app::App,
    error::{Error, Result},
    staff::{self, NewStaff},
};

/// Makes the tenant `demo` with the owner `owner@demo.test` and the client `Acme Ltd`, once.
///
/// # Errors
/// When the database fails.
pub async fn seed_demo(app: &App) -> Result<()> {
    if super::find(app, "demo").await?.is_some() {
        return Ok(());
    }
    let fixed = |problem: crate::error::FieldProblem| Error::Internal(problem.detail);
    let tenant = super::add(app, &"demo".parse().map_err(fixed)?, &"Demo Company".parse().map_err(fixed)?).await?;
    let owner = NewStaff {
        email: "owner@demo.test".parse().map_err(fixed)?,
        name: Some("Olivia Owner".parse().map_err(fixed)?),
        role: Role::Owner,
    };
    staff::add(app, "demo", owner).await?;
    let acme = client::ActiveModel {
        id: Set(ClientId(app.new_id())),
        tenant_id: Set(tenant.id),
        name: Set("Acme Ltd".into()),
        external_ref: Set(None),
        status: Set(Status::Active),
        created_at: Set(app.now()),
    };
    acme.insert(app.db()).await?;
    Ok(())
}
