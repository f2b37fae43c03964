//! The languages that have texts.

/// A language that has texts of every mail and every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// `en`, the language of the source texts.
    English,
    /// `de`
    German,
    /// `fr`
    French,
    /// `es`
    Spanish,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::English, Self::German, Self::French, Self::Spanish];

    /// Returns the language tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
        }
    }

    /// Returns the language of `locale`, a language tag that may name a region; `None` if it has no texts.
    ///
    /// ```
    /// use portico_domain::platform::language::Language;
    ///
    /// assert_eq!(Language::of("de-CH"), Some(Language::German));
    /// assert_eq!(Language::of("it"), None);
    /// ```
    pub fn of(locale: &str) -> Option<Self> {
        let (language, _) = locale.split_once('-').unwrap_or((locale, ""));
        Self::ALL.into_iter().find(|known| known.tag().eq_ignore_ascii_case(language))
    }

    /// Returns the language of the first of `locales` that has texts.
    pub fn first_of<'a>(locales: impl IntoIterator<Item = Option<&'a str>>) -> Option<Self> {
        locales.into_iter().flatten().find_map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_with_texts_decides() {
        let (none, german) = (None, Some(Language::German));
        assert_eq!(Language::first_of([none, Some("de-AT"), Some("fr")]), german);
        assert_eq!(Language::first_of([Some("it"), Some("de")]), german);
        assert_eq!(Language::first_of([None, Some("it-CH"), Some("")]), None);
    }
}
