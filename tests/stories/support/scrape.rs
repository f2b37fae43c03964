//! Metrics as Prometheus sees them.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    process::{Command, Stdio},
};

/// What the internal listeners of some processes said, one after another.
pub(crate) struct Scrape(Vec<String>);

impl Scrape {
    pub(crate) async fn of(internals: &[String]) -> Self {
        let mut texts = Vec::new();
        for internal in internals {
            let answer = reqwest::get(format!("{internal}/metrics")).await.unwrap();
            assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
            texts.push(answer.error_for_status().unwrap().text().await.unwrap());
        }
        Self(texts)
    }

    /// The sum of every series whose name and labels begin so and hold these labels, over all processes.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.values(name, labels).iter().sum()
    }

    /// The largest of them.
    pub(crate) fn max(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.values(name, labels).into_iter().fold(0.0, f64::max)
    }

    fn values(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let all = self.0.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#'));
        let named = all.filter(|line| line.split(['{', ' ']).next() == Some(name));
        let wanted =
            named.filter(|line| labels.iter().all(|(label, value)| line.contains(&format!("{label}=\"{value}\""))));
        wanted.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect()
    }

    /// The names of all series.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let lines = self.0.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
    }

    /// The values of all labels, by label.
    pub(crate) fn labels(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in self.0.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#')) {
            let Some((_, rest)) = line.split_once('{') else { continue };
            for pair in rest.rsplit_once('}').unwrap().0.split(',') {
                let (label, value) = pair.split_once('=').unwrap();
                all.entry(label.into()).or_default().insert(value.trim_matches('"').into());
            }
        }
        all
    }

    /// What `promtool check metrics` thinks of it.
    pub(crate) fn check(&self) {
        for text in &self.0 {
            let mut promtool = Command::new("promtool");
            promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut promtool = promtool.spawn().expect("promtool is there: run the tests by bin/test");
            promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
            let output = promtool.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success() && said.is_empty(), "{said}");
        }
    }
}
