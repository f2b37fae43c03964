//! An image within the HTML of a mail: a part of the mail that the HTML names by its id (RFC 2392).
//!
//! No image is loaded from a server, so opening a mail is seen by no server, and the image is there without a network.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use lettre::message::{Attachment, MultiPart, SinglePart, header::ContentType};

/// The largest width at which an image is shown, in CSS pixels. The file may have twice as many pixels.
const MAX_SHOWN_WIDTH: f64 = 200.0;
/// The largest height at which an image is shown, in CSS pixels.
const MAX_SHOWN_HEIGHT: f64 = 80.0;

/// A PNG image that is sent with a mail. Clones share the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InlineImage {
    /// The id of the part, without angle brackets (RFC 2045 §7).
    pub(crate) content_id: String,
    /// The width at which the image is shown, in CSS pixels.
    pub(crate) width: u32,
    /// The height at which the image is shown, in CSS pixels.
    pub(crate) height: u32,
    png: Arc<[u8]>,
}

impl InlineImage {
    /// Creates the part of a PNG file of this size in pixels. `hash` identifies the file.
    pub(crate) fn new(hash: &str, png: Vec<u8>, (width, height): (u32, u32)) -> Self {
        let factor = (MAX_SHOWN_WIDTH / f64::from(width)).min(MAX_SHOWN_HEIGHT / f64::from(height)).min(1.0);
        let shown = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
        let content_id = format!("logo-{}@portico", hash.chars().take(16).collect::<String>());
        Self { content_id, width: shown(width), height: shown(height), png: png.into() }
    }

    /// Returns `html` with the image in it, in place of the reference to the part.
    pub(super) fn embed_in(&self, html: &str) -> String {
        let data = format!("data:image/png;base64,{}", STANDARD.encode(&self.png));
        html.replace(&format!("cid:{}", self.content_id), &data)
    }

    /// Returns `html` and the image as the parts of one body (RFC 2387).
    ///
    /// # Errors
    /// A sentence if the content type is not valid.
    fn beside(&self, html: String) -> Result<MultiPart, String> {
        let png = ContentType::parse("image/png").map_err(|error| error.to_string())?;
        let image = Attachment::new_inline(self.content_id.clone()).body(self.png.to_vec(), png);
        Ok(MultiPart::related().singlepart(SinglePart::html(html)).singlepart(image))
    }
}

/// Returns the body of a mail: the text, and the HTML with its image.
///
/// # Errors
/// A sentence if the mail cannot be built.
pub(super) fn body(text: String, html: String, image: Option<&InlineImage>) -> Result<MultiPart, String> {
    match image {
        None => Ok(MultiPart::alternative_plain_html(text, html)),
        Some(image) => {
            let related = image.beside(html)?;
            Ok(MultiPart::alternative().singlepart(SinglePart::plain(text)).multipart(related))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_is_a_part_beside_the_html() {
        let image = InlineImage::new("0123456789abcdef0123", b"\x89PNG".to_vec(), (400, 100));
        assert_eq!((image.content_id.as_str(), image.width, image.height), ("logo-0123456789abcdef@portico", 200, 50));
        let html = format!("<img src=\"cid:{}\">", image.content_id);
        let formatted = body("text".into(), html, Some(&image)).unwrap().formatted();
        let mail = mailparse::parse_mail(&formatted).unwrap();
        assert_eq!(mail.ctype.mimetype, "multipart/alternative");
        assert_eq!(mail.subparts[0].ctype.mimetype, "text/plain");
        let related = &mail.subparts[1];
        assert_eq!(related.ctype.mimetype, "multipart/related");
        let types: Vec<_> = related.subparts.iter().map(|part| part.ctype.mimetype.as_str()).collect();
        assert_eq!(types, ["text/html", "image/png"]);
        assert_eq!(related.subparts[1].get_body_raw().unwrap(), b"\x89PNG");
        let id =
            related.subparts[1].headers.iter().find(|header| header.get_key() == "Content-ID").unwrap().get_value();
        assert_eq!(id, "<logo-0123456789abcdef@portico>");
    }

    #[test]
    fn small_image_is_not_enlarged() {
        let image = InlineImage::new("", Vec::new(), (60, 20));
        assert_eq!((image.width, image.height), (60, 20));
    }
}
