//! The files of the pages, served under an address that depends on all of their contents.

use std::{borrow::Cow, collections::BTreeMap, sync::OnceLock};

use hyper::body::Bytes;
use poem::{
    Response,
    http::{HeaderMap, StatusCode, header},
};
use sha2::{Digest, Sha256};

use super::{dist, encoding};

/// `Cache-Control` of a file whose address changes with its content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// `Cache-Control` of a file whose content may change at its address.
pub(super) const SHORT_LIVED: &str = "public, max-age=300";
/// The length of the name of a build.
const BUILD_LENGTH: usize = 16;
/// The script that is sent in the place of a script of another build.
const RELOAD: &str = include_str!("reload.js");
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// All files of one build of the pages.
pub(super) struct Assets {
    build: String,
    files: BTreeMap<String, Asset>,
}

/// A file.
struct Asset {
    content: Bytes,
    media_type: &'static str,
    /// The start of the SHA-256 of the content, in hexadecimal.
    hash: String,
    /// The compressed content, which is made at the first request for it. `None` if it is not smaller.
    gzip: OnceLock<Option<Bytes>>,
}

impl Assets {
    /// Takes the files of a build.
    pub(super) fn new(files: impl IntoIterator<Item = dist::File>) -> Self {
        let files = files.into_iter().map(|(name, content)| {
            let asset = Asset::new(&name, content);
            (name, asset)
        });
        let files: BTreeMap<_, _> = files.collect();
        let mut build = Sha256::new();
        for (name, asset) in &files {
            // Both have a length in front, so that no two builds give the same bytes.
            for part in [name.as_bytes(), &asset.content] {
                build.update(part.len().to_be_bytes());
                build.update(part);
            }
        }
        Self { build: shortened_hex(&build.finalize()), files }
    }

    /// Returns the name of the build: the first 16 digits of the SHA-256 of all names and contents.
    pub(super) fn build(&self) -> &str {
        &self.build
    }

    /// Returns the content of a file.
    pub(super) fn content(&self, file: &str) -> Option<&[u8]> {
        self.files.get(file).map(|asset| &*asset.content)
    }

    /// Answers a file at an address that contains the build.
    pub(super) fn immutable(&self, file: &str, request: &HeaderMap) -> Option<Response> {
        self.files.get(file).map(|asset| asset.respond(IMMUTABLE, request))
    }

    /// Answers a file at an address that stays the same.
    pub(super) fn short_lived(&self, file: &str, request: &HeaderMap) -> Option<Response> {
        self.files.get(file).map(|asset| asset.respond(SHORT_LIVED, request))
    }
}

/// Answers a script of another build with one that reloads the page, and every other file with `None`.
///
/// During a deployment, a page of one version may ask a process of another one for its files. The reloaded page names
/// the files of the version that answers it.
pub(super) fn of_other_build(build: &str, file: &str) -> Option<Response> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_script = build.len() == BUILD_LENGTH && build.bytes().all(is_digit) && file.ends_with(".js");
    is_script.then(|| Response::builder().content_type(JAVASCRIPT).body(RELOAD))
}

impl Asset {
    fn new(name: &str, content: Cow<'static, [u8]>) -> Self {
        let content = match content {
            Cow::Borrowed(content) => Bytes::from_static(content),
            Cow::Owned(content) => content.into(),
        };
        let hash = shortened_hex(&Sha256::digest(&content));
        Self { content, media_type: media_type(name), hash, gzip: OnceLock::new() }
    }

