//! Choosing the place of a portal user whose first factor was right, and opening the session there.

use portico_entity::{
    ClientId, LinkTokenId, PasskeyId, PortalUserId, SessionId, UserId, portal_user,
    session::{self, Factor, Method},
};
use serde_json::json;

use super::{SignInOutcome, invitation};
use crate::{
    identity::{
        devices,
        mfa::{self, NewChallenge},
        not_me,
        sessions::{self, NewSession},
        users,
    },
    platform::{
        actor::{ActiveMembership, Actor, Realm, RequestContext, User, Versions},
        audit,
        clock::Time,
        error::{Error, Result},
        sign_in_policy::SignInPolicy,
        tx::Tx,
    },
    tenancy::memberships,
};

/// A portal user whose first factor was right.
pub(crate) struct PortalEntry<'a> {
    /// Where the request came from.
    pub(crate) context: &'a RequestContext,
    /// The portal user.
    pub(crate) user: PortalUserId,
    /// The versions of the user for which the first factor was right. `None` if the first factor depends on none.
    pub(crate) versions: Option<Versions>,
    /// The first factor.
    pub(crate) method: Method,
    /// The passkey that was proved: by it alone, or as the second factor.
    pub(crate) passkey: Option<PasskeyId>,
    /// The client to act for. `None` selects the one that was used last, or that of the invitation.
    pub(crate) client: Option<ClientId>,
    /// The accept link of an invitation to accept.
    pub(crate) invitation: Option<LinkTokenId>,
    /// The session that the browser already has.
    pub(crate) replaces: Option<SessionId>,
    /// Whether the user has just activated the account through a mailed link. Then the mailbox is proved, the first
    /// device is no reason for a notice, and the activation is the event of the audit log.
    pub(crate) is_activation: bool,
}

/// Whether a second factor was proved.
#[derive(Clone, Copy)]
pub(super) enum SecondFactor {
    /// Not yet: the user may need one.
    Open,
    /// This one was proved.
    Proved(Factor),
}

/// A portal session that was just opened.
pub(crate) struct Opened {
    /// The session.
    pub(crate) session: session::Model,
    /// The user, as the row is now.
    pub(crate) user: portal_user::Model,
    /// The client, and the membership there.
    pub(crate) active: ActiveMembership,
}

/// Where a portal user signs in to.
enum Place {
    /// A client of which the user is an active member.
    Member(Box<ActiveMembership>),
    /// The client of an invitation that is still to be accepted.
    Invitation(Box<invitation::Found>),
}

/// Opens the session of a portal user whose first factor was right, or issues a challenge if a second factor is
/// needed. A passkey is both factors, so it leads to no challenge. Records the audit event, and mails a notice if
/// the device of the new session is not known.
///
/// # Errors
/// Nothing must be committed then.
/// - `invalid_credentials` if the user is disabled or has other versions, is not a member of `client`, or may not sign
///   in there by this method.
/// - `client_suspended` if the client, or every client of the user, is archived or belongs to a suspended tenant.
/// - The errors of [`invitation::find`] and [`invitation::accept`].
/// - `unavailable` or `internal` if the database fails.
pub(crate) async fn enter(tx: &mut Tx, entry: &PortalEntry<'_>) -> Result<SignInOutcome<Opened>> {
    let second = if entry.passkey.is_some() { SecondFactor::Proved(Factor::Passkey) } else { SecondFactor::Open };
    enter_with(tx, entry, second).await
}

