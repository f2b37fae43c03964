//! Inviting many people to a client in one request.

use std::collections::{BTreeMap, HashSet};

use portico_entity::{ClientId, client, invitation::Mode};
use serde::{Deserialize, Serialize};

use super::{
    InviteInput,
    invite::open_client,
    inviter::Inviter,
    people::{self, Person},
    write::write,
};
use crate::{
    limits,
    platform::{
        actor::{Authorized, access::ClientsEdit},
        app::App,
        error::{Error, FieldError, Result},
        idempotency::IdempotentRequest,
        rate_limit,
        tx::Tx,
    },
};

/// The input of [`invite_all`].
pub struct BulkInput {
    /// The persons.
    pub rows: Vec<BulkRow>,
    /// Whether nothing is written. The answer is then what the request would get that writes.
    pub is_dry_run: bool,
    /// The key under which the answer is kept. A dry run ignores it.
    pub idempotent: Option<IdempotentRequest>,
}

/// A row of the input.
pub enum BulkRow {
    /// A person to invite.
    Valid(InviteInput),
    /// Values of which at least one is not valid.
    Invalid {
        /// The address as it was typed, if there was one.
        email: Option<String>,
        /// What is wrong.
        errors: Vec<FieldError>,
    },
}

/// The answer to a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkRowResult {
    /// The address in normal form, or of an invalid row as it was typed.
    pub email: Option<String>,
    /// What became of the row.
    pub outcome: BulkOutcome,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BulkOutcome {
    /// The person was invited, and joins in this way.
    Invited(Mode),
    /// The person already has a membership of the client.
    Exists,
    /// An earlier row has the same address.
    Duplicate,
    /// A rate limit is used up: of the tenant, or of the tenant for the recipient's mailbox.
    Limited,
    /// At least one value is not valid.
    Invalid(Vec<RowError>),
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The field, as a JSON pointer (RFC 6901) within the row.
    pub pointer: String,
    /// The code.
    pub code: String,
    /// What is wrong, as a clause that follows the name of the field.
    pub detail: String,
}

impl From<&FieldError> for RowError {
    fn from(error: &FieldError) -> Self {
        let (pointer, problem) = (error.pointer.clone(), &error.problem);
        Self { pointer, code: problem.code.into(), detail: problem.detail.clone() }
    }
}

/// Invites the persons of the rows to a client of the caller's tenant, in one transaction, each as
/// [`invite`](super::invite) does. Returns the result of each row, in their order.
///
/// A row uses a unit of [`limits::INVITE_BULK`] and one of [`limits::INVITE_RECIPIENT`] if it sends a mail.
///
/// # Errors
/// - `not_found`: the caller's tenant has no client with this id.
/// - `client_suspended`: the client is archived.
/// - `idempotency_mismatch`: the key was used with another body.
/// - `unavailable` or `internal`: a database query failed. Then no person is invited.
pub async fn invite_all(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: ClientId,
    input: BulkInput,
) -> Result<Vec<BulkRowResult>> {
    let inviter = Inviter::from(caller);
    let client = open_client(app, &inviter, client).await?;
    let mut tx = app.begin().await?.caused_by(inviter.request_id);
    let idempotent = input.idempotent.filter(|_| !input.is_dry_run);
    if let Some(request) = &idempotent
        && let Some(answer) = request.begin(&tx, &inviter.limit_subject, client.id).await?
    {
        return serde_json::from_str(&answer).map_err(|error| Error::Internal(error.to_string()));
    }
    let rows = plan(&tx, &inviter, &client, input.rows).await?;
    if input.is_dry_run {
        // Dropping the transaction gives the charged units back.
        return Ok(rows.into_iter().map(Row::into_result).collect());
    }
    let results = carry_out(&mut tx, &inviter, &client, rows).await?;
    if let Some(request) = &idempotent {
        let answer = serde_json::to_string(&results).map_err(|error| Error::Internal(error.to_string()))?;
        request.store(&tx, &inviter.limit_subject, client.id, answer).await?;
    }
    tx.commit().await?;
    Ok(results)
}

/// A row and its outcome, so far.
struct Row {
    /// The address, as [`BulkRowResult`] has it.
    email: Option<String>,
    /// The person to invite. `None` for an invalid row.
    input: Option<InviteInput>,
    outcome: BulkOutcome,
}

