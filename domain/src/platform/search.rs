//! The search index: which objects have a name or an address that begins with a text.
//!
//! The table `search_words` holds, for each object, its address and each ending of its name that starts at a word, all
//! case-folded. So a search for the beginning of any word is a range of an index, on Postgres and on SQLite.

use std::{collections::BTreeSet, str::FromStr};

use portico_entity::{
    TenantId,
    search_word::{self, Column, Entity, Subject},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{OnConflict, SelectStatement},
};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use super::{
    error::{FieldProblem, Result},
    tx::Tx,
};

/// The fewest characters of a search.
const MIN_CHARS: usize = 2;
/// The most characters of a search, and of a stored word. What comes after them in a name is not found.
const MAX_CHARS: usize = 254;
/// How many words one statement inserts. Each word has four values, and SQLite takes at most 32,766 in a statement.
const WORDS_IN_A_STATEMENT: usize = 4_000;

/// A text to search for: the beginning of an address or of a word of a name, in any letter case.
///
/// Parsing removes white space around the text. It fails with the code `search_invalid` if the text then has fewer than
/// 2 or more than 254 characters.
#[derive(Clone, Debug)]
pub struct SearchText(String);

impl FromStr for SearchText {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> std::result::Result<Self, FieldProblem> {
        let folded = fold(typed.trim());
        if (MIN_CHARS..=MAX_CHARS).contains(&folded.chars().count()) {
            Ok(Self(folded))
        } else {
            Err(FieldProblem::new("search_invalid", "must have 2 to 254 characters"))
        }
    }
}

/// An object to find, and the texts by which it is found.
pub(crate) struct Entry {
    /// The tenant in which the object is found.
    pub(crate) tenant: TenantId,
    /// The kind of the object.
    pub(crate) subject: Subject,
    /// The id of the object.
    pub(crate) id: Uuid,
    /// The names: each word of them is found by its beginning.
    pub(crate) names: Vec<String>,
    /// The address, or another text that is found by its own beginning only.
    pub(crate) address: Option<String>,
}

impl Entry {
    /// Returns the words that the index holds for the object, case-folded, each once.
    fn words(&self) -> BTreeSet<String> {
        // One letter can become 18 when it is folded, so a name can be far longer then than any search.
        let fold = |text: &str| fold(text).chars().take(MAX_CHARS).collect::<String>();
        let names = self.names.iter().flat_map(|name| endings(&fold(name)));
        names.chain(self.address.as_deref().map(fold)).filter(|word| !word.is_empty()).collect()
    }
}

/// Puts `entries` into the index, each in place of what the index holds for its object.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn index(tx: &mut Tx, entries: impl IntoIterator<Item = Entry>) -> Result<()> {
    let entries: Vec<_> = entries.into_iter().collect();
    remove(tx, entries.iter().map(|entry| entry.id)).await?;
    let rows: Vec<_> = entries
        .iter()
        .flat_map(|entry| entry.words().into_iter().map(move |word| (entry, word)))
        .map(|(entry, word)| search_word::ActiveModel {
            object_id: Set(entry.id),
            word: Set(word),
            tenant_id: Set(entry.tenant),
            subject: Set(entry.subject),
        })
        .collect();
    for rows in rows.chunks(WORDS_IN_A_STATEMENT) {
        // Two transactions may index the same object at the same time.
        Entity::insert_many(rows.to_vec())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx.db())
            .await?;
    }
    Ok(())
}

/// Removes the objects with these ids from the index.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn remove(tx: &mut Tx, ids: impl IntoIterator<Item = Uuid>) -> Result<()> {
    let ids: Vec<_> = ids.into_iter().collect();
    for ids in ids.chunks(WORDS_IN_A_STATEMENT) {
        Entity::delete_many().filter(Column::ObjectId.is_in(ids.iter().copied())).exec(tx.db()).await?;
    }
    Ok(())
}

/// Returns a query for the ids of the objects of `tenant` that `text` finds. It is used as a subquery:
/// `id IN (…)`.
pub(crate) fn ids(tenant: TenantId, subject: Subject, text: &SearchText) -> SelectStatement {
    // The column is compared by its bytes, and no character comes after U+10FFFF.
    let after = format!("{}{}", text.0, char::MAX);
    Entity::find()
        .select_only()
        .column(Column::ObjectId)
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::Subject.eq(subject))
        .filter(Column::Word.gte(text.0.as_str()))
        .filter(Column::Word.lt(after))
        .into_query()
}

/// Returns each ending of `name` that starts at a word. A word starts after white space, a hyphen or an apostrophe.
fn endings(name: &str) -> Vec<String> {
    let is_separator =
        |c: char| c.is_whitespace() || matches!(c, '-' | '\'' | '\u{2019}' | '(' | '"' | '.' | ',' | '/');
    let mut endings = Vec::new();
    let mut is_start = true;
    for (position, character) in name.char_indices() {
        if is_start && !is_separator(character) {
            endings.push(name.get(position..).unwrap_or_default().to_owned());
        }
        is_start = is_separator(character);
    }
    endings
}

/// Folds letter case and compatibility forms, so that texts that look the same are equal. Runs of white space become
/// one space.
fn fold(text: &str) -> String {
    // A capital ẞ becomes `ss` only through the small letter.
    let letters = text.nfkc().flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let folded: String = letters.nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use portico_entity::search_word::Subject;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn object_is_found_by_the_beginning_of_each_word_and_of_the_address() {
        let app = testing::app().await;
        let tenant = app.insert_client().await.tenant_id;
        let (ann, bob) = (app.new_id(), app.new_id());
        let entry = |id, name: &str, address: &str| Entry {
            tenant,
            subject: Subject::Membership,
            id,
            names: vec![name.into()],
            address: Some(address.into()),
        };
        let mut tx = app.begin().await.unwrap();
        index(&mut tx, [entry(ann, "Ann-Marie  O’Hara Strauß", "a.ohara@x.test")]).await.unwrap();
        index(&mut tx, [entry(bob, "Bob 100%_Sure", "bob@x.test")]).await.unwrap();
        tx.commit().await.unwrap();
        let found = async |typed: &str| -> Vec<_> {
            let found = Column::ObjectId.in_subquery(ids(tenant, Subject::Membership, &typed.parse().unwrap()));
            let rows = Entity::find().filter(found).all(app.db()).await.unwrap();
            rows.iter().map(|row| row.object_id).collect::<BTreeSet<_>>().into_iter().collect()
        };
        for typed in ["an", "ANN", "ann-marie", "marie o’h", "Hara", "strauss", "STRAUẞ", " a.ohara@X", "ｍａｒｉｅ"]
        {
            assert_eq!(found(typed).await, [ann], "{typed}");
        }
        for typed in ["100%", "bob@x.test", "bob 100"] {
            assert_eq!(found(typed).await, [bob], "{typed}");
        }
        for typed in ["nn", "%%", "__", "%a", "x.test", "ann ", "1__%", "annette", "b%"] {
            let expected: &[Uuid] = if typed == "ann " { &[ann] } else { &[] };
            assert_eq!(found(typed).await, expected, "{typed}");
        }
        assert!(["", "a", " a ", "\u{301}"].iter().all(|typed| typed.parse::<SearchText>().is_err()));
    }
}
