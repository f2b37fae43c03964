//! Where a request came from.

use std::net::{IpAddr, Ipv6Addr};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::platform::secret::PlainToken;

/// How many characters of a user agent are kept.
const MAX_USER_AGENT_CHARS: usize = 200;

/// Where a request came from.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The id that responses, logs, audit events and jobs of one request share.
    pub request_id: Uuid,
    /// The client's IP address; `None` on the command line.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` header without control characters, at most 200 characters.
    pub user_agent: Option<String>,
    /// The values of the cookies of known devices, of both realms.
    pub devices: Vec<String>,
    /// The values of the cookie of trusted devices.
    pub trusted_devices: Vec<PlainToken>,
    /// Cancelled when the client has disconnected and does not wait for the response.
    pub disconnected: CancellationToken,
}

impl RequestContext {
    /// Returns the context of a request that came over the network, without trusted devices.
    pub fn new(request_id: Uuid, ip: Option<IpAddr>, user_agent: Option<&str>, devices: Vec<String>) -> Self {
        let user_agent =
            user_agent.map(|text| text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT_CHARS).collect());
        let (ip, disconnected) = (ip.map(|ip| ip.to_canonical()), CancellationToken::new());
        Self { request_id, ip, user_agent, devices, trusted_devices: Vec::new(), disconnected }
    }

    /// Returns the network that rate limits count, or `local` on the command line.
    pub fn network(&self) -> String {
        self.ip.map_or_else(|| "local".into(), network_of)
    }
}

/// Returns the network of an address for rate limits: the IPv4 address, or the /64 prefix of an IPv6 address.
///
/// ```
/// use portico_domain::platform::actor::network_of;
///
/// assert_eq!(network_of([192, 0, 2, 1].into()), "192.0.2.1");
/// assert_eq!(network_of("2001:db8::1:2:3:4".parse().unwrap()), "2001:db8::/64");
/// ```
pub fn network_of(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}
