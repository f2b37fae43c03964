//! The content codings of files (RFC 9110 §8.4).

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use poem::http::{HeaderMap, header};

use super::preferences::preferences;

/// Returns whether the client takes gzip. `*` stands for every coding that the header does not name.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings: Vec<_> = values.flat_map(preferences).collect();
    let weight = |name: &str| codings.iter().find(|(coding, _)| coding == name).map(|(_, weight)| *weight);
    weight("gzip").or_else(|| weight("x-gzip")).or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

/// Compresses `content`; `None` if that does not make it smaller.
pub(super) fn gzip(content: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).ok()?;
    encoder.finish().ok().filter(|compressed| compressed.len() < content.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_to_clients_that_take_it() {
        for (header, is_taken) in [
            ("gzip, deflate, br", true),
            ("GZIP;q=0.1", true),
            ("x-gzip", true),
            ("*", true),
            ("br, *;q=0.5", true),
            ("gzip;q=0, *", false),
            ("identity", false),
            ("*;q=0", false),
            ("gzipped", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, header.parse().unwrap())]);
            assert_eq!(accepts_gzip(&headers), is_taken, "{header}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn content_that_does_not_shrink_is_not_compressed() {
        assert!(gzip(&[b'x'; 1_000]).unwrap().len() < 100);
        assert_eq!(gzip(b"x"), None);
    }
}
