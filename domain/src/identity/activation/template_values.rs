//! The values of the templates of the invitation mail, its reminders and the activation mail.

#[cfg(test)]
use crate::platform::mail;
use crate::{platform::clock::Time, tenancy::tenants::Brand};

/// The values of the templates of the invitation mail, its reminders and the activation mail.
pub(crate) struct LinkEmailValues {
    /// The name and language of the tenant that invites.
    pub(crate) brand: Brand,
    /// The invited person's name as the tenant typed it.
    pub(crate) name: String,
    /// The name of the client.
    pub(crate) client_name: String,
    /// The URL with the secret of the link in its fragment.
    pub(crate) link: String,
    /// The time at which the link expires.
    pub(crate) expires: Time,
}

#[cfg(test)]
impl mail::checks::Example for LinkEmailValues {
    fn example(language: crate::platform::language::Language, _: bool) -> Self {
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            client_name: "Acme Ltd".into(),
            link: mail::checks::URL.into(),
            expires: "2026-03-03T09:05:00Z".parse().unwrap(),
        }
    }
}