impl Row {
    fn new(row: BulkRow) -> Self {
        match row {
            // The outcome of a person who is new everywhere.
            BulkRow::Valid(input) => Self {
                email: Some(input.email.to_string()),
                input: Some(input),
                outcome: BulkOutcome::Invited(Mode::Setup),
            },
            BulkRow::Invalid { email, errors } => {
                let errors = errors.iter().map(RowError::from).collect();
                Self { email, input: None, outcome: BulkOutcome::Invalid(errors) }
            }
        }
    }

    /// Returns the person, if the row is going to send a mail.
    fn invited(&self) -> Option<&InviteInput> {
        self.input.as_ref().filter(|_| matches!(self.outcome, BulkOutcome::Invited(_)))
    }

    fn into_result(self) -> BulkRowResult {
        BulkRowResult { email: self.email, outcome: self.outcome }
    }
}

/// Decides what becomes of each row, and charges the rate limits.
async fn plan(tx: &Tx, inviter: &Inviter, client: &client::Model, rows: Vec<BulkRow>) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = rows.into_iter().map(Row::new).collect();
    let mut seen = HashSet::new();
    for row in &mut rows {
        if row.input.is_some() && !seen.insert(row.email.clone()) {
            row.outcome = BulkOutcome::Duplicate;
        }
    }
    let emails: Vec<_> = rows.iter().filter_map(Row::invited).map(|input| &input.email).collect();
    let people = people::find(tx, inviter, client.id, &emails).await?;
    for row in &mut rows {
        let person = row.invited().and_then(|input| people.get(input.email.as_str()));
        if let Some(Person { mode, is_at_client, .. }) = person {
            row.outcome = if *is_at_client { BulkOutcome::Exists } else { BulkOutcome::Invited(*mode) };
        }
    }
    charge(tx, inviter, &mut rows).await?;
    Ok(rows)
}

/// Charges the rate limits for the rows that send a mail. The rows for which a limit has no unit left are limited.
async fn charge(tx: &Tx, inviter: &Inviter, rows: &mut [Row]) -> Result<()> {
    let tenant = inviter.tenant.to_string();
    let mut wanted: BTreeMap<String, u32> = BTreeMap::new();
    for input in rows.iter().filter_map(Row::invited) {
        *wanted.entry(input.email.mailbox()).or_default() += 1;
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let subject_of = |mailbox: &String, units: u32| (vec![tenant.clone(), mailbox.clone()], units);
    let of_tenant = [(vec![tenant.clone()], wanted.values().sum())];
    let mut left = rate_limit::reserve_up_to(tx, &limits::INVITE_BULK, &of_tenant).await?.first().copied().unwrap_or(0);
    let subjects: Vec<_> = wanted.iter().map(|(mailbox, units)| subject_of(mailbox, *units)).collect();
    let granted = rate_limit::reserve_up_to(tx, &limits::INVITE_RECIPIENT, &subjects).await?;
    let mut left_of_mailbox: BTreeMap<String, u32> = wanted.into_keys().zip(granted).collect();
    for row in rows {
        let Some(mailbox) = row.invited().map(|input| input.email.mailbox()) else { continue };
        match left_of_mailbox.get_mut(&mailbox).filter(|units| **units > 0 && left > 0) {
            Some(units) => (*units, left) = (*units - 1, left - 1),
            None => row.outcome = BulkOutcome::Limited,
        }
    }
    // A row that one limit refuses uses no unit of the other.
    let unused: Vec<_> = left_of_mailbox.iter().map(|(mailbox, units)| subject_of(mailbox, *units)).collect();
    rate_limit::give_back(tx, &limits::INVITE_BULK, &[(vec![tenant.clone()], left)]).await?;
    rate_limit::give_back(tx, &limits::INVITE_RECIPIENT, &unused).await
}

/// Writes the invitations of the rows that are invited, and returns the result of each row.
async fn carry_out(
    tx: &mut Tx,
    inviter: &Inviter,
    client: &client::Model,
    mut rows: Vec<Row>,
) -> Result<Vec<BulkRowResult>> {
    let inputs: Vec<_> = rows.iter().filter_map(Row::invited).collect();
    let mut written = write(tx, inviter, client, &inputs).await?.into_iter();
    for row in &mut rows {
        if row.invited().is_some() {
            // Another request may have invited the person since the rows were planned.
            let sent = written.next().flatten();
            row.outcome = sent.map_or(BulkOutcome::Exists, |sent| BulkOutcome::Invited(sent.invitation.mode));
        }
    }
    Ok(rows.into_iter().map(Row::into_result).collect())
}
