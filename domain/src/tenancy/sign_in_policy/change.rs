//! Changing the sign-in policy of a tenant.

use portico_entity::{
    TenantId, client,
    session::{Column, Method},
    tenant,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{Expr, Query},
};
use serde_json::json;

use crate::platform::{
    actor::{Authorized, access::PolicyEdit},
    app::App,
    audit,
    clock::Time,
    error::{Error, Result},
    session_revocation::{RevocationReason, revoke_sessions},
    sign_in_policy::{MfaPolicy, MfaScope, SignInPolicy},
    tx::Tx,
};

/// The longest grace period, in days.
pub const MAX_GRACE_DAYS: u16 = 90;
/// The longest time for which a device can be trusted, in days.
pub const MAX_TRUSTED_DEVICE_DAYS: u16 = 365;

/// The input of [`change`]. A field that is `None` stays unchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyChange {
    /// Whether portal users may sign in with a password.
    pub password: Option<bool>,
    /// Whether portal users may sign in with a mailed code.
    pub code: Option<bool>,
    /// Whether portal users may sign in with a passkey.
    pub passkey: Option<bool>,
    /// Whether portal users may sign in with an account at an identity provider.
    pub sso: Option<bool>,
    /// The portal users who must have a second factor.
    pub mfa_portal: Option<MfaScope>,
    /// The staff users who must have a second factor.
    pub mfa_staff: Option<MfaScope>,
    /// How many days a user has to set up a second factor, at most [`MAX_GRACE_DAYS`].
    pub grace_days: Option<u16>,
    /// For how many days a portal user can trust a device, at most [`MAX_TRUSTED_DEVICE_DAYS`].
    pub trusted_device_days: Option<u16>,
}

/// Changes the sign-in policy of the caller's tenant, records an audit event, and returns the policy.
///
/// The sessions of portal users at clients of the tenant that were opened by a method which is not allowed any more
/// end. A requirement of a second factor that includes more users than before takes effect after the grace period.
///
/// # Errors
/// - `validation_failed` if no method would be allowed.
/// - `unavailable` or `internal`: the database failed.
pub async fn change(app: &App, caller: &Authorized<PolicyEdit>, change: PolicyChange) -> Result<SignInPolicy> {
    let mut tx = app.begin().await?;
    let tenant = lock(&tx, caller.tenant.id).await?;
    let old = SignInPolicy::of(&tenant)?;
    let new = apply(old, change, app.now());
    let methods = new.methods;
    if !(methods.password || methods.code || methods.passkey || methods.sso) {
        return Err(Error::invalid("/methods", "methods_empty", "must allow at least one method"));
    }
    if new == old {
        return Ok(old);
    }
    let stored = serde_json::to_value(new).map_err(|error| Error::Internal(error.to_string()))?;
    tenant::Entity::update_many()
        .col_expr(tenant::Column::SignInPolicy, Expr::value(stored.clone()))
        .filter(tenant::Column::Id.eq(tenant.id))
        .exec(tx.db())
        .await?;
    end_sessions_of_barred_methods(&mut tx, tenant.id, new).await?;
    let event = audit::Event::new("sign_in_policy.changed").target("tenant", tenant.id.0).tenant(tenant.id);
    audit::record(&mut tx, caller, event.details(json!({ "policy": stored }))).await?;
    tx.commit().await?;
    Ok(new)
}

/// Locks the row of the tenant, and returns it. A sign-in that has read the former policy has committed by then, so its
/// session is ended below; a later one reads the new policy.
async fn lock(tx: &Tx, id: TenantId) -> Result<tenant::Model> {
    use tenant::{Column, Entity};
    let update = Entity::update_many().col_expr(Column::Status, Expr::col(Column::Status));
    let locked = update.filter(Column::Id.eq(id)).exec_with_returning(tx.db()).await?;
    locked.into_iter().next().ok_or(Error::NOT_FOUND)
}

/// Returns `old` with the change.
fn apply(old: SignInPolicy, change: PolicyChange, now: Time) -> SignInPolicy {
    let mut new = old;
    let methods = &mut new.methods;
    methods.password = change.password.unwrap_or(methods.password);
    methods.code = change.code.unwrap_or(methods.code);
    methods.passkey = change.passkey.unwrap_or(methods.passkey);
    methods.sso = change.sso.unwrap_or(methods.sso);
    let since = |old: MfaScope, new: MfaScope, since: Option<Time>| match new {
        MfaScope::Off => None,
        new if new > old => Some(now),
        _ => since,
    };
    let (portal, staff) = (change.mfa_portal.unwrap_or(old.mfa.portal), change.mfa_staff.unwrap_or(old.mfa.staff));
    new.mfa = MfaPolicy {
        portal,
        staff,
        grace_days: change.grace_days.unwrap_or(old.mfa.grace_days),
        portal_since: since(old.mfa.portal, portal, old.mfa.portal_since),
        staff_since: since(old.mfa.staff, staff, old.mfa.staff_since),
    };
    new.trusted_device_days = change.trusted_device_days.unwrap_or(old.trusted_device_days);
    new
}

/// Ends the sessions of portal users at clients of the tenant whose method `policy` does not allow.
async fn end_sessions_of_barred_methods(tx: &mut Tx, tenant: TenantId, policy: SignInPolicy) -> Result<()> {
    let barred: Vec<_> = Method::ALL.into_iter().filter(|method| !policy.methods.allows(*method)).collect();
    if barred.is_empty() {
        return Ok(());
    }
    let clients = Query::select()
        .column(client::Column::Id)
        .from(client::Entity)
        .and_where(client::Column::TenantId.eq(tenant))
        .take();
    let mut is_barred = Condition::any().add(Column::Method.is_in(barred.iter().copied()));
    if barred.contains(&Method::Password) {
        // During a rollout, an older version opens sessions with a password and without a method.
        is_barred = is_barred.add(Column::Method.is_null());
    }
    let sessions = Condition::all().add(Column::ClientId.in_subquery(clients)).add(is_barred);
    revoke_sessions(tx, sessions, RevocationReason::PolicyChanged).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grace_period_starts_again_only_if_more_users_are_included() {
        let at = |hour: u32| format!("2026-11-28T{hour:02}:00:00Z").parse().unwrap();
        let set =
            |old, scope, hour| apply(old, PolicyChange { mfa_portal: Some(scope), ..Default::default() }, at(hour));
        let admins = set(SignInPolicy::default(), MfaScope::Admins, 1);
        assert_eq!(admins.mfa.portal_since, Some(at(1)));
        let all = set(admins, MfaScope::All, 2);
        assert_eq!(all.mfa.portal_since, Some(at(2)));
        assert_eq!(set(all, MfaScope::All, 3).mfa.portal_since, Some(at(2)));
        assert_eq!(set(all, MfaScope::Admins, 3).mfa.portal_since, Some(at(2)));
        assert_eq!(set(all, MfaScope::Off, 3).mfa.portal_since, None);
        assert_eq!(all.mfa.staff_since, None);
    }
}
