//! `portico roles`: prints the table of all roles and permissions as Markdown. Needs no configuration.

use anyhow::Result;
use portico_domain::{entity::staff_user::Role, platform::actor::Permission};
use serde_json::Value;

use super::output::print;

/// Prints the content of `docs/roles.md`.
///
/// # Errors
/// Returns an error if stdout cannot be written.
pub(super) fn run() -> Result<()> {
    print("# Roles and permissions\n")?;
    print(
        "Staff users and service accounts have one role. `domain/src/platform/actor/permission.rs` has the only table of\n\
         roles and permissions. To update this page: `cargo run -- roles > docs/roles.md`.\n",
    )?;
    let roles: Vec<_> = Role::ALL.iter().map(|role| format!("`{}`", role.name())).collect();
    print(format!("| permission | {} | scope of API tokens |", roles.join(" | ")))?;
    print(format!("|---|{}---|", ":-:|".repeat(roles.len())))?;
    for permission in Permission::ALL {
        let given = Role::ALL.iter().map(|role| if permission.is_given_by(*role) { "yes" } else { "–" });
        let scope = if permission.is_scope() { "yes" } else { "–" };
        let given: Vec<_> = given.collect();
        print(format!("| `{}` | {} | {scope} |", permission.name(), given.join(" | ")))?;
    }
    print(
        "\nA service account is never `owner`. An API token can use a permission if its scopes name the permission and the\n\
         role of its owner gives it at the time of use.\n",
    )?;
    print("## Operations\n")?;
    print(
        "An operation marked with * needs a fresh session: the user has signed in or stepped up within the last ten\n\
         minutes. An API token is refused there.\n",
    )?;
    print("| permission | operations |\n|---|---|")?;
    let document: Value = serde_json::from_str(portico_api::openapi_json())?;
    for permission in Permission::ALL {
        let operations = operations_with(&document, permission);
        let operations = if operations.is_empty() { "–".into() } else { operations.join("<br>") };
        print(format!("| `{}` | {operations} |", permission.name()))?;
    }
    Ok(())
}

/// Returns the operations of the document that need the permission: method, path and id.
fn operations_with(document: &Value, permission: Permission) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if operation["x-permission"] == permission.name() {
                let fresh = if operation["x-fresh-session"] == true { " *" } else { "" };
                let id = operation["operationId"].as_str().unwrap_or_default();
                found.push(format!("`{} {path}` ({id}){fresh}", method.to_uppercase()));
            }
        }
    }
    found
}
