//! AZ cases: every operation of the document, called by each kind of caller, with ids of each kind.
//!
//! The sweep is generated from the OpenAPI document. [`EXPECTED`] says who may call each operation; an operation
//! without a row fails.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use super::authorization_callers::{Caller, CallerKind, Cast, ObjectIds};
use crate::support::{Browser, Deployment, Response, World, openapi};

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Every caller. The operation takes no credential, or authenticates by a secret in the body.
    Public,
    /// A caller with a refresh cookie of the realm. An access token is refused.
    RefreshCookie,
    /// Every caller: a sign-out succeeds without a session.
    SignOut,
    /// A portal user with a session.
    Portal,
    /// A portal user with a session, who is an administrator of the client that the session acts for.
    ClientAdmin,
    /// A staff user with a session. An API token is refused.
    Staff,
    /// A caller of the tenant with this permission.
    Tenant(&'static str),
    /// A program with any API token. For a session, there is no token.
    ApiToken,
}

/// What the sweep expects of one operation.
struct Expected {
    operation: &'static str,
    access: Access,
    /// A valid body, if the operation takes one.
    body: Option<&'static str>,
}

const fn row(operation: &'static str, access: Access, body: &'static str) -> Expected {
    Expected { operation, access, body: if body.is_empty() { None } else { Some(body) } }
}

use Access::{ApiToken, ClientAdmin, Portal, Public, RefreshCookie, SignOut, Staff, Tenant};

/// The body that approves a login of the command line.
const APPROVE_CLI_LOGIN: &str = r#"{"port":49152,"state":"a-state-of-the-program","code_challenge":
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","name":"Swept","scopes":["clients:read"]}"#;

