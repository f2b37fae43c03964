//! The metrics of some processes, as Prometheus scrapes them.

use super::http;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    process::{Command, Stdio},
};

/// The metrics of some processes, each in the Prometheus text format.
pub(crate) struct Scrape(Vec<String>);

impl Scrape {
    /// Scrapes these internal listeners.
    pub(crate) async fn of(internals: &[String]) -> Self {
        let mut texts = Vec::new();
        for internal in internals {
            let response = http::get(format!("{internal}/metrics")).await.unwrap();
            assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
            texts.push(response.error_for_status().unwrap().text().await.unwrap());
        }
        Self(texts)
    }

    /// The sum of every series with this name and these labels, over all processes. Series may have more labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.values(name, labels).iter().sum()
    }

    /// The largest value of these series.
    pub(crate) fn max(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.values(name, labels).into_iter().fold(0.0, f64::max)
    }

    fn values(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let has_name = |line: &&str| line.split(['{', ' ']).next() == Some(name);
        let has_labels =
            |line: &&str| labels.iter().all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")));
        let values = self.series().filter(has_name).filter(has_labels).map(|line| line.rsplit(' ').next().unwrap());
        values.map(|value| value.parse().unwrap()).collect()
    }

    /// The lines that are not comments: name, labels and value of one series each.
    fn series(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#'))
    }

    /// The names of all series.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.series().map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
    }

    /// The values of all labels, by label.
    pub(crate) fn labels(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in self.series() {
            let Some((_, rest)) = line.split_once('{') else { continue };
            for pair in rest.rsplit_once('}').unwrap().0.split(',') {
                let (label, value) = pair.split_once('=').unwrap();
                all.entry(label.into()).or_default().insert(value.trim_matches('"').into());
            }
        }
        all
    }

    /// Asserts that `promtool check metrics` has nothing to report.
    pub(crate) fn assert_promtool_accepts(&self) {
        for text in &self.0 {
            let mut promtool = Command::new("promtool");
            promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut promtool = promtool.spawn().expect("promtool is installed: run the tests by bin/test");
            promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
            let output = promtool.wait_with_output().unwrap();
            let report = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success() && report.is_empty(), "{report}");
        }
    }
}
