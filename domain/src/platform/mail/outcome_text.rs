//! What a tenant reads about the outcome of a mail.
//!
//! The detail of a row is for operators: it holds the words of mail servers, which may name other recipients, addresses
//! of servers and the reputation of the sender. A tenant reads a sentence of this module, and the words of a mail
//! server only if it has refused the recipient.

use portico_entity::email::{self, Status};

use super::{
    delivery::{EXPIRED, Reason},
    outbox::REPLACED,
};

/// How the recorded refusal of a recipient begins.
const REFUSED_RECIPIENT: &str = "rcpt ";

/// The sentence about a mail that was not tried yet.
pub(crate) const WAITS: &str = "The mail waits to be sent.";

/// Returns the sentence for tenants about what has become of the mail `row`.
pub fn tenant_detail(row: &email::Model) -> String {
    let sentence = match row.status {
        Status::Queued => queued(row),
        Status::Sent => "The mail server accepted the mail.",
        Status::Suppressed => suppressed(row.detail.as_deref().unwrap_or_default()),
        Status::Failed => return failed(row),
    };
    sentence.into()
}

fn queued(row: &email::Model) -> &'static str {
    let is_refused_by_recipient = row.refusal.as_ref().is_some_and(|refusal| refusal.starts_with(REFUSED_RECIPIENT));
    if row.unconfirmed > 0 {
        "The mail server did not say whether it accepted the mail. The mail is sent again."
    } else if is_refused_by_recipient {
        "The mail server of the recipient does not accept the mail for now. The mail is sent again."
    } else if row.attempts > 0 {
        "The mail waits for the mail server."
    } else {
        WAITS
    }
}

/// Returns the sentence for a reason not to send a mail. The reasons are those of the functions that compose mails.
fn suppressed(reason: &str) -> &'static str {
    if reason.starts_with(EXPIRED) {
        return "Not sent: what the mail carried expired before the mail server accepted it.";
    }
    match reason {
        REPLACED => "Not sent: another mail with a new link or code took its place.",
        "replaced by a newer mail" | "replaced by a newer code" => "Not sent: a newer mail took its place.",
        "the client was archived" | "the client is archived or its tenant is suspended" => {
            "Not sent: the client was archived."
        }
        "the membership was disabled" | "the membership was removed" => {
            "Not sent: the person was disabled at the client or removed from it."
        }
        "the tenant is suspended" => "Not sent: the tenant was suspended.",
        "the client or the recipient no longer exists" | "the recipient is no longer an administrator" => {
            "Not sent: the recipient is no longer an administrator of the client."
        }
        "the staff user no longer exists" => "Not sent: the staff user was removed.",
        "the token no longer exists" | "the token was revoked" => "Not sent: the API token was revoked.",
        "the invitation no longer exists" | "the client no longer exists" => {
            "Not sent: the invitation no longer exists."
        }
        // One sentence: the second reason can also be that the person has set a password elsewhere.
        "the invitation was cancelled"
        | "the invitation is accepted, cancelled or expired"
        | "the link is no longer valid" => {
            "Not sent: its link was no longer valid. The invitation was accepted or cancelled, or it had expired."
        }
        // Reasons of personal mail, which no tenant reads, and of other versions.
        _ => "Not sent: the mail was no longer needed.",
    }
}

