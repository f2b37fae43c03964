//! The environment variables that Kubernetes sets for each Service of a namespace.
//!
//! <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>

use std::net::{IpAddr, SocketAddr};

/// The protocols of a Service, as they occur in names and in values.
const PROTOCOLS: [(&str, &str); 3] = [("TCP", "tcp"), ("UDP", "udp"), ("SCTP", "sctp")];

/// Whether Kubernetes sets the variable `PORTICO_` and `rest` to `value` for a Service whose name is `portico` or
/// begins with `portico-`.
///
/// The value decides too, so that a misspelt setting is not taken for such a variable: Kubernetes never sets
/// `PORTICO_PORT` to a number.
pub(super) fn is_service_link(rest: &str, value: &str) -> bool {
    // The rest of the Service's name may itself contain `PORT` or `SERVICE`, so each place where it can end is tried.
    let starts = [0].into_iter().chain(rest.match_indices('_').map(|(at, _)| at + 1));
    let is_name =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    starts.map(|start| rest.split_at(start)).any(|(name, variable)| is_name(name) && is_variable(variable, value))
}

/// Whether `name` and `value` are a variable of a Service, without the name of the Service.
fn is_variable(name: &str, value: &str) -> bool {
    let is_address = || value.parse::<IpAddr>().is_ok();
    match name.strip_prefix("SERVICE_") {
        Some("HOST") => return is_address(),
        Some(rest) => return is_suffix_of(rest, "PORT") && is_port(value),
        None => {}
    }
    let Some(rest) = name.strip_prefix("PORT") else { return false };
    if rest.is_empty() {
        return PROTOCOLS.iter().any(|(_, protocol)| is_url(value, protocol));
    }
    let Some((port, rest)) = rest.strip_prefix('_').and_then(|rest| rest.split_once('_')) else { return false };
    let (protocol, part) = rest.split_once('_').map_or((rest, None), |(protocol, part)| (protocol, Some(part)));
    let Some((_, protocol)) = PROTOCOLS.iter().find(|(name, _)| *name == protocol) else { return false };
    let is_part = match part {
        None => is_url(value, protocol),
        Some("PROTO") => value == *protocol,
        Some("PORT") => value == port,
        Some("ADDR") => is_address(),
        Some(_) => false,
    };
    is_port(port) && is_part
}

/// Whether `text` is `word`, or `word` and the name of a port.
fn is_suffix_of(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| rest.is_empty() || (rest.starts_with('_') && rest.len() > 1))
}

/// Whether `text` is `protocol://address:port`.
fn is_url(text: &str, protocol: &str) -> bool {
    let address = text.strip_prefix(protocol).and_then(|rest| rest.strip_prefix("://"));
    address.is_some_and(|address| address.parse::<SocketAddr>().is_ok())
}

/// Whether `text` is the number of a port.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_kubernetes_sets_are_recognized() {
        for service in ["", "API_", "INTERNAL_METRICS_", "PORT_", "SERVICE_", "2_", "EXPORT_"] {
            for (variable, value) in [
                ("SERVICE_HOST", "10.96.0.7"),
                ("SERVICE_HOST", "fd00::7"),
                ("SERVICE_PORT", "8080"),
                ("SERVICE_PORT_HTTP", "8080"),
                ("SERVICE_PORT_METRICS_INTERNAL", "9080"),
                ("PORT", "tcp://10.96.0.7:8080"),
                ("PORT", "tcp://[fd00::7]:8080"),
                ("PORT", "udp://10.96.0.7:53"),
                ("PORT_8080_TCP", "tcp://10.96.0.7:8080"),
                ("PORT_8080_TCP_PROTO", "tcp"),
                ("PORT_8080_TCP_PORT", "8080"),
                ("PORT_8080_TCP_ADDR", "10.96.0.7"),
                ("PORT_53_UDP", "udp://10.96.0.7:53"),
                ("PORT_53_UDP_PROTO", "udp"),
                ("PORT_7_SCTP_ADDR", "fd00::7"),
            ] {
                assert!(is_service_link(&format!("{service}{variable}"), value), "{service}{variable}={value}");
            }
        }
    }

    #[test]
    fn misspelt_settings_are_not_variables_of_kubernetes() {
        for (variable, value) in [
            ("PORT", "8080"),
            ("PORT", "http://10.96.0.7:8080"),
            ("PORT", "tcp://portico:8080"),
            ("PORTS", "tcp://10.96.0.7:8080"),
            ("LISTEN_PORT", "8080"),
            ("SERVICE_HOST", "portico.example.com"),
            ("SERVICE_HOSTS", "10.96.0.7"),
            ("SERVICE_PORT", "127.0.0.1:8080"),
            ("SERVICE_PORT_", "8080"),
            ("SERVICE_PORTS", "8080"),
            ("SERVICE_NAME", "portico"),
            ("PORT_8080_TCP_PORT", "8081"),
            ("PORT_8080_TCP_PROTO", "udp"),
            ("PORT_8080_TCP_HOST", "10.96.0.7"),
            ("PORT_HTTP_TCP", "tcp://10.96.0.7:8080"),
            ("8080_TCP_ADDR", "10.96.0.7"),
            ("api_SERVICE_PORT", "8080"),
            ("RESET_TLT", "30m"),
            ("", ""),
        ] {
            assert!(!is_service_link(variable, value), "{variable}={value}");
        }
    }
}
