//! Decoding an uploaded file within limits.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, metadata::Orientation};

use crate::platform::error::FieldProblem;

/// The largest number of pixels.
pub(super) const MAX_PIXELS: u64 = 16_000_000;
/// The largest width and height, in pixels.
const MAX_SIDE: u32 = 16_384;
/// The most memory that the pixels of an image may take, in bytes: that of the largest image with 16 bits for each part
/// of a colour.
const MAX_DECODED_BYTES: u64 = MAX_PIXELS * 8;

/// A decoded image.
pub(super) struct Decoded {
    /// The pixels as they are stored.
    pub(super) image: DynamicImage,
    /// How the image must be turned to be upright.
    pub(super) orientation: Orientation,
}

/// Decodes a PNG, JPEG or WebP file whose image has at most `max_pixels`. The content decides which of these it is. Of
/// an animation, the first image is taken.
///
/// # Errors
/// - `image_invalid`: it is no such file, or it is not complete.
/// - `image_too_large`: the image has too many pixels. Only the header was read.
pub(super) fn decode(file: &[u8], max_pixels: u64) -> Result<Decoded, FieldProblem> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| invalid())?;
    match reader.format() {
        Some(ImageFormat::Png | ImageFormat::WebP) => {}
        Some(ImageFormat::Jpeg) if is_complete_jpeg(file) => {}
        _ => return Err(invalid()),
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| problem(&error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels || decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(too_large());
    }
    // An image whose metadata cannot be read is shown as it is stored.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(|error| problem(&error))?;
    Ok(Decoded { image, orientation })
}

/// Returns whether a JPEG file has an end after its last scan. The decoder takes a file without an end, too, and makes
/// the missing part grey.
fn is_complete_jpeg(file: &[u8]) -> bool {
    let last = |marker: u8| file.windows(2).rposition(|bytes| bytes == [0xff, marker]);
    let (start_of_scan, end_of_image) = (last(0xda), last(0xd9));
    start_of_scan.is_some() && end_of_image > start_of_scan
}

fn problem(error: &ImageError) -> FieldProblem {
    match error {
        ImageError::Limits(_) => too_large(),
        _ => invalid(),
    }
}

/// The problem of a file that cannot be decoded.
pub(super) fn invalid() -> FieldProblem {
    FieldProblem::new("image_invalid", "must be a complete PNG, JPEG or WebP image")
}

fn too_large() -> FieldProblem {
    FieldProblem::new("image_too_large", "must be an image of at most 16 megapixels, and 16384 pixels on each side")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{super::tests::file, *};

    fn code(file: &[u8]) -> Option<&'static str> {
        decode(file, MAX_PIXELS).err().map(|problem| problem.code)
    }

    /// Returns a PNG file whose header claims this size, with the pixels of another one.
    fn png_with_size(width: u32, height: u32) -> Vec<u8> {
        let mut png = file(10, 10, ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&crc.to_be_bytes());
        png
    }

    fn crc32(bytes: &[u8]) -> u32 {
        let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
    }

    #[test]
    fn size_in_the_header_is_checked_before_the_pixels() {
        let started = Instant::now();
        for (width, height) in [(16_001, 1_001), (16_385, 1), (1, 16_385), (u32::MAX >> 1, u32::MAX >> 1)] {
            assert_eq!(code(&png_with_size(width, height)), Some("image_too_large"), "{width} x {height}");
        }
        assert_eq!(
            code(&png_with_size(4_000, 4_000)),
            Some("image_invalid"),
            "the size is allowed; pixels are missing"
        );
        assert_eq!(code(&png_with_size(0, 10)), Some("image_invalid"));
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn every_truncated_file_is_refused() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let whole = file(64, 64, format);
            assert_eq!(code(&whole), None);
            for length in 0..whole.len() - 12 {
                assert_eq!(code(&whole[..length]), Some("image_invalid"), "{format:?} of {length} bytes");
            }
        }
    }

    #[test]
    fn other_formats_are_refused() {
        for other in [
            &b""[..],
            b"GIF89a\x01\0\x01\0\0\0\0;",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            b"<html><script>1</script></html>",
            b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"RIFF\x04\0\0\0WEBP",
            b"II*\0",
        ] {
            assert_eq!(code(other), Some("image_invalid"), "{other:?}");
        }
    }
}
