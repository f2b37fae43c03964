//! Making an image smaller and encoding it.

use std::io::Cursor;

use image::{
    DynamicImage, ExtendedColorType, ImageEncoder, RgbaImage,
    codecs::png::{self, CompressionType, PngEncoder},
    imageops::FilterType,
    metadata::Orientation,
};

use super::{
    Png,
    decode::{self, Decoded},
};
use crate::platform::error::FieldProblem;

/// The largest size of an image.
#[derive(Clone, Copy)]
pub(super) struct MaxSize {
    /// The width, in pixels.
    pub(super) width: u32,
    /// The height, in pixels.
    pub(super) height: u32,
    /// The size of the file, in bytes.
    pub(super) bytes: usize,
}

/// The largest image on pages.
pub(super) const PAGE: MaxSize = MaxSize { width: 800, height: 320, bytes: 256 * 1024 };
/// The largest image in mails.
pub(super) const MAIL: MaxSize = MaxSize { width: 400, height: 160, bytes: 64 * 1024 };

/// Returns the image as an upright PNG file of at most this size. A small image keeps its size.
///
/// # Errors
/// `image_invalid` if the image cannot be encoded.
pub(super) fn fit(decoded: &Decoded, max: MaxSize) -> Result<Png, FieldProblem> {
    let Decoded { image, orientation } = decoded;
    let (mut width, mut height) = (max.width, max.height);
    loop {
        let mut smaller = DynamicImage::from(scale(image, *orientation, width, height));
        // Only now: turning the uploaded image would need memory for a second one of its size.
        smaller.apply_orientation(*orientation);
        let png = encode(&smaller.into_rgba8())?;
        // A photograph may need more bytes than are allowed.
        if png.png.len() <= max.bytes || width <= 1 || height <= 1 {
            return Ok(png);
        }
        (width, height) = (width * 3 / 4, height * 3 / 4);
    }
}

/// Makes the image so small that it fits after it was turned.
fn scale(image: &DynamicImage, orientation: Orientation, max_width: u32, max_height: u32) -> RgbaImage {
    let (max_width, max_height) =
        if is_sideways(orientation) { (max_height, max_width) } else { (max_width, max_height) };
    let (width, height) = (image.width(), image.height());
    let of = |side: u32, max: u32| f64::from(max) / f64::from(side);
    let factor = of(width, max_width).min(of(height, max_height)).min(1.0);
    let scaled = |side: u32, max: u32| ((f64::from(side) * factor).round() as u32).clamp(1, max);
    let size = (scaled(width, max_width), scaled(height, max_height));
    if size == (width, height) {
        return image.to_rgba8();
    }
    // Most of the way with a fast method, which needs little memory, and then with a good one.
    let nearly = image.thumbnail_exact(size.0.saturating_mul(2).min(width), size.1.saturating_mul(2).min(height));
    resize(nearly.into_rgba8(), size)
}

/// Makes an image smaller. The colour of a transparent pixel does not mix with that of its neighbours.
fn resize(mut image: RgbaImage, (width, height): (u32, u32)) -> RgbaImage {
    for pixel in image.pixels_mut() {
        let alpha = u32::from(pixel.0[3]);
        pixel.0[..3].iter_mut().for_each(|part| *part = ((u32::from(*part) * alpha + 127) / 255) as u8);
    }
    let mut smaller = DynamicImage::from(image).resize_exact(width, height, FilterType::Lanczos3).into_rgba8();
    for pixel in smaller.pixels_mut() {
        let alpha = u32::from(pixel.0[3]).max(1);
        pixel.0[..3].iter_mut().for_each(|part| *part = (u32::from(*part) * 255 / alpha).min(255) as u8);
    }
    smaller
}

/// Returns whether width and height change places when the image is turned.
fn is_sideways(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

fn encode(image: &RgbaImage) -> Result<Png, FieldProblem> {
    let mut file = Cursor::new(Vec::new());
    let encoder = PngEncoder::new_with_quality(&mut file, CompressionType::Best, png::FilterType::Adaptive);
    let encoded = encoder.write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgba8);
    let side = |side: u32| i32::try_from(side).map_err(|_| decode::invalid());
    encoded.map_err(|_| decode::invalid())?;
    Ok(Png { png: file.into_inner(), width: side(image.width())?, height: side(image.height())? })
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgba};

    use super::{super::tests::file, *};

    fn pixels(png: &Png) -> RgbaImage {
        image::load_from_memory(&png.png).unwrap().into_rgba8()
    }

    #[test]
    fn transparent_pixels_do_not_change_the_colour_of_others() {
        let decoded = decode::decode(&file(1_601, 320, ImageFormat::Png), decode::MAX_PIXELS).unwrap();
        let image = pixels(&fit(&decoded, PAGE).unwrap());
        let visible = image.pixels().filter(|pixel| pixel.0[3] > 40);
        assert!(visible.clone().count() > 10_000);
        for pixel in visible {
            assert!(pixel.0[0] > 240 && pixel.0[1] < 10 && pixel.0[2] < 10, "{pixel:?}");
        }
        assert_eq!(image.get_pixel(790, 100).0[3], 0);
    }

    #[test]
    fn image_is_turned_as_its_metadata_says() {
        let image = decode::decode(&file(400, 1_000, ImageFormat::Png), decode::MAX_PIXELS).unwrap().image;
        let decoded = Decoded { image, orientation: Orientation::Rotate90 };
        let png = fit(&decoded, PAGE).unwrap();
        assert_eq!((png.width, png.height), (800, 320));
        let image = pixels(&png);
        assert_eq!(image.get_pixel(400, 10), &Rgba([255, 0, 0, 255]), "the left side is the upper one now");
        assert_eq!(image.get_pixel(400, 310).0[3], 0);
    }

    #[test]
    fn image_of_noise_becomes_small_enough() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let image = RgbaImage::from_fn(800, 320, |_, _| Rgba([noise(), noise(), noise(), noise()]));
        let decoded = Decoded { image: image.into(), orientation: Orientation::NoTransforms };
        for max in [PAGE, MAIL] {
            let png = fit(&decoded, max).unwrap();
            assert!(png.png.len() <= max.bytes && png.png.len() * 3 > max.bytes, "{} bytes", png.png.len());
        }
    }
}
