//! The network address of the client that sent a request.

use std::net::IpAddr;

use ipnet::IpNet;
use poem::Request;

/// The header in which proxies list the addresses that a request came from.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Returns the address of the client; `None` if the request did not come from a TCP socket.
///
/// The address is that of the socket unless the socket belongs to a trusted proxy. Then it is the rightmost address
/// in `X-Forwarded-For` that is not a trusted proxy. The addresses further left were sent by the client and may be
/// forged.
pub(super) fn client_address(request: &Request, trusted: &[IpNet]) -> Option<IpAddr> {
    let socket = request.remote_addr().as_socket_addr()?.ip().to_canonical();
    let header = request.headers().get_all(FORWARDED_FOR).iter();
    let hops: Vec<&str> = header.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).collect();
    Some(resolve(socket, &hops, trusted))
}

/// Returns the client's address for a socket address and the `X-Forwarded-For` entries from left to right.
fn resolve(socket: IpAddr, hops: &[&str], trusted: &[IpNet]) -> IpAddr {
    let mut client = socket;
    for hop in hops.iter().rev() {
        if !trusted.iter().any(|network| network.contains(&client)) {
            break;
        }
        // An entry that is not an address was not added by a trusted proxy, so the proxy to its right is the last
        // known hop.
        match parse_hop(hop) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// Parses an address as proxies write it: plain, with a port, in brackets, or with a zone.
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

/// Fuzz target: the first line of `data` is the socket's address, each further line an `X-Forwarded-For` header.
///
/// Only trusted proxies can change the result, and entries to the left of the resulting address have no effect.
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
    assert_eq!(client, client.to_canonical(), "each address has one form, so it has one rate limit");
    assert_eq!(parse_hop(&client.to_string()), Some(client), "a formatted address parses to the same address");
    if !is_trusted(&socket) {
        assert_eq!(client, socket);
    }
    if !is_trusted(&client) {
        let forged = [&["203.0.113.7", "rubbish", "10.0.0.7"], hops.as_slice()].concat();
        assert_eq!(resolve(socket, &forged, &trusted), client, "entries further left have no effect");
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
    fn client_is_the_rightmost_untrusted_address() {
        assert_eq!(client("192.0.2.9", "1.1.1.1"), "192.0.2.9", "the header of an untrusted peer is ignored");
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
