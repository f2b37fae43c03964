//! The answer of the server to a request that it has done.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    failure::{Failure, Result},
    problem::not_portico,
};
use crate::cli::text;

/// The answer to a request that the server has done.
pub(super) struct Answer {
    /// The body. It is empty if the status is 204.
    pub(super) text: String,
    /// The cookies that the answer sets, each as `name=value`.
    pub(super) cookies: Vec<String>,
}

impl Answer {
    /// Parses the body. Its texts have no characters that could control the terminal or begin a line, so that they can
    /// stand in sentences.
    ///
    /// # Errors
    /// A failure with the exit code 5 if it is not what the API answers.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        let mut body: Value = self.parse_unchanged()?;
        clean_texts(&mut body);
        serde_json::from_value(body).map_err(|error| of_another_form(&error))
    }

    /// Parses the body, and keeps its texts as the server sent them.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub(super) fn parse_unchanged<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.text).map_err(|error| of_another_form(&error))
    }
}

/// Cleans every text in a JSON value.
fn clean_texts(value: &mut Value) {
    match value {
        Value::String(text) => *text = text::clean(text),
        Value::Array(items) => items.iter_mut().for_each(clean_texts),
        Value::Object(fields) => fields.values_mut().for_each(clean_texts),
        _ => {}
    }
}

fn of_another_form(error: &serde_json::Error) -> Failure {
    not_portico(&format!("its JSON has another form: {error}"))
}
