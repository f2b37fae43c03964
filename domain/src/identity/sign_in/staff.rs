//! Opening the session of a staff user whose first factor was right.

use portico_entity::{
    PasskeyId, SessionId, StaffUserId, UserId,
    session::{self, Method},
    staff_user, tenant,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{SignInOutcome, portal::SecondFactor};
use crate::{
    identity::{
        mfa::{self, NewChallenge},
        sessions::{self, NewSession},
        users,
    },
    platform::{
        actor::{Actor, RequestContext, User, Versions},
        audit,
        error::{Error, Result},
        sign_in_policy::SignInPolicy,
        tx::Tx,
    },
};

/// A staff user whose first factor was right.
pub(super) struct StaffEntry<'a> {
    /// Where the request came from.
    pub(super) context: &'a RequestContext,
    /// The staff user.
    pub(super) user: StaffUserId,
    /// The versions of the user for which the first factor was right. `None` if the first factor depends on none.
    pub(super) versions: Option<Versions>,
    /// The first factor.
    pub(super) method: Method,
    /// The passkey that was proved: by it alone, or as the second factor.
    pub(super) passkey: Option<PasskeyId>,
    /// The session that the browser already has.
    pub(super) replaces: Option<SessionId>,
}

/// A staff session that was just opened.
pub(super) struct OpenedStaff {
    /// The session.
    pub(super) session: session::Model,
    /// The user, as the row is now.
    pub(super) user: staff_user::Model,
    /// The user's tenant.
    pub(super) tenant: tenant::Model,
}

/// Opens the session of a staff user whose first factor was right, or issues a challenge if a second factor is needed
/// and `second` is open. Records the audit event.
///
/// # Errors
/// Nothing must be committed then.
/// - `invalid_credentials` if the user is disabled or has other versions, or if the tenant is suspended.
/// - `unavailable` or `internal` if the database fails.
pub(super) async fn enter(
    tx: &mut Tx,
    entry: &StaffEntry<'_>,
    second: SecondFactor,
) -> Result<SignInOutcome<OpenedStaff>> {
    let locked = users::lock(tx, UserId::Staff(entry.user)).await?.filter(User::is_enabled);
    let locked = locked.filter(|user| entry.versions.is_none_or(|versions| versions == user.versions()));
    let Some(User::Staff(user)) = locked else { return Err(Error::INVALID_CREDENTIALS) };
    let tenant = tenant::Entity::find_by_id(user.tenant_id).one(tx.db()).await?;
    let tenant = tenant.filter(|tenant| tenant.status == tenant::Status::Active).ok_or(Error::INVALID_CREDENTIALS)?;
    let actor = Actor::staff_user(&user, entry.context);
    let factor = match second {
        SecondFactor::Proved(factor) => Some(factor),
        SecondFactor::Open => {
            let owner = User::Staff(user.clone());
            let due_at = SignInPolicy::of(&tenant)?.staff_mfa_due_at(&user);
            if let Some(purpose) = mfa::needed(tx, entry.context, &owner, due_at, 0).await? {
                let challenge = NewChallenge {
                    user: &owner,
                    purpose,
                    method: entry.method,
                    is_mailbox_proved: entry.method == Method::Code,
                    client: None,
                    link_token: None,
                    replaces: entry.replaces,
                    trusted_device_days: 0,
                };
                let challenge = mfa::issue(tx, challenge).await?;
                let event =
                    audit::Event::new("staff_session.challenged").target("staff_user", user.id.0).tenant(tenant.id);
                audit::record(tx, actor, event).await?;
                return Ok(SignInOutcome::Challenged(challenge));
            }
            None
        }
    };
    record_sign_in(tx, user.id).await?;
    let new = NewSession {
        context: entry.context,
        method: entry.method,
        factor,
        passkey: entry.passkey,
        replaces: entry.replaces,
    };
    let session = sessions::open_staff(tx, &user, new).await?;
    let event = audit::Event::new("staff_session.opened")
        .target("session", session.id.0)
        .tenant(tenant.id)
        .details(json!({ "method": entry.method, "factor": factor }));
    audit::record(tx, actor, event).await?;
    Ok(SignInOutcome::SignedIn(OpenedStaff { session, user, tenant }))
}

/// Sets `last_sign_in_at` of the staff user.
async fn record_sign_in(tx: &Tx, user: StaffUserId) -> Result<()> {
    staff_user::Entity::update_many()
        .col_expr(staff_user::Column::LastSignInAt, Expr::value(tx.app().now()))
        .filter(staff_user::Column::Id.eq(user))
        .exec(tx.db())
        .await?;
    Ok(())
}
