//! What a command prints whose arguments are wrong.

/// What every API token begins with.
const TOKEN_PREFIX: &str = "pat_";

/// Returns the text of an error of clap, if an argument is an API token. The text does not have the token, which would
/// stay in logs and on the screen.
pub(crate) fn without_token(error: &clap::Error) -> Option<String> {
    // The help is no error, and names no token.
    let text = Some(error).filter(|error| error.use_stderr())?.to_string();
    let mut parts = text.split(TOKEN_PREFIX);
    let first = parts.next().filter(|first| first.len() < text.len())?.to_owned();
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let others = parts.map(|part| format!("{TOKEN_PREFIX}…{}", part.trim_start_matches(is_of_token)));
    let advice = "An API token is never an argument, because other users of this machine can see arguments.\n\
                  Revoke this one, and paste another, or read it from a file: portico remote login URL --token < FILE\n";
    Some(first + &others.collect::<String>() + advice)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_token_is_left_out() {
        for wrong in ["--token=pat_abc123", "pat_abc123", "pat_pat_abc123"] {
            let error = Cli::try_parse_from(["portico", "remote", "login", "https://x.test", wrong]).err().unwrap();
            let text = without_token(&error).unwrap();
            assert!(text.contains("pat_…'") && !text.contains("abc123"), "{text}");
        }
        let error = Cli::try_parse_from(["portico", "nothing"]).err().unwrap();
        assert_eq!(without_token(&error), None);
    }
}
