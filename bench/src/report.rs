//! The report of a run: what was measured, and how it is printed.

use std::fmt::Write;

use crate::machine::Machine;

/// The results of one run.
pub(crate) struct Report {
    machine: Machine,
    sections: Vec<Section>,
}

/// The results of one figure.
struct Section {
    /// The name of the figure.
    figure: String,
    description: &'static str,
    lines: Vec<Line>,
    notes: Vec<String>,
}

/// One line of a table.
#[derive(Default)]
pub(crate) struct Line {
    what: String,
    measured: String,
    limit: String,
    ratio: Option<f64>,
    target: String,
    is_met: Option<bool>,
}

impl Line {
    /// Returns a line with what was measured, and its value with the unit.
    pub(crate) fn new(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self { what: what.into(), measured: measured.into(), ..Self::default() }
    }

    /// Adds the limit that was measured in the same run, with its unit, and the ratio of the value to it.
    pub(crate) fn limit(self, limit: impl Into<String>, ratio: f64) -> Self {
        Self { limit: limit.into(), ratio: Some(ratio), ..self }
    }

    /// Adds the target as text, and whether it is met.
    pub(crate) fn target(self, target: impl Into<String>, is_met: bool) -> Self {
        Self { target: target.into(), is_met: Some(is_met), ..self }
    }

    fn cells(&self) -> [String; 6] {
        let ratio = self.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let verdict = match self.is_met {
            Some(true) => "ok",
            Some(false) => "missed",
            None => "",
        };
        let text = |text: &str| text.to_owned();
        [text(&self.what), text(&self.measured), text(&self.limit), ratio, text(&self.target), text(verdict)]
    }
}

/// The header of each table.
const HEADER: [&str; 6] = ["what", "measured", "limit", "ratio", "target", ""];

impl Report {
    /// Returns an empty report.
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, sections: Vec::new() }
    }

    /// Starts the section of a figure. Lines and notes are added to the section that was started last.
    pub(crate) fn begin(&mut self, figure: String, description: &'static str) {
        self.sections.push(Section { figure, description, lines: Vec::new(), notes: Vec::new() });
    }

    /// Adds a line to the table, and prints it to stderr immediately.
    pub(crate) fn line(&mut self, line: Line) {
        let cells = line.cells();
        eprintln!(
            "bin/bench:   {}",
            cells.iter().filter(|cell| !cell.is_empty()).cloned().collect::<Vec<_>>().join(" | ")
        );
        if let Some(section) = self.sections.last_mut() {
            section.lines.push(line);
        }
    }

    /// Adds a note below the table, and prints it to stderr immediately.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        eprintln!("bin/bench:   {note}");
        if let Some(section) = self.sections.last_mut() {
            section.notes.push(note);
        }
    }

    /// Returns whether every target is met.
    pub(crate) fn is_met(&self) -> bool {
        self.sections.iter().flat_map(|section| &section.lines).all(|line| line.is_met != Some(false))
    }

    /// Prints the whole report to stdout.
    #[expect(clippy::print_stdout, reason = "the report is the output of the program")]
    pub(crate) fn print(&self, markdown: bool) {
        println!("{}", if markdown { self.markdown() } else { self.text() });
    }

    fn markdown(&self) -> String {
        let mut page = format!("{}\n", self.machine);
        for section in &self.sections {
            let _ = write!(
                page,
                "\n## {}\n\n{}\n\nRepeat: `bin/bench {}`\n\n",
                section.figure, section.description, section.figure
            );
            let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
            let escaped = |line: &Line| line.cells().map(|cell| cell.replace('|', "\\|"));
            page += &row(&HEADER.map(String::from));
            page += "|---|---|---|---|---|---|\n";
            section.lines.iter().for_each(|line| page += &row(&escaped(line)));
            section.notes.iter().for_each(|note| page += &format!("\n{note}\n"));
        }
        page.trim_end().to_owned()
    }

    fn text(&self) -> String {
        let rows = self.sections.iter().flat_map(|section| &section.lines).map(Line::cells);
        let mut widths = HEADER.map(|cell| cell.chars().count());
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(&row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let row = |cells: &[String]| {
            let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            format!("{}\n", padded.join("  ").trim_end())
        };
        let mut page = format!("{}\n", self.machine);
        for section in &self.sections {
            let _ = write!(page, "\n{} (bin/bench {})\n{}\n\n", section.figure, section.figure, section.description);
            page += &row(&HEADER.map(String::from));
            section.lines.iter().for_each(|line| page += &row(&line.cells()));
            section.notes.iter().for_each(|note| page += &format!("* {note}\n"));
        }
        page.trim_end().to_owned()
    }
}
