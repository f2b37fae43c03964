//! The resolution of host names.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use super::{failure::OutboundError, slots::Slot};

/// Finds the addresses of a host name.
#[derive(Clone, Debug, Default)]
pub enum Resolver {
    /// The resolver of the operating system.
    #[default]
    System,
    /// A fixed table, for tests. A name that it does not have is unknown.
    Fixed(Arc<HashMap<String, Vec<IpAddr>>>),
}

impl Resolver {
    /// Returns the addresses of `host`, with `port`.
    ///
    /// The operating system does not stop a lookup when its caller stops waiting, so the lookup keeps `slot` until it
    /// ends. A name server that does not answer therefore blocks the slots of its own provider only.
    ///
    /// # Errors
    /// [`OutboundError::UnknownHost`] if the name cannot be resolved.
    pub(super) async fn resolve(&self, host: &str, port: u16, slot: Slot) -> Result<Vec<SocketAddr>, OutboundError> {
        match self {
            Self::Fixed(table) => {
                let addresses = table.get(host).ok_or(OutboundError::UnknownHost)?;
                Ok(addresses.iter().map(|address| SocketAddr::new(*address, port)).collect())
            }
            Self::System => {
                let host = host.to_owned();
                let lookup = tokio::spawn(async move {
                    let addresses = tokio::net::lookup_host((host, port)).await.map(Iterator::collect);
                    drop(slot);
                    addresses
                });
                match lookup.await {
                    Ok(Ok(addresses)) => Ok(addresses),
                    _ => Err(OutboundError::UnknownHost),
                }
            }
        }
    }
}
