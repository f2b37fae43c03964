//! The list of all operations, and the OpenAPI document that is generated from them.
//!
//! The document is committed as `openapi/openapi.json`, served at `/api/openapi.json`, and used to check requests.

use std::sync::OnceLock;

use poem_openapi::{LicenseObject, OpenApi, OpenApiService};

use crate::{
    http::{document::Document, health::Health},
    identity::{
        cli_logins::CliLogins,
        jwks::Jwks,
        link_tokens::LinkTokens,
        mfa::{Mfa, StaffMfa},
        mfa_passkeys::{MfaPasskeys, StaffMfaPasskeys},
        own_passkeys::{OwnPasskeys, OwnStaffPasskeys},
        own_sessions::{OwnSessions, OwnStaffSessions},
        passkey_sign_in::{PasskeySignIn, StaffPasskeySignIn},
        passwords::Passwords,
        profile::Profile,
        sessions::Sessions,
        staff_sessions::StaffSessions,
        trusted_devices::TrustedDevices,
    },
    tenancy::{
        api_tokens::{ApiTokens, OwnTokens},
        audit_events::AuditEvents,
        branding::Branding,
        bulk_invitations::BulkInvitations,
        clients::Clients,
        colleagues::Colleagues,
        emails::Emails,
        invitation_lists::InvitationLists,
        invitations::Invitations,
        overview::OverviewFigures,
        portal_users::PortalUsers,
        public_brand::PublicBrands,
        service_accounts::ServiceAccounts,
        sign_in_policy::SignInPolicies,
        staff::Staff,
        staff_profile::StaffProfile,
    },
};

/// The text at the beginning of the document.
const DESCRIPTION: &str = "\
The accounts service of a client portal: invitations, activation, sign-in and password recovery.

To try it on this page as a staff user, call `send_code`, read the code in the mail, and call `verify_code` with the
`flow` of the first response. The browser then has the session in a cookie, and every operation of staff users works.
With `portico dev`, the staff user is `owner@demo.test`, and `/dev/mail` shows the mails. A program sends an API token as
its bearer token instead.

Errors are problem documents (RFC 9457) with a `code` for programs. Each operation lists the codes that it can answer.";

/// Returns the service with every operation. A new file of operations is added here.
pub(crate) fn service() -> OpenApiService<impl OpenApi, ()> {
    let sessions = (Sessions, OwnSessions, StaffSessions, OwnStaffSessions);
    let identity = (sessions, LinkTokens, Passwords, Profile, (Mfa, StaffMfa, TrustedDevices));
    let passkeys = (PasskeySignIn, StaffPasskeySignIn, OwnPasskeys, OwnStaffPasskeys, MfaPasskeys, StaffMfaPasskeys);
    let people = (PortalUsers, Colleagues, Invitations, InvitationLists, BulkInvitations);
    let staff = (Staff, StaffProfile, ServiceAccounts, OwnTokens, ApiTokens, CliLogins);
    let settings = (Branding, PublicBrands, SignInPolicies);
    let tenancy = (Clients, people, staff, settings, OverviewFigures, Emails, AuditEvents);
    OpenApiService::new((identity, passkeys, tenancy, (Jwks, Health)), "Portico", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .license(LicenseObject::new("MIT OR Apache-2.0").url("https://spdx.org/licenses/MIT.html"))
}

/// Returns the document, which is generated once per process.
pub(crate) fn document() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| Document::new(&service().spec(), || service().swagger_ui_html()))
}

/// Returns the document as indented JSON with a newline at the end.
pub fn json() -> &'static str {
    document().json()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::http::schema;

    #[test]
    fn the_committed_document_is_current() {
        let committed = include_str!("../../openapi/openapi.json");
        assert!(
            committed == json(),
            "openapi/openapi.json is not current; run: cargo run -- openapi > openapi/openapi.json"
        );
    }

    #[test]
    fn methods_and_operation_ids_are_found_by_path() {
        let id = |method, path| document().operation(method, path).map(|operation| operation.id.as_str());
        let allowed = |path| document().allowed_methods(path);
        assert_eq!(allowed("/api/portal/auth/sign-in").as_deref(), Some("POST"));
        let client = "/api/v1/clients/00000000-0000-0000-0000-000000000000";
        assert_eq!(allowed(client).as_deref(), Some("GET, HEAD, PATCH"));
        assert_eq!(allowed("/api/docs").as_deref(), Some("GET, HEAD"));
        assert_eq!(allowed("/api/v1/staff/"), None, "no id is empty");
        assert_eq!(id("POST", "/api/portal/auth/sign-in"), Some("sign_in"));
        assert_eq!(id("HEAD", client), Some("get_client"));
        let invitations = "/api/portal/colleagues/invitations";
        assert_eq!(allowed(invitations).as_deref(), Some("GET, HEAD"));
        assert_eq!(id("PATCH", invitations), None);
        assert_eq!(id("PATCH", "/api/portal/colleagues/x"), Some("update_colleague"));
        assert_eq!(id("BREW", "/api/portal/auth/sign-in"), None);
    }

    #[test]
    fn every_tag_has_a_place_in_the_order() {
        let document: Value = serde_json::from_str(json()).unwrap();
        let tags = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap());
        assert!(tags.eq(crate::http::document::TAG_ORDER));
    }

    /// An operation that takes a secret can be used to guess it, so its callers must be limited before the secret is
    /// looked at.
    #[test]
    fn operation_that_takes_a_secret_declares_a_rate_limit() {
        let document: Value = serde_json::from_str(json()).unwrap();
        let mut checked = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
                let schema = &content.values().next().unwrap()["schema"];
                // A file has no fields.
                let Some(body) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) else { continue };
                let fields = document["components"]["schemas"][body]["properties"].as_object().unwrap().values();
                if fields
                    .clone()
                    .any(|field| ["password", "token", "six-digits"].iter().any(|secret| field["format"] == **secret))
                {
                    let found = super::document().operation(&method.to_uppercase(), path).unwrap();
                    assert!(
                        !found.rate_limits.is_empty(),
                        "{path} takes a secret and declares no limit, such as limit::TOKEN_NETWORK"
                    );
                    checked += 1;
                }
            }
        }
        assert_eq!(checked, 39, "the secrets are found by their format");
    }

    #[test]
    fn every_example_of_a_request_is_valid_and_holds_no_optional_id() {
        let document: Value = serde_json::from_str(json()).unwrap();
        let operations = document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap());
        let document_of_process = super::document();
        let mut checked = 0;
        for (_, operation) in operations {
            let media = &operation["requestBody"]["content"]["application/json"];
            let Some(example) = media.get("example") else { continue };
            let found = schema::check(
                document_of_process.schemas(),
                media["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap(),
                example,
            );
            assert!(found.is_empty(), "{}: {found:?}", operation["operationId"]);
            assert!(!example.as_object().unwrap().is_empty(), "{} has no example", operation["operationId"]);
            checked += 1;
        }
        assert_eq!(checked, 67);
        let sign_in = &document["paths"]["/api/portal/auth/sign-in"]["post"]["requestBody"]["content"];
        let expected = serde_json::json!({ "email": "ann@example.com", "password": "quartz-lantern-41" });
        assert_eq!(sign_in["application/json"]["example"], expected);
    }

    #[test]
    fn every_string_of_a_response_has_an_example_of_its_own() {
        assert!(!json().contains(r#": "text""#), "add the field to the table");
    }
}
