//! The QR code of an `otpauth` URI, as an SVG image.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

use crate::platform::{
    error::{Error, Result},
    secret::PlainToken,
};

/// The width of the empty border, in modules (ISO/IEC 18004 §9.1).
const QUIET_ZONE: usize = 4;

/// Returns the QR code of `text` as an SVG document: a white square and one black path. It is without scripts, styles
/// and references, so that every content security policy lets a page show it as an image.
///
/// # Errors
/// `internal` if the text is too long for a QR code, which no URI of Portico is.
pub(super) fn svg(text: &PlainToken) -> Result<PlainToken> {
    let code = QrCode::with_error_correction_level(text.reveal(), EcLevel::M)
        .map_err(|error| Error::Internal(format!("QR code: {error}")))?;
    let (width, size) = (code.width(), code.width() + 2 * QUIET_ZONE);
    let mut path = String::new();
    for (position, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (position % width + QUIET_ZONE, position / width + QUIET_ZONE);
            // A write to a string does not fail.
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    Ok(PlainToken::new(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/><path d=\"{path}\"/></svg>"
    )))
}
