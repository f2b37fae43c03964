//! `portico remote branding`: the brand of the tenant on pages and in mails. No API token can change it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    answer::Answer,
    api_request::ApiRequest,
    context::Context,
    failure::{Failure, Result},
    output::{self, Output},
};

/// The brand of the tenant.
const BRANDING: &str = "/api/v1/branding";
/// The logo of the tenant.
const LOGO: &str = "/api/v1/branding/logo";
/// The largest logo, in bytes.
const MAX_LOGO_BYTES: u64 = 1024 * 1024;
/// The first bytes of the files that can be a logo, and their media types.
const IMAGE_TYPES: [(&[u8], &str); 3] =
    [(b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp")];

/// The commands of `portico remote branding`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Shows the brand.
    Show(Show),
    /// Changes the brand. What is not named stays as it is.
    Set(Set),
    /// Replaces or removes the logo.
    Logo(SetLogo),
}

/// Nothing: there is one brand.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote branding show
  portico remote branding show --json")]
pub(super) struct Show {}

/// The parts of the brand to change.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote branding set --name 'Acme Ltd' --locale de
  portico remote branding set --accent '#1f4fbf' --accent-dark '#9db8ff' --radius 4
  portico remote branding set --support-email help@example.com --support-phone ''")]
#[group(required = true, multiple = true)]
pub(super) struct Set {
    /// The name of the tenant on pages and in mails.
    #[arg(long)]
    name: Option<String>,
    /// The colour of links and buttons in the light theme and in mails, such as '#1f4fbf'.
    #[arg(long, value_name = "COLOR")]
    accent: Option<String>,
    /// The colour of links and buttons in the dark theme, such as '#9db8ff'.
    #[arg(long, value_name = "COLOR")]
    accent_dark: Option<String>,
    /// The email address of the support; '' removes it.
    #[arg(long, value_name = "ADDRESS")]
    support_email: Option<String>,
    /// The telephone number of the support; '' removes it.
    #[arg(long, value_name = "NUMBER")]
    support_phone: Option<String>,
    /// The language for people who have chosen none: en, de, fr or es, perhaps with a region, as in de-CH.
    #[arg(long)]
    locale: Option<String>,
    /// The radius of corners, 0 to 24 pixels.
    #[arg(long, value_name = "PIXELS")]
    radius: Option<u8>,
}

/// The new logo.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote branding logo acme.png
  portico remote branding logo --remove")]
pub(super) struct SetLogo {
    /// A PNG, JPEG or WebP file of at most 1 MiB.
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    file: Option<PathBuf>,
    /// Removes the logo.
    #[arg(long)]
    remove: bool,
}

#[derive(Deserialize)]
struct Branding {
    name: String,
    colors: Colors,
    support: Support,
    locale: String,
    radius: u8,
    version: u32,
    logo: Option<Logo>,
}

#[derive(Deserialize)]
struct Colors {
    accent: String,
    accent_dark: String,
}

#[derive(Deserialize)]
struct Support {
    email: Option<String>,
    phone: Option<String>,
}

#[derive(Deserialize)]
struct Logo {
    width: u32,
    height: u32,
}

/// Runs a command of `portico remote branding`.
///
/// # Errors
/// As for [`Context::token_api`], [`Context::session_api`] and [`Api::call`](super::context::Api::call), and a failure
/// with the exit code 2 if the file cannot be a logo.
pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let request = match command {
        Command::Show(Show {}) => {
            let answer = context.token_api()?.call(&ApiRequest::get(BRANDING)).await?;
            return show(context.output, &answer);
        }
        Command::Set(set) => ApiRequest::patch(BRANDING, &set.body()),
        Command::Logo(SetLogo { file: Some(file), .. }) => {
            let (content_type, bytes) = read_image(&file)?;
            ApiRequest::put(LOGO, content_type, bytes)
        }
        Command::Logo(SetLogo { file: None, .. }) => ApiRequest::delete(LOGO),
    };
    let answer = context.session_api()?.call(&request).await?;
    show(context.output, &answer)
}

impl Set {
    /// Returns the body of the request, with the given fields only.
    fn body(self) -> Value {
        let texts = |fields: [(&str, Option<String>); 2]| -> Map<_, _> {
            let given = fields.into_iter().filter_map(|(name, text)| Some((name, text?)));
            given
                .map(|(name, text)| (name.to_owned(), if text.is_empty() { Value::Null } else { text.into() }))
                .collect()
        };
        let colors = texts([("accent", self.accent), ("accent_dark", self.accent_dark)]);
        let support = texts([("email", self.support_email), ("phone", self.support_phone)]);
        json!({ "name": self.name, "colors": colors, "support": support, "locale": self.locale, "radius": self.radius })
    }
}

/// Prints the brand that the server answered with.
fn show(output: Output, answer: &Answer) -> Result<()> {
    let Branding { name, colors, support, locale, radius, version, logo } = answer.parse()?;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".into());
    let logo = logo.map(|Logo { width, height }| format!("{width} x {height} pixels"));
    let lines = [
        format!("Name:           {name}"),
        format!("Logo:           {}", or_none(logo)),
        format!("Accent:         {}", colors.accent),
        format!("Accent (dark):  {}", colors.accent_dark),
        format!("Radius:         {radius} pixels"),
        format!("Language:       {locale}"),
        format!("Support email:  {}", or_none(support.email)),
        format!("Support phone:  {}", or_none(support.phone)),
        format!("Version:        {version}"),
    ];
    if output.is_json { output.done(answer, "") } else { output::write_lines(&lines.join("\n")) }
}

/// Reads a file that can be a logo, and returns its media type too.
fn read_image(path: &Path) -> Result<(&'static str, Vec<u8>)> {
    let refused = |why: &dyn std::fmt::Display| Failure::usage(format!("cannot use {}: {why}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| refused(&error))?.len();
    if length > MAX_LOGO_BYTES {
        return Err(refused(&"it has more than 1 MiB"));
    }
    let bytes = std::fs::read(path).map_err(|error| refused(&error))?;
    let media_type = IMAGE_TYPES.iter().find(|(start, _)| bytes.starts_with(start));
    let (_, media_type) = media_type.ok_or_else(|| refused(&"it is no PNG, JPEG or WebP file"))?;
    Ok((media_type, bytes))
}
