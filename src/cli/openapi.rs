//! `portico openapi`: prints the OpenAPI document. Needs no configuration.

use anyhow::Result;

use super::output::print;

/// Prints the OpenAPI document as JSON.
pub(super) fn run() -> Result<()> {
    print(portico_api::openapi_json().trim_end())?;
    Ok(())
}
