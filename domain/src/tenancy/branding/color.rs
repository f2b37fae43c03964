//! Colours, and the contrast between them (WCAG 2.2).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::platform::error::FieldProblem;

/// A colour of the sRGB space: `#` and six hexadecimal digits.
///
/// Parsing ignores the letter case. It fails with the code `color_invalid`.
///
/// ```
/// use portico_domain::tenancy::branding::Color;
///
/// assert_eq!("#1F4FBF".parse::<Color>().unwrap().to_string(), "#1f4fbf");
/// assert_eq!("red".parse::<Color>().unwrap_err().code, "color_invalid");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Color([u8; 3]);

impl Color {
    /// White.
    pub(super) const WHITE: Self = Self([0xff; 3]);
    /// A blue that is nearly black.
    pub(super) const NEAR_BLACK: Self = Self([0x0b, 0x10, 0x20]);

    /// Returns the colour with these parts of red, green and blue.
    pub(super) const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// Returns the contrast between two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Returns the brightness, from 0 to 1 (WCAG 2.2, "relative luminance").
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Returns the lightness of the model HSL, from 0 (black) to 1 (white).
    pub(super) fn lightness(self) -> f64 {
        let [red, green, blue] = self.0.map(f64::from);
        (red.max(green).max(blue) + red.min(green).min(blue)) / 510.0
    }

    /// Returns the colour with the same hue and saturation of the model HSL, and another lightness.
    pub(super) fn with_lightness(self, lightness: f64) -> Self {
        let own = self.lightness();
        // In this model, the distances of the parts from the lightness are in proportion to the chroma, and the chroma
        // to this room.
        let room = |lightness: f64| 1.0 - (2.0 * lightness - 1.0).abs();
        let scale = if room(own) > 0.0 { room(lightness) / room(own) } else { 0.0 };
        Self(self.0.map(|part| {
            let part = lightness + (f64::from(part) / 255.0 - own) * scale;
            (part.clamp(0.0, 1.0) * 255.0).round() as u8
        }))
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for Color {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> Result<Self, FieldProblem> {
        let digits = typed.strip_prefix('#').filter(|digits| digits.len() == 6);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let problem = || FieldProblem::new("color_invalid", "must be # and six hexadecimal digits, such as #1f4fbf");
        let [_, red, green, blue] = number.ok_or_else(problem)?.to_be_bytes();
        Ok(Self::new(red, green, blue))
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.to_string()
    }
}

impl TryFrom<String> for Color {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|problem: FieldProblem| problem.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(text: &str) -> Color {
        text.parse().unwrap()
    }

    #[test]
    fn only_six_hexadecimal_digits_are_a_color() {
        assert_eq!(color("#ABcdEF").to_string(), "#abcdef");
        for wrong in [
            "",
            "#",
            "red",
            "#fff",
            "#1234567",
            "#12345",
            "123456",
            "##12345",
            "#12345g",
            "#+12345",
            " #123456",
            "#123456 ",
            "#123456;}",
            "url(//evil.test)",
            "#１２３４５６",
            "rgb(0,0,0)",
        ] {
            assert_eq!(wrong.parse::<Color>().unwrap_err().code, "color_invalid", "{wrong:?}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        for (one, two, expected) in [
            ("#000000", "#ffffff", 21.0),
            ("#ffffff", "#ffffff", 1.0),
            ("#777777", "#ffffff", 4.478),
            ("#0000ff", "#ffffff", 8.592),
            ("#ff0000", "#ffffff", 3.998),
        ] {
            let found = color(one).contrast(color(two));
            assert!((found - expected).abs() < 0.001, "{one} {two}: {found}");
            assert_eq!(found.to_bits(), color(two).contrast(color(one)).to_bits());
        }
    }

    #[test]
    fn another_lightness_keeps_the_hue() {
        assert_eq!(color("#1f4fbf").with_lightness(0.0).to_string(), "#000000");
        assert_eq!(color("#1f4fbf").with_lightness(1.0).to_string(), "#ffffff");
        assert_eq!(color("#ff0000").with_lightness(0.25).to_string(), "#800000");
        assert_eq!(color("#808080").with_lightness(0.25).to_string(), "#404040");
        let same = color("#1f4fbf");
        assert_eq!(same.with_lightness(same.lightness()), same);
    }
}
