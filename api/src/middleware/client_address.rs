//! Whose request it is, by network address.

use std::net::IpAddr;

use ipnet::IpNet;
use poem::Request;

/// The header by which proxies say for whom they ask.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address: the socket's, unless that is a trusted proxy; then the rightmost address of `X-Forwarded-For`
/// that is not one. What stands further left came from the client and may be a lie.
pub(super) fn client_address(request: &Request, trusted: &[IpNet]) -> Option<IpAddr> {
    let socket = request.remote_addr().as_socket_addr()?.ip().to_canonical();
    let header = request.headers().get_all(FORWARDED_FOR).iter();
    let hops: Vec<&str> = header.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).collect();
    Some(resolve(socket, &hops, trusted))
}

fn resolve(socket: IpAddr, hops: &[&str], trusted: &[IpNet]) -> IpAddr {
    let mut client = socket;
    for hop in hops.iter().rev() {
        if !trusted.iter().any(|network| network.contains(&client)) {
            break;
        }
        // A hop that cannot be read was not written by the proxy before it; that proxy is as far as we can see.
        match parse_hop(hop) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// An address as proxies write it: bare, with a port, in brackets, with a zone.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = match hop.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if hop.matches(':').count() == 1 => hop.split_once(':')?.0,
        None => hop,
    };
    let without_zone = bare.split('%').next().unwrap_or(bare);
    without_zone.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// What holds for any first line as the socket's address and any further lines as headers: nobody but a trusted proxy is
/// believed, and nothing left of the address that counts changes it.
#[cfg(any(test, feature = "fuzzing"))]
pub fn fuzz(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let Some(socket) = lines.next().and_then(|line| line.parse::<IpAddr>().ok()) else { return };
    let socket = socket.to_canonical();
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
    let trusted =
        [IpNet::new_assert([10, 0, 0, 0].into(), 8), IpNet::new_assert([0xfd00, 0, 0, 0, 0, 0, 0, 0].into(), 8)];
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let client = resolve(socket, &hops, &trusted);
    assert_eq!(client, client.to_canonical(), "one bucket for an address, however it is written");
    assert_eq!(parse_hop(&client.to_string()), Some(client), "printing and reading is the identity");
    if !is_trusted(&socket) {
        assert_eq!(client, socket);
    }
    if !is_trusted(&client) {
        let lied = [&["203.0.113.7", "rubbish", "10.0.0.7"], hops.as_slice()].concat();
        assert_eq!(resolve(socket, &lied, &trusted), client, "what stands further left is a claim");
    }
    assert!(client == socket || hops.iter().any(|hop| parse_hop(hop) == Some(client)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(socket: &str, hops: &str) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let hops: Vec<&str> = if hops.is_empty() { vec![] } else { hops.split(',').collect() };
        resolve(socket.parse().unwrap(), &hops, &trusted).to_string()
    }

    #[test]
    fn the_rightmost_untrusted_address_counts() {
        assert_eq!(client("192.0.2.9", "1.1.1.1"), "192.0.2.9", "nobody but a proxy is believed");
        assert_eq!(client("10.0.0.1", "1.1.1.1, 192.0.2.9"), "192.0.2.9");
        assert_eq!(client("10.0.0.1", "1.1.1.1, 192.0.2.9, 10.0.0.2"), "192.0.2.9");
        assert_eq!(client("10.0.0.1", "192.0.2.9, rubbish"), "10.0.0.1");
        assert_eq!(client("10.0.0.1", ""), "10.0.0.1");
        for alias in ["192.0.2.9:4711", "::ffff:192.0.2.9", "[::FFFF:192.0.2.9]:80", " 192.0.2.9 "] {
            assert_eq!(client("10.0.0.1", alias), "192.0.2.9", "{alias}");
        }
        for alias in ["2001:db8::1", "2001:DB8:0:0::1", "[2001:db8::1]:443", "2001:db8::1%eth0"] {
            assert_eq!(client("fd00::1", alias), "2001:db8::1", "{alias}");
        }
    }
}