fn failed(row: &email::Model) -> String {
    let Some(reason) = Reason::of(row) else { return "The mail was not sent.".into() };
    match (reason, &row.refusal, &row.detail) {
        (Reason::RecipientRefused, Some(refusal), Some(words)) if refusal.starts_with(REFUSED_RECIPIENT) => {
            format!("The mail server of the recipient refused the address: {words}")
        }
        (Reason::RecipientRefused, ..) => "The mail server of the recipient refused the address.".into(),
        (Reason::MessageRefused, ..) => "The mail server refused the text of the mail.".into(),
        (Reason::Refused, ..) => "The mail server refused the mail four times.".into(),
        (Reason::OutcomeUnknown, ..) => {
            "The mail server did not say whether it accepted the mail. The mail may have arrived.".into()
        }
        (Reason::GaveUp, ..) => "The mail server did not accept the mail within 72 hours.".into(),
        (Reason::Undeliverable, ..) => "The mail could not be made for this address.".into(),
        (Reason::Discarded, ..) => "Not sent: an operator discarded the mail, or it could not be processed.".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use portico_entity::email::Kind;

    use super::*;
    use crate::{
        platform::mail::{self, NewEmail},
        testing,
    };

    /// What a mail server said. No tenant may read it unless it concerns the recipient.
    const WORDS: &str = "RCPT TO: 550 5.7.1 relay.internal rejects 192.0.2.7";

    async fn queued_row() -> email::Model {
        let app = testing::app().await;
        app.leave_jobs();
        let mut tx = app.begin().await.unwrap();
        let mail = NewEmail::new(Kind::Invitation, &"ann@x.test".parse().unwrap());
        let id = mail::enqueue(&mut tx, mail).await.unwrap();
        tx.commit().await.unwrap();
        let row = <email::Entity as sea_orm::EntityTrait>::find_by_id(id).one(app.db()).await.unwrap().unwrap();
        email::Model { detail: Some(WORDS.into()), ..row }
    }

    #[tokio::test]
    async fn each_outcome_has_a_sentence_without_the_words_of_the_server() {
        let queued = queued_row().await;
        let mut rows = vec![
            queued.clone(),
            email::Model { attempts: 1, ..queued.clone() },
            email::Model { attempts: 1, refusal: Some("rcpt 450 4.7.1".into()), ..queued.clone() },
            email::Model { attempts: 1, unconfirmed: 1, ..queued.clone() },
            email::Model { status: Status::Sent, ..queued.clone() },
            email::Model { status: Status::Failed, reason: None, ..queued.clone() },
        ];
        let failed = |reason: Reason| email::Model {
            status: Status::Failed,
            reason: Some(reason.name().into()),
            ..queued.clone()
        };
        rows.extend(Reason::ALL.map(failed));
        // A refusal that does not concern the recipient.
        rows.push(email::Model { refusal: Some("dot 550 5.7.1".into()), ..failed(Reason::RecipientRefused) });
        let sentences: Vec<_> = rows.iter().map(tenant_detail).collect();
        assert!(sentences.iter().all(|sentence| sentence.ends_with('.') && !sentence.contains("relay.internal")));
        let different: BTreeSet<_> = sentences.iter().collect();
        assert_eq!(different.len(), sentences.len() - 1, "{sentences:#?}");
    }

    #[tokio::test]
    async fn words_of_the_server_are_shown_if_it_refused_the_recipient() {
        let row = email::Model {
            status: Status::Failed,
            reason: Some(Reason::RecipientRefused.name().into()),
            refusal: Some("rcpt 550 5.1.1".into()),
            ..queued_row().await
        };
        assert!(tenant_detail(&row).ends_with(WORDS));
        for reason in Reason::ALL.into_iter().filter(|reason| *reason != Reason::RecipientRefused) {
            let row = email::Model { reason: Some(reason.name().into()), ..row.clone() };
            assert!(!tenant_detail(&row).contains("550"), "{reason:?}");
        }
    }

    /// Reasons of mail that no mail log of a tenant shows.
    const PERSONAL: [&str; 6] = [
        "no enabled portal user has this address",
        "the portal user has no pending or expired invitation",
        "the account no longer exists",
        "the account or the session no longer exists",
        "no staff user has this address",
        "three codes are already live",
    ];

    #[tokio::test]
    async fn each_reason_not_to_send_a_mail_has_a_sentence() {
        let mut found = BTreeSet::from(["the client was archived".to_owned(), REPLACED.to_owned()]);
        collect_reasons(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() >= 10, "{found:?}");
        let other = suppressed("");
        for reason in &found {
            let is_personal = PERSONAL.contains(&reason.as_str());
            assert_eq!(suppressed(reason) == other, is_personal, "outcome_text.rs: {reason}");
        }
        let expired = suppressed(&format!("{EXPIRED}; the last answer was: {WORDS}"));
        assert!(expired != other && !expired.contains("550"));
    }

    /// Adds each text of `Composed::Suppressed("…")` in the files below `folder`.
    fn collect_reasons(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect_reasons(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("outcome_text.rs")
            {
                let source = fs::read_to_string(&path).unwrap();
                let reasons = source.split("Composed::Suppressed(\"").skip(1);
                found.extend(reasons.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
            }
        }
    }
}
