//! The network address of the client that sent a request.

use std::net::IpAddr;

use ipnet::IpNet;
use poem::{
    Request,
    http::{HeaderMap, HeaderName},
};

/// The header in which proxies list the addresses that a request came from.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Returns the address of the client; `None` if the request did not come from a TCP socket.
///
/// The address is that of the socket unless the socket belongs to a trusted proxy. Then it is the rightmost address
/// in `X-Forwarded-For` that is not a trusted proxy. The addresses further left were sent by the client and may be
/// forged.
pub(super) fn client_address(request: &Request, trusted: &[IpNet]) -> Option<IpAddr> {
    let socket = request.remote_addr().as_socket_addr()?.ip().to_canonical();
    Some(resolve(socket, &hops(request.headers()), trusted))
}

/// Returns the `X-Forwarded-For` entries from left to right.
///
/// The entries are bytes, because an entry that is left out would make the entry to its left the rightmost one, and a
/// client chooses that.
fn hops(headers: &HeaderMap) -> Vec<&[u8]> {
    let values = headers.get_all(&FORWARDED_FOR).iter();
    values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).collect()
}

/// Returns the client's address for a socket address and the `X-Forwarded-For` entries from left to right.
fn resolve(socket: IpAddr, hops: &[&[u8]], trusted: &[IpNet]) -> IpAddr {
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
fn parse_hop(hop: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(hop).ok()?.trim();
    let (bare, port) = match hop.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None if hop.matches(':').count() == 1 => hop.split_at(hop.find(':')?),
        None => (hop, ""),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return None;
    }
    let without_zone = bare.split('%').next().unwrap_or(bare);
    without_zone.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Fuzz target: the first line of `data` is the socket's address, each further line an `X-Forwarded-For` header.
///
/// Only trusted proxies can change the result, and entries to the left of the resulting address have no effect.
#[cfg(any(test, feature = "fuzzing"))]
pub fn fuzz(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let socket = lines.next().and_then(|line| str::from_utf8(line).ok()?.parse::<IpAddr>().ok());
    let Some(socket) = socket.map(|socket| socket.to_canonical()) else { return };
    let hops: Vec<&[u8]> = lines.flat_map(|line| line.split(|byte| *byte == b',')).collect();
    let trusted =
        [IpNet::new_assert([10, 0, 0, 0].into(), 8), IpNet::new_assert([0xfd00, 0, 0, 0, 0, 0, 0, 0].into(), 8)];
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let client = resolve(socket, &hops, &trusted);
    assert_eq!(client, client.to_canonical(), "each address has one form, so it has one rate limit");
    assert_eq!(
        parse_hop(client.to_string().as_bytes()),
        Some(client),
        "a formatted address parses to the same address"
    );
    if !is_trusted(&socket) {
        assert_eq!(client, socket);
    }
    if !is_trusted(&client) {
        let forged = [&[&b"203.0.113.7"[..], b"rubbish", b"10.0.0.7"], hops.as_slice()].concat();
        assert_eq!(resolve(socket, &forged, &trusted), client, "entries further left have no effect");
    }
    assert!(client == socket || hops.iter().any(|hop| parse_hop(hop) == Some(client)));
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn client_of(socket: &str, headers: &[&[u8]]) -> String {
        let headers: HeaderMap =
            headers.iter().map(|value| (FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap())).collect();
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        resolve(socket.parse().unwrap(), &hops(&headers), &trusted).to_string()
    }

    fn client(socket: &str, hops: &str) -> String {
        client_of(socket, &[hops.as_bytes()])
    }

    /// A client sends the first header or entry, so it must not become the rightmost one.
    #[test]
    fn unparsable_rightmost_entry_counts_as_the_proxy() {
        for rightmost in
            [&b"rubbish"[..], b"unknown", b"", b" ", b"\xff", "é".as_bytes(), b"192.0.2.9:x", b"[::1]x", b"1.2.3"]
        {
            let shown = String::from_utf8_lossy(rightmost);
            assert_eq!(client_of("10.0.0.1", &[b"203.0.113.7", rightmost]), "10.0.0.1", "{shown}");
            assert_eq!(client_of("10.0.0.1", &[&[b"203.0.113.7, ", rightmost].concat()]), "10.0.0.1", "{shown}");
            let behind_two = [&[b"203.0.113.7, ", rightmost, b", 10.0.0.2"].concat()[..]];
            assert_eq!(client_of("10.0.0.1", &behind_two), "10.0.0.2", "{shown}");
        }
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
