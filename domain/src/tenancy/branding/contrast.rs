//! Which accent colours can be read, and the nearest one that can.
//!
//! An accent is the colour of links on the background and on surfaces, and the background of buttons with text.

use super::Color;
use crate::platform::error::{FieldError, FieldProblem};

/// The smallest contrast of text (WCAG 2.2, success criterion 1.4.3).
const MIN_CONTRAST: f64 = 4.5;
/// The number of steps between black and white in which a better colour is searched.
const STEPS: u16 = 510;

/// A theme of the pages: what an accent is seen on, and where in a request it is.
pub(super) struct Theme {
    /// The colours behind links: the background of pages, and surfaces.
    backgrounds: [Color; 2],
    /// The colour of the accent in a request, as a JSON pointer.
    pointer: &'static str,
    /// The lightness at the end of the search, which always passes.
    best_lightness: f64,
    /// What a better colour is.
    better: &'static str,
}

/// The light theme. `web/` has the same colours.
pub(super) const LIGHT: Theme = Theme {
    backgrounds: [Color::WHITE, Color::new(0xf6, 0xf7, 0xf9)],
    pointer: "/colors/accent",
    best_lightness: 0.0,
    better: "darker",
};
/// The dark theme. `web/` has the same colours.
pub(super) const DARK: Theme = Theme {
    backgrounds: [Color::new(0x11, 0x14, 0x18), Color::new(0x1a, 0x1f, 0x26)],
    pointer: "/colors/accent_dark",
    best_lightness: 1.0,
    better: "lighter",
};

impl Theme {
    /// Returns the problem of an accent that cannot be read in this theme, with the nearest colour that can.
    pub(super) fn check(&self, accent: Color) -> Option<FieldError> {
        if self.is_readable(accent) {
            return None;
        }
        let suggestion = self.nearest(accent);
        let detail = format!(
            "must have a contrast of at least {MIN_CONTRAST} to the backgrounds of its theme and to text on it; the \
             nearest {} colour that has is {suggestion}",
            self.better
        );
        let problem = FieldProblem::new("contrast_too_low", detail).suggest(suggestion.to_string());
        Some(problem.at(self.pointer))
    }

    fn is_readable(&self, accent: Color) -> bool {
        let on_accent = text_on(accent);
        self.backgrounds.iter().chain([&on_accent]).all(|other| accent.contrast(*other) >= MIN_CONTRAST)
    }

    /// Returns the readable colour with the hue of `accent` whose lightness differs least.
    fn nearest(&self, accent: Color) -> Color {
        let from = accent.lightness();
        let at = |step: u16| from + (self.best_lightness - from) * f64::from(step) / f64::from(STEPS);
        let mut colors = (1..=STEPS).map(|step| accent.with_lightness(at(step)));
        colors.find(|color| self.is_readable(*color)).unwrap_or(text_on(self.backgrounds[0]))
    }
}

/// Returns the colour of text on `background`: white or nearly black, the one with the better contrast.
pub(super) fn text_on(background: Color) -> Color {
    if background.contrast(Color::WHITE) >= background.contrast(Color::NEAR_BLACK) {
        Color::WHITE
    } else {
        Color::NEAR_BLACK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns 4,913 colours that are spread over the space.
    fn colors() -> impl Iterator<Item = Color> {
        let part = |index: u32| u8::try_from((index % 17) * 15 + index % 17).unwrap_or(u8::MAX);
        (0..17_u32.pow(3)).map(move |index| Color::new(part(index), part(index / 17), part(index / 289)))
    }

    #[test]
    fn a_suggestion_is_always_accepted() {
        let mut refused = 0;
        for color in colors() {
            for theme in [&LIGHT, &DARK] {
                let Some(error) = theme.check(color) else { continue };
                let suggestion: Color = error.problem.suggestion.unwrap().parse().unwrap();
                assert_eq!(theme.check(suggestion), None, "{color} → {suggestion}");
                refused += 1;
            }
        }
        assert!((2_000..8_000).contains(&refused), "{refused}");
    }

    #[test]
    fn a_suggestion_is_near_and_keeps_the_hue() {
        for (theme, color, expected) in [
            (&LIGHT, "#ff0000", "#e50000"),
            (&LIGHT, "#ffffff", "#717171"),
            (&LIGHT, "#ffcc00", "#8a6e00"),
            (&DARK, "#1f4fbf", "#5782e4"),
            (&DARK, "#000000", "#868686"),
        ] {
            let error = theme.check(color.parse().unwrap()).unwrap();
            assert_eq!((error.problem.code, error.pointer.as_str()), ("contrast_too_low", theme.pointer));
            assert_eq!(error.problem.suggestion.as_deref(), Some(expected), "{color}");
        }
    }

    #[test]
    fn text_on_an_accepted_accent_is_readable() {
        for color in colors() {
            for theme in [&LIGHT, &DARK] {
                if theme.check(color).is_none() {
                    assert!(color.contrast(text_on(color)) >= MIN_CONTRAST, "{color}");
                }
            }
        }
    }
}
