//! Making the images of a logo of an uploaded file.
//!
//! Decoding is the only work of Portico on a complex format that strangers control. So it runs outside of the threads
//! that answer requests, one file at a time, with limits on memory, and a panic of a decoder is a refused file.

mod decode;
mod encode;

use std::{sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use tracing::warn;

use crate::platform::error::{Error, FieldProblem, Result};

/// The largest upload, in bytes.
pub const MAX_UPLOAD_BYTES: usize = 1024 * 1024;
/// How long an upload waits for others.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// The uploads that this process decodes: one at a time, because each may need 200 MiB of memory.
pub struct ImageQueue(Arc<Semaphore>);

impl Default for ImageQueue {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl ImageQueue {
    /// Makes the images of an upload.
    ///
    /// # Errors
    /// - `validation_failed` with the field code `image_invalid` or `image_too_large`: the file cannot be decoded, or
    ///   the image has too many pixels.
    /// - `overloaded`: other uploads take too long.
    pub(super) async fn process(&self, upload: Vec<u8>) -> Result<LogoImages> {
        let permit = timeout(MAX_WAIT, self.0.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(Error::Overloaded) };
        // The task keeps the permit, because it runs on if the request ends before it.
        let processed = spawn_blocking(move || {
            let _permit = permit;
            process(&upload, decode::MAX_PIXELS)
        });
        let processed = processed.await.unwrap_or_else(|error| {
            warn!(%error, "the decoder of an uploaded image panicked");
            Err(decode::invalid())
        });
        processed.map_err(|problem| Error::Invalid(vec![problem.at("")]))
    }
}

/// The images of a logo.
pub(super) struct LogoImages {
    /// The SHA-256 hash of the image on pages, in hexadecimal.
    pub(super) hash: String,
    /// The image on pages.
    pub(super) page: Png,
    /// The image in mails.
    pub(super) mail: Png,
}

/// An image as a PNG file.
pub(super) struct Png {
    /// The file.
    pub(super) png: Vec<u8>,
    /// The width, in pixels.
    pub(super) width: i32,
    /// The height, in pixels.
    pub(super) height: i32,
}

/// Decodes an upload of at most `max_pixels` and makes the images of it.
///
/// # Errors
/// The problem of a file that cannot be decoded, or of an image with too many pixels.
fn process(upload: &[u8], max_pixels: u64) -> std::result::Result<LogoImages, FieldProblem> {
    let decoded = decode::decode(upload, max_pixels)?;
    let page = encode::fit(&decoded, encode::PAGE)?;
    let mail = encode::fit(&decoded, encode::MAIL)?;
    Ok(LogoImages { hash: hex::encode(Sha256::digest(&page.png)), page, mail })
}

/// Checks that an upload is refused, or that its images are small and can be decoded. Images of more than 65,536 pixels
/// are refused, so that an input takes little time.
///
/// # Panics
/// If a property does not hold.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(upload: &[u8]) {
    const FEW_PIXELS: u64 = 65_536;
    let Ok(images) = process(upload, FEW_PIXELS) else { return };
    for (png, limits) in [(&images.page, encode::PAGE), (&images.mail, encode::MAIL)] {
        let (width, height) = (png.width.unsigned_abs(), png.height.unsigned_abs());
        assert!((1..=limits.width).contains(&width) && (1..=limits.height).contains(&height), "{width} x {height}");
        assert!(png.png.len() <= limits.bytes, "{} bytes", png.png.len());
        let again = process(&png.png, FEW_PIXELS);
        assert!(again.is_ok_and(|again| again.page.width == png.width && again.page.height == png.height));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

    use super::*;

    /// Returns an image file of this size: its left half is red, its right half is transparent.
    pub(crate) fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let pixel = |x, _| if x < width / 2 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 0, 0, 0]) };
        let image = DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, pixel));
        let image = if format == ImageFormat::Jpeg { image.into_rgb8().into() } else { image };
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    fn images(upload: &[u8]) -> LogoImages {
        process(upload, decode::MAX_PIXELS).unwrap()
    }

    fn size(png: &Png) -> (i32, i32) {
        let decoded = image::load_from_memory_with_format(&png.png, ImageFormat::Png).unwrap();
        assert_eq!((png.width.unsigned_abs(), png.height.unsigned_abs()), (decoded.width(), decoded.height()));
        (png.width, png.height)
    }

    #[test]
    fn images_are_made_of_each_format_and_fit() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let large = images(&file(1_600, 320, format));
            assert_eq!((size(&large.page), size(&large.mail)), ((800, 160), (400, 80)), "{format:?}");
            let small = images(&file(20, 10, format));
            assert_eq!((size(&small.page), size(&small.mail)), ((20, 10), (20, 10)), "no image is made larger");
        }
        assert_eq!(size(&images(&file(3, 4_000, ImageFormat::Png)).page), (1, 320));
    }

    #[tokio::test]
    async fn only_one_upload_is_decoded_at_a_time() {
        let queue = ImageQueue::default();
        let upload = file(20, 10, ImageFormat::Png);
        assert!(queue.process(upload.clone()).await.is_ok());
        let _other = queue.0.clone().acquire_owned().await.unwrap();
        tokio::time::pause();
        assert!(matches!(queue.process(upload).await, Err(Error::Overloaded)));
    }
}
