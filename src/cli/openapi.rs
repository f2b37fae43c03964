//! `portico openapi`: prints the OpenAPI document. Needs no configuration.

use anyhow::Result;

/// Prints the OpenAPI document as JSON.
pub(super) fn run() -> Result<()> {
    super::print(portico_api::openapi_json().trim_end())?;
    Ok(())
}
