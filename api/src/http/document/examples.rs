//! Examples of request and response bodies.
//!
//! An example of a request has the required fields only, so that it works as it stands: no id in it is made up. The
//! values are those of the demo data of `portico dev`, where there are any.

use serde_json::{Map, Value, json};

use super::schemas::resolve;

/// The id in examples.
pub(super) const ID: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
/// The time in examples.
const TIME: &str = "2026-11-26T12:00:00Z";
/// The proof key in examples, which is that of RFC 7636, appendix B.
const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The hash of the proof key in examples.
const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The link token in examples. No link has it.
const LINK_TOKEN: &str = "o0Z1n5mXyq2w3c4v5b6n7m8a9s0d1f2g3h4j5k6l7zA";

/// Adds an example to each JSON body of each operation.
pub(super) fn add(document: &mut Value) {
    let Value::Object(schemas) = document["components"]["schemas"].clone() else { return };
    for (_, operation) in super::operations_mut(document) {
        if let Some(media) = operation.get_mut("requestBody").and_then(json_media) {
            let name = schema_name(&media["schema"]).to_owned();
            media["example"] = Examples { schemas: &schemas, is_request: true }.of_component(&name);
        }
        let responses = operation["responses"].as_object_mut().into_iter().flatten();
        for (status, response) in responses {
            let Some(media) = json_media(response) else { continue };
            let schema = media["schema"].clone();
            media["example"] = Examples { schemas: &schemas, is_request: false }.of(&schema, "", "");
            if response["description"] == "" {
                let description = schemas[schema_name(&schema)]["description"].as_str().unwrap_or(status);
                response["description"] = description.split("\n\n").next().into();
            }
        }
    }
}

/// Returns the JSON media type object of a body or of a response.
fn json_media(body: &mut Value) -> Option<&mut Value> {
    body.get_mut("content")?.get_mut("application/json")
}

fn schema_name(schema: &Value) -> &str {
    schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()).unwrap_or_default()
}

struct Examples<'a> {
    schemas: &'a Map<String, Value>,
    is_request: bool,
}

impl Examples<'_> {
    /// Returns an example of the component schema `name`.
    fn of_component(&self, name: &str) -> Value {
        // Without a field, these requests change nothing.
        match name {
            "UpdateClient" => json!({ "external_ref": "K-1042" }),
            "UpdatePortalUser" => json!({ "role": "admin" }),
            "UpdateStaff" => json!({ "role": "viewer" }),
            "UpdateBranding" => json!({ "colors": { "accent": "#1f4fbf" } }),
            "UpdateProfile" | "UpdateStaffProfile" => json!({ "locale": "de" }),
            "RetryEmails" => json!({ "kind": "invitation" }),
            "UpdateSignInPolicy" => json!({ "mfa": { "portal": "admins" } }),
            "EnableMfa" | "StepUp" => json!({ "code": "123456" }),
            "VerifyFactor" => json!({ "challenge": LINK_TOKEN, "code": "123456" }),
            "Activate" => json!({ "token": LINK_TOKEN, "password": "quartz-lantern-41" }),
            "StartPasskeySignIn" => json!({ "email": "ann@example.com" }),
            _ => self.of(&json!({ "$ref": format!("#/components/schemas/{name}") }), "", ""),
        }
    }

    /// Returns an example of the field `name` of the schema `owner`.
    fn of(&self, schema: &Value, owner: &str, name: &str) -> Value {
        let resolved = resolve(self.schemas, schema);
        if let Some(Value::Array(values)) = resolved.get("enum") {
            return choose(values, owner, name);
        }
        if let Some(first) = resolved["oneOf"].get(0) {
            return self.of(first, owner, name);
        }
        match resolved["type"].as_str() {
            Some("object") => self.of_object(resolved),
            Some("array") => json!([self.of(&resolved["items"], owner, name)]),
            Some("boolean") => true.into(),
            Some("integer") => integer(name).into(),
            _ => string(owner, name, resolved["format"].as_str().unwrap_or_default()),
        }
    }

    fn of_object(&self, schema: &Value) -> Value {
        let owner = schema["title"].as_str().unwrap_or_default();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let is_shown = |name: &str| !self.is_request || required.iter().any(|required| required == name);
        let fields = schema["properties"].as_object().into_iter().flatten().filter(|(name, _)| is_shown(name));
        let examples = fields.map(|(name, field)| (name.clone(), self.of(field, owner, name)));
        // A field that is absent in most responses is absent in the example too.
        let is_absent = |name: &str, value: &Value| value.is_null() && schema["properties"][name]["nullable"] != true;
        examples.filter(|(name, value)| !is_absent(name, value)).collect::<Map<_, _>>().into()
    }
}

