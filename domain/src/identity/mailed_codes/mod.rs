//! Mailed codes: six digits with which a user proves access to a mailbox.
//!
//! One request for a code is a code flow of one realm and one purpose. [`send_code()`] starts a flow for an address
//! that may be unknown, and `with_right_code` uses its code up. A code of one realm or purpose is not accepted for
//! another.

mod attempt;
mod code;
pub(crate) mod code_email;
pub(crate) mod enrol_email;
mod live_flows;
mod send_code;
mod settings;

use portico_entity::code_flow::Column;
use sea_orm::{ColumnTrait, Condition};

use crate::platform::{app::App, clock::MAX_CLOCK_ERROR};

pub(crate) use attempt::{use_code, with_right_code};
pub use send_code::send_code;
pub(crate) use send_code::send_enrol_code;
pub use settings::MailedCodeSettings;

/// Matches the code flows that have not expired. A flow that expires further ahead than a code is valid was stored by a
/// process with a wrong clock, and does not count: it would use up one of the few flows of its user for long.
fn not_expired(app: &App) -> Condition {
    let latest = app.now() + app.section::<MailedCodeSettings>().code_ttl + MAX_CLOCK_ERROR;
    Condition::all().add(Column::ExpiresAt.gt(app.now())).add(Column::ExpiresAt.lte(latest))
}
