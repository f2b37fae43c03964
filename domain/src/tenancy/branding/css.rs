//! The style sheet of a brand.

use super::{PublicBrand, contrast::text_on};

/// Returns a style sheet of one rule, which sets the custom properties of the brand.
pub fn css(brand: &PublicBrand) -> String {
    let PublicBrand { accent, accent_dark, radius, .. } = brand;
    let (on_accent, on_accent_dark) = (text_on(*accent), text_on(*accent_dark));
    format!(
        ":root{{--portico-accent:light-dark({accent},{accent_dark});\
         --portico-on-accent:light-dark({on_accent},{on_accent_dark});--portico-radius:{radius}px}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_sheet_is_one_rule() {
        let expected = ":root{--portico-accent:light-dark(#1f4fbf,#9db8ff);\
                        --portico-on-accent:light-dark(#ffffff,#0b1020);--portico-radius:8px}";
        assert_eq!(css(&PublicBrand::neutral()), expected);
    }
}