/// One row for each operation of the document.
const EXPECTED: &[Expected] = &[
    row("get_signing_keys", Public, ""),
    row("check_liveness", Public, ""),
    row("check_readiness", Public, ""),
    row("get_brand", Public, ""),
    row("get_brand_style", Public, ""),
    row("get_logo", Public, ""),
    row("sign_in", Public, ""),
    row("activate_account", Public, ""),
    row("check_token", Public, ""),
    row("check_password", Public, ""),
    row("exchange_cli_login", Public, ""),
    row("forgot_password", Public, ""),
    row("request_new_link", Public, ""),
    row("report_sign_in", Public, ""),
    row("resend_activation", Public, ""),
    row("reset_password", Public, ""),
    row("send_code", Public, ""),
    row("verify_code", Public, ""),
    row("refresh_session", RefreshCookie, ""),
    row("refresh_staff_session", RefreshCookie, ""),
    row("sign_out", SignOut, ""),
    row("sign_out_everywhere", SignOut, ""),
    row("sign_out_staff", SignOut, ""),
    row("sign_out_staff_everywhere", SignOut, ""),
    row("send_portal_code", Public, ""),
    row("verify_portal_code", Public, ""),
    row("verify_second_factor", Public, ""),
    row("verify_staff_second_factor", Public, ""),
    row("cancel_sign_in", Public, ""),
    row("cancel_staff_sign_in", Public, ""),
    row("send_enrolment_code", Public, ""),
    row("send_staff_enrolment_code", Public, ""),
    row("set_up_enrolment", Public, ""),
    row("set_up_staff_enrolment", Public, ""),
    row("complete_enrolment", Public, ""),
    row("complete_staff_enrolment", Public, ""),
    row("get_mfa_status", Portal, ""),
    row("get_staff_mfa_status", Staff, ""),
    row("set_up_totp", Portal, ""),
    row("set_up_staff_totp", Staff, ""),
    row("enable_mfa", Portal, r#"{"code":"123456"}"#),
    row("enable_staff_mfa", Staff, r#"{"code":"123456"}"#),
    row("replace_recovery_codes", Portal, ""),
    row("replace_staff_recovery_codes", Staff, ""),
    row("disable_mfa", Portal, ""),
    row("disable_staff_mfa", Staff, ""),
    row("step_up", Portal, r#"{"code":"123456"}"#),
    row("list_trusted_devices", Portal, ""),
    row("remove_trusted_device", Portal, ""),
    row("remove_trusted_devices", Portal, ""),
    row("get_sign_in_policy", Tenant("policy:read"), ""),
    row("update_sign_in_policy", Tenant("policy:edit"), r#"{"mfa":{"portal":"admins"}}"#),
    row("get_session", Portal, ""),
    row("change_password", Portal, r#"{"current_password":"x","new_password":"y"}"#),
    row("accept_invitation", Portal, r#"{"token":"x"}"#),
    row("list_colleagues", ClientAdmin, ""),
    row("invite_colleague", ClientAdmin, r#"{"email":"swept@x.test"}"#),
    row("update_colleague", ClientAdmin, r#"{"status":"disabled"}"#),
    row("remove_colleague", ClientAdmin, ""),
    row("list_colleague_invitations", ClientAdmin, ""),
    row("cancel_colleague_invitation", ClientAdmin, ""),
    row("resend_colleague_invitation", ClientAdmin, ""),
    row("switch_client", Portal, r#"{"client_id":"01a1fdba-f86f-76f5-b296-4e548b3691ab"}"#),
    row("get_profile", Portal, ""),
    row("update_profile", Portal, r#"{"name":"Swept"}"#),
    row("list_sessions", Portal, ""),
    row("end_session", Portal, ""),
    row("end_other_sessions", Portal, ""),
    row("get_staff_session", Staff, ""),
    row("list_staff_sessions", Staff, ""),
    row("end_staff_session", Staff, ""),
    row("end_other_staff_sessions", Staff, ""),
    row("list_audit_events", Tenant("audit:read"), ""),
    row("export_audit_events", Tenant("audit:read"), ""),
    row("get_branding", Tenant("settings:read"), ""),
    row("update_branding", Tenant("settings:edit"), r#"{"name":"Swept Ltd"}"#),
    row("set_logo", Tenant("settings:edit"), ""),
    row("remove_logo", Tenant("settings:edit"), ""),
    row("list_clients", Tenant("clients:read"), ""),
    row("create_client", Tenant("clients:edit"), r#"{"name":"Swept Ltd"}"#),
    row("get_client", Tenant("clients:read"), ""),
    row("update_client", Tenant("clients:edit"), r#"{"name":"Swept Ltd"}"#),
    row("invite_portal_user", Tenant("clients:edit"), r#"{"email":"swept@x.test"}"#),
    row("list_client_portal_users", Tenant("clients:read"), ""),
    row("list_portal_users", Tenant("clients:read"), ""),
    row("update_portal_user", Tenant("clients:edit"), r#"{"status":"disabled"}"#),
    row("remove_portal_user", Tenant("clients:edit"), ""),
    row("send_portal_user_reset", Tenant("clients:edit"), ""),
    row("invite_portal_users", Tenant("clients:edit"), r#"{"rows":[{"email":"swept@x.test"}]}"#),
    row("list_invitations", Tenant("clients:read"), ""),
    row("list_client_invitations", Tenant("clients:read"), ""),
    row("correct_invitation", Tenant("clients:edit"), r#"{"email":"swept@x.test"}"#),
    row("resend_invitation", Tenant("clients:edit"), ""),
    row("cancel_invitation", Tenant("clients:edit"), ""),
    row("get_overview", Tenant("clients:read"), ""),
    row("list_emails", Tenant("emails:read"), ""),
    row("retry_email", Tenant("emails:edit"), ""),
    row("retry_emails", Tenant("emails:edit"), r#"{"recipient":"swept@x.test"}"#),
    row("step_up_staff", Staff, r#"{"flow":"01a1fdba-f86f-76f5-b296-4e548b3691ab","code":"123456"}"#),
    row("get_staff_profile", Staff, ""),
    row("update_staff_profile", Staff, r#"{"name":"Swept"}"#),
    row("list_staff", Tenant("staff:read"), ""),
    row("invite_staff", Tenant("staff:edit"), r#"{"email":"swept@x.test","role":"viewer"}"#),
    row("update_staff", Tenant("staff:edit"), r#"{"name":"Swept"}"#),
    row("remove_staff", Tenant("staff:edit"), ""),
    row("list_service_accounts", Tenant("staff:read"), ""),
    row("create_service_account", Tenant("staff:edit"), r#"{"name":"Swept","role":"viewer"}"#),
    row("remove_service_account", Tenant("staff:edit"), ""),
    row("list_service_account_tokens", Tenant("staff:read"), ""),
    row("create_service_account_token", Tenant("staff:edit"), r#"{"name":"Swept","scopes":["clients:read"]}"#),
    row("revoke_service_account_token", Tenant("staff:edit"), ""),
    row("list_own_tokens", Staff, ""),
    row("create_own_token", Staff, r#"{"name":"Swept","scopes":["clients:read"]}"#),
    row("approve_cli_login", Staff, APPROVE_CLI_LOGIN),
    row("revoke_own_token", Staff, ""),
    row("list_tokens", Tenant("staff:edit"), ""),
    row("revoke_token", Tenant("staff:edit"), ""),
    row("get_presented_token", ApiToken, ""),
    row("revoke_presented_token", ApiToken, ""),
    // Passkeys.
    row("start_passkey_sign_in", Public, ""),
    row("sign_in_with_passkey", Public, ""),
    row("start_passkey_verification", Public, ""),
    row("verify_passkey", Public, ""),
    row("start_passkey_enrolment", Public, ""),
    row("complete_passkey_enrolment", Public, ""),
    row("start_passkey_step_up", Portal, ""),
    row("list_passkeys", Portal, ""),
    row("start_passkey_registration", Portal, ""),
    row("register_passkey", Portal, r#"{"ceremony":"x","response":{}}"#),
    row("rename_passkey", Portal, r#"{"name":"Swept"}"#),
    row("remove_passkey", Portal, ""),
    row("start_staff_passkey_sign_in", Public, ""),
    row("sign_in_staff_with_passkey", Public, ""),
    row("start_staff_passkey_verification", Public, ""),
    row("verify_staff_passkey", Public, ""),
    row("start_staff_passkey_enrolment", Public, ""),
    row("complete_staff_passkey_enrolment", Public, ""),
    row("start_staff_passkey_step_up", Staff, ""),
    row("list_staff_passkeys", Staff, ""),
    row("start_staff_passkey_registration", Staff, ""),
    row("register_staff_passkey", Staff, r#"{"ceremony":"x","response":{}}"#),
    row("rename_staff_passkey", Staff, r#"{"name":"Swept"}"#),
    row("remove_staff_passkey", Staff, ""),
    row("start_passkey_activation", Public, ""),
];

/// What a caller gets before its input is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Allowed,
    /// The problem of the refusal.
    Refused(&'static str),
}

/// Fields that no body has, some of which other products take.
const FOREIGN_FIELDS: [&str; 8] =
    ["tenant_id", "is_admin", "isAdmin", "permissions", "password_hash", "disabled_at", "created_at", "email_verified"];

/// Returns what `caller` gets from an operation for which `access` holds.
fn verdict(access: Access, needs_fresh: bool, caller: &Caller) -> Verdict {
    use CallerKind::{Ended, Expired, Garbage, PortalAdmin, PortalUser, StaffUser, Token, WithoutCredential};
    const UNAUTHENTICATED: Verdict = Verdict::Refused("401 unauthenticated");
    match (access, caller.kind) {
        (Access::Public | Access::SignOut, _) => Verdict::Allowed,
        (Access::RefreshCookie, _) | (_, WithoutCredential | Garbage) => UNAUTHENTICATED,
        (Access::Portal | Access::ClientAdmin, Expired | Ended) if caller.is_portal() => {
            Verdict::Refused(caller.refusal())
        }
        (Access::Staff | Access::Tenant(_) | Access::ApiToken, Expired | Ended) if !caller.is_portal() => {
            Verdict::Refused(caller.refusal())
        }
        (_, Expired | Ended) => UNAUTHENTICATED,
        (Access::ClientAdmin, PortalAdmin) => Verdict::Allowed,
        (Access::ClientAdmin, PortalUser) => Verdict::Refused("403 forbidden"),
        (Access::Portal, PortalUser | PortalAdmin) | (Access::Staff, StaffUser { .. }) => {
            if needs_fresh && !caller.is_fresh() { Verdict::Refused("403 step_up_required") } else { Verdict::Allowed }
        }
        (Access::Portal | Access::ClientAdmin | Access::Staff, _) => UNAUTHENTICATED,
        (Access::Tenant(_) | Access::ApiToken, PortalUser | PortalAdmin) => UNAUTHENTICATED,
        (Access::ApiToken, StaffUser { .. }) => Verdict::Refused("404 not_found"),
        (Access::ApiToken, Token { .. }) => Verdict::Allowed,
        (Access::Tenant(permission), StaffUser { role, .. }) => match role_has(role, permission) {
            false => Verdict::Refused("403 forbidden"),
            true if needs_fresh && !caller.is_fresh() => Verdict::Refused("403 step_up_required"),
            true => Verdict::Allowed,
        },
        (Access::Tenant(permission), Token { role, scopes }) => {
            let is_allowed = role_has(role, permission) && scopes.contains(&permission) && !needs_fresh;
            if is_allowed { Verdict::Allowed } else { Verdict::Refused("403 forbidden") }
        }
    }
}

/// The table of roles and permissions, written down a second time.
fn role_has(role: &str, permission: &str) -> bool {
    match role {
        "owner" => true,
        "admin" => permission != "staff:edit",
        "support" => permission.starts_with("clients:") || permission.starts_with("emails:"),
        "viewer" => permission.ends_with(":read"),
        _ => panic!("no role {role}"),
    }
}

/// An operation of the document.
struct Operation {
    id: String,
    method: Method,
    path: String,
    value: Value,
}

impl Operation {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for (path, item) in openapi::document()["paths"].as_object().unwrap() {
            for (method, value) in item.as_object().unwrap() {
                let id = value["operationId"].as_str().unwrap().to_owned();
                let method = method.to_uppercase().parse().unwrap();
                all.push(Self { id, method, path: path.clone(), value: value.clone() });
            }
        }
        all
    }

    /// The names of the parameters in the path, in their order.
    fn parameters(&self) -> Vec<&str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    /// The path with these ids.
    fn with_ids(&self, ids: &BTreeMap<&str, String>) -> String {
        let filled = self.parameters().iter().fold(self.path.clone(), |path, name| {
            path.replace(&format!("{{{name}}}"), ids.get(name).unwrap_or_else(|| panic!("no id for {name}")))
        });
        assert!(!filled.contains('{'), "{filled}");
        filled
    }

    /// Every set of ids to call the operation with, as the caller sees them: its own first.
    fn id_sets(&self, ids: &ObjectIds) -> Vec<(String, BTreeMap<&str, String>)> {
        let own: BTreeMap<_, _> = self.parameters().into_iter().map(|name| (name, ids.own(name))).collect();
        let mut sets = vec![("own".to_owned(), own.clone())];
        for name in self.parameters() {
            for (kind, id) in ids.foreign(name) {
                let mut set = own.clone();
                set.insert(name, id);
                sets.push((format!("{name} {kind}"), set));
            }
        }
        sets
    }
}

/// The number of calls by outcome.
#[derive(Default)]
struct Tally {
    refused: usize,
    missing: usize,
    allowed: usize,
    /// Calls that are left out, because they would end what the sweep needs: those that have their effect without a
    /// body. The stories of each capability make them.
    left_out: usize,
}

async fn sweep(deployment: Deployment) {
    let limits = [("PORTICO_LIMIT_REQUESTS", "1000000/1m"), ("PORTICO_LIMIT_BEARER", "1000000/1m")];
    let world = World::start(deployment, &limits).await;
    let cast = Cast::create(&world).await;
    let operations = Operation::all();
    let expected: BTreeMap<_, _> = EXPECTED.iter().map(|row| (row.operation, row)).collect();
    assert_eq!(expected.len(), EXPECTED.len(), "an operation has two rows");
    let documented: BTreeSet<_> = operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(documented, expected.keys().copied().collect(), "EXPECTED has one row for each operation");

    let (mut tally, mut planned) = (Tally::default(), 0);
    for operation in &operations {
        let row = expected[operation.id.as_str()];
        let needs_fresh = operation.value["x-fresh-session"] == json!(true);
        if let Access::Tenant(permission) = row.access {
            assert_eq!(operation.value["x-permission"], permission, "{}", operation.id);
        }
        if row.access == ClientAdmin {
            assert_eq!(operation.value["x-permission"], "client admin", "{}", operation.id);
        }
        for caller in &cast.callers {
            let verdict = verdict(row.access, needs_fresh, caller);
            let sets = operation.id_sets(&caller.ids);
            planned += sets.len();
            let mut problems = BTreeSet::new();
            for (number, (kind, set)) in sets.iter().enumerate() {
                let path = operation.with_ids(set);
                let call = format!("{} {path} ({kind}) by {}", operation.id, caller.name);
                match verdict {
                    Verdict::Refused(problem) => {
                        let response = send(&world, caller, operation, &path, row.body.map(str::to_owned)).await;
                        assert_eq!(response.problem_text(), problem, "{call}");
                        tally.refused += 1;
                    }
                    Verdict::Allowed if number > 0 => {
                        let response = send(&world, caller, operation, &path, row.body.map(str::to_owned)).await;
                        assert_eq!(response.problem_text(), "404 not_found", "{call}");
                        problems.insert(without_request_id(&response));
                        tally.missing += 1;
                    }
                    Verdict::Allowed => match probe(operation, row) {
                        Some((body, status)) => {
                            let response = send(&world, caller, operation, &path, body).await;
                            assert_eq!(response.status, status, "{call}: {response:?}");
                            cast.assert_nothing_foreign(caller, &response.text, &call);
                            tally.allowed += 1;
                        }
                        None => tally.left_out += 1,
                    },
                }
            }
            assert!(problems.len() <= 1, "{}: ids can be told apart: {problems:#?}", operation.id);
        }
    }
    let Tally { refused, missing, allowed, left_out } = tally;
    assert_eq!(refused + missing + allowed + left_out, planned, "every operation, caller and set of ids");
    assert!(planned >= operations.len() * cast.callers.len());
    eprintln!(
        "{} operations, {} callers: {planned} calls, {refused} refused, {missing} not found, {allowed} allowed, \
         {left_out} left out",
        operations.len(),
        cast.callers.len()
    );
    cast.assert_unharmed(&world).await;
}

/// Returns a body that an allowed caller can send without an effect, and the status of the response. `None` if there is
/// none: the operation changes something and takes no body.
fn probe(operation: &Operation, row: &Expected) -> Option<(Option<String>, u16)> {
    match (&operation.method, row.access, row.body) {
        (_, Access::Public | Access::SignOut, _) => None,
        (&Method::GET, ..) => Some((None, 200)),
        (_, _, Some(body)) => {
            let mut body: Value = serde_json::from_str(body).unwrap();
            for field in FOREIGN_FIELDS {
                body[field] = json!("x");
            }
            Some((Some(body.to_string()), 422))
        }
        _ => None,
    }
}

/// Sends the request from a network of its own, so that no rate limit of a network counts.
async fn send(world: &World, caller: &Caller, operation: &Operation, path: &str, body: Option<String>) -> Response {
    let browser: Browser = world.browser();
    let authorization = caller.token.as_ref().map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
    browser.send(operation.method.clone(), path, body, &headers).await
}

/// The problem without what differs between any two responses.
fn without_request_id(response: &Response) -> String {
    let mut problem = response.json();
    problem["request_id"].take();
    problem.to_string()
}

#[tokio::test]
async fn az_03_enum_11_every_operation_answers_each_caller_and_each_id_as_expected_on_single() {
    sweep(Deployment::Single).await;
}

#[tokio::test]
async fn az_03_enum_11_every_operation_answers_each_caller_and_each_id_as_expected_on_cluster() {
    sweep(Deployment::Cluster).await;
}