    fn respond(&self, cache_control: &str, request: &HeaderMap) -> Response {
        let gzip = if encoding::accepts_gzip(request) { self.gzip() } else { None };
        // The two representations have different bytes, so each has an entity tag of its own (RFC 9110 §8.8.3.3).
        let tag = format!("\"{}{}\"", self.hash, if gzip.is_some() { "-gzip" } else { "" });
        let response = Response::builder()
            .header(header::CACHE_CONTROL, cache_control)
            .header(header::VARY, "accept-encoding")
            .header(header::ETAG, &tag);
        if is_known(request, &tag) {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        let response = response.content_type(self.media_type);
        match gzip {
            Some(gzip) => response.header(header::CONTENT_ENCODING, "gzip").body(gzip),
            None => response.body(self.content.clone()),
        }
    }

    fn gzip(&self) -> Option<Bytes> {
        self.gzip.get_or_init(|| encoding::gzip(&self.content).map(Bytes::from)).clone()
    }
}

/// Returns whether the client has the representation with this entity tag (RFC 9110 §13.1.2).
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

fn shortened_hex(hash: &[u8]) -> String {
    hash.iter().take(BUILD_LENGTH / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the media type of a file by the end of its name.
fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => JAVASCRIPT,
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json; charset=utf-8",
        Some("svg") => "image/svg+xml; charset=utf-8",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;
    use crate::pages::dist;

    fn assets(files: &[(&str, &'static str)]) -> Assets {
        Assets::new(files.iter().map(|(name, content)| ((*name).to_owned(), Cow::Borrowed(content.as_bytes()))))
    }

    #[test]
    fn build_depends_on_every_name_and_content_and_not_on_the_order() {
        let build = |files: &[(&str, &'static str)]| assets(files).build().to_owned();
        let first = build(&[("a.js", "1"), ("b.js", "2")]);
        assert_eq!(first, build(&[("b.js", "2"), ("a.js", "1")]));
        assert!(first.len() == 16 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
        for other in [
            [("a.js", "1"), ("b.js", "3")],
            [("a.js", "1"), ("c.js", "2")],
            [("a.js", "1b"), (".js", "2")],
            [("a.js", ""), ("b.js", "12")],
        ] {
            assert_ne!(first, build(&other), "{other:?}");
        }
    }

    #[test]
    fn every_file_of_the_pages_has_a_media_type() {
        for (name, _) in dist::files() {
            assert_ne!(media_type(&name), "application/octet-stream", "add the end of {name} to the table");
        }
    }

    #[tokio::test]
    async fn file_is_sent_plain_compressed_or_not_at_all() {
        let text: &str = "x".repeat(1_000).leak();
        let assets = assets(&[("a.js", text)]);
        let get = |headers: &[(header::HeaderName, &str)]| {
            let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
            assets.immutable("a.js", &headers.collect()).unwrap()
        };
        let plain = get(&[]);
        let tag = plain.headers()[header::ETAG].to_str().unwrap().to_owned();
        let gzip = get(&[(header::ACCEPT_ENCODING, "gzip")]);
        let gzip_tag = gzip.headers()[header::ETAG].to_str().unwrap().to_owned();
        assert_ne!(tag, gzip_tag);
        assert_eq!(gzip.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(plain.into_body().into_string().await.unwrap(), text);
        assert!(gzip.into_body().into_vec().await.unwrap().len() < 100);
        for (known, status) in [
            (tag.clone(), 304),
            (format!("\"x\", W/{tag}"), 304),
            ("*".into(), 304),
            (gzip_tag, 200),
            (tag.trim_matches('"').into(), 200),
        ] {
            assert_eq!(get(&[(header::IF_NONE_MATCH, &known)]).status(), status, "{known}");
        }
    }

    #[test]
    fn only_scripts_of_another_build_are_replaced() {
        assert!(of_other_build("0123456789abcdef", "x/y.js").is_some());
        for (build, file) in [
            ("0123456789abcdef", "y.css"),
            ("0123456789abcdef", ""),
            ("0123456789abcde", "y.js"),
            ("0123456789ABCDEF", "y.js"),
            ("..", "y.js"),
            ("", "y.js"),
        ] {
            assert!(of_other_build(build, file).is_none(), "{build} {file}");
        }
    }
}
