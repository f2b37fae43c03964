//! Requests a code.

use portico_entity::{
    CodeFlowId, EmailId,
    code_flow::{self, Column, Purpose},
    email::Kind,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    identity::{devices, mailed_codes::MailedCodeSettings},
    limits,
    platform::{
        actor::{Anonymous, Realm, User},
        app::App,
        audit,
        clock::Time,
        email_address::EmailAddress,
        error::Result,
        mail::{self, NewEmail},
        rate_limit,
        tx::Tx,
    },
};

/// What a code is requested for.
struct Request<'a> {
    realm: Realm,
    purpose: Purpose,
    email: &'a EmailAddress,
    /// The user of a flow whose user is known. `None` for an address that may be unknown.
    user: Option<&'a User>,
    /// The known device from which the code is requested.
    device: Option<String>,
}

/// Enqueues a mail with a sign-in code for `realm` to `email`, and returns the id of the code flow that the code
/// belongs to.
///
/// When `resend_of` is a live flow of the same email address and realm, that flow gets a new code and new attempts, and
/// its old code is no longer accepted. Otherwise a new flow is created. Other flows of the email address stay live, so
/// an attacker who requests codes cannot end the flow of the owner.
///
/// The code expires after `PORTICO_CODE_TTL`. An unknown email address causes the same work as the address of a user;
/// only the worker looks the account up. A known device of the email address has a rate limit and flows of its own.
///
/// # Errors
/// - `too_many_requests` when a rate limit is exhausted. It does not depend on whether the account exists.
/// - `unavailable` or `internal` when the database fails.
pub async fn send_code(
    app: &App,
    caller: &Anonymous,
    realm: Realm,
    email: &EmailAddress,
    resend_of: Option<CodeFlowId>,
) -> Result<CodeFlowId> {
    let device = devices::known_device(app, &caller.context, realm, email).await?;
    let request = Request { realm, purpose: Purpose::SignIn, email, user: None, device };
    send(app, caller, request, resend_of).await
}

/// Enqueues a mail with a code that proves access to the mailbox of `user`, and returns the id of its code flow. If
/// `resend_of` is live, it gets a new code as in [`send_code`].
///
/// # Errors
/// - `too_many_requests` when a rate limit is exhausted. These are the limits of [`send_code`].
/// - `unavailable` or `internal` when the database fails.
pub(crate) async fn send_enrol_code(
    app: &App,
    caller: &Anonymous,
    user: &User,
    resend_of: Option<CodeFlowId>,
) -> Result<CodeFlowId> {
    let (email, realm) = (&user.email()?, user.id().realm());
    let device = devices::known_device(app, &caller.context, realm, email).await?;
    let request = Request { realm, purpose: Purpose::Enrol, email, user: Some(user), device };
    send(app, caller, request, resend_of).await
}

/// Charges the rate limits and enqueues the mail.
async fn send(
    app: &App,
    caller: &Anonymous,
    request: Request<'_>,
    resend_of: Option<CodeFlowId>,
) -> Result<CodeFlowId> {
    let (network, mailbox) = (caller.context.network(), request.email.mailbox());
    let known = request.device.as_deref().unwrap_or_default();
    let (network, own): ([&str; 1], [&str; 2]) = ([&network], [&mailbox, known]);
    let limits = devices::counters(known, (&limits::SEND_CODE_NETWORK, &network), (&limits::SEND_CODE, &own));
    let reservation = rate_limit::reserve_all(app, &limits).await?;
    let flow = enqueue(app, caller, request, resend_of).await;
    reservation.refund_if_transient(app, flow).await
}

/// Writes the flow, its mail and the audit event in one transaction.
async fn enqueue(
    app: &App,
    caller: &Anonymous,
    request: Request<'_>,
    resend_of: Option<CodeFlowId>,
) -> Result<CodeFlowId> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let expires_at = app.now() + app.section::<MailedCodeSettings>().code_ttl;
    let flow = CodeFlowId(app.new_id());
    let user = request.user.map(User::id);
    let (kind, action) = match (request.purpose, request.realm) {
        (Purpose::SignIn, Realm::Portal) => (Kind::PortalCode, "portal_code.requested"),
        (Purpose::SignIn, Realm::Staff) => (Kind::StaffCode, "staff_code.requested"),
        (Purpose::Enrol, _) => (Kind::EnrolCode, "enrol_code.requested"),
    };
    let mail = NewEmail {
        portal_user: user.and_then(|user| user.portal()),
        staff_user: user.and_then(|user| user.staff()),
        code_flow: Some(flow),
        expires_at: Some(expires_at),
        ..NewEmail::new(kind, request.email)
    };
    let mail = mail::enqueue(&mut tx, mail).await?;
    let flow = match resend_of {
        Some(resend_of) if renew(&mut tx, resend_of, &request, mail, expires_at).await? => resend_of,
        _ => {
            let row = code_flow::ActiveModel {
                id: Set(flow),
                realm: Set(request.realm),
                purpose: Set(request.purpose),
                email: Set(request.email.to_string()),
                email_id: Set(Some(mail)),
                portal_user_id: Set(None),
                staff_user_id: Set(None),
                device: Set(request.device),
                code_hash: Set(None),
                key_fingerprint: Set(None),
                misses: Set(0),
                expires_at: Set(expires_at),
                used_at: Set(None),
                created_at: Set(app.now()),
            };
            code_flow::Entity::insert(row).exec_without_returning(tx.db()).await?;
            flow
        }
    };
    audit::record(&mut tx, caller, audit::Event::new(action).target("code_flow", flow.0)).await?;
    tx.commit().await?;
    Ok(flow)
}

/// Assigns a new mail to a live flow, and with it a new code and new attempts. Returns whether `flow` is a live flow
/// of the address, realm and purpose of `request`.
async fn renew(tx: &mut Tx, flow: CodeFlowId, request: &Request<'_>, mail: EmailId, expires_at: Time) -> Result<bool> {
    let renewed = code_flow::Entity::update_many()
        .col_expr(Column::EmailId, Expr::value(mail))
        .col_expr(Column::CodeHash, Expr::value(None::<String>))
        .col_expr(Column::KeyFingerprint, Expr::value(None::<String>))
        .col_expr(Column::Misses, Expr::value(0))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::Id.eq(flow))
        .filter(Column::Realm.eq(request.realm))
        .filter(Column::Purpose.eq(request.purpose))
        .filter(Column::Email.eq(request.email.as_str()))
        .filter(Column::UsedAt.is_null())
        .filter(super::not_expired(tx.app()))
        .exec(tx.db())
        .await?;
    Ok(renewed.rows_affected == 1)
}
