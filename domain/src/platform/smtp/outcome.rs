//! The table that says what an answer of a mail server means for a mail.
//!
//! The sources are RFC 5321 §4.2, RFC 3463, RFC 5248 and RFC 7372, and the pages of Google and Microsoft about the
//! codes of their servers. The enhanced status code decides before the reply code, except where a row says otherwise.

use super::{
    failure::{Cause, Failure, Stage},
    reply::{EnhancedCode, Reply},
};

/// What becomes of a mail after an attempt to send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server has accepted the mail.
    Sent,
    /// The mail has failed and is not tried again.
    Final,
    /// The mail is tried again with back-off, for as long as what it carries is worth sending.
    Later,
    /// Portico's configuration, account or reputation is at fault, and not the mail. No process sends mail until a
    /// probe is accepted.
    Hold,
    /// The server has refused the mail, and it is not clear whether for good. The mail is tried again three times.
    Doubt,
    /// The server may or may not have accepted the mail. The mail is repeated at most twice.
    Unknown,
}

impl Outcome {
    /// Returns the name in traces.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Final => "final",
            Self::Later => "later",
            Self::Hold => "hold",
            Self::Doubt => "doubt",
            Self::Unknown => "unknown",
        }
    }
}

/// What the table says about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What becomes of the mail.
    pub(crate) outcome: Outcome,
    /// Whether the server asks for fewer connections.
    pub(crate) is_overloaded: bool,
}

/// What is known about an attempt in addition to the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    /// Whether the server knows Portico by its credentials.
    pub(crate) is_authenticated: bool,
    /// Whether the server may have accepted the mail at an earlier attempt.
    pub(crate) may_be_delivered: bool,
}

/// A condition of a row besides stage and answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum If {
    Always,
    Authenticated,
    MayBeDelivered,
}

/// A row of the table. It matches if the stage is in `stages`, one word of `answers` matches, and the condition holds.
struct Row {
    stages: &'static [Stage],
    /// Words separated by spaces:
    /// - `silence`, `closed`, `unparsable`, `setup`: there is no reply; see [`Cause`].
    /// - `421`, `5yz`: the class of the enhanced code, or the reply code without regard to the enhanced code.
    /// - `bare:552`: the reply code, if there is no enhanced code.
    /// - `5.1.1`, `5.1.1-3`, `5.7.x`, `5.2.25x`: the enhanced code. `x` is any digit; a single `x` is any number.
    /// - `DuplicateDelivery`: a 5yz reply whose text contains this word.
    /// - `any`: every answer.
    answers: &'static str,
    condition: If,
    outcome: Outcome,
    is_overloaded: bool,
}

use Outcome::{Doubt, Final, Hold, Later, Sent, Unknown};
use Stage::{Auth, Connect, Data, Dot, Ehlo, Greeting, Mail, Rcpt, Tls};

const ALL: &[Stage] = &Stage::ALL;
const SETUP: &[Stage] = &[Connect, Tls, Greeting, Ehlo, Auth];
const BEFORE_DOT: &[Stage] = &[Connect, Tls, Greeting, Ehlo, Auth, Mail, Rcpt, Data];
const NOT_RCPT: &[Stage] = &[Connect, Tls, Greeting, Ehlo, Auth, Mail, Data, Dot];

const fn row(stages: &'static [Stage], answers: &'static str, outcome: Outcome) -> Row {
    Row { stages, answers, condition: If::Always, outcome, is_overloaded: false }
}

const fn overloaded(stages: &'static [Stage], answers: &'static str) -> Row {
    Row { stages, answers, condition: If::Always, outcome: Later, is_overloaded: true }
}

const fn row_if(condition: If, stages: &'static [Stage], answers: &'static str, outcome: Outcome) -> Row {
    Row { stages, answers, condition, outcome, is_overloaded: false }
}

