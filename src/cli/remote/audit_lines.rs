//! The lines of an export of the audit log, as they arrive.

use std::mem;

use serde::Deserialize;

use super::{
    api_client::Stream,
    audit::Event,
    failure::{Failure, Result},
    problem::not_portico,
};
use crate::cli::output::count;

/// The longest line, in bytes.
const MAX_LINE_BYTES: usize = 1 << 20;

/// The complete lines of a stream.
pub(super) struct Lines {
    stream: Stream,
    /// The beginning of a line whose end has not arrived.
    unread: Vec<u8>,
}

impl Lines {
    /// Returns the lines of a stream.
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, unread: Vec::new() }
    }

    /// Returns the lines that the next bytes complete, or `None` at the end. There may be none.
    ///
    /// # Errors
    /// As for [`Stream::next`], and a failure with the exit code 5 if a line has more than 1 MiB.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>> {
        let Some(bytes) = self.stream.next().await? else { return Ok(None) };
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.unread.extend_from_slice(part);
            if self.unread.len() > MAX_LINE_BYTES {
                return Err(not_portico("a line has more than 1 MiB"));
            }
            if self.unread.pop_if(|last| *last == b'\n').is_some() {
                lines.push(mem::take(&mut self.unread));
            }
        }
        Ok(Some(lines))
    }

    /// Returns the beginning of a line that has no end.
    pub(super) fn rest(&self) -> &[u8] {
        &self.unread
    }
}

/// A line of an export.
pub(super) enum Line {
    /// An event.
    Event(Box<Event>),
    /// The last line.
    End,
}

/// The last line of an export.
#[derive(Deserialize)]
struct End {
    end: bool,
    count: usize,
}

/// What has arrived of an export.
#[derive(Default)]
pub(super) struct Arrived {
    /// The number of events.
    pub(super) count: usize,
    end: Option<End>,
}

impl Arrived {
    /// Reads a line.
    ///
    /// # Errors
    /// A failure with the exit code 5 if it is no line of an export, or follows the last one.
    pub(super) fn read(&mut self, line: &[u8]) -> Result<Line> {
        if self.end.is_some() {
            return Err(not_portico("a line follows the last line of the export"));
        }
        // Serde would read an array as an object too.
        if !line.starts_with(b"{") {
            return Err(not_portico("a line is no event"));
        }
        if let Ok(end) = serde_json::from_slice(line) {
            self.end = Some(end);
            return Ok(Line::End);
        }
        let event = serde_json::from_slice(line).map_err(|_| not_portico("a line is no event"))?;
        self.count += 1;
        Ok(Line::Event(event))
    }

    /// Checks that all events have arrived. `rest` is what follows the last line feed.
    ///
    /// # Errors
    /// A failure with the exit code 1 if the export was cut off, and with the exit code 5 if `rest` is no part of one.
    pub(super) fn check(&self, rest: &[u8]) -> Result<()> {
        if !rest.is_empty() && (self.end.is_some() || rest[0] != b'{') {
            return Err(not_portico("it ends with bytes that are no line of an export"));
        }
        match self.end {
            Some(End { end: true, count }) if count == self.count => Ok(()),
            _ => Err(Failure::failed(format!(
                "the export is incomplete: {} arrived, and then the connection ended",
                count(self.count as u64, "event"),
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_line_of_an_export_is_refused() {
        for line in ["<html>", "[true,1]", "1", "null", "{}", "{\"end\":true}", "{\"end\":true,\"count\":-1}"] {
            assert!(Arrived::default().read(line.as_bytes()).is_err(), "{line}");
        }
        let mut arrived = Arrived::default();
        assert!(matches!(arrived.read(b"{\"end\":true,\"count\":0}"), Ok(Line::End)));
        assert!(arrived.check(b"").is_ok() && arrived.check(b"x").is_err());
        assert!(arrived.read(b"{\"end\":true,\"count\":0}").is_err());
    }
}
