//! The files of `web/dist`.

use std::borrow::Cow;

use rust_embed::Embed;

/// The folder. A release binary contains it; a debug binary reads it at the start.
#[derive(Embed)]
#[folder = "../web/dist"]
struct Dist;

/// The name of a file, such as `elements/portico-sign-in.js`, and its content.
pub(super) type File = (String, Cow<'static, [u8]>);

/// Returns every file.
pub(super) fn files() -> impl Iterator<Item = File> {
    Dist::iter().filter_map(|name| Some((name.clone().into_owned(), Dist::get(&name)?.data)))
}
