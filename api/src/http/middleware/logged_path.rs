//! The path of a request as the log shows it.

use uuid::Uuid;

/// The longest path in the log, in characters.
const MAX_CHARS: usize = 200;
/// The longest segment that is logged, in characters. Secrets of links and tokens are longer.
const MAX_SEGMENT_CHARS: usize = 32;

/// Returns `path` with `*` in the place of each segment that could hold a secret.
///
/// A person who copies a link by hand, or a program that encodes its `#`, sends the secret of the link as a part of the
/// path, such as `/portal/reset-password%23token=…`. So only segments are shown that look like those of a route: short,
/// in lower case, without encoded characters, and not only digits, which a code would be. Ids are shown too.
pub(super) fn logged_path(path: &str) -> String {
    let shown = path.split('/').map(|segment| if is_harmless(segment) { segment } else { "*" });
    shown.collect::<Vec<_>>().join("/").chars().take(MAX_CHARS).collect()
}

fn is_harmless(segment: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let is_word = segment.len() <= MAX_SEGMENT_CHARS && segment.bytes().all(is_plain);
    let has_letter = segment.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_id = segment.len() == 36 && Uuid::try_parse(segment).is_ok();
    segment.is_empty() || (is_word && has_letter) || is_id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_and_ids_are_shown() {
        for path in [
            "/",
            "/api/portal/auth/sign-out-everywhere",
            "/.well-known/jwks.json",
            "/api/v1/clients/01a1fdba-f86f-76f5-b296-4e548b3691ab/portal-user",
            "//api/docs",
            "/wp-login.php",
        ] {
            assert_eq!(logged_path(path), path);
        }
    }

    #[test]
    fn segments_that_could_hold_a_secret_are_not_shown() {
        let secret = "4mK9wJ2fXq7TzB1nVtR0yLs8hDgP5cEaUoI3xZbQ6Wk";
        for (path, shown) in [
            (format!("/portal/reset-password%23token={secret}"), "/portal/*"),
            (format!("/portal/reset-password%2523token%253D{secret}"), "/portal/*"),
            (format!("/portal/activate;token={secret}"), "/portal/*"),
            (format!("/portal/activate/{secret}"), "/portal/activate/*"),
            (format!("/portal/activate/{}", secret.to_lowercase()), "/portal/activate/*"),
            (format!("/portal/activate&token={secret}/x"), "/portal/*/x"),
            ("/staff/sign-in/123456".into(), "/staff/sign-in/*"),
            ("/portal/ann@example.com".into(), "/portal/*"),
            (format!("/{secret}"), "/*"),
        ] {
            assert_eq!(logged_path(&path), shown);
        }
        assert_eq!(logged_path(&"/a".repeat(1_000)).len(), MAX_CHARS);
    }
}
