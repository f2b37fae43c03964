//! How the body of a mail shows what is more than text: a link, a code, a time. The templates see it as `show`.
//!
//! The same template becomes the plain text and the HTML of a mail. Templates therefore contain no markup, and say
//! `{{ show.button("Sign in", mail.link) }}`.

use std::fmt;

use askama::{Template, filters::HtmlSafeOutput};
use chrono::Datelike;

use crate::platform::{clock::Time, language::Language};

/// The colours of a button, as CSS writes them.
#[derive(Clone)]
pub(crate) struct ButtonColors {
    /// The colour of the background.
    pub(crate) background: String,
    /// The colour of the text.
    pub(crate) text: String,
}

/// Shows parts of a mail in one format and one language.
pub(crate) struct Show {
    format: Format,
    language: Language,
}

enum Format {
    Text,
    Html(ButtonColors),
}

/// A link that the reader is asked to open.
pub(crate) enum Button<'a> {
    Text { label: &'a str, colon: &'static str, url: &'a str },
    Html(HtmlButton<'a>),
}

#[derive(Template)]
#[template(path = "platform/mail/button.html")]
pub(crate) struct HtmlButton<'a> {
    label: &'a str,
    url: &'a str,
    colors: &'a ButtonColors,
}

impl fmt::Display for Button<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { label, colon, url } => write!(f, "{label}{colon}\n{url}"),
            Self::Html(button) => button.fmt(f),
        }
    }
}

impl Show {
    /// Shows parts in the plain text of a mail.
    pub(crate) const fn text(language: Language) -> Self {
        Self { format: Format::Text, language }
    }

    /// Shows parts in the HTML of a mail.
    pub(crate) const fn html(language: Language, colors: ButtonColors) -> Self {
        Self { format: Format::Html(colors), language }
    }

    /// A link that the reader is asked to open: a button, or in plain text the label and the URL in a line of its own.
    pub(crate) fn button<'a>(&'a self, label: &'a str, url: &'a str) -> HtmlSafeOutput<Button<'a>> {
        HtmlSafeOutput(match &self.format {
            Format::Text => Button::Text { label, colon: self.colon(), url },
            Format::Html(colors) => Button::Html(HtmlButton { label, url, colors }),
        })
    }

    /// A code of digits to be typed in.
    pub(crate) fn code(&self, digits: &str) -> HtmlSafeOutput<String> {
        HtmlSafeOutput(match &self.format {
            Format::Text => digits.to_owned(),
            Format::Html(_) => format!("<strong style=\"font-size:28px;letter-spacing:4px\">{digits}</strong>"),
        })
    }

    /// A time in UTC, for example `3 March 2026, 09:05 UTC`.
    pub(crate) fn time(&self, time: &Time) -> String {
        let month = month(self.language, time.month0());
        let (day, year, clock) = (time.day(), time.year(), time.format("%H:%M"));
        match self.language {
            Language::English => format!("{day} {month} {year}, {clock} UTC"),
            Language::German => format!("{day}. {month} {year} um {clock} Uhr (UTC)"),
            Language::French if day == 1 => format!("1er {month} {year} à {clock} UTC"),
            Language::French => format!("{day} {month} {year} à {clock} UTC"),
            Language::Spanish => format!("{day} de {month} de {year} a las {clock} UTC"),
        }
    }

    /// A number of minutes, for example `10 minutes`.
    pub(crate) fn minutes(&self, count: &u64) -> String {
        let (one, other) = match self.language {
            Language::English | Language::French => ("minute", "minutes"),
            Language::German => ("Minute", "Minuten"),
            Language::Spanish => ("minuto", "minutos"),
        };
        format!("{count} {}", if *count == 1 { one } else { other })
    }

    const fn colon(&self) -> &'static str {
        match self.language {
            Language::English | Language::German | Language::Spanish => ":",
            Language::French => "\u{a0}:",
        }
    }
}

/// Returns the name of a month, counted from 0.
const fn month(language: Language, month0: u32) -> &'static str {
    let names = match language {
        Language::English => [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        Language::German => [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        Language::French => [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
        Language::Spanish => [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
    };
    names[(month0 % 12) as usize]
}

/// Returns the body of a mail in plain text: its paragraphs, with one empty line between them.
pub(crate) fn plain_text(body: &str) -> String {
    let mut text = paragraphs(body).collect::<Vec<_>>().join("\n\n");
    text.push('\n');
    text
}

/// Returns the body of a mail as HTML: an element for each paragraph. `body` is escaped already.
pub(crate) fn html(body: &str) -> HtmlSafeOutput<String> {
    HtmlSafeOutput(paragraphs(body).map(|part| format!("<p>{}</p>\n", part.replace('\n', "<br>\n"))).collect())
}

/// Returns what empty lines separate.
fn paragraphs(body: &str) -> impl Iterator<Item = &str> {
    body.split("\n\n").map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_the_form_of_the_language() {
        let time = |date: &str| date.parse::<Time>().unwrap();
        for (language, march, first) in [
            (Language::English, "3 March 2026, 09:05 UTC", "1 December 2026, 23:59 UTC"),
            (Language::German, "3. März 2026 um 09:05 Uhr (UTC)", "1. Dezember 2026 um 23:59 Uhr (UTC)"),
            (Language::French, "3 mars 2026 à 09:05 UTC", "1er décembre 2026 à 23:59 UTC"),
            (Language::Spanish, "3 de marzo de 2026 a las 09:05 UTC", "1 de diciembre de 2026 a las 23:59 UTC"),
        ] {
            let show = Show::text(language);
            assert_eq!(show.time(&time("2026-03-03T09:05:00Z")), march);
            assert_eq!(show.time(&time("2026-12-01T23:59:59Z")), first);
        }
    }

    #[test]
    fn one_minute_is_singular() {
        let minutes = |language, count| Show::text(language).minutes(&count);
        assert_eq!(minutes(Language::English, 1), "1 minute");
        assert_eq!(minutes(Language::German, 10), "10 Minuten");
        assert_eq!(minutes(Language::French, 10), "10 minutes");
        assert_eq!(minutes(Language::Spanish, 1), "1 minuto");
    }

    #[test]
    fn the_url_and_the_label_of_a_button_are_escaped_in_html() {
        let (label, url) = ("a<b", "https://x.test/\"><script>");
        let colors = ButtonColors { background: "#1f4fbf".into(), text: "#ffffff".into() };
        let html = Show::html(Language::English, colors).button(label, url).to_string();
        assert!(!html.contains("<script>") && html.contains("a&#60;b") && html.contains("&#34;&#62;"), "{html}");
        let text = Show::text(Language::French).button("Se connecter", "https://x.test").to_string();
        assert_eq!(text, "Se connecter\u{a0}:\nhttps://x.test");
    }

    #[test]
    fn empty_lines_separate_paragraphs() {
        let body = "\nHello Ann,\n\n\n\nTime: 09:05\nDevice: curl\n\n\n";
        assert_eq!(plain_text(body), "Hello Ann,\n\nTime: 09:05\nDevice: curl\n");
        assert_eq!(html(body).0, "<p>Hello Ann,</p>\n<p>Time: 09:05<br>\nDevice: curl</p>\n");
    }
}
