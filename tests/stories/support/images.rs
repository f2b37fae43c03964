//! Image files, good and hostile.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use reqwest::Method;

use super::{Browser, Response, World, http, paths::BRANDING_LOGO};

/// An image file of this size and format, whose pixels are all red.
pub(crate) fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = DynamicImage::ImageRgba8(RgbaImage::from_pixel(width, height, Rgba([200, 0, 0, 255])));
    let image = if format == ImageFormat::Jpeg { image.into_rgb8().into() } else { image };
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A PNG file of this size.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    file(width, height, ImageFormat::Png)
}

/// A small PNG file whose header claims this size.
pub(crate) fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let mut png = png(10, 10);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let header_crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&header_crc.to_be_bytes());
    png
}

/// The checksum of a chunk of a PNG file.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// Uploads a file as the logo of the tenant, and says that it is PNG.
pub(crate) async fn upload(staff: &Browser, file: &[u8]) -> Response {
    upload_as(staff, file, "image/png").await
}

/// Uploads a file as the logo of the tenant with this content type.
pub(crate) async fn upload_as(staff: &Browser, file: &[u8], content_type: &str) -> Response {
    staff.send_bytes(Method::PUT, BRANDING_LOGO, Some(file.to_vec()), &[("content-type", content_type)]).await
}

/// Loads an image from the first API.
pub(crate) async fn load(world: &World, path: &str) -> DynamicImage {
    let response = http::get(format!("{}{path}", world.apis[0])).await.unwrap();
    assert_eq!(response.headers()["content-type"], "image/png", "{path}");
    image::load_from_memory_with_format(&response.bytes().await.unwrap(), ImageFormat::Png).unwrap()
}
