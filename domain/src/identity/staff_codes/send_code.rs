//! Requests a sign-in code for a staff user.

use portico_entity::{
    CodeFlowId, EmailId,
    code_flow::{self, Column},
    email::Kind,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    identity::{devices, staff_codes::StaffCodeSettings},
    limits,
    platform::{
        actor::{Anonymous, Realm},
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

/// Enqueues a mail with a sign-in code to `email`, and returns the id of the code flow that the code belongs to.
///
/// When `resend_of` is a live flow of the same email address, that flow gets a new code and new attempts, and its old
/// code is no longer accepted. Otherwise a new flow is created. Other flows of the email address stay live, so an
/// attacker who requests codes cannot end the flow of the owner.
///
/// The code expires after `PORTICO_CODE_TTL`. An unknown email address causes the same work as the address of a staff
/// user; only the worker looks the account up. A known device of the email address has a rate limit and flows of its
/// own.
///
/// # Errors
/// - `too_many_requests` when a rate limit is exhausted. It does not depend on whether the account exists.
/// - `unavailable` or `internal` when the database fails.
pub async fn send_code(
    app: &App,
    caller: &Anonymous,
    email: &EmailAddress,
    resend_of: Option<CodeFlowId>,
) -> Result<CodeFlowId> {
    let device = devices::known_device(app, &caller.context, Realm::Staff, email).await?;
    let (network, mailbox) = (caller.context.network(), email.mailbox());
    let known = device.as_deref().unwrap_or_default();
    let (network, own): ([&str; 1], [&str; 2]) = ([&network], [&mailbox, known]);
    let limits = devices::counters(known, (&limits::SEND_CODE_NETWORK, &network), (&limits::SEND_CODE, &own));
    let reservation = rate_limit::reserve_all(app, &limits).await?;
    let flow = enqueue(app, caller, email, resend_of, device).await;
    reservation.refund_if_transient(app, flow).await
}

/// Writes the flow, its mail and the audit event in one transaction.
async fn enqueue(
    app: &App,
    caller: &Anonymous,
    email: &EmailAddress,
    resend_of: Option<CodeFlowId>,
    device: Option<String>,
) -> Result<CodeFlowId> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let expires_at = app.now() + app.section::<StaffCodeSettings>().code_ttl;
    let flow = CodeFlowId(app.new_id());
    let mail =
        NewEmail { code_flow: Some(flow), expires_at: Some(expires_at), ..NewEmail::new(Kind::StaffCode, email) };
    let mail = mail::enqueue(&mut tx, mail).await?;
    let flow = match resend_of {
        Some(resend_of) if renew(&mut tx, resend_of, email, mail, expires_at).await? => resend_of,
        _ => {
            let row = code_flow::ActiveModel {
                id: Set(flow),
                email: Set(email.to_string()),
                email_id: Set(Some(mail)),
                staff_user_id: Set(None),
                device: Set(device),
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
    audit::record(&mut tx, caller, audit::Event::new("staff_code.requested").target("code_flow", flow.0)).await?;
    tx.commit().await?;
    Ok(flow)
}

/// Assigns a new mail to a live flow, and with it a new code and new attempts. Returns whether `flow` is a live flow
/// of `email`.
async fn renew(tx: &mut Tx, flow: CodeFlowId, email: &EmailAddress, mail: EmailId, expires_at: Time) -> Result<bool> {
    let renewed = code_flow::Entity::update_many()
        .col_expr(Column::EmailId, Expr::value(mail))
        .col_expr(Column::CodeHash, Expr::value(None::<String>))
        .col_expr(Column::KeyFingerprint, Expr::value(None::<String>))
        .col_expr(Column::Misses, Expr::value(0))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::Id.eq(flow))
        .filter(Column::Email.eq(email.as_str()))
        .filter(Column::UsedAt.is_null())
        .filter(super::not_expired(tx.app()))
        .exec(tx.db())
        .await?;
    Ok(renewed.rows_affected == 1)
}
