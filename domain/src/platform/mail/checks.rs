//! Checks the texts of one mail in every language. `templates!` makes a test of each mail, which calls [`check`].

use std::collections::BTreeSet;

use super::Rendered;
use crate::platform::language::Language;

/// The name of the recipient in each example.
pub(crate) const NAME: &str = "Ann <b>";
/// The URL behind each button of an example.
pub(crate) const URL: &str = "https://portal.test/page#token=a&b";
/// The code of an example.
pub(crate) const CODE: &str = "123456";

/// English words that the other languages do not have.
const ENGLISH: [&str; 16] =
    ["the", "you", "your", "this", "that", "and", "with", "for", "from", "is", "of", "if", "not", "to", "we", "it"];

/// The context of a mail that can be made for a test.
pub(crate) trait Example {
    /// Returns a context with [`NAME`], [`URL`] and [`CODE`]. Optional values are there if `is_complete`.
    fn example(language: Language, is_complete: bool) -> Self;
}

/// The template of a mail in one language.
pub(crate) struct Template {
    pub(crate) language: Language,
    pub(crate) path: &'static str,
    pub(crate) source: &'static str,
}

/// Panics if a text is missing, says less than the English one, or is not written as docs/translations.md says.
pub(crate) fn check(templates: &[Template], render: impl Fn(Language, bool) -> Rendered) {
    let english = templates.iter().find(|template| template.language == Language::English).unwrap();
    for template in templates {
        let Template { language, path, source } = template;
        assert!(path.ends_with(&format!("/{}.txt", language.tag())), "{path} is not a text in {language:?}");
        for block in ["block subject", "block body"] {
            let (found, expected) = (expressions(source, block), expressions(english.source, block));
            assert_eq!(found, expected, "the {block} of {path} has other values than in English");
        }
        if *language != Language::English {
            assert_translated(path, source, english.source);
        }
        assert_typography(path, *language, &words(source));
        for is_complete in [true, false] {
            assert_rendered(path, source, &render(*language, is_complete));
        }
    }
}

/// Returns what stands between `{{` and `}}` and between `{%` and `%}` in a block, without labels.
fn expressions(source: &str, block: &str) -> BTreeSet<String> {
    let (_, block) = source.split_once(block).unwrap();
    let (block, _) = block.split_once("{% endblock %}").unwrap();
    let parts = block.split('{').skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(expression, _)| expression.split('"').step_by(2).collect()).collect()
}

/// Returns `source` with the labels of buttons, and with an `x` for each other value.
fn words(source: &str) -> String {
    let mut words = String::new();
    for (index, part) in source.split("{{").enumerate() {
        let (expression, text) = if index == 0 { ("", part) } else { part.split_once("}}").unwrap() };
        words.push_str(expression.split('"').nth(1).unwrap_or(if index == 0 { "" } else { "x" }));
        let blocks = text.split("{%").enumerate();
        words.extend(blocks.map(|(index, part)| if index == 0 { part } else { part.split_once("%}").unwrap().1 }));
    }
    words
}

#[track_caller]
fn assert_translated(path: &str, source: &str, english: &str) {
    let (text, english) = (words(source), words(english));
    let of_english: BTreeSet<&str> = english.lines().filter(|line| line.len() > 1).collect();
    for line in text.lines() {
        assert!(!of_english.contains(line), "{path}: {line:?} is not translated");
        for word in line.split(|c: char| !c.is_alphabetic()) {
            assert!(!ENGLISH.contains(&word.to_lowercase().as_str()), "{path}: {word:?} in {line:?} is English");
        }
    }
}

#[track_caller]
fn assert_typography(path: &str, language: Language, text: &str) {
    let informal: &[&str] = match language {
        Language::English => return,
        Language::German => &["du", "dir", "dich", "dein", "deine"],
        Language::French => &["tu", "toi", "ton", "ta", "tes"],
        Language::Spanish => &["tú", "tu", "tus", "ti", "te"],
    };
    assert!(!text.contains(['"', '\'', '<', '&']), "{path} has markup or typewriter quotation marks");
    let has_informal = text.split(|c: char| !c.is_alphabetic()).any(|word| informal.contains(&word));
    assert!(!has_informal, "{path} is not formal");
    let characters: Vec<char> = text.chars().collect();
    for pair in characters.windows(2) {
        let is_spaced = (matches!(pair[1], ':' | ';' | '!' | '?' | '»') && pair[0] != '\u{a0}')
            || (pair[0] == '«' && pair[1] != '\u{a0}');
        assert!(language != Language::French || !is_spaced, "{path}: {pair:?} needs a no-break space");
    }
    let count = |c: char| characters.iter().filter(|found| **found == c).count();
    let is_spanish = language == Language::Spanish;
    assert!(!is_spanish || (count('?') == count('¿') && count('!') == count('¡')), "{path}: ¿ and ¡ open a sentence");
    assert_eq!(count('„'), count('“'), "{path}: quotation marks");
    assert_eq!(count('«'), count('»'), "{path}: quotation marks");
}

#[track_caller]
fn assert_rendered(path: &str, source: &str, Rendered { language, subject, text, html, .. }: &Rendered) {
    assert!(!subject.trim().is_empty() && !subject.contains('\n'), "{path}: {subject:?}");
    assert!(text.contains(NAME), "{path}: {text}");
    assert!(html.contains("Ann &#60;b&#62;") && !html.contains(NAME), "{path}: {html}");
    assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())), "{path}: {html}");
    let (lines, buttons) = (text.lines().filter(|line| *line == URL).count(), html.matches("<a href=").count());
    assert_eq!(lines, buttons, "{path}: the text and the HTML have the same links\n{text}\n{html}");
    if source.contains("mail.link") {
        assert!(buttons == 1 && html.contains(&URL.replace('&', "&#38;")), "{path}: {html}");
    }
    if source.contains("mail.code") {
        assert!(text.lines().any(|line| line == CODE) && html.contains(&format!(">{CODE}<")), "{path}: {html}");
    }
    let has_empty_line = text.contains("\n\n\n") || html.contains("<p></p>");
    assert!(!has_empty_line && !text.contains(" \n") && !text.contains("  "), "{path}: {text:?}");
}
