//! The bodies of ceremonies of passkeys: the options for a browser, and its response.

use poem_openapi::Object;
use portico_domain::{
    identity::passkeys::{PresentedCeremony, StartedCeremony},
    platform::{name::Name, secret::PlainToken},
};

use crate::http::{fields::Field, json_object::JsonObject};

/// A ceremony of a passkey that was started. It is valid for five minutes and for one response.
#[derive(Object)]
pub(crate) struct CeremonyOptions {
    /// The secret of the ceremony, with which the response is sent.
    ceremony: String,
    /// The options for `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` of the
    /// browser.
    public_key: JsonObject,
}

/// A new passkey: the response of the browser to the options of a registration.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct NewPasskey {
    /// The `ceremony` of the options.
    ceremony: Field<PlainToken>,
    /// What `toJSON()` of the credential gives in the browser: at most 16 KiB. Unknown members are ignored.
    response: JsonObject,
    /// What the user calls the passkey, 1 to 100 characters. If it is absent, the browser and the system of the
    /// request.
    name: Option<Field<Name>>,
}

impl From<StartedCeremony> for CeremonyOptions {
    fn from(started: StartedCeremony) -> Self {
        Self { ceremony: started.secret.reveal().to_owned(), public_key: JsonObject(started.public_key) }
    }
}

impl NewPasskey {
    /// Returns the response, and the name.
    pub(crate) fn into_parts(self) -> (PresentedCeremony, Option<Name>) {
        (presented(self.ceremony, self.response), self.name.map(|Field(name)| name))
    }
}

/// Returns the response of a browser as the use cases take it.
pub(crate) fn presented(Field(secret): Field<PlainToken>, JsonObject(response): JsonObject) -> PresentedCeremony {
    PresentedCeremony { secret, response }
}
