//! `portico openapi`: print the document. Needs no configuration.

use anyhow::Result;

pub(super) fn run() -> Result<()> {
    super::print(portico_api::openapi_json().trim_end());
    Ok(())
}
