//! Short readable names of devices, from the `User-Agent` header (RFC 9110 §10.1.5).
//!
//! A client can write anything into the header. So a name is for display only, and consists of the words in this file.

use super::language::Language;

/// The browsers and programs, each with a text that its user agent contains. The first match counts: the user agents of
/// many browsers also name Chrome and Safari.
const PROGRAMS: [(&str, &str); 14] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-requests/", "Python"),
];

/// The systems, each with a text that a user agent contains. The first match counts: Android also names Linux, and an
/// iPhone also names Mac OS X.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// The words between the names, in one language.
struct Words {
    on: &'static str,
    unknown_browser: &'static str,
    unknown_device: &'static str,
}

/// Returns a short name of the device that sent `user_agent`, such as `Firefox on Windows`, or `Unknown device`.
///
/// ```
/// use portico_domain::platform::{language::Language, user_agent::device_name};
///
/// let firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// assert_eq!(device_name(Some(firefox), Language::English), "Firefox on Windows");
/// assert_eq!(device_name(None, Language::German), "Unbekanntes Gerät");
/// ```
pub fn device_name(user_agent: Option<&str>, language: Language) -> String {
    let Words { on, unknown_browser, unknown_device } = words(language);
    let text = user_agent.unwrap_or_default();
    let first =
        |table: &[(&str, &'static str)]| table.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name);
    match (first(&PROGRAMS), first(&SYSTEMS)) {
        (Some(program), Some(system)) => format!("{program} {on} {system}"),
        (Some(program), None) => program.to_owned(),
        (None, Some(system)) => format!("{unknown_browser} {on} {system}"),
        (None, None) => unknown_device.to_owned(),
    }
}

const fn words(language: Language) -> Words {
    match language {
        Language::English => Words { on: "on", unknown_browser: "Unknown browser", unknown_device: "Unknown device" },
        Language::German => {
            Words { on: "auf", unknown_browser: "Unbekannter Browser", unknown_device: "Unbekanntes Gerät" }
        }
        Language::French => {
            Words { on: "sur", unknown_browser: "Navigateur inconnu", unknown_device: "Appareil inconnu" }
        }
        Language::Spanish => {
            Words { on: "en", unknown_browser: "Navegador desconocido", unknown_device: "Dispositivo desconocido" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_have_their_names() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 \
                 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 CriOS/140.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile \
                 Safari/537.36",
                "Chrome on Android",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            ("curl/8.14.1", "curl"),
            ("Windows", "Unknown browser on Windows"),
            ("https://evil.test/ Click here", "Unknown device"),
            ("", "Unknown device"),
        ] {
            assert_eq!(device_name(Some(user_agent), Language::English), name);
        }
    }
}
