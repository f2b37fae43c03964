//! Which IP addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The IPv4 addresses that are not globally reachable unicast addresses (IANA IPv4 Special-Purpose Address Registry).
const SPECIAL_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),       // this network, unspecified
    v4([10, 0, 0, 0], 8),      // private
    v4([100, 64, 0, 0], 10),   // carrier-grade NAT
    v4([127, 0, 0, 0], 8),     // loopback
    v4([169, 254, 0, 0], 16),  // link-local, metadata of clouds
    v4([172, 16, 0, 0], 12),   // private
    v4([192, 0, 0, 0], 24),    // IETF protocol assignments
    v4([192, 0, 2, 0], 24),    // documentation
    v4([192, 31, 196, 0], 24), // AS112
    v4([192, 52, 193, 0], 24), // AMT
    v4([192, 88, 99, 0], 24),  // 6to4 relays
    v4([192, 168, 0, 0], 16),  // private
    v4([198, 18, 0, 0], 15),   // benchmarking
    v4([198, 51, 100, 0], 24), // documentation
    v4([203, 0, 113, 0], 24),  // documentation
    v4([224, 0, 0, 0], 3),     // multicast, reserved, broadcast
];

/// The global unicast addresses of IPv6 (RFC 4291 §2.4). Addresses outside of them are special.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
/// The special networks within [`GLOBAL_V6`] (IANA IPv6 Special-Purpose Address Registry).
const SPECIAL_V6: [Ipv6Net; 6] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // IETF protocol assignments, Teredo, benchmarking, ORCHID
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), // 6to4, which embeds any IPv4 address
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // AS112
    v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16), // the former 6bone
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation
];
/// Addresses that stand for an IPv4 address behind a translator (RFC 6052 §2.1).
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// The networks that an operator may allow.
const NAMEABLE_V4: [Ipv4Net; 5] = [
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
];
const NAMEABLE_V6: [Ipv6Net; 2] = [v6([0, 0, 0, 0, 0, 0, 0, 1], 128), v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7)];

/// Addresses within nameable networks at which clouds serve the credentials of machines. They are never allowed.
const METADATA: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]), prefix)
}

const fn v6(parts: [u16; 8], prefix: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = parts;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// Returns whether `address` belongs to a host on the public internet.
///
/// An IPv6 address that embeds an IPv4 address is judged by that address if it is IPv4-mapped or of NAT64. The other
/// forms (IPv4-compatible, 6to4, Teredo) are not public, because no public server needs them.
pub fn is_public(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address))
        }
    }
}

/// Returns the IPv4 address that an IPv4-mapped address or one of NAT64 stands for, and any other address as it is.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if NAT64.contains(&v6) => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => address.to_canonical(),
    }
}

/// Which addresses a client may connect to: public ones, those of `networks`, and loopback if that is allowed.
#[derive(Clone, Debug)]
pub(super) struct AllowedAddresses {
    /// The networks that the operator names.
    pub(super) networks: Vec<IpNet>,
    /// Whether this machine may be connected to.
    pub(super) is_loopback_allowed: bool,
}

impl AllowedAddresses {
    /// Returns whether a connection to `address` is allowed.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        is_public(address) || self.names(address)
    }

    /// Returns whether `address` is allowed although it is not public.
    pub(super) fn names(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        let is_named = self.networks.iter().any(|network| network.contains(&address));
        !METADATA.contains(&address) && (is_named || self.is_local(address))
    }

    /// Returns whether `address` is this machine, and this machine may be connected to.
    pub(super) fn is_local(&self, address: IpAddr) -> bool {
        self.is_loopback_allowed && canonical(address).is_loopback()
    }
}

/// Parses a comma-separated list of private networks in CIDR notation. An empty text has no network.
///
/// # Errors
/// A clause that follows the name of the variable, if a part is not a network, or not within the private networks of
/// IPv4 and IPv6, carrier-grade NAT and loopback.
pub fn parse_networks(value: &str) -> Result<Vec<IpNet>, String> {
    let example = "e.g. 10.20.0.0/16,fd12:3456::/32";
    let parse = |part: &str| {
        let network: IpNet =
            part.parse().map_err(|_| format!("must be a comma-separated list of networks, {example}"))?;
        let is_nameable = match &network {
            IpNet::V4(network) => NAMEABLE_V4.iter().any(|private| private.contains(network)),
            IpNet::V6(network) => NAMEABLE_V6.iter().any(|private| private.contains(network)),
        };
        if is_nameable { Ok(network) } else { Err(format!("must have only private networks, {example}")) }
    };
    value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "2620:4f:8000::1",
            "3ffe::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address(text)), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
        ] {
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn named_networks_are_allowed_in_each_form_but_never_the_metadata_of_clouds() {
        let networks = parse_networks("10.20.0.0/16, fd00::/8,100.64.0.0/10").unwrap();
        let allowed = AllowedAddresses { networks, is_loopback_allowed: false };
        for text in ["10.20.3.4", "::ffff:10.20.3.4", "64:ff9b::10.20.3.4", "fd00::5", "100.64.1.1", "8.8.8.8"] {
            assert!(allowed.contains(address(text)), "{text}");
        }
        for text in ["10.21.0.1", "127.0.0.1", "::1", "fc00::1", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254"] {
            assert!(!allowed.contains(address(text)), "{text}");
        }
        let local = AllowedAddresses { networks: Vec::new(), is_loopback_allowed: true };
        for (text, is_allowed) in [("127.0.0.2", true), ("::1", true), ("::ffff:127.0.0.1", true), ("10.0.0.1", false)]
        {
            assert_eq!(local.contains(address(text)), is_allowed, "{text}");
        }
    }

    #[test]
    fn only_private_networks_can_be_named() {
        assert_eq!(parse_networks("").unwrap(), []);
        for good in ["10.0.0.0/8", "127.0.0.1/32", "::1/128", "172.20.0.0/16", "192.168.0.0/24", "fd12:3456::/32"] {
            assert_eq!(parse_networks(good).unwrap().len(), 1, "{good}");
        }
        for wrong in [
            "10.0.0.1",
            "10.0.0.0/7",
            "0.0.0.0/0",
            "::/0",
            "169.254.0.0/16",
            "169.254.169.254/32",
            "8.8.8.0/24",
            "fe80::/10",
            "ff00::/8",
            "fc00::/6",
            "2000::/3",
            "::ffff:10.0.0.0/104",
            "private",
            "10.0.0.0/33",
        ] {
            assert!(parse_networks(wrong).unwrap_err().contains("e.g. "), "{wrong}");
        }
    }
}