/// [`enter`] for a user who has perhaps proved a second factor.
pub(super) async fn enter_with(
    tx: &mut Tx,
    entry: &PortalEntry<'_>,
    second: SecondFactor,
) -> Result<SignInOutcome<Opened>> {
    let locked = users::lock(tx, UserId::Portal(entry.user)).await?.filter(User::is_enabled);
    let locked = locked.filter(|user| entry.versions.is_none_or(|versions| versions == user.versions()));
    let Some(User::Portal(user)) = locked else { return Err(Error::INVALID_CREDENTIALS) };
    let place = match entry.invitation {
        Some(link) => Place::Invitation(Box::new(invitation::find(tx, &user, link, entry.client).await?)),
        None => Place::Member(Box::new(choose(tx, entry).await?)),
    };
    let policy = place.policy()?;
    if !policy.methods.allows(entry.method) {
        return Err(Error::INVALID_CREDENTIALS);
    }
    let factor = match second {
        SecondFactor::Proved(factor) => Some(factor),
        SecondFactor::Open => {
            let owner = User::Portal(user.clone());
            // A trusted device replaces the second factor of a user who has turned second factors on, and of no
            // other.
            let days = if user.mfa_enabled_at.is_some() { policy.trusted_device_days } else { 0 };
            let due_at = place.mfa_due_at(&policy);
            if let Some(purpose) = mfa::needed(tx, entry.context, &owner, due_at, days).await? {
                let challenge = NewChallenge {
                    user: &owner,
                    purpose,
                    method: entry.method,
                    is_mailbox_proved: entry.is_activation || entry.method == Method::Code,
                    client: Some(place.client()),
                    link_token: entry.invitation,
                    replaces: entry.replaces,
                    trusted_device_days: days,
                };
                let challenge = mfa::issue(tx, challenge).await?;
                let event = audit::Event::new("session.challenged").target("portal_user", user.id.0);
                audit::record(tx, Actor::portal_user(&user, entry.context), event).await?;
                return Ok(SignInOutcome::Challenged(challenge));
            }
            None
        }
    };
    open(tx, entry, user, place, factor).await.map(SignInOutcome::SignedIn)
}

/// Opens the session at `place`.
async fn open(
    tx: &mut Tx,
    entry: &PortalEntry<'_>,
    user: portal_user::Model,
    place: Place,
    factor: Option<Factor>,
) -> Result<Opened> {
    let actor = Actor::portal_user(&user, entry.context);
    let active = match place {
        Place::Member(active) => *active,
        Place::Invitation(found) => invitation::accept(tx, &actor, *found).await?,
    };
    let new = NewSession {
        context: entry.context,
        method: entry.method,
        factor,
        passkey: entry.passkey,
        replaces: entry.replaces,
    };
    let session = sessions::open_portal(tx, &user, &active.membership, new).await?;
    if !entry.is_activation {
        let event = audit::Event::new("session.opened")
            .target("session", session.id.0)
            .details(json!({ "method": entry.method, "factor": factor }));
        audit::record(tx, actor, event).await?;
    }
    let email = User::Portal(user.clone()).email()?;
    let is_known = entry.is_activation
        || devices::known_device_in(tx.app(), tx.db(), entry.context, Realm::Portal, &email).await?.is_some();
    if !is_known {
        not_me::enqueue_notice(tx, &user, &session).await?;
    }
    Ok(Opened { session, user, active })
}

impl Place {
    fn client(&self) -> ClientId {
        match self {
            Self::Member(active) => active.client.id,
            Self::Invitation(found) => found.client_id(),
        }
    }

    fn policy(&self) -> Result<SignInPolicy> {
        match self {
            Self::Member(active) => Ok(active.policy),
            Self::Invitation(found) => found.policy(),
        }
    }

    fn mfa_due_at(&self, policy: &SignInPolicy) -> Option<Time> {
        match self {
            Self::Member(active) => policy.portal_mfa_due_at(&active.membership),
            Self::Invitation(found) => found.mfa_due_at(policy),
        }
    }
}

/// Selects the membership to open the session for: the one at the client of `entry`, else the one that was used last,
/// among those whose tenants allow the method.
async fn choose(tx: &Tx, entry: &PortalEntry<'_>) -> Result<ActiveMembership> {
    let mut active = memberships::active_memberships(tx, entry.user, entry.client).await?;
    let is_any_open = !active.is_empty();
    active.retain(|active| active.policy.methods.allows(entry.method));
    match active.into_iter().max_by_key(|active| (active.membership.last_used_at, active.membership.id)) {
        Some(active) => Ok(active),
        None if !is_any_open && memberships::has_membership(tx, entry.user, entry.client).await? => {
            Err(Error::Forbidden("client_suspended"))
        }
        None => Err(Error::INVALID_CREDENTIALS),
    }
}
