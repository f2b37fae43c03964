//! A name server that knows one answer, as a container engine's does: the addresses of a service.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use tokio::net::UdpSocket;

/// Answers every question with the addresses of the moment.
#[derive(Clone)]
pub(crate) struct FakeDns {
    addresses: Arc<Mutex<Vec<Ipv4Addr>>>,
    port: u16,
}

impl FakeDns {
    /// Starts on a free port of 127.0.0.1.
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let names = Self { addresses: Arc::default(), port: socket.local_addr().unwrap().port() };
        tokio::spawn(answer(socket, names.addresses.clone()));
        names
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn add(&self, address: Ipv4Addr) {
        self.addresses.lock().unwrap().push(address);
    }

    pub(crate) fn remove(&self, address: Ipv4Addr) {
        self.addresses.lock().unwrap().retain(|known| *known != address);
    }
}

/// RFC 1035: the question comes back with flags, counts and one record for each address.
async fn answer(socket: UdpSocket, addresses: Arc<Mutex<Vec<Ipv4Addr>>>) {
    let mut question = [0; 512];
    while let Ok((length, asker)) = socket.recv_from(&mut question).await {
        let addresses = addresses.lock().unwrap().clone();
        let mut answer = question[..length].to_vec();
        answer[2..4].copy_from_slice(&[0x81, 0x80]);
        answer[6..8].copy_from_slice(&(addresses.len() as u16).to_be_bytes());
        answer[8..12].fill(0);
        for address in addresses {
            // The name of the question, type A, class IN, 0 s to live, 4 bytes.
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
            answer.extend(address.octets());
        }
        let _ = socket.send_to(&answer, asker).await;
    }
}
