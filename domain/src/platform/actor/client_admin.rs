//! The caller of the operations on colleagues.

use std::ops::Deref;

use portico_entity::{ClientId, membership::Role};

use super::PortalUser;
use crate::platform::error::{Error, Result};

/// A portal user who is an administrator of the client that the user acts for. [`PortalUser::authorize_admin`] makes
/// it, and nothing else does.
///
/// The role was read when the request was authenticated. A use case that writes checks it again in its transaction.
#[derive(Clone, Debug)]
pub struct ClientAdmin(PortalUser);

impl PortalUser {
    /// Returns the user as an administrator of the client that the user acts for.
    ///
    /// # Errors
    /// `forbidden`: the user has another role at this client.
    pub fn authorize_admin(self) -> Result<ClientAdmin> {
        match self.active.membership.role {
            Role::Admin => Ok(ClientAdmin(self)),
            Role::Member => Err(Error::FORBIDDEN),
        }
    }
}

impl ClientAdmin {
    /// How the document names what the caller must be.
    pub const PERMISSION: &'static str = "client admin";

    /// Returns the client that the administrator acts for. Objects of other clients do not exist for this caller.
    pub fn client(&self) -> ClientId {
        self.active.client.id
    }

    /// Checks that the administrator may give `role` to a colleague: a role at most their own.
    ///
    /// # Errors
    /// `forbidden`: the role has more rights than the administrator.
    pub fn check_may_give(&self, role: Role) -> Result<()> {
        match role {
            // A role with more rights than an administrator would be refused here.
            Role::Admin | Role::Member => Ok(()),
        }
    }
}

impl Deref for ClientAdmin {
    type Target = PortalUser;

    fn deref(&self) -> &PortalUser {
        &self.0
    }
}
