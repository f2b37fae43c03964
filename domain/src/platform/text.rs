//! Properties of characters that names and pasted texts depend on.

use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};

/// Returns whether `c` is invisible and without meaning to programs that cannot show it, for example a zero-width space
/// (Unicode property `Default_Ignorable_Code_Point`), or a mark of the text direction.
pub fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Returns `text` without the white space and the invisible characters around it, which come with a text that was
/// copied from a page or a mail.
///
/// ```
/// assert_eq!(portico_domain::platform::text::trim_pasted(" \u{200b}123456\u{feff}\n"), "123456");
/// ```
pub fn trim_pasted(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_ignorable(c))
}
