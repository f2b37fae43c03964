//! The table of roles and permissions, and what an operation asks of its caller.

use portico_entity::staff_user::Role;

/// What a caller may do in its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Read clients, their portal users and invitations.
    ClientsRead,
    /// Change clients and memberships, invite, and send invitations again.
    ClientsEdit,
    /// Read the mail log.
    EmailsRead,
    /// Send failed mails again.
    EmailsEdit,
    /// Read and export the audit log.
    AuditRead,
    /// Read the settings of the tenant.
    SettingsRead,
    /// Change the settings of the tenant.
    SettingsEdit,
    /// Read the sign-in policy of the tenant.
    PolicyRead,
    /// Change the sign-in policy of the tenant.
    PolicyEdit,
    /// Read the list of staff users, service accounts and their tokens.
    StaffRead,
    /// Change staff users, service accounts and their tokens.
    StaffEdit,
}

impl Permission {
    /// Every permission, in the order of the table in `docs/roles.md`.
    pub const ALL: [Self; 11] = [
        Self::ClientsRead,
        Self::ClientsEdit,
        Self::EmailsRead,
        Self::EmailsEdit,
        Self::AuditRead,
        Self::SettingsRead,
        Self::SettingsEdit,
        Self::PolicyRead,
        Self::PolicyEdit,
        Self::StaffRead,
        Self::StaffEdit,
    ];

    /// Returns the name, as the document and the scopes of tokens write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientsRead => "clients:read",
            Self::ClientsEdit => "clients:edit",
            Self::EmailsRead => "emails:read",
            Self::EmailsEdit => "emails:edit",
            Self::AuditRead => "audit:read",
            Self::SettingsRead => "settings:read",
            Self::SettingsEdit => "settings:edit",
            Self::PolicyRead => "policy:read",
            Self::PolicyEdit => "policy:edit",
            Self::StaffRead => "staff:read",
            Self::StaffEdit => "staff:edit",
        }
    }

    /// Returns the permission with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }

    /// Returns whether an API token can have the permission as a scope. A program never manages staff users, service
    /// accounts or tokens, never changes the settings of the tenant, and has nothing to do with its sign-in policy.
    pub const fn is_scope(self) -> bool {
        !matches!(self, Self::SettingsEdit | Self::PolicyRead | Self::PolicyEdit | Self::StaffRead | Self::StaffEdit)
    }

    /// Returns the permissions that the role gives.
    pub fn of(role: Role) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |permission| permission.is_given_by(role))
    }

    /// Returns the roles that give the permission, the one with the most permissions first.
    pub fn roles(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.is_given_by(*role))
    }

    /// Returns whether staff users and service accounts with this role have the permission. This is the only table of
    /// roles and permissions.
    pub const fn is_given_by(self, role: Role) -> bool {
        match (role, self) {
            (Role::Owner, _) => true,
            (Role::Admin, permission) => !matches!(permission, Self::StaffEdit),
            (Role::Support, Self::ClientsRead | Self::ClientsEdit | Self::EmailsRead | Self::EmailsEdit) => true,
            (
                Role::Support,
                Self::AuditRead
                | Self::SettingsRead
                | Self::SettingsEdit
                | Self::PolicyRead
                | Self::PolicyEdit
                | Self::StaffRead
                | Self::StaffEdit,
            ) => false,
            (Role::Viewer, permission) => !matches!(
                permission,
                Self::ClientsEdit | Self::EmailsEdit | Self::SettingsEdit | Self::PolicyEdit | Self::StaffEdit
            ),
        }
    }
}

/// What an operation asks of its caller, as a type: [`Authorized`](super::Authorized) with this type proves that the
/// caller has it. The types are in [`access`].
pub trait Access: Send + Sync + 'static {
    /// The permission that the caller must have.
    const PERMISSION: Permission;
    /// Whether the user must have proved their identity within the last ten minutes. An API token never has.
    const IS_FRESH: bool;
}

/// The types that implement [`Access`]. Each begins with the name of its permission.
pub mod access {
    use super::{Access, Permission};

    macro_rules! access {
        ($($(#[$doc:meta])* $name:ident: $permission:ident, fresh = $fresh:literal;)*) => {$(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Access for $name {
                const PERMISSION: Permission = Permission::$permission;
                const IS_FRESH: bool = $fresh;
            }
        )*};
    }

    access! {
        /// [`Permission::ClientsRead`].
        ClientsRead: ClientsRead, fresh = false;
        /// [`Permission::ClientsEdit`].
        ClientsEdit: ClientsEdit, fresh = false;
        /// [`Permission::EmailsRead`].
        EmailsRead: EmailsRead, fresh = false;
        /// [`Permission::EmailsEdit`].
        EmailsEdit: EmailsEdit, fresh = false;
        /// [`Permission::AuditRead`].
        AuditRead: AuditRead, fresh = false;
        /// [`Permission::SettingsRead`].
        SettingsRead: SettingsRead, fresh = false;
        /// [`Permission::SettingsEdit`], in a fresh session.
        SettingsEdit: SettingsEdit, fresh = true;
        /// [`Permission::PolicyRead`].
        PolicyRead: PolicyRead, fresh = false;
        /// [`Permission::PolicyEdit`], in a fresh session.
        PolicyEdit: PolicyEdit, fresh = true;
        /// [`Permission::StaffRead`].
        StaffRead: StaffRead, fresh = false;
        /// [`Permission::StaffEdit`], in a fresh session.
        StaffEdit: StaffEdit, fresh = true;
        /// [`Permission::StaffEdit`], also in a session that is not fresh. For operations that only read or revoke.
        StaffEditNotFresh: StaffEdit, fresh = false;
    }
}
