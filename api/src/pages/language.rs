//! The language of a page.

use portico_domain::platform::language::Language;

use super::preferences::preferences;

/// Returns the language that an `Accept-Language` header prefers (RFC 9110 §12.5.4). Of equal weights, the first one
/// counts.
pub(super) fn accepted(header: &str) -> Option<Language> {
    let known = preferences(header).filter_map(|(tag, weight)| Some((Language::of(&tag)?, weight)));
    let best = known.filter(|(_, weight)| *weight > 0.0).reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(language, _)| language)
}

/// Returns the sentence that a browser without scripts shows.
pub(super) const fn without_scripts(language: Language) -> &'static str {
    match language {
        Language::English => "This page needs JavaScript. Please allow it for this address.",
        Language::German => "Diese Seite braucht JavaScript. Bitte erlauben Sie es für diese Adresse.",
        Language::French => "Cette page a besoin de JavaScript. Veuillez l’autoriser pour cette adresse.",
        Language::Spanish => "Esta página necesita JavaScript. Permítalo para esta dirección.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferred_language_of_the_browser_is_chosen() {
        for (header, language) in [
            ("de", Some(Language::German)),
            ("DE-at,en;q=0.9", Some(Language::German)),
            ("nl, fr;q=0.3, es;q=0.8", Some(Language::Spanish)),
            ("fr;q=0.5, de;q=0.5", Some(Language::French)),
            ("de-Latn-CH", Some(Language::German)),
            ("en;q=0, nl", None),
            ("*", None),
            ("", None),
            ("deutsch", None),
            ("d\u{e9}", None),
        ] {
            assert_eq!(accepted(header), language, "{header}");
        }
    }
}
