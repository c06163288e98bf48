//! The output of a command, as lines for people or as JSON for programs.

use std::io::Write;

use anstyle::Style;
use serde_json::{Map, Value};

use crate::{failure::Result, output::stdout};

const BOLD: Style = Style::new().bold();
/// The narrowest column of names.
const NAMES: usize = 14;

/// A heading, named values, and remarks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub kind: String,
    fields: Vec<(&'static str, Value)>,
    problems: Vec<String>,
}

impl Report {
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Adds a value if there is one.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds something that is not as expected.
    #[must_use]
    pub fn problem(mut self, problem: impl Into<String>) -> Self {
        self.problems.push(problem.into());
        self
    }

    pub fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// How many problems there are, as text.
    pub fn problem_count(&self) -> String {
        counted(self.problems.len() as u64, "problem", "problems")
    }

    /// As JSON: the kind, the values, and the problems.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("kind".into(), self.kind.clone().into());
        object.extend(
            self.fields.iter().map(|(name, value)| (name.replace(' ', "_"), value.clone())),
        );
        object.insert("problems".into(), self.problems.clone().into());
        Value::Object(object)
    }

    fn write_text(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "{BOLD}{}{BOLD:#}", printable(&self.kind))?;
        let width = self.fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(NAMES);
        for (name, value) in &self.fields {
            for (place, line) in lines(value).iter().enumerate() {
                let name = if place == 0 { name } else { "" };
                writeln!(out, "  {name:width$}  {line}")?;
            }
        }
        for problem in &self.problems {
            writeln!(out, "  problem: {}", printable(problem))?;
        }
        Ok(())
    }

    /// Prints one report.
    pub fn print(&self, json: bool) -> Result<()> {
        print(std::slice::from_ref(self), json)
    }
}

/// Prints reports: as text, or as JSON, one line for each.
pub fn print(reports: &[Report], json: bool) -> Result<()> {
    let mut out = stdout();
    for report in reports {
        if json {
            writeln!(out, "{}", report.to_json())?;
        } else {
            report.write_text(&mut out)?;
        }
    }
    Ok(out.flush()?)
}

/// A value as lines: a list has one for each of its items.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![printable(text)],
        Value::Bool(value) => vec![if *value { "yes" } else { "no" }.into()],
        Value::Array(items) if items.is_empty() => vec!["none".into()],
        Value::Array(items) => items.iter().flat_map(lines).collect(),
        other => vec![printable(&other.to_string())],
    }
}

/// A number with the name of what it counts.
pub fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// The text without characters that could control a terminal.
pub fn printable(text: &str) -> String {
    let shown = |character: char| {
        // Characters that end a line or change the direction of the text are not control
        // characters.
        let moves = matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        if character.is_control() || moves { '\u{fffd}' } else { character }
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(report: &Report) -> String {
        let mut out = Vec::new();
        report.write_text(&mut out).unwrap();
        anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
    }

    #[test]
    fn a_report_is_lines_or_json() {
        let report = Report::new("thing").with("first index", 3).with("ok", true);
        let report = report.with("list", ["a", "b"].as_slice()).problem("bad");
        let expected = "thing\n  first index     3\n  ok              yes\n  list            a\n                  b\n  problem: bad\n";
        assert_eq!(text(&report), expected);
        let expected =
            r#"{"first_index":3,"kind":"thing","list":["a","b"],"ok":true,"problems":["bad"]}"#;
        assert_eq!(report.to_json().to_string(), expected);
    }

    #[test]
    fn one_thing_is_not_several() {
        let counted = [0, 1, 2].map(|count| counted(count, "entry", "entries"));
        assert_eq!(counted, ["0 entries", "1 entry", "2 entries"]);
    }

    /// A room's name or an event can hold anything.
    #[test]
    fn no_part_of_a_report_gives_orders_to_the_terminal() {
        let order = "a\u{1b}[2Jb\n\u{202e}c\u{61c}\u{2028}";
        let shown = "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\u{fffd}\u{fffd}";
        let report = Report::new(order).with("text", order).with("list", [order].as_slice());
        let expected = format!(
            "{shown}\n  text            {shown}\n  list            {shown}\n  problem: {shown}\n"
        );
        assert_eq!(text(&report.problem(order)), expected);
    }
}