/// Returns one of the values of an `enum`.
fn choose(values: &[Value], owner: &str, name: &str) -> Value {
    let wanted = match (owner, name) {
        ("Email" | "InvitationDelivery", "status") => "sent",
        ("StaffMember" | "InviteStaff" | "CreateServiceAccount" | "ServiceAccount", "role") => "support",
        ("PasswordJudgement", "codes") => "password_weak",
        (_, "role") => "member",
        _ => "",
    };
    values.iter().find(|value| *value == wanted).or(values.first()).cloned().unwrap_or_default()
}

fn integer(name: &str) -> i64 {
    match name {
        "expires_in" => 900,
        "port" => 49152,
        "radius" => 8,
        "width" => 800,
        "height" => 160,
        "duplicate" | "exists" | "invalid" | "limited" | "skipped" => 0,
        _ => 1,
    }
}

/// Returns an example of a string, by the schema that it belongs to, its name and its format.
fn string(owner: &str, name: &str, format: &str) -> Value {
    let text = match (owner, name, format) {
        ("TrustedDevice", "last_used_at", _) => TIME,
        (_, "last_sign_in_at" | "last_used_at" | "mfa_at" | "due_at" | "next_cursor" | "retried_by", _) => {
            return Value::Null;
        }
        (_, _, "uuid") | (_, "request_id", _) => ID,
        (_, _, "date-time") => TIME,
        (_, "day", _) => "2026-11-26",
        (_, _, "code-challenge") => CODE_CHALLENGE,
        (_, _, "code-verifier") => CODE_VERIFIER,
        (_, _, "login-state") => "8sFvGq2mZk1xW4tR",
        (_, "redirect_to", _) => "http://127.0.0.1:49152/callback?code=o0Z1n5mX…&state=8sFvGq2mZk1xW4tR",
        (_, _, "six-digits") => "123456",
        (_, _, "token") => LINK_TOKEN,
        (_, "new_password", _) => "marble-compass-77",
        (_, _, "password") => "quartz-lantern-41",
        ("SupportContacts", "email", _) => "support@example.com",
        ("SendCode" | "StaffProfile", "email", _) => "owner@demo.test",
        ("InviteStaff" | "StaffMember", "email", _) => "sam@example.com",
        (_, "email" | "recipient", _) => "ann@example.com",
        ("StaffMember" | "InviteStaff", "name", _) => "Sam Hill",
        ("StaffProfile" | "AuditActor" | "ApiTokenOwner", "name", _) => "Demo Owner",
        ("Client" | "ClientSummary" | "ClientReference" | "CreateClient", "name", _) | (_, "client_name", _) => {
            "Acme Ltd"
        }
        ("ApproveCliLogin", "name", _) => "portico remote on laptop",
        ("CreateApiToken" | "ApiToken" | "CreatedApiToken" | "OwnedApiToken" | "PresentedApiToken", "name", _) => {
            "nightly import"
        }
        ("Passkey" | "RenamePasskey" | "NewPasskey", "name", _) => "Laptop",
        ("ServiceAccount" | "CreateServiceAccount", "name", _) => "CRM",
        ("Tenant" | "TenantContact" | "Brand" | "Branding", "name", _) => "Demo",
        (_, "name", _) => "Ann Baker",
        (_, "locale", _) => "en",
        (_, "external_ref", _) => "K-1042",
        (_, "slug", _) | ("Brand", "tenant", _) => "demo",
        (_, "action", _) => "session.opened",
        ("AuditTarget", "kind", _) => "session",
        (_, "ip", _) => "192.0.2.7",
        (_, "device", _) => "Firefox on Linux",
        ("Email" | "InvitationDelivery", "detail", _) => "The mail server has accepted the mail.",
        ("InvalidField", "suggestion", _) => return Value::Null,
        (_, "accent", _) => "#1f4fbf",
        (_, "accent_dark", _) => "#9db8ff",
        (_, "phone", _) => "+44 20 7946 0000",
        ("BrandLogo", "url", _) => "/api/portal/logo?tenant=demo&v=1",
        ("InvalidField", "code", _) => "email_invalid",
        ("InvalidField", "detail", _) => "must be an email address",
        (_, "pointer", _) => "/email",
        (_, "prefix", _) => "pat_Zt4k",
        ("CreatedApiToken", "token", _) => "pat_Zt4k…",
        (_, "challenge" | "ceremony", _) => LINK_TOKEN,
        (_, "credential_id", _) => "aGVsbG8gd29ybGQtcGFzc2tleQ",
        ("TotpSetup", "secret", _) => "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        (_, "otpauth_uri", _) => {
            "otpauth://totp/Demo:ann%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Demo"
        }
        (_, "qr_svg", _) => "<svg xmlns=\"http://www.w3.org/2000/svg\">…</svg>",
        (_, "recovery_codes", _) => "ZW01-4D2P-F2DB-SQQG",
        (_, "access_token", _) => "eyJhbGciOiJFZERTQSIs…",
        ("SigningKey", ..) => "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        _ => "text",
    };
    text.into()
}
