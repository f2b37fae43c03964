//! Staff codes: six-digit codes with which staff users sign in. Portico mails the code.
//!
//! A staff user has no password. One sign-in with a code is a code flow. [`send_code()`] starts the flow and
//! [`verify_code()`] completes it. A signed-in staff user proves their identity again in the same way; then
//! [`step_up()`] completes the flow.

mod attempt;
mod code;
pub(crate) mod code_email;
mod send_code;
mod settings;
mod step_up;
mod verify_code;

use portico_entity::code_flow::Column;
use sea_orm::{ColumnTrait, Condition};

use crate::platform::{app::App, clock::MAX_CLOCK_ERROR};

pub use send_code::send_code;
pub use settings::StaffCodeSettings;
pub use step_up::step_up;
pub use verify_code::verify_code;

/// Matches the code flows that have not expired. A flow that expires further ahead than a code is valid was stored by a
/// process with a wrong clock, and does not count: it would use up one of the few flows of its staff user for long.
fn not_expired(app: &App) -> Condition {
    let latest = app.now() + app.section::<StaffCodeSettings>().code_ttl + MAX_CLOCK_ERROR;
    Condition::all().add(Column::ExpiresAt.gt(app.now())).add(Column::ExpiresAt.lte(latest))
}
