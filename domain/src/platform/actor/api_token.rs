//! A program that calls by an API token.

use portico_entity::{api_token, service_account, staff_user};

use super::Permission;

/// A live API token, with its owner.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// The `api_tokens` row.
    pub row: api_token::Model,
    /// Whose token it is.
    pub owner: TokenOwner,
}

/// Whose API token it is.
#[derive(Clone, Debug)]
pub enum TokenOwner {
    /// A staff user: the token is a personal access token.
    StaffUser(staff_user::Model),
    /// A service account.
    ServiceAccount(service_account::Model),
}

impl TokenOwner {
    /// Returns the role of the owner, which bounds what the token may do.
    pub fn role(&self) -> staff_user::Role {
        match self {
            Self::StaffUser(user) => user.role,
            Self::ServiceAccount(account) => account.role,
        }
    }
}

impl ApiToken {
    /// Returns whether the token has the permission: its scopes name it, and its owner has it now.
    pub fn has(&self, permission: Permission) -> bool {
        permission.is_given_by(self.owner.role()) && Scopes::stored(&self.row.scopes).0.contains(&permission)
    }
}

/// The permissions that an API token may use, in the order of [`Permission::ALL`], each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Vec<Permission>);

impl Scopes {
    /// Returns the scopes. Leaves out every permission that cannot be a scope.
    pub fn new(permissions: &[Permission]) -> Self {
        let is_named = |permission: &Permission| permission.is_scope() && permissions.contains(permission);
        Self(Permission::ALL.into_iter().filter(is_named).collect())
    }

    /// Reads the text that the database stores. A name that this version does not know gives no permission.
    pub fn stored(text: &str) -> Self {
        Self::new(&text.split(' ').filter_map(Permission::from_name).collect::<Vec<_>>())
    }

    /// Returns the scopes as the database stores them: their names, separated by spaces.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|permission| permission.name()).collect::<Vec<_>>().join(" ")
    }

    /// Returns the permissions.
    pub fn permissions(&self) -> &[Permission] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_stored_once_in_the_order_of_the_table_and_never_name_staff() {
        let scopes = Scopes::new(&[
            Permission::EmailsRead,
            Permission::StaffEdit,
            Permission::ClientsRead,
            Permission::EmailsRead,
            Permission::StaffRead,
        ]);
        assert_eq!(scopes.to_text(), "clients:read emails:read");
        assert_eq!(Scopes::stored(&scopes.to_text()), scopes);
        assert_eq!(Scopes::stored("staff:edit billing:read  clients:read").to_text(), "clients:read");
        assert_eq!(Scopes::stored("").permissions(), []);
    }
}
