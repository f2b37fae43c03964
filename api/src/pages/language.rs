//! The languages of the pages.

use super::preferences::preferences;

/// A language that has all texts of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
}

impl Language {
    const ALL: [Self; 4] = [Self::En, Self::De, Self::Fr, Self::Es];

    /// Returns the language tag (BCP 47).
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
        }
    }

    /// Returns the language of a tag that may name a script or a region, such as `de-CH`.
    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        let (language, _) = tag.split_once('-').unwrap_or((tag, ""));
        Self::ALL.into_iter().find(|known| known.tag().eq_ignore_ascii_case(language))
    }

    /// Returns the language that an `Accept-Language` header prefers (RFC 9110 §12.5.4). Of equal weights, the first
    /// one counts.
    pub(super) fn accepted(header: &str) -> Option<Self> {
        let known = preferences(header).filter_map(|(tag, weight)| Some((Self::of_tag(&tag)?, weight)));
        let best =
            known.filter(|(_, weight)| *weight > 0.0).reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(language, _)| language)
    }

    /// Returns the sentence that a browser without scripts shows.
    pub(super) const fn without_scripts(self) -> &'static str {
        match self {
            Self::En => "This page needs JavaScript. Please allow it for this address.",
            Self::De => "Diese Seite braucht JavaScript. Bitte erlauben Sie es für diese Adresse.",
            Self::Fr => "Cette page a besoin de JavaScript. Veuillez l’autoriser pour cette adresse.",
            Self::Es => "Esta página necesita JavaScript. Permítalo para esta dirección.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferred_language_of_the_browser_is_chosen() {
        for (header, language) in [
            ("de", Some(Language::De)),
            ("DE-at,en;q=0.9", Some(Language::De)),
            ("nl, fr;q=0.3, es;q=0.8", Some(Language::Es)),
            ("fr;q=0.5, de;q=0.5", Some(Language::Fr)),
            ("de-Latn-CH", Some(Language::De)),
            ("en;q=0, nl", None),
            ("*", None),
            ("", None),
            ("deutsch", None),
            ("d\u{e9}", None),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
