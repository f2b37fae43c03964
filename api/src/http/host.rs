//! The check of the `Host` header (RFC 9112 §3.2).
//!
//! Portico uses the header for nothing: links and cookies come from `PORTICO_PUBLIC_URL`. But a proxy that reads
//! another of two headers than Portico may send a request to the wrong place, so an ambiguous request is refused.

use std::net::Ipv6Addr;

use poem::{
    Request,
    http::{Version, header},
};

use url::Host;

use crate::http::error::ApiError;

/// Checks that an HTTP/1.1 request has one `Host` header, and that the header names a host.
///
/// HTTP/1.0 has no such header, and simple probes of load balancers use that version. So there it may be missing.
///
/// # Errors
/// `malformed_request` if the header is missing, repeated or malformed.
pub(crate) fn check(request: &Request) -> Result<(), ApiError> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version() == Version::HTTP_10 => Ok(()),
        (None, _) => Err(ApiError::Malformed("The request has no Host header.")),
        (Some(host), None) if host.to_str().is_ok_and(is_host) => Ok(()),
        (Some(_), None) => Err(ApiError::Malformed("The Host header is not a host name or address with a port.")),
        (Some(_), Some(_)) => Err(ApiError::Malformed("The request has two Host headers.")),
    }
}

/// Whether `host` is this machine: `localhost`, a name below it (RFC 6761 §6.3), or a loopback address.
pub(crate) fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost" || name.as_ref().ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether `text` is a host name, an IPv4 address or an IPv6 address in brackets, and perhaps a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => return address.parse::<Ipv6Addr>().is_ok(),
        Some((address, rest)) => match rest.strip_prefix(':') {
            Some(port) => return address.parse::<Ipv6Addr>().is_ok() && is_port(port),
            None => return false,
        },
        None => text.split_once(':').unwrap_or((text, "")),
    };
    // A name may have an underscore: container platforms give such names to services.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~');
    !host.is_empty() && host.bytes().all(is_name) && is_port(port)
}

/// Whether `text` is a port, or empty, which means the default port (RFC 3986 §3.2.3).
fn is_port(text: &str) -> bool {
    text.is_empty() || (text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(version: Version, hosts: &[&[u8]]) -> Option<String> {
        let request = Request::builder().version(version);
        let request = hosts.iter().fold(request, |request, host| request.header(header::HOST, *host));
        check(&request.finish()).err().map(|error| error.to_string())
    }

    #[test]
    fn request_names_one_host() {
        let good: [&[u8]; 9] = [
            b"portal.example.com",
            b"portal.example.com:8080",
            b"portal.example.com:",
            b"127.0.0.1:8080",
            b"[::1]",
            b"[2001:db8::1]:443",
            b"portico_api:8080",
            b"localhost.",
            b"xn--mller-kva.example",
        ];
        for host in good {
            assert_eq!(code(Version::HTTP_11, &[host]), None, "{}", String::from_utf8_lossy(host));
        }
        let bad: [&[u8]; 16] = [
            b"",
            b":80",
            b"a b",
            b"a/b",
            b"a,b",
            b"user@a",
            b"a:80:80",
            b"a:x",
            b"a:99999",
            b"a:+80",
            b"::1",
            b"[::1",
            b"[::1]x",
            b"[a]",
            b"a%00",
            b"m\xfcller.example",
        ];
        for host in bad {
            for version in [Version::HTTP_10, Version::HTTP_11] {
                let problem = code(version, &[host]);
                assert_eq!(problem.as_deref(), Some("malformed_request"), "{}", String::from_utf8_lossy(host));
            }
        }
    }

    #[test]
    fn header_may_be_missing_in_http_1_0_only_and_never_repeated() {
        assert_eq!(code(Version::HTTP_10, &[]), None);
        assert_eq!(code(Version::HTTP_11, &[]).as_deref(), Some("malformed_request"));
        for hosts in [[&b"a"[..], b"b"], [b"a", b"a"], [b"a", b""]] {
            assert_eq!(code(Version::HTTP_11, &hosts).as_deref(), Some("malformed_request"));
        }
    }
}
