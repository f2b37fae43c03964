//! Creates the demo tenant of a development database.

use portico_entity::{
    ClientId,
    client::{self, Status},
    staff_user::Role,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use crate::{
    platform::{
        actor::Actor,
        app::App,
        error::{Error, FieldProblem, Result},
        search,
    },
    tenancy::{
        self,
        staff::{self, NewStaff},
        tenants,
    },
};

/// Creates the tenant `demo` with the owner `owner@demo.test` and the client `Acme Ltd`. Does nothing when the tenant
/// exists.
///
/// # Errors
/// `unavailable` or `internal` when the database fails; `conflict` when another process creates the tenant at the
/// same time.
pub async fn seed(app: &App) -> Result<()> {
    if tenants::find(app, "demo").await?.is_some() {
        return Ok(());
    }
    let internal = |problem: FieldProblem| Error::Internal(problem.detail);
    let (slug, name) = ("demo".parse().map_err(internal)?, "Demo Company".parse().map_err(internal)?);
    let tenant = tenants::add(app, &slug, &name, &"en".parse().map_err(internal)?).await?;
    let owner = NewStaff {
        email: "owner@demo.test".parse().map_err(internal)?,
        name: Some("Olivia Owner".parse().map_err(internal)?),
        role: Role::Owner,
    };
    let acme = client::ActiveModel {
        id: Set(ClientId(app.new_id())),
        tenant_id: Set(tenant.id),
        name: Set("Acme Ltd".into()),
        external_ref: Set(None),
        status: Set(Status::Active),
        created_at: Set(app.now()),
        is_search_indexed: Set(true),
    };
    let mut tx = app.begin().await?;
    // No mail: the mailbox of a new demo is empty, and the start prints where to sign in.
    staff::insert(&mut tx, tenant.id, &owner, None, Actor::SYSTEM).await?;
    let acme = acme.insert(tx.db()).await?;
    search::index(&mut tx, [tenancy::search::client(&acme)]).await?;
    tx.commit().await
}
