//! The brand of a tenant: its name, logo, colours, language and support contacts, on pages and in mails.

mod cache;
mod change;
mod color;
mod contact;
mod contrast;
mod css;
mod get;
mod image;
mod logo;
mod phone;
mod public;
mod remove_logo;
mod set_logo;
mod stored;

pub use cache::BrandCache;
pub use change::{BrandingChange, change};
pub use color::Color;
pub use contact::{TenantContact, contact_of};
pub use css::css;
pub use get::{Branding, get};
pub use image::{ImageQueue, MAX_UPLOAD_BYTES};
pub(crate) use logo::mail_logo;
pub use logo::{Logo, LogoImage, logo_image};
pub use phone::Phone;
pub(crate) use public::NEUTRAL_NAME;
pub use public::{PublicBrand, find_public};
pub use remove_logo::remove_logo;
pub use set_logo::set_logo;
pub use stored::{MAX_RADIUS, Support};
pub(crate) use stored::{MailColors, mail_style};

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use image::fuzz as fuzz_logo;