/// The table. The first row that matches decides.
const TABLE: &[Row] = &[
    // A positive reply to the dot accepts the mail, with any text.
    row(&[Dot], "2yz", Sent),
    row_if(If::MayBeDelivered, &[Dot], "DuplicateDelivery", Sent),
    // The server or the account is busy.
    overloaded(NOT_RCPT, "4.7.x"),
    overloaded(ALL, "432 454 4.3.2 4.4.5"),
    row(BEFORE_DOT, "silence closed unparsable 421", Later),
    // The connection cannot be set up as configured.
    row(SETUP, "setup 5yz", Hold),
    row(&[Mail, Data], "4yz", Later),
    row(&[Mail, Data], "552 5.3.4", Final),
    row(&[Mail, Data], "5yz", Hold),
    row(BEFORE_DOT, "4yz", Later),
    // These codes never concern the recipient or the text: syntax, sequence, TLS and login.
    row(&[Rcpt, Dot], "500 502 503 504 530 534 535 538", Hold),
    // There is no such recipient.
    row(&[Rcpt], "5.1.1-3 5.1.6 5.1.10 5.2.1-2 5.4.1 5.4.4 556", Final),
    // The sender, its quota or its reputation is refused.
    row(&[Rcpt, Dot], "5.1.7-8 5.1.90 5.2.25x 5.3.2 5.3.5 5.4.5 5.7.3 5.7.8-14 5.7.2x 5.7.57-64 5.7.5xx 5.7.7xx", Hold),
    row(&[Rcpt], "5yz", Doubt),
    row(&[Dot], "4yz", Later),
    // The text or the mailbox is refused.
    row(&[Dot], "5.6.x 5.3.4 5.2.3 bare:552 5.1.1", Final),
    row_if(If::Authenticated, &[Dot], "5.2.x", Hold),
    row(&[Dot], "5.2.x", Final),
    row(&[Dot], "5yz", Doubt),
    row(&[Dot], "any", Unknown),
    // An answer that the protocol does not allow, such as 250 to DATA.
    row(BEFORE_DOT, "any", Later),
];

/// Returns what `answer` means: the reply to the dot, or the failure of an earlier stage.
pub(crate) fn verdict(answer: Result<&Reply, &Failure>, circumstances: Circumstances) -> Verdict {
    let (stage, cause) = match answer {
        Ok(reply) => (Dot, Ok(reply)),
        Err(Failure { stage, cause: Cause::Reply(reply) }) => (*stage, Ok(reply)),
        Err(Failure { stage, cause }) => (*stage, Err(cause)),
    };
    let holds = |condition| match condition {
        If::Always => true,
        If::Authenticated => circumstances.is_authenticated,
        If::MayBeDelivered => circumstances.may_be_delivered,
    };
    let row = TABLE.iter().find(|row| {
        row.stages.contains(&stage)
            && holds(row.condition)
            && row.answers.split_whitespace().any(|word| matches(word, cause))
    });
    // The last two rows match every answer.
    row.map_or(Verdict { outcome: Later, is_overloaded: false }, |row| Verdict {
        outcome: row.outcome,
        is_overloaded: row.is_overloaded,
    })
}

fn matches(word: &str, answer: Result<&Reply, &Cause>) -> bool {
    let reply = match answer {
        Ok(reply) => reply,
        Err(cause) => return word == "any" || word == cause.word(),
    };
    let code = reply.code.to_string();
    // An enhanced code of success in a refusal means nothing.
    let enhanced = reply.enhanced_code().filter(|enhanced| reply.code >= 400 && enhanced.class >= 4);
    match word {
        "any" => true,
        "DuplicateDelivery" => reply.code >= 500 && reply.contains(word),
        "2yz" | "4yz" | "5yz" => {
            let class = enhanced.map_or(reply.code / 100, |enhanced| enhanced.class);
            word.starts_with(&class.to_string())
        }
        _ => match word.strip_prefix("bare:") {
            Some(word) => enhanced.is_none() && word == code,
            None if word.contains('.') => enhanced.is_some_and(|enhanced| matches_enhanced(word, enhanced)),
            None => word == code,
        },
    }
}

