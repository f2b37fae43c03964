//! Who may call an operation: its permission, and whether it needs a fresh session.

use portico_domain::platform::actor::{ClientAdmin, Permission};
use serde_json::{Map, Value, json};

/// The framework has no field for this. So an operation that needs a fresh session lists this name among its security
/// schemes, as it lists its permission. [`describe`] removes both.
pub(crate) const FRESH_SESSION_MARKER: &str = "fresh session";

/// An operation that a user may call who has yet to set up a second factor lists this name among its security schemes.
pub(crate) const UNENROLLED_MARKER: &str = "unenrolled";

/// Moves the permission, the [`FRESH_SESSION_MARKER`] and the [`UNENROLLED_MARKER`] of an operation out of its security
/// schemes into `x-permission`, `x-fresh-session` and `x-unenrolled`, and adds sentences about the first two to its
/// description.
pub(super) fn describe(operation: &mut Value) {
    let permissions: Vec<_> = Permission::ALL.iter().map(|permission| permission.name()).collect();
    let permissions = [permissions, vec![ClientAdmin::PERMISSION]].concat();
    let Some(Value::Array(schemes)) = operation.get_mut("security") else { return };
    let mut added = Map::new();
    schemes.retain(|scheme| {
        let has = |name: &str| scheme.get(name).is_some();
        if has(FRESH_SESSION_MARKER) {
            added.insert("x-fresh-session".into(), true.into());
        }
        if has(UNENROLLED_MARKER) {
            added.insert("x-unenrolled".into(), true.into());
        }
        let permission = permissions.iter().find(|permission| has(permission));
        if let Some(permission) = permission {
            added.insert("x-permission".into(), (*permission).into());
        }
        !has(FRESH_SESSION_MARKER) && !has(UNENROLLED_MARKER) && permission.is_none()
    });
    let permission =
        Permission::ALL.into_iter().find(|permission| added.get("x-permission") == Some(&json!(permission.name())));
    super::add_to_description(operation, &text(permission, added.contains_key("x-fresh-session")));
    if let Value::Object(operation) = operation {
        operation.extend(added);
    }
}

/// Returns what the description of an operation says about who may call it; empty if every caller may.
fn text(permission: Option<Permission>, is_fresh: bool) -> String {
    let mut sentences = Vec::new();
    if let Some(permission) = permission {
        let roles: Vec<_> = permission.roles().map(|role| format!("`{}`", role.name())).collect();
        let roles = match roles.split_last() {
            Some((last, [])) => format!("the role {last} has"),
            Some((last, first)) => format!("the roles {} and {last} have", first.join(", ")),
            None => "no role has".into(),
        };
        sentences.push(format!("Needs the permission `{}`, which {roles}.", permission.name()));
    }
    if is_fresh {
        sentences.push(
            "Needs a fresh session: the user has signed in or stepped up within the last ten minutes; otherwise the \
             response is 403 `step_up_required`."
                .into(),
        );
    }
    sentences.join(" ")
}
