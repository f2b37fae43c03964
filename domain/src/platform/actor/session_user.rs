//! A user of either realm, as the owner of sessions.

use portico_entity::{UserId, session};

use super::{Actor, PortalUser, RequestContext, StaffUser};

/// A user of either realm with a live session. For use cases that are the same in both realms.
#[derive(Clone, Debug)]
pub struct SessionUser {
    /// Where the request came from.
    pub context: RequestContext,
    /// The user who owns the session.
    pub owner: UserId,
    /// The session of the request.
    pub session: session::Model,
    /// The user as the actor of audit events.
    actor: Actor,
}

impl From<PortalUser> for SessionUser {
    fn from(caller: PortalUser) -> Self {
        let actor = Actor::from(&caller);
        Self { context: caller.context, owner: UserId::Portal(caller.user.id), session: caller.session, actor }
    }
}

impl From<StaffUser> for SessionUser {
    fn from(caller: StaffUser) -> Self {
        let actor = Actor::from(&caller);
        Self { context: caller.context, owner: UserId::Staff(caller.user.id), session: caller.session, actor }
    }
}

impl From<&SessionUser> for Actor {
    fn from(caller: &SessionUser) -> Self {
        caller.actor.clone()
    }
}
