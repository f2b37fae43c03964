//! What was measured, and how it is shown.

use std::fmt::Write;

use crate::machine::Machine;

/// Everything that was measured in one run.
pub(crate) struct Report {
    machine: Machine,
    sections: Vec<Section>,
}

struct Section {
    figure: String,
    meaning: &'static str,
    lines: Vec<Line>,
    notes: Vec<String>,
}

/// One line of the table.
#[derive(Default)]
pub(crate) struct Line {
    what: String,
    measured: String,
    limit: String,
    ratio: Option<f64>,
    wanted: String,
    is_good: Option<bool>,
}

impl Line {
    /// What was measured, and its value with its unit.
    pub(crate) fn new(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self { what: what.into(), measured: measured.into(), ..Self::default() }
    }

    /// The limit that was measured in the same run, and what is reached of it.
    pub(crate) fn of(self, limit: impl Into<String>, ratio: f64) -> Self {
        Self { limit: limit.into(), ratio: Some(ratio), ..self }
    }

    /// What is wanted, in words, and whether it is so.
    pub(crate) fn wanted(self, wanted: impl Into<String>, is_good: bool) -> Self {
        Self { wanted: wanted.into(), is_good: Some(is_good), ..self }
    }

    fn cells(&self) -> [String; 6] {
        let ratio = self.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let verdict = match self.is_good {
            Some(true) => "ok",
            Some(false) => "NOT",
            None => "",
        };
        let text = |text: &str| text.to_owned();
        [text(&self.what), text(&self.measured), text(&self.limit), ratio, text(&self.wanted), text(verdict)]
    }
}

const HEAD: [&str; 6] = ["what", "measured", "limit", "ratio", "wanted", ""];

impl Report {
    /// An empty report of this machine.
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, sections: Vec::new() }
    }

    /// What follows belongs to this figure.
    pub(crate) fn begin(&mut self, figure: String, meaning: &'static str) {
        self.sections.push(Section { figure, meaning, lines: Vec::new(), notes: Vec::new() });
    }

    /// Adds a line, and shows it at once.
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

    /// Adds a sentence that a reader of the numbers should know.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        eprintln!("bin/bench:   {note}");
        if let Some(section) = self.sections.last_mut() {
            section.notes.push(note);
        }
    }

    /// Whether nothing that is wanted was missed.
    pub(crate) fn is_good(&self) -> bool {
        self.sections.iter().flat_map(|section| &section.lines).all(|line| line.is_good != Some(false))
    }

    /// Prints all of it on stdout.
    #[expect(clippy::print_stdout, reason = "the one way out for what the program was asked for")]
    pub(crate) fn print(&self, markdown: bool) {
        println!("{}", if markdown { self.markdown() } else { self.text() });
    }

    fn markdown(&self) -> String {
        let mut page = format!("{}\n", self.machine);
        for section in &self.sections {
            let _ = write!(
                page,
                "\n## {}\n\n{}\n\nRepeat: `bin/bench {}`\n\n",
                section.figure, section.meaning, section.figure
            );
            let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
            let escaped = |line: &Line| line.cells().map(|cell| cell.replace('|', "\\|"));
            page += &row(&HEAD.map(String::from));
            page += "|---|---|---|---|---|---|\n";
            section.lines.iter().for_each(|line| page += &row(&escaped(line)));
            section.notes.iter().for_each(|note| page += &format!("\n{note}\n"));
        }
        page.trim_end().to_owned()
    }

    fn text(&self) -> String {
        let rows = self.sections.iter().flat_map(|section| &section.lines).map(Line::cells);
        let mut widths = HEAD.map(|cell| cell.chars().count());
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
            let _ = write!(page, "\n{} (bin/bench {})\n{}\n\n", section.figure, section.figure, section.meaning);
            page += &row(&HEAD.map(String::from));
            section.lines.iter().for_each(|line| page += &row(&line.cells()));
            section.notes.iter().for_each(|note| page += &format!("* {note}\n"));
        }
        page.trim_end().to_owned()
    }
}
