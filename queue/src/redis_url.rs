//! Parsing of `REDIS_URL`.

use std::{fs, path::Path};

use redis::{Client, TlsCertificates};
use url::Url;

/// Returns a client of the Redis server at `value`. Does not connect yet.
///
/// # Errors
/// A clause that follows the name of the setting. It contains no part of `value` except the path of the file, because
/// `value` may contain a password.
pub(crate) fn client(value: &str) -> Result<Client, String> {
    let wrong =
        || "must be redis://… or rediss://…; percent-encode the characters # / ? % @ : of a password".to_owned();
    let mut url = Url::parse(value).map_err(|_| wrong())?;
    if !["redis", "rediss"].contains(&url.scheme()) || !url.has_host() || url.fragment().is_some() {
        return Err(wrong());
    }
    if url.host_str().is_some_and(|host| host.contains(',')) {
        return Err("must name one host; a list of hosts is not supported".into());
    }
    let (mut ca, mut protocol) = (None, None);
    for (name, value) in url.query_pairs() {
        match &*name {
            "ca" => ca = Some(value.into_owned()),
            "protocol" => protocol = Some(format!("protocol={value}")),
            // The name is not shown: after a `?` in a password, it is a part of the password.
            _ => return Err("has an unknown parameter; the parameters are ca and protocol".into()),
        }
    }
    url.set_query(protocol.as_deref());
    let Some(path) = ca else { return Client::open(url).map_err(|_| wrong()) };
    if url.scheme() != "rediss" {
        return Err("must be rediss://… with ?ca=, because redis://… is not encrypted".into());
    }
    let root_cert = Some(read_certificates(Path::new(&path))?);
    // The URL is parsed first, so that the second error can only concern the certificates.
    Client::open(url.clone()).map_err(|_| wrong())?;
    Client::build_with_tls(url, TlsCertificates { client_tls: None, root_cert }).map_err(|_| not_certificates(&path))
}

/// Reads a PEM file of certificates.
fn read_certificates(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    // A device or a pipe could be read without end.
    if !path.is_file() {
        return Err(format!("has ?ca={shown}, which is not a file"));
    }
    let pem = fs::read(path).map_err(|error| format!("has ?ca={shown}, which cannot be read: {error}"))?;
    let is_pem = String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----");
    if is_pem { Ok(pem) } else { Err(not_certificates(&shown.to_string())) }
}

fn not_certificates(path: &str) -> String {
    format!("has ?ca={path}, which is not a certificate in PEM")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_url_is_refused_without_showing_it() {
        let unencoded =
            ["redis://:can#ary@h", "redis://:can/ary@h", "redis://:can?ary@h", "http://u:canary@h", "redis:"];
        for url in unencoded.into_iter().chain(["redis://:1?canary@h", "redis://h?canary=1", "redis://h/canary"]) {
            let problem = client(url).unwrap_err();
            assert!(!problem.contains("ary"), "{url}: {problem}");
        }
        for url in unencoded {
            assert!(client(url).unwrap_err().contains("percent-encode"), "{url}");
        }
        assert!(client("redis://h1,h2").unwrap_err().contains("one host"));
        for url in ["redis://h", "rediss://:p%23%2F%3F%25@h:6380/1", "redis://h?protocol=resp3"] {
            assert!(client(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_certificate_authority_must_be_a_pem_file_and_needs_tls() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let certificate = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        for (name, text) in [("empty", ""), ("text", "not a certificate"), ("broken", certificate)] {
            fs::write(path(name), text).unwrap();
            let problem = client(&format!("rediss://h?ca={}", path(name))).unwrap_err();
            assert!(problem.contains("not a certificate in PEM"), "{name}: {problem}");
        }
        for missing in [path("missing"), folder.path().display().to_string(), String::new()] {
            assert!(client(&format!("rediss://h?ca={missing}")).unwrap_err().contains("is not a file"), "{missing}");
        }
        assert!(client("redis://h?ca=/x").unwrap_err().contains("rediss://"));
    }
}