/// Returns whether `pattern`, such as `5.1.1-3`, `5.7.x` or `5.2.25x`, matches `code`.
fn matches_enhanced(pattern: &str, code: EnhancedCode) -> bool {
    let prefix = format!("{}.{}.", code.class, code.subject);
    let Some(detail) = pattern.strip_prefix(&prefix) else { return false };
    let shown = code.detail.to_string();
    match detail.split_once('-') {
        Some((first, last)) => {
            let bounds = (first.parse::<u16>(), last.parse::<u16>());
            matches!(bounds, (Ok(first), Ok(last)) if (first..=last).contains(&code.detail))
        }
        None if detail == "x" => true,
        None => {
            detail.len() == shown.len()
                && detail.bytes().zip(shown.bytes()).all(|(want, got)| want == b'x' || want == got)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Circumstances = Circumstances { is_authenticated: false, may_be_delivered: false };

    async fn outcome_of(stage: Stage, reply: &str, circumstances: Circumstances) -> Verdict {
        let reply = Reply::read(&mut format!("{reply}\r\n").as_bytes()).await.unwrap();
        match stage {
            Dot => verdict(Ok(&reply), circumstances),
            stage => verdict(Err(&Failure { stage, cause: Cause::Reply(reply) }), circumstances),
        }
    }

    #[tokio::test]
    async fn each_row_of_the_table_decides_its_answers() {
        let cases: &[(&[Stage], &[&str], Outcome)] = &[
            (&[Dot], &["250", "250 2.0.0 queued", "251 \u{fffd}", "250 5.7.1 not what it says", "200 OK"], Sent),
            (BEFORE_DOT, &["421 4.3.0 closing", "421", "450 wait", "451 4.2.0 later", "450 4.1.1 probing"], Later),
            (&[Rcpt], &["451 4.7.1 greylisted", "450 4.7.0 wait", "452 4.2.2 full for now"], Later),
            (SETUP, &["554 no service", "550 5.7.1 blocked", "504 5.5.2 need fully-qualified hostname"], Hold),
            (SETUP, &["535 5.7.8 wrong password", "535", "530 5.7.0 STARTTLS first", "502 what"], Hold),
            (&[Mail, Data], &["552 5.2.2 too much", "552", "554 5.3.4 too large"], Final),
            (
                &[Mail, Data],
                &["550 5.4.5 Daily user sending limit exceeded", "553 5.7.1 not yours", "554", "501"],
                Hold,
            ),
            (
                &[Rcpt, Dot],
                &["500", "502 5.5.2", "503 5.5.1 sequence", "504", "530 5.7.0", "534", "535 5.7.8", "538"],
                Hold,
            ),
            (&[Rcpt], &["550 5.1.1 no such user", "550 5.1.2", "553 5.1.3", "550 5.1.6 moved", "550 5.1.10"], Final),
            (&[Rcpt], &["550 5.2.1 disabled", "552 5.2.2 full", "550 5.4.1", "550 5.4.4 no route", "556"], Final),
            (
                &[Rcpt, Dot],
                &["550 5.1.7 bad sender", "550 5.1.8", "550 5.1.90 limit", "550 5.2.250", "550 5.2.259"],
                Hold,
            ),
            (
                &[Rcpt, Dot],
                &["550 5.3.2", "550 5.3.5", "550 5.4.5 quota", "550 5.7.3", "550 5.7.8", "550 5.7.14"],
                Hold,
            ),
            (
                &[Rcpt, Dot],
                &["550 5.7.20", "550 5.7.29", "550 5.7.57", "550 5.7.64", "550 5.7.501", "550 5.7.708"],
                Hold,
            ),
            (&[Rcpt], &["550 5.7.1 relay", "550 5.7.0", "550 5.1.0", "501 5.5.0", "501", "550", "553", "554"], Doubt),
            (&[Rcpt], &["550 5.7.15", "550 5.7.30", "550 5.2.260", "550 5.1.9", "550 5.1.11"], Doubt),
            (&[Dot], &["451 4.2.0 later", "421 4.3.0", "452 full", "550 4.2.0 only for now"], Later),
            (
                &[Dot],
                &["554 5.6.0 bad header", "552 5.3.4 too large", "550 5.2.3", "552", "550 5.1.1 no such user"],
                Final,
            ),
            (&[Dot], &["552 5.2.2 full", "550 5.2.1 disabled"], Final),
            (&[Dot], &["550 5.7.1 spam", "550", "554", "552 5.7.0 attachment", "554 5.7.1 DuplicateDelivery"], Doubt),
            (&[Dot], &["550 2.0.0 rejected", "554 2.6.0"], Doubt),
            (&[Rcpt], &["550 2.1.5 no"], Doubt),
            (&[Dot], &["451 2.1.5 no"], Later),
            (&[Dot], &["354 go on", "150", "999 what"], Unknown),
            (BEFORE_DOT, &["199", "334 more", "600 odd"], Later),
        ];
        for (stages, replies, expected) in cases {
            for stage in *stages {
                for reply in *replies {
                    let found = outcome_of(*stage, reply, PLAIN).await.outcome;
                    assert_eq!(found, *expected, "{stage:?}: {reply}");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_busy_server_gets_fewer_connections() {
        for (stage, reply, is_overloaded) in [
            (Auth, "454 4.7.0 too many logins", true),
            (Mail, "421 4.7.0 try again later", true),
            (Rcpt, "450 4.7.1 greylisted", false),
            (Rcpt, "452 4.3.2 not now", true),
            (Connect, "432", true),
            (Dot, "451 4.4.5 busy", true),
            (Mail, "451 4.3.0 later", false),
        ] {
            let found = outcome_of(stage, reply, PLAIN).await;
            assert_eq!((found.outcome, found.is_overloaded), (Later, is_overloaded), "{stage:?}: {reply}");
        }
    }

    #[tokio::test]
    async fn login_and_earlier_attempts_change_some_answers() {
        let authenticated = Circumstances { is_authenticated: true, ..PLAIN };
        for reply in ["552 5.2.2 full", "550 5.2.0", "550 5.2.1 disabled"] {
            assert_eq!(outcome_of(Dot, reply, authenticated).await.outcome, Hold, "{reply}");
        }
        assert_eq!(outcome_of(Dot, "550 5.2.3 too large", authenticated).await.outcome, Final);
        let repeated = Circumstances { may_be_delivered: true, ..PLAIN };
        for reply in ["554 5.6.0 DuplicateDelivery", "550 duplicatedelivery", "550 5.7.1 a; DuplicateDelivery; b"] {
            assert_eq!(outcome_of(Dot, reply, repeated).await.outcome, Sent, "{reply}");
        }
    }

    #[test]
    fn without_a_reply_the_stage_decides() {
        let causes = [Cause::Silence, Cause::Closed("reset".into()), Cause::Unparsable];
        for cause in causes {
            for stage in BEFORE_DOT {
                let failure = Failure { stage: *stage, cause: cause.clone() };
                assert_eq!(verdict(Err(&failure), PLAIN).outcome, Later, "{failure}");
            }
            let failure = Failure { stage: Dot, cause };
            assert_eq!(verdict(Err(&failure), PLAIN).outcome, Unknown, "{failure}");
        }
        for stage in SETUP {
            let failure = Failure { stage: *stage, cause: Cause::Setup("the certificate is not valid".into()) };
            assert_eq!(verdict(Err(&failure), PLAIN).outcome, Hold, "{failure}");
        }
    }
}
