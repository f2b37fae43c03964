//! A DNS server like that of a container engine: it knows the addresses of one service.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use tokio::net::UdpSocket;

/// A DNS server that answers every query with the current addresses.
#[derive(Clone)]
pub(crate) struct FakeDns {
    addresses: Arc<Mutex<Vec<Ipv4Addr>>>,
    port: u16,
}

impl FakeDns {
    /// Starts on a free port of 127.0.0.1.
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = Self { addresses: Arc::default(), port: socket.local_addr().unwrap().port() };
        tokio::spawn(answer(socket, server.addresses.clone()));
        server
    }

    /// The UDP port of the server.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Adds an address of the service.
    pub(crate) fn add(&self, address: Ipv4Addr) {
        self.addresses.lock().unwrap().push(address);
    }

    /// Removes an address of the service.
    pub(crate) fn remove(&self, address: Ipv4Addr) {
        self.addresses.lock().unwrap().retain(|known| *known != address);
    }
}

/// Answers as in RFC 1035: the query with the flags of a response, new counts and one record for each address.
async fn answer(socket: UdpSocket, addresses: Arc<Mutex<Vec<Ipv4Addr>>>) {
    let mut query = [0; 512];
    while let Ok((length, client)) = socket.recv_from(&mut query).await {
        let addresses = addresses.lock().unwrap().clone();
        let mut response = query[..length].to_vec();
        response[2..4].copy_from_slice(&[0x81, 0x80]);
        response[6..8].copy_from_slice(&(addresses.len() as u16).to_be_bytes());
        response[8..12].fill(0);
        for address in addresses {
            // The name of the query, type A, class IN, a time to live of 0 s, 4 bytes.
            response.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
            response.extend(address.octets());
        }
        let _ = socket.send_to(&response, client).await;
    }
}
